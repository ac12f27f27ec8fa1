//! Episodes of a task whose steps are look-ups in a table of its states.

use rl::tasks::calculator::Calculator;
use tensor::gpu::{Memory, count_of};
use tensor::philox::Stream;
use tensor::{Card, CudaError};

use crate::buffers::pairs;
use crate::description::Tables;
use crate::launches::Batch;
use crate::operands;

/// B episodes of one stage on a card.
pub struct CardEpisodes {
    batch: Batch,
    /// What the task points to.
    _tables: [Memory<u32>; 5],
    actions: usize,
    /// How many operands each stage shows.
    shown: Vec<usize>,
    /// \[B,3\]
    states: Memory<u32>,
}

/// What one action earned on a card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CardStep {
    /// The reward.
    pub reward: f64,
    /// What is read next.
    pub token: u32,
    /// Whether the episode has ended.
    pub done: bool,
}

impl CardEpisodes {
    /// No episodes yet; the task's tables are copied to the card.
    ///
    /// # Errors
    /// If it has no room for them, or fails.
    pub fn new(card: &'static Card, task: &Calculator) -> Result<Self, CudaError> {
        let tables = Tables::of(task);
        tables.check();
        let Tables { next, distance, base, operands, tokens, .. } = &tables;
        let copy = |words: &[u32]| Memory::copy_of(card, words);
        let kept = [copy(&pairs(next))?, copy(&pairs(distance))?, copy(base)?, copy(operands)?, copy(tokens)?];
        let task = operands::task(&tables, kept.each_ref().map(|memory| memory.place(0)));
        let shown = operands.iter().map(|&n| n as usize).collect();
        let batch = Batch { card, task, stage: 0, episodes: 0 };
        Ok(Self { batch, _tables: kept, actions: tokens.len(), shown, states: Memory::empty(card) })
    }

    /// Starts `batch` episodes of a stage, the first by the numbers of `first`, and returns what they show, \[L,B\].
    ///
    /// # Errors
    /// If the card has no room for them, or fails.
    ///
    /// # Panics
    /// If there is no such stage.
    #[track_caller]
    pub fn reset(&mut self, stage: usize, batch: usize, seed: u64, first: Stream) -> Result<Vec<u32>, CudaError> {
        let (card, size) = (self.batch.card, (self.shown[stage] + 1) * batch);
        let episodes = count_of(&"episodes of the calculator", batch);
        let (contexts, states) = (Memory::zeros(card, size)?, Memory::zeros(card, 3 * batch)?);
        let started = Batch { stage: stage as u32, episodes, ..self.batch };
        started.reset(seed, first, &contexts, &states)?;
        (self.batch, self.states) = (started, states);
        contexts.read(0..size)
    }

    /// Takes an action in each episode. One that has ended stays as it is and earns nothing.
    ///
    /// # Errors
    /// If the card fails.
    ///
    /// # Panics
    /// If the number of actions is not that of the episodes, or an action does not exist.
    #[track_caller]
    pub fn step(&mut self, actions: &[u32]) -> Result<Vec<CardStep>, CudaError> {
        let (card, all) = (self.batch.card, 0..self.batch.episodes as usize);
        assert_eq!(actions.len(), all.len(), "an action for each episode");
        let given = Memory::copy_of(card, actions)?;
        let rewards = Memory::zeros(card, all.len())?;
        let [tokens, ended, bad] =
            [Memory::zeros(card, all.len())?, Memory::zeros(card, all.len())?, Memory::zeros(card, 1)?];
        self.batch.step(&given, &self.states, &rewards, [&tokens, &ended, &bad])?;
        let worst: u32 = bad.read(0..1)?[0];
        assert!(worst == 0, "calculator_step: index {} is outside [{}]", worst.wrapping_sub(1), self.actions);
        let (tokens, ended) = (tokens.read(all.clone())?, ended.read(all.clone())?);
        let each = rewards.read(all)?.into_iter().zip(tokens).zip(ended);
        Ok(each.map(|((reward, token), done)| CardStep { reward, token, done: done != 0 }).collect())
    }

    /// Whether each episode has reached its goal.
    ///
    /// # Errors
    /// If the card fails.
    pub fn solved(&self) -> Result<Vec<bool>, CudaError> {
        let states = self.states.read(0..3 * self.batch.episodes as usize)?;
        Ok(states.chunks(3).map(|episode| episode[0] == 1).collect())
    }
}
