//! Random numbers on a GPU, equal to those of [`crate::philox`], and categorical sampling.

use super::{Call, Gpu, checked_count, expect_driver};
use crate::cuda::memory::DeviceBuffer;
use crate::cuda::modules::Entry;
use crate::philox::Stream;
use crate::real::Real;
use crate::view::{View, ViewMut};

impl Gpu {
    /// Computes [`philox4x32_10`](crate::philox::philox4x32_10) of each counter and key.
    ///
    /// # Panics
    /// If the numbers of counters and keys differ, or the GPU fails.
    pub fn philox(&'static self, counters: &[[u32; 4]], keys: &[[u32; 2]]) -> alloc::vec::Vec<[u32; 4]> {
        assert!(counters.len() == keys.len(), "philox: a key for each counter");
        let [counter, key] =
            [counters.as_flattened(), keys.as_flattened()].map(|x| expect_driver(DeviceBuffer::from_slice(self, x)));
        let out = expect_driver(DeviceBuffer::<u32>::zeros(self, 4 * counters.len()));
        let call = Call::new::<f32>(self, Entry::PhiloxBlocks).memory(&counter).memory(&key);
        call.count(checked_count(&"philox", counters.len()))
            .memory(&out)
            .run(Entry::PhiloxBlocks.blocks(counters.len()));
        expect_driver(out.read(0..out.len())).as_chunks().0.to_vec()
    }

    /// Fills y\[E,N\] with the first N numbers in [0, 1) of E streams: the given one and those of the following episodes.
    ///
    /// # Panics
    /// If y is not on this GPU without gaps, or the GPU fails.
    #[track_caller]
    pub fn uniform(&'static self, seed: u64, first: Stream, y: ViewMut<f64>) {
        let [episodes, count] = [y.shape()[0], y.shape()[1]];
        let numbers = [
            first.purpose.0,
            first.update,
            first.episode,
            checked_count(&y.shape(), episodes),
            checked_count(&y.shape(), count),
        ];
        let call = numbers.into_iter().fold(Call::new::<f32>(self, Entry::PhiloxUniform).size(seed), Call::count);
        call.elements_mut(y).run(Entry::PhiloxUniform.blocks(episodes * count));
    }

    /// Samples an action y\[N\] for each row of log-probabilities\[N,A\]: the one whose share of [0, 1) contains the number
    /// u\[N\].
    ///
    /// # Panics
    /// If the shapes do not match, there is no action, u is not on this GPU without gaps, or the GPU fails.
    #[track_caller]
    pub fn categorical<T: Real>(&'static self, log_probs: View<T>, u: View<f64>, y: ViewMut<u32>) {
        let shape = log_probs.shape();
        let fits = shape.rank() == 2 && u.shape()[..] == shape[..1] && y.shape() == u.shape() && shape[1] > 0;
        assert!(fits, "categorical: numbers {} and choices {} for {shape}", u.shape(), y.shape());
        let call = Call::new::<T>(self, Entry::Categorical).read(log_probs);
        call.elements(u).write(y).run(Entry::Categorical.blocks(shape[0]));
    }
}
