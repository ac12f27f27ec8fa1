//! Episodes of a task whose steps are look-ups in a table of its states.

use rl::tasks::calculator::Calculator;
use tensor::gpu::{Memory, count_of};
use tensor::philox::Stream;
use tensor::{CudaError, Gpu};

use crate::buffers::pairs;
use crate::description::Tables;
use crate::launches::Batch;
use crate::operands;

/// B episodes of one stage on a GPU.
pub struct GpuEpisodes {
    batch: Batch,
    /// What the task points to.
    _tables: [Memory<u32>; 5],
    actions: usize,
    /// How many operands each stage shows.
    shown: Vec<usize>,
    /// \[B,3\]
    states: Memory<u32>,
}

/// What one action earned on a GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuStep {
    /// The reward.
    pub reward: f64,
    /// What is read next.
    pub token: u32,
    /// Whether the episode has ended.
    pub done: bool,
}

impl GpuEpisodes {
    /// No episodes yet; the task's tables are copied to the GPU.
    ///
    /// # Errors
    /// If it has no room for them, or fails.
    pub fn new(gpu: &'static Gpu, task: &Calculator) -> Result<Self, CudaError> {
        let tables = Tables::of(task);
        tables.check();
        let Tables { next, distance, base, operands, tokens, .. } = &tables;
        let copy = |words: &[u32]| Memory::copy_of(gpu, words);
        let kept = [copy(&pairs(next))?, copy(&pairs(distance))?, copy(base)?, copy(operands)?, copy(tokens)?];
        let task = operands::task(&tables, kept.each_ref().map(|memory| memory.place(0)));
        let shown = operands.iter().map(|&n| n as usize).collect();
        let batch = Batch { gpu, task, stage: 0, episodes: 0 };
        Ok(Self { batch, _tables: kept, actions: tokens.len(), shown, states: Memory::empty(gpu) })
    }

    /// Starts `batch` episodes of a stage, the first by the numbers of `first`, and returns what they show, \[L,B\].
    ///
    /// # Errors
    /// If the GPU has no room for them, or fails.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn reset(&mut self, stage: usize, batch: usize, seed: u64, first: Stream) -> Result<Vec<u32>, CudaError> {
        let (gpu, size) = (self.batch.gpu, (self.shown[stage] + 1) * batch);
        let episodes = count_of(&"episodes of the calculator", batch);
        let (contexts, states) = (Memory::zeros(gpu, size)?, Memory::zeros(gpu, 3 * batch)?);
        let started = Batch { stage: stage as u32, episodes, ..self.batch };
        started.reset(seed, first, &contexts, &states)?;
        (self.batch, self.states) = (started, states);
        contexts.read(0..size)
    }

    /// Takes an action in each episode. One that has ended stays as it is and earns nothing.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the number of actions is not that of the episodes, or an action does not exist.
    #[track_caller]
    pub fn step(&mut self, actions: &[u32]) -> Result<Vec<GpuStep>, CudaError> {
        let (gpu, all) = (self.batch.gpu, 0..self.batch.episodes as usize);
        assert_eq!(actions.len(), all.len(), "an action for each episode");
        let given = Memory::copy_of(gpu, actions)?;
        let rewards = Memory::zeros(gpu, all.len())?;
        let [tokens, ended, bad] =
            [Memory::zeros(gpu, all.len())?, Memory::zeros(gpu, all.len())?, Memory::zeros(gpu, 1)?];
        self.batch.step(&given, &self.states, &rewards, [&tokens, &ended, &bad])?;
        let worst: u32 = bad.read(0..1)?[0];
        assert!(worst == 0, "calculator_step: index {} is outside [{}]", worst.wrapping_sub(1), self.actions);
        let (tokens, ended) = (tokens.read(all.clone())?, ended.read(all.clone())?);
        let each = rewards.read(all)?.into_iter().zip(tokens).zip(ended);
        Ok(each.map(|((reward, token), done)| GpuStep { reward, token, done: done != 0 }).collect())
    }

    /// Whether each episode has reached its goal.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn solved(&self) -> Result<Vec<bool>, CudaError> {
        let states = self.states.read(0..3 * self.batch.episodes as usize)?;
        Ok(states.chunks(3).map(|episode| episode[0] == 1).collect())
    }
}
