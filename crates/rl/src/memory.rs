//! The memory that a run takes on the host, counted before it begins.
//!
//! **Counted, not fitted.** Each buffer that grows with the settings is a term below, of the size that the code asks for; a
//! function has the terms of one phase. The need is that of the worst moment of a run: every episode lasts to its horizon, a
//! curriculum has come to each of its shares, and all stages have successes to imitate. What phases leave behind is added up: the
//! allocator keeps what one has freed, and the buffers of the next do not fit into it. One eighth is added for such gaps (the largest
//! that was measured were 7 percent), and [`PROCESS`] for the process.
//!
//! The tests below compare this with peaks that Linux reported. The need is 1.0 to 1.25 times the peak. It is up to 1.5 times the peak
//! of small runs, and of wide networks with a batch of a few episodes.
//!
//! E is the number of episodes of a chunk, L the tokens of its context, S the steps, and T = L + S − 1 the tokens that are read; d is
//! the width, A the number of actions, V the vocabulary, P the number of parameters.
//!
//! | phase | numbers of 4 bytes |
//! |---|---|
//! | parameters and moments | P·(1 + moments) |
//! | gradients of a chunk, on its tape and summed | 2·P |
//! | scan of a chunk, this pass and the last: W transposed, states, gates | 3·d² + E·d·(10·T + 4) |
//! | learning, fused: gradients of gates, states, what the heads read | E·d·(4·T + 4·S + 3) |
//! | learning, composed: 57 values and gradients a token, a gradient of each block of W a step | E·d·(57·T + 4·S + 3) + 3·T·d² |
//! | learning: table of input parts, and its gradients | 12·V·d |
//! | heads: logits, log-probabilities, entropies, and their gradients | E·S·(9·A + 22) |
//! | acting: table of input parts, what is decided | 6·V·d + E·S·(3·A + 2) |
//! | acting without a scan: states and gates; composed, 22 values a token | 3·d² + E·d·(5·T + 3); 22·T·E·d |
//! | saving: a file's tensors, then the file | 2·P·(1 + moments) |
//!
//! Evaluation acts in chunks of 128 episodes, one on each thread, and keeps what all episodes did.

use alloc::vec::Vec;

use nn::Variant;

use crate::config::{Config, Curriculum, OptimizerKind};
use crate::curriculum::{Progress, counts, shares};
use crate::env::Task;
use crate::evaluate;
use crate::rollout::chunks;
use crate::tasks::{Calculator, STAGES, operands};

/// Bytes that a process takes for itself, whatever its settings: a run of width 1 took 8.7 MiB at most.
pub const PROCESS: u64 = 12 << 20;

/// Bytes of a node of a tape with the heads of its buffers, besides what these hold.
const NODE: u64 = 450;

/// Nodes of a pass besides those of steps and tokens.
const NODES: u64 = 60;

/// Nodes of an acting network at each step.
const NODES_OF_STEP: u64 = 15;

/// Nodes of a composed GRU at each token, with the reshape for the stack.
const NODES_OF_TOKEN: u64 = 34;

/// Bytes of two random generators, a reward, and what stands for an episode while it is played.
const PLAYED: u64 = 160;

/// Bytes that an environment holds for an episode, its context aside.
const ENV: u64 = 100;

/// Bytes of a program among the figures of an evaluation, while they are sorted.
const PROGRAM: u64 = 112;

/// Bytes of the largest block that the allocator keeps when it is freed: 32 MiB in glibc.
const LARGEST_KEPT: u64 = 32 << 20;

/// Bytes of a number.
const NUMBER: u64 = size_of::<f32>() as u64;

