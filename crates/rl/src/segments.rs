//! Episodes that go on from one update to the next, segment by segment, and the record from which a resumed run restores them.
//!
//! An environment has no state that could be saved. Instead, the record of an episode holds the place in the random stream at
//! which it was reset, and its actions so far. Playing them again gives the same environment, since all of its randomness comes
//! from the stream.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use autograd::Tape;
use nn::Params;
use tensor::Real;
use tensor::philox::{Philox, Purpose, Stream};

use crate::env::{Action, Actions, EnvError, Episodes, Spec, Task};
use crate::model::Model;
use crate::rollout::{Actor, Buffers, Carry, Options, RolloutError, Streams};
use crate::trajectories::Trajectories;

/// The running episodes of one chunk.
pub(crate) struct Segments {
    episodes: Episodes,
    carry: Carry,
    is_started: bool,
}

/// Everything that a resumed run needs of the running episodes of one chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedSegments {
    /// The stage of the episodes.
    pub stage: usize,
    /// Their state after the last segment.
    pub carry: Carry,
    /// The record of each episode, \[B\].
    pub logs: Vec<EpisodeLog>,
}

/// The record of a running episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpisodeLog {
    /// The update in which the episode was reset.
    pub update: u32,
    /// The number of words of its stream that had been drawn before the reset.
    pub words: u64,
    /// For each update since then, in order: its number, and how many actions of the episode were taken by its end.
    pub updates: Vec<(u32, usize)>,
    /// The actions since the reset.
    pub actions: Actions,
}

impl Segments {
    /// Creates episodes that have not been reset.
    pub(crate) fn new(task: &(impl Task + ?Sized), stage: usize, count: usize) -> Self {
        Self { episodes: Episodes::new(task, stage, count), carry: Carry::new(count), is_started: false }
    }

    /// B, the number of episodes.
    pub(crate) fn len(&self) -> usize {
        self.episodes.len()
    }

    /// The episodes, for rollouts that are not segments.
    pub(crate) fn episodes_mut(&mut self) -> &mut Episodes {
        &mut self.episodes
    }

    /// Returns true if these are that many episodes of this stage.
    pub(crate) fn fits(&self, stage: usize, count: usize) -> bool {
        (self.episodes.stage(), self.len()) == (stage, count)
    }

    /// Plays the segment of an update. Replaces `played` by its record.
    #[expect(clippy::too_many_arguments, reason = "the buffers and results of one call")]
    pub(crate) fn play<T: Real, M: Model<T> + ?Sized>(
        &mut self,
        (model, params): (&M, &Params<T>),
        tape: &mut Tape<T>,
        buffers: &mut Buffers<T>,
        streams: &mut Streams,
        options: Options<'_>,
        steps: usize,
        update: u32,
        played: &mut Trajectories,
    ) -> Result<(), RolloutError> {
        let Self { episodes, carry, is_started } = self;
        episodes.log_update(update);
        if !*is_started {
            let all: Vec<usize> = (0..episodes.len()).collect();
            episodes.reset(&all, &mut streams.env)?;
            *is_started = true;
        }
        let actor = Actor { model, episodes, streams, options, steps: Some(steps) };
        actor.run(params, tape, carry, buffers, None, |_| (), played)
    }

    /// Abandons the running episodes: the next segment starts new ones.
    pub(crate) fn abandon(&mut self) {
        (self.carry, self.is_started) = (Carry::new(self.len()), false);
    }

    /// Returns what a resumed run needs, if a segment was played.
    pub(crate) fn save(&self) -> Option<SavedSegments> {
        let Self { episodes, carry, is_started } = self;
        let (stage, carry) = (episodes.stage(), carry.clone());
        is_started.then(|| SavedSegments { stage, carry, logs: episodes.logs().to_vec() })
    }

