//! Estimates the host memory of a run before the run starts.
//!
//! **The estimate is computed, not fitted.** Each buffer that grows with the settings is one term below, with the size that
//! the code allocates. Each function has the terms of one phase. The estimate is for the worst moment of a run: every
//! episode lasts to its horizon, the curriculum has reached each of its shares, and all stages have successes to imitate.
//! The memory of the phases is added up: the allocator keeps freed memory, but the buffers of the next phase do not fit into
//! it. One eighth is added for such gaps (the largest measured gap is 7 percent), and [`PROCESS_BYTES`] for the process.
//!
//! The tests below compare the estimate with peaks that Linux reported. The estimate is 1.0 to 1.25 times the peak. For
//! small runs, and for wide networks with a batch of a few episodes, it is up to 1.5 times the peak.
//!
//! Symbols: E episodes of a chunk, L tokens of its context, S steps, T = L + S − 1 tokens read, H hidden size, A actions,
//! V vocabulary, P parameters.
//!
//! | phase | numbers of 4 bytes |
//! |---|---|
//! | parameters and moments | P·(1 + moments) |
//! | gradients of a chunk, on its tape and summed | 2·P |
//! | GRU stepper of a chunk, this pass and the last: W_hh transposed, states, gates | 3·H² + E·H·(10·T + 4) |
//! | learning, fused: gradients of gates, states, inputs of the heads | E·H·(4·T + 4·S + 3) |
//! | learning, composed: 57 values and gradients per token, a gradient of each block of W_hh per step | E·H·(57·T + 4·S + 3) + 3·T·H² |
//! | learning: table of gx, and its gradients | 12·V·H |
//! | heads: logits, log-probabilities, entropies, and their gradients | E·S·(9·A + 22) |
//! | acting: table of gx, decisions | 6·V·H + E·S·(3·A + 2) |
//! | acting without a stepper: states and gates; composed, 22 values per token | 3·H² + E·H·(5·T + 3); 22·T·E·H |
//! | saving: the tensors of a file, then the file | 2·P·(1 + moments) |
//!
//! Evaluation acts in chunks of 128 episodes, one on each thread, and keeps the trajectories of all episodes.

use alloc::vec::Vec;

use nn::Variant;

use crate::config::{Config, Curriculum, OptimizerKind};
use crate::curriculum::{Progress, allocate_episodes, compute_shares};
use crate::env::Task;
use crate::evaluate;
use crate::rollout::chunks;
use crate::tasks::{Calculator, STAGES, operand_count};

/// Bytes of the process itself, independent of the settings. A run of width 1 took at most 8.7 MiB.
pub const PROCESS_BYTES: u64 = 12 << 20;

/// Bytes of a tape node with the headers of its buffers, without their contents.
const NODE_BYTES: u64 = 450;

/// Nodes of a pass, without those per step and per token.
const FIXED_NODES: u64 = 60;

/// Nodes of the acting network per step.
const NODES_PER_STEP: u64 = 15;

/// Nodes of a composed GRU per token, with the reshape for the stack.
const NODES_PER_TOKEN: u64 = 34;

/// Bytes of two random generators, a reward, and the other data of an episode while it is played.
const PLAYED_EPISODE_BYTES: u64 = 160;

/// Bytes of an episode in its environment, without its context.
const ENV_EPISODE_BYTES: u64 = 100;

/// Bytes of a program in the statistics of an evaluation, while they are sorted.
const PROGRAM_BYTES: u64 = 112;

/// Bytes of the largest freed block that the allocator keeps: 32 MiB in glibc.
const LARGEST_KEPT_BLOCK: u64 = 32 << 20;

/// Bytes of a number in `f32`.
const NUMBER_BYTES: u64 = size_of::<f32>() as u64;