/// Bytes that training takes on so many threads, its evaluations and checkpoints included, and the process aside.
pub fn of_training(config: &Config, threads: usize) -> u64 {
    let network = Network::new(config);
    let chunks = largest_chunks(config);
    let batch: u64 = chunks.iter().map(|chunk| chunk.episodes).sum();
    let learning: u64 = chunks.iter().map(|chunk| network.of_worker(chunk)).sum();
    let mut acting: Vec<u64> = chunks.iter().map(|chunk| network.of_playing(chunk)).collect();
    acting.sort_unstable_by(|a, b| b.cmp(a));
    let acting: u64 = acting.iter().take(threads).sum();
    let judging = batch * network.steps * 3 * 8;
    let imitating = match config.imitate as u64 {
        0 => 0,
        episodes => (0..STAGES).map(|stage| network.of_imitator(&network.chunk(stage, episodes))).sum(),
    };
    let evaluating = network.of_evaluation(config.validation_episodes.max(config.test_episodes), threads);
    with_gaps(network.of_state() + learning + imitating + network.saving_and(acting + judging + evaluating))
}

/// Bytes that playing so many test episodes takes on so many threads, with a run that is loaded from its checkpoint.
pub fn of_evaluation(config: &Config, episodes: usize, threads: usize) -> u64 {
    let network = Network::new(config);
    with_gaps(network.of_state() + network.of_loading() + network.of_evaluation(episodes, threads))
}

/// Adds an eighth for the allocator's gaps.
fn with_gaps(bytes: u64) -> u64 {
    bytes + bytes / 8
}

/// Episodes of one stage that are played together.
#[derive(Clone, Copy)]
struct Chunk {
    episodes: u64,
    /// L.
    context: u64,
    /// T.
    tokens: u64,
}

impl Chunk {
    /// The record of the episodes, in vectors whose capacity has grown by doubling.
    fn of_record(&self, steps: u64) -> u64 {
        self.episodes * (4 * self.context + steps.next_power_of_two() * (4 + 4 + 8 + 8 + 1) + 1)
    }
}