    /// Restores running episodes. `seed` is that of the run, and `first` the index of the first episode in the batch.
    ///
    /// # Errors
    /// If the record does not fit the task, or the environment has a fault.
    pub(crate) fn restore(
        task: &(impl Task + ?Sized),
        saved: &SavedSegments,
        seed: u64,
        first: usize,
    ) -> Result<Self, String> {
        let (spec, count) = (task.spec(), saved.logs.len());
        let SavedSegments { stage, carry, logs } = saved;
        let misfit = || format!("running episodes of stage {stage} that do not fit {}", spec.name);
        let fits = *stage < spec.stages
            && [carry.states.len(), carry.rewards.len(), carry.discounted.len()] == [count; 3]
            && carry
                .rewards
                .iter()
                .chain(&carry.discounted)
                .chain(carry.states.iter().flatten().flatten())
                .all(|x| x.is_finite())
            && logs.iter().all(|log| log.fits(&spec));
        if !fits {
            return Err(misfit());
        }
        let mut segments = Self::new(task, *stage, count);
        let episodes = &mut segments.episodes;
        let stream = |update, i: usize| {
            Philox::stream(seed, Stream { purpose: Purpose::OPERANDS, update, episode: (first + i) as u32 })
        };
        let mut rngs: Vec<Philox> = (0..count).map(|i| stream(0, i)).collect();
        let mut actions = Actions::zeros(&spec.action, count);
        let fault = |error: EnvError| error.to_string();
        for (i, log) in logs.iter().enumerate() {
            rngs[i] = stream(log.update, i);
            rngs[i].skip(log.words);
            episodes.reset(&[i], &mut rngs).map_err(fault)?;
            let mut taken = 0;
            for &(update, end) in &log.updates {
                if update != log.update {
                    rngs[i] = stream(update, i);
                }
                for k in taken..end {
                    actions.set(i, log.actions.get(k));
                    if let Action::Discrete(action) = actions.get(i)
                        && !episodes.observations().legal(i)[action as usize]
                    {
                        return Err(misfit());
                    }
                    episodes.step(&[i], &actions, &mut rngs).map_err(fault)?;
                    if episodes.transitions().is_done(i) {
                        return Err(misfit());
                    }
                }
                taken = end;
            }
        }
        episodes.set_logs(logs.clone());
        (segments.carry, segments.is_started) = (carry.clone(), true);
        Ok(segments)
    }
}

impl EpisodeLog {
    /// Returns true if the task can have such an episode.
    fn fits(&self, spec: &Spec) -> bool {
        spec.action.accepts(&self.actions)
            && self.words < 1 << 34
            && self.actions.len() < spec.horizon
            && self.updates.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1)
            && self.updates.first().is_some_and(|&(update, _)| update == self.update)
            && self.updates.last().is_some_and(|&(_, end)| end == self.actions.len())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::a2c::{Learner, Update};
    use crate::distribution::Choice;
    use crate::test_tasks::{Chance, learner};

    /// Segments of three steps of chunks with two to three episodes of each stage.
    fn update(number: u32, task: Chance) -> Update {
        let (counts, choice) = (vec![4, 5], Choice::SAMPLED);
        Update {
            seed: 4,
            number,
            counts,
            chunk: 3,
            segment: 3,
            choice,
            normalize_observations: task.has_vectors,
            normalize_rewards: true,
            gamma: 0.9,
            ..Update::default()
        }
    }

    /// A learner after some updates.
    fn trained(task: Chance, updates: u32) -> Learner<f32> {
        let mut learner = learner(&task);
        (0..updates).for_each(|number| _ = learner.update(&task, &update(number, task)).expect("finite"));
        learner
    }

    /// A learner with everything that a run saves.
    fn resumed(task: Chance, learner: &Learner<f32>) -> Learner<f32> {
        let Learner { model, params, optimizer, statistics, .. } = learner;
        let mut resumed = Learner::new(model.clone(), params.clone(), optimizer.clone());
        resumed.statistics = statistics.clone();
        resumed.restore_segments(&task, &learner.save_segments(), 4).expect("its own record");
        resumed
    }

    #[test]
    fn restore_in_the_middle_of_episodes_continues_bit_for_bit() {
        for task in Chance::all() {
            let mut learner = trained(task, 3);
            let saved = learner.save_segments();
            assert_eq!(saved.len(), 4);
            let logs = || saved.iter().flat_map(|saved| &saved.logs);
            assert!(logs().any(|log| log.updates.len() > 1) && logs().any(|log| log.words > 0), "{task:?}: {saved:?}");
            let mut resumed = resumed(task, &learner);
            assert_eq!(resumed.save_segments(), saved);
            for number in 3..7 {
                let [metrics, of_resumed] = [&mut learner, &mut resumed]
                    .map(|learner| learner.update(&task, &update(number, task)).expect("finite"));
                assert_eq!(metrics, of_resumed, "{task:?} {number}");
                assert_eq!(learner.params.to_le_bytes(), resumed.params.to_le_bytes(), "{task:?} {number}");
                assert_eq!(learner.save_segments(), resumed.save_segments(), "{task:?} {number}");
            }
        }
    }