/// Bytes of training on `threads` threads, including evaluations and checkpoints, without the process itself.
pub fn training_bytes(config: &Config, threads: usize) -> u64 {
    let network = NetworkSizes::new(config);
    let chunks = largest_chunks(config);
    let batch: u64 = chunks.iter().map(|chunk| chunk.episodes).sum();
    let learning: u64 = chunks.iter().map(|chunk| network.worker_bytes(chunk)).sum();
    let mut acting: Vec<u64> = chunks.iter().map(|chunk| network.playing_bytes(chunk)).collect();
    acting.sort_unstable_by(|a, b| b.cmp(a));
    let acting: u64 = acting.iter().take(threads).sum();
    let estimating = batch * network.steps * 3 * 8;
    let imitating = match config.imitate as u64 {
        0 => 0,
        episodes => (0..STAGES).map(|stage| network.imitator_bytes(&network.chunk(stage, episodes))).sum(),
    };
    let evaluating = network.evaluation_bytes(config.validation_episodes.max(config.test_episodes), threads);
    with_allocator_gaps(
        network.state_bytes() + learning + imitating + network.peak_bytes_with_saving(acting + estimating + evaluating),
    )
}

/// Bytes of playing `episodes` test episodes on `threads` threads, with a run that is loaded from its checkpoint.
pub fn evaluation_bytes(config: &Config, episodes: usize, threads: usize) -> u64 {
    let network = NetworkSizes::new(config);
    with_allocator_gaps(network.state_bytes() + network.loading_bytes() + network.evaluation_bytes(episodes, threads))
}

/// Adds an eighth for the allocator's gaps.
fn with_allocator_gaps(bytes: u64) -> u64 {
    bytes + bytes / 8
}

/// Episodes of one stage that are played together.
#[derive(Clone, Copy)]
struct Chunk {
    /// E.
    episodes: u64,
    /// L.
    context: u64,
    /// T.
    tokens: u64,
}

impl Chunk {
    /// Bytes of the trajectories of the episodes, in vectors whose capacity grows by doubling.
    fn record_bytes(&self, steps: u64) -> u64 {
        self.episodes * (4 * self.context + steps.next_power_of_two() * (4 + 4 + 8 + 8 + 1) + 1)
    }
}

/// The largest chunk that each worker may get during a run. The buffers of a worker never shrink.
fn largest_chunks(config: &Config) -> Vec<Chunk> {
    let network = NetworkSizes::new(config);
    if config.curriculum == Curriculum::Adapt {
        // All shares from 0.1/2.3 to 1.1/1.3 are possible. Count the maximum number of chunks, each with the maximum size.
        let most = (config.batch as u64 * 11).div_ceil(13).min(config.chunk as u64);
        let count = config.batch.div_ceil(config.chunk) + STAGES - 1;
        return alloc::vec![network.chunk(STAGES - 1, most); count];
    }
    let mut largest: Vec<Chunk> = Vec::new();
    for unlocked in 0..STAGES {
        let shares = compute_shares(config.curriculum, &Progress { unlocked, ..Progress::new(STAGES) });
        for (k, (stage, _, episodes)) in
            chunks(&allocate_episodes(&shares, config.batch), config.chunk).into_iter().enumerate()
        {
            let Chunk { episodes, context, tokens } = network.chunk(stage, episodes as u64);
            match largest.get_mut(k) {
                None => largest.push(Chunk { episodes, context, tokens }),
                Some(old) => {
                    old.episodes = old.episodes.max(episodes);
                    old.context = old.context.max(context);
                    old.tokens = old.tokens.max(tokens);
                }
            }
        }
    }
    largest
}

/// The sizes of a network, of its optimiser and of its task.
struct NetworkSizes {
    /// H.
    hidden_size: u64,
    /// A.
    actions: u64,
    /// V.
    vocabulary: u64,
    /// S.
    steps: u64,
    moments: u64,
    /// True if the whole GRU is one node of the tape.
    fused: bool,
}

impl NetworkSizes {
    fn new(config: &Config) -> Self {
        let task = Calculator::new(config.action_set(), config.rewards());
        let moments = match config.optimizer {
            OptimizerKind::Adam | OptimizerKind::AdamW => 2,
            OptimizerKind::Sgd | OptimizerKind::RmsProp => 1,
        };
        let fused = config.variant() == Variant::ResetAfter;
        Self {
            hidden_size: config.width as u64,
            actions: task.actions() as u64,
            vocabulary: task.vocabulary() as u64,
            steps: task.horizon() as u64,
            moments,
            fused,
        }
    }

