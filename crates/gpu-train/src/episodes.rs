//! Episodes of the calculator on a GPU. Each step is a look-up in the table of the calculator's states.

use rl::tasks::calculator_stages::CalculatorStages;
use tensor::gpu::{DeviceBuffer, checked_count};
use tensor::philox::Stream;
use tensor::{CudaError, Gpu};

use crate::buffers::pack_pairs;
use crate::launches::EpisodeBatch;
use crate::operands;
use crate::spec::Tables;

/// B episodes of one stage on a GPU.
pub struct GpuEpisodes {
    batch: EpisodeBatch,
    /// The buffers to which `batch.task` points.
    _tables: [DeviceBuffer<u32>; 5],
    actions: usize,
    /// The number of operands in a context of each stage.
    shown: Vec<usize>,
    /// The states, \[B,3\].
    states: DeviceBuffer<u32>,
}

/// The result of one action on a GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GpuStep {
    /// The reward.
    pub reward: f64,
    /// The next token.
    pub token: u32,
    /// True if the episode has ended.
    pub done: bool,
}

impl GpuEpisodes {
    /// Copies the task's tables to the GPU. There are no episodes yet.
    ///
    /// # Errors
    /// If the GPU has too little memory, or fails.
    pub fn new(gpu: &'static Gpu, task: &CalculatorStages) -> Result<Self, CudaError> {
        let tables = Tables::from_task(task);
        tables.check();
        let Tables { next, distance, base, operands, tokens, .. } = &tables;
        let copy = |words: &[u32]| DeviceBuffer::from_slice(gpu, words);
        let kept =
            [copy(&pack_pairs(next))?, copy(&pack_pairs(distance))?, copy(base)?, copy(operands)?, copy(tokens)?];
        let task = operands::task(&tables, kept.each_ref().map(|memory| memory.address(0)));
        let shown = operands.iter().map(|&n| n as usize).collect();
        let batch = EpisodeBatch { gpu, task, stage: 0, episodes: 0 };
        Ok(Self { batch, _tables: kept, actions: tokens.len(), shown, states: DeviceBuffer::empty(gpu) })
    }

    /// Starts `batch` episodes of a stage, the first from the stream `first`, and returns their contexts, \[L,B\].
    ///
    /// # Errors
    /// If the GPU has too little memory, or fails.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn reset(&mut self, stage: usize, batch: usize, seed: u64, first: Stream) -> Result<Vec<u32>, CudaError> {
        let (gpu, size) = (self.batch.gpu, (self.shown[stage] + 1) * batch);
        let episodes = checked_count(&"episodes of the calculator", batch);
        let (contexts, states) = (DeviceBuffer::zeros(gpu, size)?, DeviceBuffer::zeros(gpu, 3 * batch)?);
        let started = EpisodeBatch { stage: stage as u32, episodes, ..self.batch };
        started.reset(seed, first, &contexts, &states)?;
        (self.batch, self.states) = (started, states);
        contexts.read(0..size)
    }

    /// Takes an action in each episode. An ended episode stays unchanged and earns nothing.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the number of actions is not the number of episodes, or an action does not exist.
    #[track_caller]
    pub fn step(&mut self, actions: &[u32]) -> Result<Vec<GpuStep>, CudaError> {
        let (gpu, all) = (self.batch.gpu, 0..self.batch.episodes as usize);
        assert_eq!(actions.len(), all.len(), "an action for each episode");
        let given = DeviceBuffer::from_slice(gpu, actions)?;
        let rewards = DeviceBuffer::zeros(gpu, all.len())?;
        let [tokens, ended, bad] =
            [DeviceBuffer::zeros(gpu, all.len())?, DeviceBuffer::zeros(gpu, all.len())?, DeviceBuffer::zeros(gpu, 1)?];
        self.batch.step(&given, &self.states, &rewards, [&tokens, &ended, &bad])?;
        let worst: u32 = bad.read(0..1)?[0];
        assert!(worst == 0, "calculator_step: index {} is outside [{}]", worst.wrapping_sub(1), self.actions);
        let (tokens, ended) = (tokens.read(all.clone())?, ended.read(all.clone())?);
        let each = rewards.read(all)?.into_iter().zip(tokens).zip(ended);
        Ok(each.map(|((reward, token), done)| GpuStep { reward, token, done: done != 0 }).collect())
    }

    /// Returns, for each episode, true if it has reached its goal.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn solved(&self) -> Result<Vec<bool>, CudaError> {
        let states = self.states.read(0..3 * self.batch.episodes as usize)?;
        Ok(states.chunks(3).map(|episode| episode[0] == 1).collect())
    }
}
