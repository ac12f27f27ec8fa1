//! The launches of each kernel. All addresses are known when the update is made, so its launches are made once and run many times.
//! Sizes fit 32 bits: `Description::check` has refused others.
#![allow(unsafe_code)] // to make a launch

use tensor::gpu::{Argument, Define, Kernel, Launch, Memory, Queue};
use tensor::philox::Stream;
use tensor::{CudaError, Gpu, Real};

use crate::buffers::{Buffers, STRETCH};
use crate::description::{Description, Sizes};
use crate::kernels::Entry;
use crate::operands::{self, Weights};

/// Arguments of different types.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { Vec::from([$(Argument::from($arg)),*]) };
}

/// The threads of a block, for kernels that are compiled for a number of hidden units: as `rollout.cu` has it.
fn threads(hidden: usize) -> u32 {
    let parts = hidden as u32 / 32;
    let share = if parts <= 4 { parts } else { [4, 3, 2].into_iter().find(|k| parts.is_multiple_of(*k)).unwrap_or(1) };
    96 * share
}

/// A launch of a kernel of the update, with at most as many blocks as the work has `parts`.
fn call<T: Real>(
    gpu: &'static Gpu,
    what: &Description,
    kernel: &'static Kernel,
    parts: usize,
    args: Vec<Argument>,
) -> Result<Launch, CudaError> {
    let Sizes { hidden, actions, vocabulary, .. } = what.sizes;
    let defines = [("HIDDEN", hidden as u32), ("ACTIONS", actions as u32), ("VOCAB", vocabulary as u32)];
    let defines: &[Define] = match kernel.source.name {
        "rollout.cu" => &defines[..2],
        "bptt.cu" => &defines,
        _ => &[],
    };
    let threads = if kernel.threads == 0 { threads(hidden) } else { kernel.threads };
    // SAFETY: `update` and `trial` give each kernel the arguments that its source declares. All memory belongs to the update, which drops
    // its graph first, and waits for its queue before it frees the memory. The memory is as large as the sizes say. The description,
    // whose tables and offsets are indices into it, was checked.
    unsafe { Launch::new::<T>(gpu, kernel, defines, [parts, threads as usize], args) }
}

/// The parameters, or what is laid out as they are.
fn weights<T: Real>(what: &Description, flat: &Memory<T>) -> Weights {
    what.offsets.map(|at| flat.place(at))
}

fn task<T: Real>(what: &Description, b: &Buffers<T>) -> [u64; 10] {
    let tables = [&b.next, &b.distance, &b.base, &b.operands, &b.task_tokens].map(|memory| memory.place(0));
    operands::task(&what.tables, tables)
}

/// The first launch of both an update and a trial.
fn table<T: Real>(gpu: &'static Gpu, what: &Description, b: &Buffers<T>) -> Result<Launch, CudaError> {
    let Sizes { hidden, vocabulary, stages, .. } = what.sizes;
    let sizes = [vocabulary, hidden, stages].map(|n| n as u32);
    let args = args![
        weights(what, &b.parameters),
        sizes[0],
        sizes[1],
        sizes[2],
        operands::schedule(what.rate),
        operands::schedule(what.entropy),
        &b.table,
        &b.start,
        &b.counters,
    ];
    call::<T>(gpu, what, Entry::TokenTable, Entry::TokenTable.blocks_of_rows(3 * vocabulary * hidden), args)
}