    /// A learner that plays new episodes instead does not continue in the same way.
    #[test]
    fn update_without_restored_segments_differs() {
        let task = Chance::default();
        let (mut learner, mut fresh) = (trained(task, 3), resumed(task, &trained(task, 3)));
        fresh.restore_segments(&task, &[], 4).expect("none");
        let metrics =
            [&mut learner, &mut fresh].map(|learner| learner.update(&task, &update(3, task)).expect("finite"));
        assert_ne!(metrics[0], metrics[1]);
    }

    /// The error of restoring a changed record.
    fn error_of(task: Chance, change: impl FnOnce(&mut SavedSegments)) -> String {
        let learner = trained(task, 3);
        let mut saved = learner.save_segments();
        change(
            saved
                .iter_mut()
                .find(|saved| saved.logs.iter().any(|log| !log.actions.is_empty()))
                .expect("an episode goes on"),
        );
        let mut restored = trained(task, 0);
        let error = restored.restore_segments(&task, &saved, 4).expect_err("it does not fit");
        assert!(restored.save_segments().is_empty(), "nothing changes");
        error
    }

    #[test]
    fn restore_record_of_another_task_is_an_error_in_words() {
        let task = Chance::default();
        let going = |saved: &mut SavedSegments| saved.logs.iter().position(|log| !log.actions.is_empty()).expect("one");
        type Change = fn(&mut SavedSegments, usize);
        let changes: [(&str, Change); 13] = [
            ("stage", |saved, _| saved.stage = 2),
            ("states", |saved, _| _ = saved.carry.states.pop()),
            ("rewards", |saved, _| saved.carry.rewards.push(0.0)),
            ("discounted", |saved, _| _ = saved.carry.discounted.pop()),
            ("logs", |saved, _| _ = saved.logs.pop()),
            ("NaN", |saved, _| saved.carry.rewards[0] = f64::NAN),
            ("NaN state", |saved, i| saved.carry.states[i].as_mut().expect("it goes on")[0] = f64::NAN),
            ("action", |saved, i| saved.logs[i].actions.set(0, Action::Discrete(3))),
            ("continuous", |saved, i| saved.logs[i].actions = Actions::Continuous { size: 2, values: vec![0.0; 2] }),
            ("horizon", |saved, i| (0..7).for_each(|_| saved.logs[i].actions.push(Action::Discrete(0)))),
            ("no update", |saved, i| saved.logs[i].updates.clear()),
            ("another update", |saved, i| saved.logs[i].update += 1),
            ("an update twice", |saved, i| {
                let last = saved.logs[i].updates[0];
                saved.logs[i].updates.push(last)
            }),
        ];
        for (what, change) in changes {
            let error = error_of(task, |saved| {
                let i = going(saved);
                change(saved, i)
            });
            assert!(
                error.starts_with("running episodes of stage ") && error.ends_with(" that do not fit chance"),
                "{what}: {error}"
            );
        }
        let error = error_of(task, |saved| {
            let i = going(saved);
            saved.carry.states[i].as_mut().expect("it goes on").push(0.0)
        });
        assert_eq!(error, "a running episode with a state of 6 numbers, expected 5");
    }

    /// The environment has ended where the record goes on, or forbids an action of the record.
    #[test]
    fn restore_record_that_the_environment_contradicts_is_an_error() {
        let longer = |saved: &mut SavedSegments| {
            for log in &mut saved.logs {
                while log.actions.len() < 6 {
                    log.actions.push(Action::Discrete(0));
                }
                log.updates.last_mut().expect("one").1 = 6;
            }
        };
        assert!(error_of(Chance::default(), longer).ends_with("that do not fit chance"));
        let task = Chance { is_masked: true, ..Chance::default() };
        let other_actions = |saved: &mut SavedSegments| {
            for log in &mut saved.logs {
                let others: Vec<u32> = log.actions.discrete().iter().map(|action| (action + 1) % 3).collect();
                log.actions = Actions::Discrete(others);
            }
        };
        assert!(error_of(task, other_actions).ends_with("that do not fit chance"));
    }
}