    fn chunk(&self, stage: usize, episodes: u64) -> Chunk {
        let context = operand_count(stage) as u64 + 1;
        Chunk { episodes, context, tokens: context + self.steps - 1 }
    }

    /// P, the number of parameters: embeddings, the GRU, and the two heads.
    fn parameters(&self) -> u64 {
        let Self { hidden_size, actions, vocabulary, .. } = *self;
        (vocabulary + STAGES as u64) * hidden_size
            + 6 * hidden_size * (hidden_size + 1)
            + (actions + 1) * (hidden_size + 1)
    }

    /// The number of recurrent weights, which the GRU also stores transposed.
    fn weights(&self) -> u64 {
        3 * self.hidden_size * self.hidden_size
    }

    /// Bytes of parameters and moments.
    fn state_bytes(&self) -> u64 {
        NUMBER_BYTES * self.parameters() * (1 + self.moments)
    }

    /// Bytes of saving a checkpoint, and of other phases that free their `others` bytes. Saving takes the bytes of all tensors,
    /// then those of the file. The allocator returns a large block to the system, so the other phases can use its memory.
    fn peak_bytes_with_saving(&self, others: u64) -> u64 {
        let file = self.state_bytes();
        file + if file > LARGEST_KEPT_BLOCK { file.max(others) } else { file + others }
    }

    /// Bytes of a checkpoint, and of the parameters that are read from it.
    fn loading_bytes(&self) -> u64 {
        self.state_bytes() + NUMBER_BYTES * self.parameters()
    }

    /// Bytes of the worker of a chunk. It keeps all buffers from update to update.
    fn worker_bytes(&self, chunk: &Chunk) -> u64 {
        let Chunk { episodes, context, tokens } = *chunk;
        let stepper = if self.fused { self.weights() + episodes * self.hidden_size * (5 * tokens + 4) } else { 0 };
        let estimate_bytes = episodes * self.steps * (8 + 8);
        let env = episodes * (ENV_EPISODE_BYTES + 4 * context);
        NUMBER_BYTES * stepper
            + self.learning_bytes(chunk)
            + self.acting_bytes(chunk)
            + chunk.record_bytes(self.steps)
            + estimate_bytes
            + env
    }

    /// Bytes of an imitator, with the scratch buffers of the GRU.
    fn imitator_bytes(&self, chunk: &Chunk) -> u64 {
        let scratch = if self.fused { self.weights() + 3 * chunk.episodes * self.hidden_size } else { 0 };
        NUMBER_BYTES * scratch
            + self.learning_bytes(chunk)
            + 2 * chunk.record_bytes(self.steps)
            + chunk.episodes * self.steps * 8
    }

    /// Bytes of the tape of a loss, and of two gradients of each parameter.
    fn learning_bytes(&self, chunk: &Chunk) -> u64 {
        let Self { hidden_size, actions, vocabulary, steps, .. } = *self;
        let Chunk { episodes, tokens, .. } = *chunk;
        let gru = match self.fused {
            true => episodes * hidden_size * (5 + 4) * tokens,
            false => episodes * hidden_size * 57 * tokens + self.weights() * tokens,
        };
        let head_inputs = episodes * hidden_size * (4 * steps + 3);
        let head_outputs = episodes * steps * (9 * actions + 22);
        let indices = episodes * (tokens + 4 * steps);
        let table = 2 * 6 * vocabulary * hidden_size;
        let nodes = FIXED_NODES + if self.fused { 0 } else { NODES_PER_TOKEN * tokens };
        NUMBER_BYTES * (2 * self.parameters() + gru + head_inputs + head_outputs + indices + table) + NODE_BYTES * nodes
    }

    /// Bytes of the tape of acting, without the buffers that are freed afterwards.
    fn acting_bytes(&self, chunk: &Chunk) -> u64 {
        let Self { hidden_size, actions, vocabulary, steps, .. } = *self;
        let Chunk { episodes, tokens, .. } = *chunk;
        let gru = if self.fused { 0 } else { 22 * tokens * episodes * hidden_size };
        let nodes = NODES_PER_STEP * steps + if self.fused { 0 } else { NODES_PER_TOKEN * tokens };
        NUMBER_BYTES * (6 * vocabulary * hidden_size + gru + episodes * steps * (3 * actions + 2)) + NODE_BYTES * nodes
    }

