//! The GPU's memory of an update. One declaration gives both the buffers and the sum of their bytes.

use tensor::gpu::{Memory, pair};
use tensor::{CudaError, Gpu, Real};

use crate::description::Description;
use crate::operands::{COUNTERS, METRICS, MOVE, Trace};
use crate::reading;

/// The bytes in which the driver allocates memory.
const GRAIN: u64 = 512;

/// The number of gradients that a block of `update_norm` adds up.
pub(crate) const STRETCH: usize = 4096;

/// Declares the buffers: the type of their elements, and their number.
macro_rules! buffers {
    (|$what:ident, $n:ident| $($(#[$doc:meta])* $name:ident: $element:ident = $len:expr,)*) => {
        /// The buffers of an update. Some hold one number: kernels write it.
        pub(crate) struct Buffers<T> {
            $($(#[$doc])* pub(crate) $name: Memory<$element>,)*
        }

        impl<T: Real> Buffers<T> {
            /// The bytes of all buffers.
            pub(crate) fn bytes($what: &Description) -> u64 {
                let $n = $what.sizes;
                let bytes = |len: usize, each: usize| (len as u64).saturating_mul(each as u64).div_ceil(GRAIN) * GRAIN;
                [$(bytes($len, size_of::<$element>())),*].into_iter().fold(0, u64::saturating_add)
            }

            /// Allocates the memory. Its content is unspecified.
            ///
            /// # Errors
            /// If there is too little of it, or the GPU fails.
            pub(crate) fn new(gpu: &'static Gpu, $what: &Description) -> Result<Self, CudaError> {
                let $n = $what.sizes;
                Ok(Self { $($name: Memory::any(gpu, $len)?,)* })
            }
        }
    };
}

buffers! { |what, n|
    parameters: T = n.parameters,
    gradients: T = n.parameters,
    first_moments: T = n.parameters,
    second_moments: T = n.parameters,

    next: u32 = what.tables.next.len().div_ceil(2),
    distance: u32 = what.tables.distance.len().div_ceil(2),
    base: u32 = n.stages,
    operands: u32 = n.stages,
    task_tokens: u32 = n.actions,

    counters: u32 = COUNTERS,
    how_far: u32 = MOVE,
    metrics: u32 = METRICS * n.ring,
    first: u32 = n.stages + 1,

    table: T = 3 * n.vocabulary * n.hidden,
    start: T = n.stages * n.hidden,
    begin: u32 = n.batch,
    end: u32 = n.batch,
    solved: u32 = n.batch,
    tokens: u32 = what.places(),
    actions: u32 = what.places(),
    rewards: f64 = what.places(),
    values: T = what.places(),
    log_probs: T = what.places() * n.actions,
    h: T = (what.places() + n.batch) * n.hidden,
    kept: T = what.places() * 4 * n.hidden,

    advantages: f64 = what.places(),
    targets: f64 = what.places(),
    judged: f64 = 4 * n.batch.div_ceil(256),
    terms: f64 = 3 * what.places().div_ceil(256),
    dheads: T = what.places() * (n.actions + 1),
    dh0: T = n.batch * n.hidden,
    partial: T = n.found() * n.chunks,
    sums: T = n.found(),
    norms: T = n.parameters.div_ceil(STRETCH),

    trial_first: u32 = n.stages + 1,
    trial_begin: u32 = n.trial,
    trial_end: u32 = n.trial,
    trial_solved: u32 = n.trial,
    trial_tokens: u32 = what.trial_places(),
    trial_actions: u32 = what.trial_places(),
    trial_rewards: f64 = what.trial_places(),
}

impl<T: Real> Buffers<T> {
    /// Writes the tables, and zeros into the counters. No launch sets these.
    ///
    /// # Errors
    /// If the GPU fails.
    pub(crate) fn fill(&self, what: &Description) -> Result<(), CudaError> {
        let tables = &what.tables;
        self.next.write(0, &pairs(&tables.next))?;
        self.distance.write(0, &pairs(&tables.distance))?;
        self.base.write(0, &tables.base)?;
        self.operands.write(0, &tables.operands)?;
        self.task_tokens.write(0, &tables.tokens)?;
        self.counters.write(0, &reading::counters(0, 0))
    }

    /// The part of the batch that is copied to the host.
    pub(crate) fn trace(&self) -> TraceBuffers<'_> {
        let words = [&self.begin, &self.end, &self.solved, &self.tokens, &self.actions];
        TraceBuffers { words, rewards: &self.rewards }
    }

    /// The part of a trial that is copied to the host.
    pub(crate) fn trial_trace(&self) -> TraceBuffers<'_> {
        let words = [&self.trial_begin, &self.trial_end, &self.trial_solved, &self.trial_tokens, &self.trial_actions];
        TraceBuffers { words, rewards: &self.trial_rewards }
    }

    /// The trace of the batch, with the values, log-probabilities, states and gates that gradients need.
    pub(crate) fn whole_trace(&self, batch: usize, steps: usize) -> Trace {
        let kept = [&self.values, &self.log_probs, &self.h, &self.kept].map(|memory| memory.place(0));
        self.trace().operand(batch, steps, kept)
    }
}

/// The part of a trace that is copied to the host.
pub(crate) struct TraceBuffers<'a> {
    /// Begin, end and success of each episode; token and action of each step.
    pub(crate) words: [&'a Memory<u32>; 5],
    pub(crate) rewards: &'a Memory<f64>,
}

impl TraceBuffers<'_> {
    /// The trace as kernels take it. The four addresses are those of values, log-probabilities, states and gates, or 0 for each that is
    /// not kept. Batch and steps fit 32 bits: `Description::check` has refused others.
    pub(crate) fn operand(&self, batch: usize, steps: usize, [values, log_probs, h, kept]: [u64; 4]) -> Trace {
        let sizes = pair(batch as u32, steps as u32);
        let [begin, end, solved, tokens, actions] = self.words.map(|memory| memory.place(0));
        let rewards = self.rewards.place(0);
        [sizes, begin, end, solved, tokens, actions, rewards, values, log_probs, h, kept]
    }
}

/// 16-bit numbers as they lie in memory, two in a word; both the host and the GPU put the lower half first.
pub(crate) fn pairs(numbers: &[u16]) -> Vec<u32> {
    let word = |pair: &[u16]| u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 16;
    numbers.chunks(2).map(word).collect()
}

/// The largest batch that fits into `free` bytes, with all else as described; `None` if not even one episode fits.
pub(crate) fn largest_batch<T: Real>(what: &Description, free: u64) -> Option<usize> {
    let mut other = what.clone();
    let mut fits = |batch: usize| {
        (other.sizes.batch, other.sizes.chunks) = (batch, what.sizes.chunks.min(batch));
        Buffers::<T>::bytes(&other) <= free
    };
    let (mut fitting, mut beyond) = (0, what.sizes.batch);
    while beyond - fitting > 1 {
        let middle = fitting + (beyond - fitting) / 2;
        if fits(middle) { fitting = middle } else { beyond = middle }
    }
    (fitting > 0).then_some(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::tests::small;

    #[test]
    fn sixteen_bits_lie_as_they_are_read() {
        assert_eq!(pairs(&[1, 2, 3]), [0x0002_0001, 3]);
    }

    #[test]
    fn the_largest_batch_that_fits_fits_just() {
        let mut what = small();
        what.sizes.batch = 100_000;
        let bytes = |batch| {
            let mut other = what.clone();
            (other.sizes.batch, other.sizes.chunks) = (batch, what.sizes.chunks.min(batch));
            Buffers::<f64>::bytes(&other)
        };
        for free in [bytes(17), bytes(1000), bytes(54_321)] {
            let fits = largest_batch::<f64>(&what, free).expect("it fits");
            assert!(bytes(fits) <= free && bytes(fits + 1) > free, "{fits} of {free}");
        }
        assert_eq!(largest_batch::<f64>(&what, bytes(1) - 1), None);
        assert_eq!(largest_batch::<f64>(&what, 0), None);
    }

    #[test]
    fn twice_the_batch_takes_about_twice_the_memory() {
        let bytes = |batch: usize| {
            let mut what = small();
            what.sizes.batch = batch;
            Buffers::<f32>::bytes(&what) as f64
        };
        let ratio = bytes(200_000) / bytes(100_000);
        assert!((1.9..2.0).contains(&ratio), "{ratio}");
    }
}