/// The largest chunk that each worker may get in the course of a run. Its buffers never shrink.
fn largest_chunks(config: &Config) -> Vec<Chunk> {
    let network = Network::new(config);
    if config.curriculum == Curriculum::Adapt {
        // Any shares from 0.1/2.3 to 1.1/1.3: as many chunks as such shares make at most, each as large as one can be.
        let most = (config.batch as u64 * 11).div_ceil(13).min(config.chunk as u64);
        let count = config.batch.div_ceil(config.chunk) + STAGES - 1;
        return alloc::vec![network.chunk(STAGES - 1, most); count];
    }
    let mut largest: Vec<Chunk> = Vec::new();
    for unlocked in 0..STAGES {
        let shares = shares(config.curriculum, &Progress { unlocked, ..Progress::new(STAGES) });
        for (k, (stage, _, episodes)) in chunks(&counts(&shares, config.batch), config.chunk).into_iter().enumerate() {
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

/// The sizes of a network, its optimiser and its task.
struct Network {
    /// d.
    width: u64,
    /// A.
    actions: u64,
    /// V.
    vocabulary: u64,
    /// S.
    steps: u64,
    moments: u64,
    /// True if the GRU is one node of the tape.
    fused: bool,
}

impl Network {
    fn new(config: &Config) -> Self {
        let task = Calculator::new(config.action_set(), config.rewards());
        let moments = match config.optimizer {
            OptimizerKind::Adam | OptimizerKind::AdamW => 2,
            OptimizerKind::Sgd | OptimizerKind::RmsProp => 1,
        };
        let fused = config.variant() == Variant::ResetAfter;
        Self {
            width: config.width as u64,
            actions: task.actions() as u64,
            vocabulary: task.vocabulary() as u64,
            steps: task.horizon() as u64,
            moments,
            fused,
        }
    }

    fn chunk(&self, stage: usize, episodes: u64) -> Chunk {
        let context = operands(stage) as u64 + 1;
        Chunk { episodes, context, tokens: context + self.steps - 1 }
    }

    /// P: embeddings, the GRU, and the two heads.
    fn parameters(&self) -> u64 {
        let Self { width, actions, vocabulary, .. } = *self;
        (vocabulary + STAGES as u64) * width + 6 * width * (width + 1) + (actions + 1) * (width + 1)
    }

    /// The transposed recurrent weights.
    fn weights(&self) -> u64 {
        3 * self.width * self.width
    }

    /// Parameters and moments.
    fn of_state(&self) -> u64 {
        NUMBER * self.parameters() * (1 + self.moments)
    }

    /// A checkpoint, and the buffers of `others`, phases that free theirs. A checkpoint is the bytes of each tensor, then the file.
    /// The allocator returns a large block to the system, so that it is free when the other phases begin.
    fn saving_and(&self, others: u64) -> u64 {
        let file = self.of_state();
        file + if file > LARGEST_KEPT { file.max(others) } else { file + others }
    }

    /// A checkpoint, and the parameters that are read from it.
    fn of_loading(&self) -> u64 {
        self.of_state() + NUMBER * self.parameters()
    }

    /// A chunk's worker: it keeps all buffers from update to update.
    fn of_worker(&self, chunk: &Chunk) -> u64 {
        let Chunk { episodes, context, tokens } = *chunk;
        let scan = if self.fused { self.weights() + episodes * self.width * (5 * tokens + 4) } else { 0 };
        let judged = episodes * self.steps * (8 + 8);
        let env = episodes * (ENV + 4 * context);
        NUMBER * scan + self.of_learning(chunk) + self.of_acting(chunk) + chunk.of_record(self.steps) + judged + env
    }

    /// An imitator, with the GRU's scratch buffers.
    fn of_imitator(&self, chunk: &Chunk) -> u64 {
        let scratch = if self.fused { self.weights() + 3 * chunk.episodes * self.width } else { 0 };
        NUMBER * scratch + self.of_learning(chunk) + 2 * chunk.of_record(self.steps) + chunk.episodes * self.steps * 8
    }

    /// The tape of a loss, and two gradients of each parameter.
    fn of_learning(&self, chunk: &Chunk) -> u64 {
        let Self { width, actions, vocabulary, steps, .. } = *self;
        let Chunk { episodes, tokens, .. } = *chunk;
        let gru = match self.fused {
            true => episodes * width * (5 + 4) * tokens,
            false => episodes * width * 57 * tokens + self.weights() * tokens,
        };
        let read_by_heads = episodes * width * (4 * steps + 3);
        let decided = episodes * steps * (9 * actions + 22);
        let indices = episodes * (tokens + 4 * steps);
        let table = 2 * 6 * vocabulary * width;
        let nodes = NODES + if self.fused { 0 } else { NODES_OF_TOKEN * tokens };
        NUMBER * (2 * self.parameters() + gru + read_by_heads + decided + indices + table) + NODE * nodes
    }

    /// The tape of episodes that are played, without what is freed after them.
    fn of_acting(&self, chunk: &Chunk) -> u64 {
        let Self { width, actions, vocabulary, steps, .. } = *self;
        let Chunk { episodes, tokens, .. } = *chunk;
        let gru = if self.fused { 0 } else { 22 * tokens * episodes * width };
        let nodes = NODES_OF_STEP * steps + if self.fused { 0 } else { NODES_OF_TOKEN * tokens };
        NUMBER * (6 * vocabulary * width + gru + episodes * steps * (3 * actions + 2)) + NODE * nodes
    }

    /// Numbers of a GRU that reads without a scan.
    fn of_fused_acting(&self, chunk: &Chunk) -> u64 {
        self.weights() + chunk.episodes * self.width * (5 * chunk.tokens + 3)
    }

    /// Buffers of playing a chunk that are freed afterwards.
    fn of_playing(&self, chunk: &Chunk) -> u64 {
        let copied = if self.fused { chunk.tokens * chunk.episodes * self.width } else { 0 };
        NUMBER * copied + chunk.episodes * PLAYED
    }

    /// Playing `episodes` episodes of a stage, a chunk on each thread, with the record of all of them.
    fn of_evaluation(&self, episodes: usize, threads: usize) -> u64 {
        let together = episodes.min(evaluate::CHUNK);
        let at_a_time = threads.min(episodes.div_ceil(together)) as u64;
        let [all, chunk] = [episodes, together].map(|episodes| self.chunk(STAGES - 1, episodes as u64));
        let scanned = if self.fused { NUMBER * self.of_fused_acting(&chunk) } else { 0 };
        let acting = self.of_acting(&chunk) + scanned + chunk.episodes * (PLAYED + ENV);
        acting * at_a_time + all.of_record(self.steps) + all.episodes * PROGRAM
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    /// Peaks of whole runs of three updates with a validation and a test, in KiB, that Linux reported (`/usr/bin/time`, x86-64,
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

    fn with<S: Settings + Default>(settings: &str) -> S {
        let mut config = S::default();
        for setting in settings.split(' ').filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').expect("name=value");
            config.set(name, value).expect("a setting");
        }
        config
    }

    /// The most that a need may be of a peak of so many KiB. It is more where the process itself is a large part, or the parameters
    /// are and the batch is small: there it depends on the allocator's luck which of the passing buffers of saving and evaluating
    /// come to lie in the same place.
    fn most(kib: u64, batch: usize) -> f64 {
        if kib >= 64 << 10 && batch >= 48 { 1.25 } else { 1.5 }
    }

    #[track_caller]
    fn assert_in_corridor(settings: &str, need: u64, kib: u64, most: f64) {
        let share = (need + PROCESS) as f64 / (1024 * kib) as f64;
        assert!((1.0..=most).contains(&share), "{settings}: {share} of what was measured");
    }

    #[test]
    fn training_need_is_the_measured_peak_and_little_more() {
        for &(settings, threads, kib) in CALCULATOR {
            let config: Config = with(settings);
            // Three updates see no shares of a later time, and no successes but the short ones of one stage.
            let most = match (config.curriculum, config.imitate) {
                (Curriculum::Mix, 0..=200) => most(kib, config.batch),
                _ => 4.0,
            };
            assert_in_corridor(settings, of_training(&config, threads), kib, most);
        }
    }

    #[test]
    fn need_of_the_largest_settings_does_not_overflow() {
        let config = "width=4096 batch=1048576 chunk=1 imitate=1048576 test_episodes=16777216";
        for more in ["", " gru=reset-before curriculum=adapt"] {
            assert!(of_training(&with(&[config, more].concat()), 1 << 16) > 1 << 50, "{more}");
        }
        assert!(of_evaluation(&with("width=4096"), 1 << 24, 1 << 16) > 1 << 40);
    }

    /// A worker gets a chunk of 48 of stage 0 first, and in the end one of stage 2.
    #[test]
    fn workers_of_a_curriculum_that_moves_on_are_counted_at_their_largest() {
        let sizes = |settings| -> Vec<[u64; 3]> {
            let chunks = largest_chunks(&with(settings));
            chunks.iter().map(|chunk| [chunk.episodes, chunk.context, chunk.tokens]).collect()
        };
        assert_eq!(sizes("batch=60 chunk=48 curriculum=switch"), [[30, 6, 15]; 2]);
        assert_eq!(sizes("batch=12 chunk=48 curriculum=mix"), [[2, 4, 13], [2, 5, 14], [8, 6, 15]]);
        assert_eq!(sizes("batch=12 chunk=48 curriculum=gate"), [[12, 4, 13], [9, 5, 14], [8, 6, 15]]);
        assert_eq!(sizes("batch=13 chunk=6 curriculum=adapt"), [[6, 6, 15]; 5]);
    }

    #[test]
    fn parameters_are_those_of_the_network() {
        for settings in ["width=5", "width=7 actions=tokens"] {
            let config: Config = with(settings);
            let (.., params) = crate::train::network::<f32>(&config, 0);
            assert_eq!(Network::new(&config).parameters(), params.size() as u64, "{settings}");
        }
    }
}