    /// The number of floats of a fused GRU that reads without a stepper.
    fn fused_acting_numbers(&self, chunk: &Chunk) -> u64 {
        self.weights() + chunk.episodes * self.hidden_size * (5 * chunk.tokens + 3)
    }

    /// Bytes of the buffers of playing a chunk that are freed afterwards.
    fn playing_bytes(&self, chunk: &Chunk) -> u64 {
        let copied = if self.fused { chunk.tokens * chunk.episodes * self.hidden_size } else { 0 };
        NUMBER_BYTES * copied + chunk.episodes * PLAYED_EPISODE_BYTES
    }

    /// Bytes of playing `episodes` episodes of a stage, one chunk on each thread, with the trajectories of all episodes.
    fn evaluation_bytes(&self, episodes: usize, threads: usize) -> u64 {
        let together = episodes.min(evaluate::MAX_CHUNK_EPISODES);
        let concurrent_chunks = threads.min(episodes.div_ceil(together)) as u64;
        let [all, chunk] = [episodes, together].map(|episodes| self.chunk(STAGES - 1, episodes as u64));
        let gru = if self.fused { NUMBER_BYTES * self.fused_acting_numbers(&chunk) } else { 0 };
        let acting = self.acting_bytes(&chunk) + gru + chunk.episodes * (PLAYED_EPISODE_BYTES + ENV_EPISODE_BYTES);
        acting * concurrent_chunks + all.record_bytes(self.steps) + all.episodes * PROGRAM_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    /// Peaks in KiB of whole runs of three updates with a validation and a test, as Linux reported them (`/usr/bin/time`, x86-64,
    /// glibc 2.36): settings, threads, peak.
    const CALCULATOR: &[(&str, usize, u64)] = &[
        ("", 1, 37_984),
        ("width=64 batch=3000 chunk=3000", 1, 219_628),
        ("width=8 batch=20000 chunk=500", 1, 248_164),
        ("width=512 chunk=8", 1, 558_656),
        ("width=1024 batch=6 chunk=6", 1, 439_640),
        ("batch=9600 chunk=1000", 1, 964_744),
        ("batch=1000 chunk=500 gru=reset-before", 1, 487_800),
        ("width=512 batch=6 chunk=6 gru=reset-before", 1, 317_064),
        ("", 2, 42_072),
        ("width=64 batch=3000 chunk=3000", 2, 227_912),
        ("width=8 batch=20000 chunk=500", 2, 249_480),
        ("width=512 chunk=8", 2, 594_684),
        ("width=1024 batch=6 chunk=6", 2, 484_272),
        ("batch=9600 chunk=1000", 2, 972_852),
        ("batch=1000 chunk=500 gru=reset-before", 2, 503_556),
        ("width=512 batch=6 chunk=6 gru=reset-before", 2, 424_124),
        ("width=8 batch=4000 chunk=1", 2, 502_040),
        ("width=16 batch=1000 chunk=1 gru=reset-before", 2, 694_156),
        ("width=8 batch=20000 chunk=20000", 2, 262_492),
        ("width=32 batch=4000 chunk=8", 2, 272_964),
        ("width=8 batch=8000 chunk=800 actions=tokens test_episodes=1000", 2, 152_232),
        ("width=64 batch=3000 chunk=400 gru=reset-before actions=tokens test_episodes=1000", 2, 968_348),
        ("width=256 batch=64 chunk=16 optimizer=sgd test_episodes=1000", 2, 74_300),
        ("width=64 batch=3000 chunk=300 imitate=200 test_episodes=1000", 2, 239_272),
        ("width=64 batch=200 chunk=100 imitate=4000 test_episodes=1000", 2, 176_992),
        ("width=64 batch=200 chunk=100 gru=reset-before imitate=2000 test_episodes=1000", 2, 437_192),
        ("width=64 batch=6000 chunk=6000 curriculum=switch test_episodes=1000", 2, 420_620),
        ("width=64 batch=6000 chunk=300 curriculum=gate test_episodes=1000", 2, 403_004),
        ("width=64 batch=6000 chunk=300 curriculum=adapt test_episodes=1000", 2, 436_276),
        ("width=64 batch=6000 chunk=6000 curriculum=adapt test_episodes=1000", 2, 505_760),
        ("width=16 batch=6 chunk=6 validation_episodes=200000 test_episodes=10", 2, 105_540),
        ("width=16 batch=6 chunk=6 actions=tokens validation_episodes=1 test_episodes=400000", 1, 237_196),
        ("width=512 batch=6 chunk=6 validation_episodes=4000 test_episodes=1000", 2, 147_784),
        ("width=8 batch=6 chunk=6 test_episodes=1000", 1, 10_080),
    ];

    fn parse_settings<S: Settings + Default>(settings: &str) -> S {
        let mut config = S::default();
        for setting in settings.split(' ').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').expect("name=value");
            config.set(name, value).expect("a setting");
        }
        config
    }

