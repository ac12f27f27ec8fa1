//! A call of each kernel. Where everything lies is known when the update is made, so its calls are made once, and repeated.
//! Sizes fit 32 bits: `Description::check` has refused others.
#![allow(unsafe_code)] // the launch itself

use alloc::vec::Vec;

use cudarc::driver::{CudaFunction, CudaStream, LaunchConfig, PushKernelArg};

use super::buffers::{Buffers, Lengths};
use super::description::{Description, Sizes};
use super::operands::{Adam, Estimator, Schedule, Task, Trace, Weights};
use crate::cuda::card::Card;
use crate::cuda::error::CudaError;
use crate::cuda::memory::{Memory, Scalar};
use crate::cuda::modules::Entry;
use crate::real::{Element, Real};

/// An argument, kept where the driver can read it.
enum Arg {
    Weights(Weights),
    Task(Task),
    Trace(Trace),
    Schedule(Schedule),
    Estimator(Estimator),
    Adam(Adam),
    Count(u32),
    Wide(u64),
    Number(f64),
}

/// A call of a kernel.
pub(super) struct Launch {
    entry: Entry,
    function: CudaFunction,
    config: LaunchConfig,
    args: Vec<Arg>,
}

impl Launch {
    /// Asks for it, in the order of this stream.
    ///
    /// # Errors
    /// If the card fails.
    pub(super) fn run(&self, card: &Card, stream: &CudaStream) -> Result<(), CudaError> {
        card.asked(self.entry.running(), || {
            let mut launch = stream.launch_builder(&self.function);
            for arg in &self.args {
                match arg {
                    Arg::Weights(x) => launch.arg(x),
                    Arg::Task(x) => launch.arg(x),
                    Arg::Trace(x) => launch.arg(x),
                    Arg::Schedule(x) => launch.arg(x),
                    Arg::Estimator(x) => launch.arg(x),
                    Arg::Adam(x) => launch.arg(x),
                    Arg::Count(x) => launch.arg(x),
                    Arg::Wide(x) => launch.arg(x),
                    Arg::Number(x) => launch.arg(x),
                };
            }
            // SAFETY: `update` and `trial` give each kernel the arguments that its source declares. All memory is the update's own,
            // which waits for its stream before it is freed; it is as large as the sizes say, and the description, whose tables
            // and places lead through it, was checked.
            unsafe { launch.launch(self.config) }.map(drop)
        })
    }
}

/// How many threads a block has of the kernels that are compiled for a number of hidden units: as `rollout.cu` says.
fn threads(hidden: usize) -> u32 {
    let parts = hidden as u32 / 32;
    let share = if parts <= 4 { parts } else { [4, 3, 2].into_iter().find(|k| parts.is_multiple_of(*k)).unwrap_or(1) };
    96 * share
}

/// What calls have in common.
struct Maker<'a> {
    card: &'static Card,
    scalar: Scalar,
    sizes: &'a Sizes,
}

impl Maker<'_> {
    /// A call on as many blocks as there are parts of the work, or fewer.
    fn call<const N: usize>(&self, entry: Entry, parts: usize, args: [Arg; N]) -> Result<Launch, CudaError> {
        let Self { card, scalar, sizes } = *self;
        let [hidden, actions, vocabulary] =
            [("HIDDEN", sizes.hidden), ("ACTIONS", sizes.actions), ("VOCAB", sizes.vocabulary)]
                .map(|(k, n)| (k, n as u32));
        let defines = match entry {
            Entry::Rollout => &[hidden, actions][..],
            Entry::BpttStates | Entry::BpttWeights | Entry::BpttSums | Entry::BpttGradients => {
                &[hidden, actions, vocabulary][..]
            }
            _ => &[],
        };
        let function = card.modules.function_for(card, entry, scalar, defines)?;
        let block = if entry.threads() == 0 { threads(sizes.hidden) } else { entry.threads() };
        // A driver that loads kernels when they are first used has this one loaded before anything is recorded.
        card.asked(entry.running(), || function.occupancy_max_active_blocks_per_multiprocessor(block, 0, None))?;
        let blocks = parts.clamp(1, card.limits.blocks()) as u32;
        let config = LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (block, 1, 1), shared_mem_bytes: 0 };
        Ok(Launch { entry, function, config, args: Vec::from(args) })
    }
}

fn place<E: Element>(memory: &Memory<E>) -> Arg {
    Arg::Wide(memory.place(0))
}

/// The parameters, or what is laid out as they are.
fn weights<T: Real>(what: &Description, flat: &Memory<T>) -> Arg {
    Arg::Weights(Weights(what.offsets.all().map(|at| flat.place(at))))
}

fn task<T: Real>(what: &Description, b: &Buffers<T>) -> Arg {
    let tables = [&b.next, &b.distance, &b.base, &b.operands, &b.task_tokens].map(|memory| memory.place(0));
    Arg::Task(Task::new(&what.tables, tables))
}

/// What opens both an update and a trial.
fn table<T: Real>(maker: &Maker<'_>, what: &Description, b: &Buffers<T>) -> Result<Launch, CudaError> {
    let Sizes { hidden, vocabulary, stages, .. } = what.sizes;
    maker.call(
        Entry::TokenTable,
        (3 * vocabulary * hidden).div_ceil(8),
        [
            weights(what, &b.parameters),
            Arg::Count(vocabulary as u32),
            Arg::Count(hidden as u32),
            Arg::Count(stages as u32),
            Arg::Schedule(what.rate.into()),
            Arg::Schedule(what.entropy.into()),
            place(&b.table),
            place(&b.start),
            place(&b.counters),
        ],
    )
}

