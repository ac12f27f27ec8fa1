//! The GPU memory of an update. One declaration gives both the buffers and the sum of their bytes.

use tensor::gpu::{DeviceBuffer, pack_pair};
use tensor::{CudaError, Gpu, Real};

use crate::operands::{COUNTERS, METRICS, STEP_PARAMS, Trace};
use crate::readback;
use crate::spec::UpdateSpec;

/// The unit in bytes in which the driver allocates memory.
const ALLOCATION_GRANULARITY: u64 = 512;

/// The number of gradients that a block of `update_norm` adds up.
pub(crate) const STRETCH: usize = 4096;

/// Declares the buffers: the type of their elements and their length.
macro_rules! buffers {
    (|$spec:ident, $n:ident| $($(#[$doc:meta])* $name:ident: $element:ident = $len:expr,)*) => {
        /// The buffers of an update.
        pub(crate) struct Buffers<T> {
            $($(#[$doc])* pub(crate) $name: DeviceBuffer<$element>,)*
        }

        impl<T: Real> Buffers<T> {
            /// Returns the total size in bytes.
            pub(crate) fn bytes($spec: &UpdateSpec) -> u64 {
                let $n = $spec.sizes;
                let bytes = |len: usize, each: usize| {
                    let bytes = (len as u64).saturating_mul(each as u64);
                    bytes.div_ceil(ALLOCATION_GRANULARITY) * ALLOCATION_GRANULARITY
                };
                [$(bytes($len, size_of::<$element>())),*].into_iter().fold(0, u64::saturating_add)
            }

            /// Allocates the memory. Its content is unspecified.
            ///
            /// # Errors
            /// If the GPU has too little memory, or fails.
            pub(crate) fn new(gpu: &'static Gpu, $spec: &UpdateSpec) -> Result<Self, CudaError> {
                let $n = $spec.sizes;
                Ok(Self { $($name: DeviceBuffer::uninit(gpu, $len)?,)* })
            }
        }
    };
}

buffers! { |spec, n|
    parameters: T = n.parameters,
    gradients: T = n.parameters,
    first_moments: T = n.parameters,
    second_moments: T = n.parameters,

    next: u32 = spec.tables.next.len().div_ceil(2),
    distance: u32 = spec.tables.distance.len().div_ceil(2),
    base: u32 = n.stages,
    operands: u32 = n.stages,
    task_tokens: u32 = n.actions,

    counters: u32 = COUNTERS,
    step_params: u32 = STEP_PARAMS,
    metrics: u32 = METRICS * n.ring,
    first: u32 = n.stages + 1,

    table: T = 3 * n.vocabulary * n.hidden_size,
    start: T = n.stages * n.hidden_size,
    begin: u32 = n.batch,
    end: u32 = n.batch,
    solved: u32 = n.batch,
    tokens: u32 = spec.step_slots(),
    actions: u32 = spec.step_slots(),
    rewards: f64 = spec.step_slots(),
    values: T = spec.step_slots(),
    log_probs: T = spec.step_slots() * n.actions,
    h: T = (spec.step_slots() + n.batch) * n.hidden_size,
    kept: T = spec.step_slots() * 4 * n.hidden_size,

    advantages: f64 = spec.step_slots(),
    targets: f64 = spec.step_slots(),
    episode_sums: f64 = 4 * n.batch.div_ceil(256),
    terms: f64 = 3 * spec.step_slots().div_ceil(256),
    dheads: T = spec.step_slots() * (n.actions + 1),
    dh0: T = n.batch * n.hidden_size,
    partial: T = n.partial_len() * n.chunks,
    sums: T = n.partial_len(),
    norms: T = n.parameters.div_ceil(STRETCH),

    eval_first: u32 = n.stages + 1,
    eval_begin: u32 = n.eval_episodes,
    eval_end: u32 = n.eval_episodes,
    eval_solved: u32 = n.eval_episodes,
    eval_tokens: u32 = spec.eval_step_slots(),
    eval_actions: u32 = spec.eval_step_slots(),
    eval_rewards: f64 = spec.eval_step_slots(),
}

impl<T: Real> Buffers<T> {
    /// Writes the tables, and zeros into the counters. No kernel writes the tables.
    ///
    /// # Errors
    /// If the GPU fails.
    pub(crate) fn fill(&self, spec: &UpdateSpec) -> Result<(), CudaError> {
        let tables = &spec.tables;
        self.next.write(0, &pack_pairs(&tables.next))?;
        self.distance.write(0, &pack_pairs(&tables.distance))?;
        self.base.write(0, &tables.base)?;
        self.operands.write(0, &tables.operands)?;
        self.task_tokens.write(0, &tables.tokens)?;
        self.counters.write(0, &readback::encode_counters(0, 0))
    }

    /// Returns the part of the batch's trace that is copied to the host.
    pub(crate) fn trace(&self) -> TraceBuffers<'_> {
        let words = [&self.begin, &self.end, &self.solved, &self.tokens, &self.actions];
        TraceBuffers { words, rewards: &self.rewards }
    }

    /// Returns the part of an evaluation's trace that is copied to the host.
    pub(crate) fn eval_trace(&self) -> TraceBuffers<'_> {
        let words = [&self.eval_begin, &self.eval_end, &self.eval_solved, &self.eval_tokens, &self.eval_actions];
        TraceBuffers { words, rewards: &self.eval_rewards }
    }

    /// Returns the batch's trace with the values, log-probabilities, states and gates that the backward pass needs.
    pub(crate) fn full_trace(&self, batch: usize, steps: usize) -> Trace {
        let addresses = [&self.values, &self.log_probs, &self.h, &self.kept].map(|memory| memory.address(0));
        self.trace().to_operand(batch, steps, addresses)
    }
}

/// The part of a trace that is copied to the host.
pub(crate) struct TraceBuffers<'a> {
    /// Begin, end and success of each episode; token and action of each step.
    pub(crate) words: [&'a DeviceBuffer<u32>; 5],
    pub(crate) rewards: &'a DeviceBuffer<f64>,
}

impl TraceBuffers<'_> {
    /// Encodes the trace for kernels. The four addresses are those of values, log-probabilities, states and gates, or 0 for
    /// each that is absent. Batch and steps fit 32 bits, which `UpdateSpec::check` has ensured.
    pub(crate) fn to_operand(&self, batch: usize, steps: usize, [values, log_probs, h, kept]: [u64; 4]) -> Trace {
        let sizes = pack_pair(batch as u32, steps as u32);
        let [begin, end, solved, tokens, actions] = self.words.map(|memory| memory.address(0));
        let rewards = self.rewards.address(0);
        [sizes, begin, end, solved, tokens, actions, rewards, values, log_probs, h, kept]
    }
}

/// Packs 16-bit numbers in their memory order, two in a word. Both the host and the GPU put the lower half first.
pub(crate) fn pack_pairs(numbers: &[u16]) -> Vec<u32> {
    let word = |pair: &[u16]| u32::from(pair[0]) | u32::from(pair.get(1).copied().unwrap_or(0)) << 16;
    numbers.chunks(2).map(word).collect()
}

/// Returns the largest batch that fits into `free` bytes, with all else as specified; `None` if not even one episode fits.
pub(crate) fn largest_batch<T: Real>(spec: &UpdateSpec, free: u64) -> Option<usize> {
    let mut other = spec.clone();
    let mut fits = |batch: usize| {
        (other.sizes.batch, other.sizes.chunks) = (batch, spec.sizes.chunks.min(batch));
        Buffers::<T>::bytes(&other) <= free
    };
    let (mut fitting, mut beyond) = (0, spec.sizes.batch);
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
    fn pack_pairs_puts_the_lower_half_first() {
        assert_eq!(pack_pairs(&[1, 2, 3]), [0x0002_0001, 3]);
    }

    #[test]
    fn largest_batch_fits_and_one_more_does_not() {
        let mut spec = small();
        spec.sizes.batch = 100_000;
        let bytes = |batch| {
            let mut other = spec.clone();
            (other.sizes.batch, other.sizes.chunks) = (batch, spec.sizes.chunks.min(batch));
            Buffers::<f64>::bytes(&other)
        };
        for free in [bytes(17), bytes(1000), bytes(54_321)] {
            let fits = largest_batch::<f64>(&spec, free).expect("it fits");
            assert!(bytes(fits) <= free && bytes(fits + 1) > free, "{fits} of {free}");
        }
        assert_eq!(largest_batch::<f64>(&spec, bytes(1) - 1), None);
        assert_eq!(largest_batch::<f64>(&spec, 0), None);
    }

    #[test]
    fn bytes_of_twice_the_batch_are_about_twice_as_many() {
        let bytes = |batch: usize| {
            let mut spec = small();
            spec.sizes.batch = batch;
            Buffers::<f32>::bytes(&spec) as f64
        };
        let ratio = bytes(200_000) / bytes(100_000);
        assert!((1.9..2.0).contains(&ratio), "{ratio}");
    }
}