    /// The maximum ratio of the estimate to a peak of `kib` KiB. It is larger for small peaks, because the process itself is a
    /// large part of them. It is also larger for small batches, where the parameters dominate: there the peak depends on
    /// which temporary buffers of saving and evaluating the allocator puts in the same place.
    fn max_ratio(kib: u64, batch: usize) -> f64 {
        if kib >= 64 << 10 && batch >= 48 { 1.25 } else { 1.5 }
    }

    #[track_caller]
    fn assert_near_peak(settings: &str, estimate: u64, kib: u64, max_ratio: f64) {
        let ratio = (estimate + PROCESS_BYTES) as f64 / (1024 * kib) as f64;
        assert!((1.0..=max_ratio).contains(&ratio), "{settings}: the estimate is {ratio} times the measured peak");
    }

    #[test]
    fn training_bytes_are_slightly_above_the_measured_peak() {
        for &(settings, threads, kib) in CALCULATOR {
            let config: Config = parse_settings(settings);
            // Three updates reach only the first shares, and only short successes of one stage.
            let max_ratio = match (config.curriculum, config.imitate) {
                (Curriculum::Mix, 0..=200) => max_ratio(kib, config.batch),
                _ => 4.0,
            };
            assert_near_peak(settings, training_bytes(&config, threads), kib, max_ratio);
        }
    }

    #[test]
    fn bytes_of_the_largest_settings_do_not_overflow() {
        let config = "width=4096 batch=1048576 chunk=1 imitate=1048576 test_episodes=16777216";
        for more in ["", " gru=reset-before curriculum=adapt"] {
            assert!(training_bytes(&parse_settings(&[config, more].concat()), 1 << 16) > 1 << 50, "{more}");
        }
        assert!(evaluation_bytes(&parse_settings("width=4096"), 1 << 24, 1 << 16) > 1 << 40);
    }

    /// A worker first gets a chunk of 48 episodes of stage 0, and at the end one of stage 2.
    #[test]
    fn largest_chunks_take_the_maximum_over_the_curriculum() {
        let sizes = |settings| -> Vec<[u64; 3]> {
            let chunks = largest_chunks(&parse_settings(settings));
            chunks.iter().map(|chunk| [chunk.episodes, chunk.context, chunk.tokens]).collect()
        };
        assert_eq!(sizes("batch=60 chunk=48 curriculum=switch"), [[30, 6, 15]; 2]);
        assert_eq!(sizes("batch=12 chunk=48 curriculum=mix"), [[2, 4, 13], [2, 5, 14], [8, 6, 15]]);
        assert_eq!(sizes("batch=12 chunk=48 curriculum=gate"), [[12, 4, 13], [9, 5, 14], [8, 6, 15]]);
        assert_eq!(sizes("batch=13 chunk=6 curriculum=adapt"), [[6, 6, 15]; 5]);
    }

    #[test]
    fn parameters_match_the_network() {
        for settings in ["width=5", "width=7 actions=tokens"] {
            let config: Config = parse_settings(settings);
            let (.., params) = crate::train::build_network::<f32>(&config, 0);
            assert_eq!(NetworkSizes::new(&config).parameters(), params.size() as u64, "{settings}");
        }
    }
}