/// The launches of an update, in their order.
///
/// # Errors
/// If a kernel does not compile, or the GPU fails.
pub(crate) fn update<T: Real>(gpu: &'static Gpu, what: &Description, b: &Buffers<T>) -> Result<Vec<Launch>, CudaError> {
    let Sizes { hidden, batch, chunks, parameters, .. } = what.sizes;
    let steps = what.tables.steps();
    let found = what.sizes.found();
    let own = batch.min(gpu.multiprocessors()); // blocks that own their episodes to the end
    let trace = b.whole_trace(batch, steps);
    let (p, estimator, rule) = (weights(what, &b.parameters), operands::estimator(what), operands::adam(what.rule));
    let [n, stages, parts] = [parameters, what.sizes.stages, chunks].map(|n| n as u32);
    let (play, value_coefficient) = (0_u32, what.value_coefficient);

    let start = args![p, &b.table, &b.start, task(what, b), &b.first, &b.counters, what.seed, play, trace];
    let judge = args![trace, estimator, &b.first, stages, &b.advantages, &b.targets, &b.judged, &b.counters];
    let loss = args![
        trace,
        what.sizes.actions as u32,
        estimator,
        value_coefficient,
        &b.advantages,
        &b.targets,
        &b.judged,
        &b.counters,
        &b.dheads,
        &b.terms,
    ];
    let back = args![p, &b.dheads, trace, &b.dh0];
    let products = args![trace, &b.dheads, &b.dh0, &b.first, stages, parts, &b.partial];
    let sums = args![&b.partial, stages, parts, &b.sums];
    let gradients = args![p, &b.sums, &b.start, stages, weights(what, &b.gradients)];
    let norm = args![&b.gradients, n, &b.norms];
    let close = args![
        &b.norms,
        n,
        what.clip,
        rule,
        value_coefficient,
        batch as u32,
        steps as u32,
        &b.judged,
        &b.terms,
        &b.counters,
        &b.how_far,
        &b.metrics,
        what.sizes.ring as u32,
    ];
    let step = args![rule, &b.how_far, n, &b.gradients, &b.first_moments, &b.second_moments, &b.parameters];
    let calls: [(&'static Kernel, usize, Vec<Argument>); 10] = [
        (Entry::Rollout, own, start),
        (Entry::Judge, Entry::Judge.blocks(batch), judge),
        (Entry::A2c, Entry::A2c.blocks(what.places()), loss),
        (Entry::BpttStates, own, back),
        (Entry::BpttWeights, chunks, products),
        (Entry::BpttSums, Entry::BpttSums.blocks(found), sums),
        (Entry::BpttGradients, Entry::BpttGradients.blocks(3 * hidden * hidden), gradients),
        (Entry::UpdateNorm, parameters.div_ceil(STRETCH), norm),
        (Entry::UpdateClose, 1, close),
        (Entry::UpdateStep, Entry::UpdateStep.blocks(parameters), step),
    ];
    let calls = calls.into_iter().map(|(kernel, parts, args)| call::<T>(gpu, what, kernel, parts, args));
    std::iter::once(table(gpu, what, b)).chain(calls).collect()
}

/// The launches of a trial, if there are trials.
///
/// # Errors
/// As [`update`](fn@update).
pub(crate) fn trial<T: Real>(gpu: &'static Gpu, what: &Description, b: &Buffers<T>) -> Result<Vec<Launch>, CudaError> {
    let episodes = what.sizes.trial;
    if episodes == 0 {
        return Ok(Vec::new());
    }
    let trace = b.trial_trace().operand(episodes, what.tables.steps(), [0; 4]);
    let args = args![
        weights(what, &b.parameters),
        &b.table,
        &b.start,
        task(what, b),
        &b.trial_first,
        &b.counters,
        what.seed,
        what.trial_purpose,
        trace,
    ];
    let played = call::<T>(gpu, what, Entry::Rollout, episodes.min(gpu.multiprocessors()), args)?;
    Ok(Vec::from([table(gpu, what, b)?, played]))
}

/// Episodes of the calculator: `struct Task`, the stage and their number, which decides the size of each buffer.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) gpu: &'static Gpu,
    pub(crate) task: [u64; 10],
    pub(crate) stage: u32,
    pub(crate) episodes: u32,
}

impl Batch {
    /// Starts the episodes, the first of which draws from the stream `first`, and writes their contexts, \[L,B\], and states, \[B,3\].
    pub(crate) fn reset(
        &self,
        seed: u64,
        first: Stream,
        contexts: &Memory<u32>,
        states: &Memory<u32>,
    ) -> Result<(), CudaError> {
        let Self { task, stage, episodes, .. } = *self;
        let Stream { purpose, update, episode } = first;
        let args = args![task, stage, episodes, seed, purpose.0, update, episode, contexts, states];
        self.run(Entry::CalculatorReset, args)
    }

    /// Takes an action in each episode, \[B\], and writes rewards, next tokens and ends, \[B\] each. An action that does not exist,
    /// plus one, is written to `bad`.
    pub(crate) fn step(
        &self,
        actions: &Memory<u32>,
        states: &Memory<u32>,
        rewards: &Memory<f64>,
        [tokens, ended, bad]: [&Memory<u32>; 3],
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
        // SAFETY: `reset` and `step` give each kernel the arguments that its source declares. Their caller has checked the tables and
        // allocated memory for as many episodes. It is freed in the order of the GPU's own queue, in which the launch runs.
        unsafe { Launch::new::<f32>(self.gpu, kernel, &[], grid, args) }?.run(&Queue::of(self.gpu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The constants of `rollout.cu` and `bptt.cu`.
    #[test]
    fn blocks_have_as_many_threads_as_the_kernels_are_compiled_for() {
        let of = [32, 64, 96, 128, 160, 192, 224, 256].map(threads);
        assert_eq!(of, [96, 192, 288, 384, 96, 288, 96, 384]);
        const SHARE: &str =
            "SHARE = PARTS <= 4 ? PARTS : PARTS % 4 == 0 ? 4 : PARTS % 3 == 0 ? 3 : PARTS % 2 == 0 ? 2 : 1;";
        for text in [Entry::Rollout.source.text, Entry::BpttStates.source.text] {
            assert!(text.contains(SHARE) && text.contains("THREADS = 96 * SHARE"));
        }
    }
}
