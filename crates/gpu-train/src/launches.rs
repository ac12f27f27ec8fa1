//! The launches of all kernels. All addresses are known when the update is created, so its launches are built once and run many
//! times. Sizes fit 32 bits, which `UpdateSpec::check` has ensured.
#![allow(unsafe_code)] // creating a launch

use tensor::gpu::{Argument, Define, DeviceBuffer, GpuStream, Kernel, Launch};
use tensor::philox::Stream;
use tensor::{CudaError, Gpu, Real};

use crate::buffers::{Buffers, STRETCH};
use crate::kernels::Entry;
use crate::operands::{self, Weights};
use crate::spec::{Sizes, UpdateSpec};

/// Collects arguments of different types in a vector.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { Vec::from([$(Argument::from($arg)),*]) };
}

/// The number of threads in a block for kernels that are compiled for a hidden size, as in `rollout.cu`.
fn threads(hidden_size: usize) -> u32 {
    let parts = hidden_size as u32 / 32;
    let share = if parts <= 4 { parts } else { [4, 3, 2].into_iter().find(|k| parts.is_multiple_of(*k)).unwrap_or(1) };
    96 * share
}

/// Creates a launch of a kernel of the update, with at most one block for each of the `parts` of the work.
fn make_launch<T: Real>(
    gpu: &'static Gpu,
    spec: &UpdateSpec,
    kernel: &'static Kernel,
    parts: usize,
    args: Vec<Argument>,
) -> Result<Launch, CudaError> {
    let Sizes { hidden_size, actions, vocabulary, .. } = spec.sizes;
    let defines = [("HIDDEN", hidden_size as u32), ("ACTIONS", actions as u32), ("VOCAB", vocabulary as u32)];
    let defines: &[Define] = match kernel.source.name {
        "rollout.cu" => &defines[..2],
        "bptt.cu" => &defines,
        _ => &[],
    };
    let threads = if kernel.threads == 0 { threads(hidden_size) } else { kernel.threads };
    // SAFETY: `update_launches` and `evaluation_launches` give each kernel the arguments that its source declares. All memory
    // belongs to the update, which drops its graph first, and waits for its stream before it frees the memory. The memory is as
    // large as the sizes say. The specification, whose tables and offsets are indices into it, was checked.
    unsafe { Launch::new::<T>(gpu, kernel, defines, [parts, threads as usize], args) }
}

/// The addresses of the parameters in a flat buffer of parameters or gradients.
fn weight_addresses<T: Real>(spec: &UpdateSpec, flat: &DeviceBuffer<T>) -> Weights {
    spec.offsets.map(|at| flat.address(at))
}

fn task<T: Real>(spec: &UpdateSpec, b: &Buffers<T>) -> [u64; 10] {
    let tables = [&b.next, &b.distance, &b.base, &b.operands, &b.task_tokens].map(|memory| memory.address(0));
    operands::task(&spec.tables, tables)
}

/// The first launch of both an update and an evaluation.
fn token_table_launch<T: Real>(gpu: &'static Gpu, spec: &UpdateSpec, b: &Buffers<T>) -> Result<Launch, CudaError> {
    let Sizes { hidden_size, vocabulary, stages, .. } = spec.sizes;
    let sizes = [vocabulary, hidden_size, stages].map(|n| n as u32);
    let args = args![
        weight_addresses(spec, &b.parameters),
        sizes[0],
        sizes[1],
        sizes[2],
        operands::schedule(spec.rate),
        operands::schedule(spec.entropy),
        &b.table,
        &b.start,
        &b.counters,
    ];
    make_launch::<T>(gpu, spec, Entry::TokenTable, Entry::TokenTable.blocks_of_rows(3 * vocabulary * hidden_size), args)
}