/// The calls of an update, in their order.
///
/// # Errors
/// If a kernel does not compile, or the card fails.
pub(super) fn update<T: Real>(
    card: &'static Card,
    scalar: Scalar,
    what: &Description,
    b: &Buffers<T>,
) -> Result<Vec<Launch>, CudaError> {
    let Sizes { hidden, actions, stages, batch, chunks, parameters, ring, .. } = what.sizes;
    let (steps, found) = (what.tables.steps(), Lengths::of(what).found());
    let maker = Maker { card, scalar, sizes: &what.sizes };
    let own = |parts: usize| parts.min(card.multiprocessors()); // those that own their episodes to the end
    let trace = || Arg::Trace(b.whole_trace(batch, steps));
    let (p, estimator) = (|| weights(what, &b.parameters), || Arg::Estimator(what.judging.into()));
    let (stages_, chunks_, n) =
        (|| Arg::Count(stages as u32), || Arg::Count(chunks as u32), || Arg::Count(parameters as u32));
    let value_coefficient = || Arg::Number(what.judging.value_coefficient);
    let rule = || Arg::Adam(what.rule.into());

    let rollout = [
        p(),
        place(&b.table),
        place(&b.start),
        task(what, b),
        place(&b.first),
        place(&b.counters),
        Arg::Wide(what.seed),
        Arg::Count(0),
        trace(),
    ];
    let judge = [
        trace(),
        estimator(),
        place(&b.first),
        stages_(),
        place(&b.advantages),
        place(&b.targets),
        place(&b.judged),
        place(&b.counters),
    ];
    let a2c = [
        trace(),
        Arg::Count(actions as u32),
        estimator(),
        value_coefficient(),
        place(&b.advantages),
        place(&b.targets),
        place(&b.judged),
        place(&b.counters),
        place(&b.dheads),
        place(&b.terms),
    ];
    let back = [p(), place(&b.dheads), trace(), place(&b.dh0)];
    let products = [trace(), place(&b.dheads), place(&b.dh0), place(&b.first), stages_(), chunks_(), place(&b.partial)];
    let sums = [place(&b.partial), stages_(), chunks_(), place(&b.sums)];
    let gradients = [p(), place(&b.sums), place(&b.start), stages_(), weights(what, &b.gradients)];
    let close = [
        place(&b.norms),
        n(),
        Arg::Number(what.clip),
        rule(),
        value_coefficient(),
        Arg::Count(batch as u32),
        Arg::Count(steps as u32),
        place(&b.judged),
        place(&b.terms),
        place(&b.counters),
        place(&b.how_far),
        place(&b.metrics),
        Arg::Count(ring as u32),
    ];
    let step = [
        rule(),
        place(&b.how_far),
        n(),
        place(&b.gradients),
        place(&b.first_moments),
        place(&b.second_moments),
        place(&b.parameters),
    ];
    Ok(Vec::from([
        table(&maker, what, b)?,
        maker.call(Entry::Rollout, own(batch), rollout)?,
        maker.call(Entry::Judge, batch.div_ceil(256), judge)?,
        maker.call(Entry::A2c, (steps * batch).div_ceil(256), a2c)?,
        maker.call(Entry::BpttStates, own(batch), back)?,
        maker.call(Entry::BpttWeights, chunks, products)?,
        maker.call(Entry::BpttSums, found.div_ceil(256), sums)?,
        maker.call(Entry::BpttGradients, (3 * hidden * hidden).div_ceil(256), gradients)?,
        maker.call(Entry::UpdateNorm, b.norms.len(), [place(&b.gradients), n(), place(&b.norms)])?,
        maker.call(Entry::UpdateClose, 1, close)?,
        maker.call(Entry::UpdateStep, parameters.div_ceil(256), step)?,
    ]))
}

/// The calls of a trial, if there are trials.
///
/// # Errors
/// As of [`update`].
pub(super) fn trial<T: Real>(
    card: &'static Card,
    scalar: Scalar,
    what: &Description,
    b: &Buffers<T>,
) -> Result<Vec<Launch>, CudaError> {
    let episodes = what.sizes.trial;
    if episodes == 0 {
        return Ok(Vec::new());
    }
    let maker = Maker { card, scalar, sizes: &what.sizes };
    let play = [
        weights(what, &b.parameters),
        place(&b.table),
        place(&b.start),
        task(what, b),
        place(&b.trial_first),
        place(&b.counters),
        Arg::Wide(what.seed),
        Arg::Count(what.trial_purpose),
        Arg::Trace(b.trial_trace().operand(episodes, what.tables.steps(), [0; 4])),
    ];
    let played = maker.call(Entry::Rollout, episodes.min(card.multiprocessors()), play)?;
    Ok(Vec::from([table(&maker, what, b)?, played]))
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
        for text in [
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/rollout.cu")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/bptt.cu")),
        ] {
            assert!(text.contains(SHARE) && text.contains("THREADS = 96 * SHARE"));
        }
    }
}
