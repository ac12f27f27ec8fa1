//! Episodes of a task whose steps are look-ups in a table of its states.

use alloc::vec::Vec;

use super::{Call, Card, checked, count_of, done, parts};
use crate::cuda::error::CudaError;
use crate::cuda::memory::Memory;
use crate::cuda::modules::Entry;
use crate::cuda::update::{Tables, Task, pairs};
use crate::philox::Stream;
use crate::shape::Shape;

/// B episodes of one stage on a card.
pub struct CardEpisodes {
    card: &'static Card,
    task: Task,
    /// What the task points to.
    _tables: [Memory<u32>; 5],
    actions: usize,
    /// How many operands each stage shows.
    shown: Vec<usize>,
    stage: u32,
    batch: usize,
    /// \[B,3\]
    episodes: Memory<u32>,
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
    /// None yet; the tables are copied to the card.
    ///
    /// # Errors
    /// If it has no room for them, or fails.
    ///
    /// # Panics
    /// If a table names a state that is not there, or has another size than it should.
    pub fn new(card: &'static Card, tables: &Tables) -> Result<Self, CudaError> {
        tables.check();
        let Tables { next, distance, base, operands, tokens, .. } = tables;
        let copy = |words: &[u32]| Memory::copy_of(card, words);
        let kept = [copy(&pairs(next))?, copy(&pairs(distance))?, copy(base)?, copy(operands)?, copy(tokens)?];
        let task = Task::new(tables, kept.each_ref().map(|memory| memory.place(0)));
        let shown = operands.iter().map(|&n| n as usize).collect();
        let episodes = Memory::empty(card);
        Ok(Self { card, task, _tables: kept, actions: tokens.len(), shown, stage: 0, batch: 0, episodes })
    }

    /// Starts `batch` episodes of a stage, the first by the numbers of `first`, and returns what they show, \[L,B\].
    ///
    /// # Panics
    /// If there is no such stage, or the card fails.
    #[track_caller]
    pub fn reset(&mut self, stage: usize, batch: usize, seed: u64, first: Stream) -> Vec<u32> {
        let episodes = count_of(&"episodes of the calculator", batch);
        let contexts = done(Memory::<u32>::zeros(self.card, (self.shown[stage] + 1) * batch));
        self.episodes = done(Memory::zeros(self.card, 3 * batch));
        (self.stage, self.batch) = (stage as u32, batch);
        let call = Call::new::<f32>(self.card, Entry::CalculatorReset).task(self.task);
        let call = call.count(self.stage).count(episodes).size(seed).count(first.purpose.0).count(first.update);
        call.count(first.episode).memory(&contexts).memory(&self.episodes).run(parts(batch, 256));
        done(contexts.read(0..contexts.len()))
    }

    /// Takes an action in each episode. One that has ended stays as it is and earns nothing.
    ///
    /// # Panics
    /// If there are not as many actions as episodes, one is not there, or the card fails.
    #[track_caller]
    pub fn step(&mut self, actions: &[u32]) -> Vec<CardStep> {
        assert_eq!(actions.len(), self.batch, "an action for each episode");
        let (card, given) = (self.card, done(Memory::copy_of(self.card, actions)));
        let rewards = done(Memory::<f64>::zeros(card, self.batch));
        let [tokens, ended] = [(); 2].map(|()| done(Memory::<u32>::zeros(card, self.batch)));
        checked(card, "calculator_step", Shape::new(&[self.actions]), |bad| {
            let call = Call::new::<f32>(card, Entry::CalculatorStep).task(self.task).count(self.stage);
            let call = call
                .count(count_of(&"episodes of the calculator", self.batch))
                .memory(&given)
                .memory(&self.episodes)
                .memory(&rewards);
            (call.memory(&tokens).memory(&ended).memory(bad), parts(self.batch, 256))
        });
        let [tokens, ended] = [tokens, ended].map(|memory| done(memory.read(0..self.batch)));
        let rewards = done(rewards.read(0..self.batch)).into_iter();
        let each = rewards.zip(tokens).zip(ended);
        each.map(|((reward, token), done)| CardStep { reward, token, done: done != 0 }).collect()
    }

    /// Whether each episode has reached its goal.
    ///
    /// # Panics
    /// If the card fails.
    pub fn solved(&self) -> Vec<bool> {
        done(self.episodes.read(0..3 * self.batch)).chunks(3).map(|episode| episode[0] == 1).collect()
    }
}