/// Creates the launches of an update, in their order.
///
/// # Errors
/// If a kernel does not compile, or the GPU fails.
pub(crate) fn update_launches<T: Real>(
    gpu: &'static Gpu,
    spec: &UpdateSpec,
    b: &Buffers<T>,
) -> Result<Vec<Launch>, CudaError> {
    let Sizes { hidden_size, batch, chunks, parameters, .. } = spec.sizes;
    let steps = spec.tables.steps();
    let partial_len = spec.sizes.partial_len();
    let own = batch.min(gpu.multiprocessors()); // the blocks of the persistent kernels, which keep their episodes to the end
    let trace = b.full_trace(batch, steps);
    let (p, estimator, rule) =
        (weight_addresses(spec, &b.parameters), operands::estimator(spec), operands::adam(spec.rule));
    let [n, stages, parts] = [parameters, spec.sizes.stages, chunks].map(|n| n as u32);
    let (play, value_coefficient) = (0_u32, spec.value_coefficient);

    let start = args![p, &b.table, &b.start, task(spec, b), &b.first, &b.counters, spec.seed, play, trace];
    let advantages = args![trace, estimator, &b.first, stages, &b.advantages, &b.targets, &b.episode_sums, &b.counters];
    let loss = args![
        trace,
        spec.sizes.actions as u32,
        estimator,
        value_coefficient,
        &b.advantages,
        &b.targets,
        &b.episode_sums,
        &b.counters,
        &b.dheads,
        &b.terms,
    ];
    let back = args![p, &b.dheads, trace, &b.dh0];
    let products = args![trace, &b.dheads, &b.dh0, &b.first, stages, parts, &b.partial];
    let sums = args![&b.partial, stages, parts, &b.sums];
    let gradients = args![p, &b.sums, &b.start, stages, weight_addresses(spec, &b.gradients)];
    let norm = args![&b.gradients, n, &b.norms];
    let close = args![
        &b.norms,
        n,
        spec.clip,
        rule,
        value_coefficient,
        batch as u32,
        steps as u32,
        &b.episode_sums,
        &b.terms,
        &b.counters,
        &b.step_params,
        &b.metrics,
        spec.sizes.ring as u32,
    ];
    let step = args![rule, &b.step_params, n, &b.gradients, &b.first_moments, &b.second_moments, &b.parameters];
    let calls: [(&'static Kernel, usize, Vec<Argument>); 10] = [
        (Entry::Rollout, own, start),
        (Entry::ComputeAdvantages, Entry::ComputeAdvantages.blocks(batch), advantages),
        (Entry::A2c, Entry::A2c.blocks(spec.step_slots()), loss),
        (Entry::BpttStates, own, back),
        (Entry::BpttWeights, chunks, products),
        (Entry::BpttSums, Entry::BpttSums.blocks(partial_len), sums),
        (Entry::BpttGradients, Entry::BpttGradients.blocks(3 * hidden_size * hidden_size), gradients),
        (Entry::UpdateNorm, parameters.div_ceil(STRETCH), norm),
        (Entry::UpdateClose, 1, close),
        (Entry::UpdateStep, Entry::UpdateStep.blocks(parameters), step),
    ];
    let calls = calls.into_iter().map(|(kernel, parts, args)| make_launch::<T>(gpu, spec, kernel, parts, args));
    std::iter::once(token_table_launch(gpu, spec, b)).chain(calls).collect()
}

/// Creates the launches of an evaluation; none if there are no evaluations.
///
/// # Errors
/// As [`update_launches`].
pub(crate) fn evaluation_launches<T: Real>(
    gpu: &'static Gpu,
    spec: &UpdateSpec,
    b: &Buffers<T>,
) -> Result<Vec<Launch>, CudaError> {
    let episodes = spec.sizes.eval_episodes;
    if episodes == 0 {
        return Ok(Vec::new());
    }
    let trace = b.eval_trace().to_operand(episodes, spec.tables.steps(), [0; 4]);
    let args = args![
        weight_addresses(spec, &b.parameters),
        &b.table,
        &b.start,
        task(spec, b),
        &b.eval_first,
        &b.counters,
        spec.seed,
        spec.eval_purpose,
        trace,
    ];
    let played = make_launch::<T>(gpu, spec, Entry::Rollout, episodes.min(gpu.multiprocessors()), args)?;
    Ok(Vec::from([token_table_launch(gpu, spec, b)?, played]))
}

/// Episodes of the calculator: `struct Task`, the stage, and the number of episodes, which decides the size of each buffer.
#[derive(Clone, Copy)]
pub(crate) struct EpisodeBatch {
    pub(crate) gpu: &'static Gpu,
    pub(crate) task: [u64; 10],
    pub(crate) stage: u32,
    pub(crate) episodes: u32,
}

impl EpisodeBatch {
    /// Starts the episodes and writes their contexts, \[L,B\], and states, \[B,3\]. The first episode draws from the stream
    /// `first`.
    pub(crate) fn reset(
        &self,
        seed: u64,
        first: Stream,
        contexts: &DeviceBuffer<u32>,
        states: &DeviceBuffer<u32>,
    ) -> Result<(), CudaError> {
        let Self { task, stage, episodes, .. } = *self;
        let Stream { purpose, update, episode } = first;
        let args = args![task, stage, episodes, seed, purpose.0, update, episode, contexts, states];
        self.run(Entry::CalculatorReset, args)
    }

    /// Takes an action in each episode, \[B\], and writes rewards, next tokens and ends, \[B\] each. If an action does not
    /// exist, `bad` becomes 1 plus that action.
    pub(crate) fn step(
        &self,
        actions: &DeviceBuffer<u32>,
        states: &DeviceBuffer<u32>,
        rewards: &DeviceBuffer<f64>,
        [tokens, ended, bad]: [&DeviceBuffer<u32>; 3],
    ) -> Result<(), CudaError> {
        let Self { task, stage, episodes, .. } = *self;
        let args = args![task, stage, episodes, actions, states, rewards, tokens, ended, bad];
        self.run(Entry::CalculatorStep, args)
    }

    fn run(&self, kernel: &'static Kernel, args: Vec<Argument>) -> Result<(), CudaError> {
        if self.episodes == 0 {
            return Ok(());
        }
        let grid = [kernel.blocks(self.episodes as usize), kernel.threads as usize];
        // SAFETY: `reset` and `step` give each kernel the arguments that its source declares. Their caller has checked the
        // tables and allocated memory for this number of episodes. It is freed in the order of the GPU's main stream, on which
        // the launch runs.
        unsafe { Launch::new::<f32>(self.gpu, kernel, &[], grid, args) }?.run(&GpuStream::default_for(self.gpu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The constants of `rollout.cu` and `bptt.cu`.
    #[test]
    fn threads_match_the_constants_of_the_kernels() {
        let counts = [32, 64, 96, 128, 160, 192, 224, 256].map(threads);
        assert_eq!(counts, [96, 192, 288, 384, 96, 288, 96, 384]);
        const SHARE: &str =
            "SHARE = PARTS <= 4 ? PARTS : PARTS % 4 == 0 ? 4 : PARTS % 3 == 0 ? 3 : PARTS % 2 == 0 ? 2 : 1;";
        for text in [Entry::Rollout.source.text, Entry::BpttStates.source.text] {
            assert!(text.contains(SHARE) && text.contains("THREADS = 96 * SHARE"));
        }
    }
}
