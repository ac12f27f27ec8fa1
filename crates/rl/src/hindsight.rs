//! Hindsight: whatever a policy did, it did the right thing for some goal. A buffer keeps such programs with their goals, and
//! updates learn from them.
//!
//! If the reward is 1 for reaching a goal that is drawn at random, a policy that has learned nothing is almost never rewarded.
//! But each of its episodes has reached *something*. If a task can say what ([`Hindsight::achieved`]), and can describe the
//! problem whose goal that is ([`Hindsight::relabel`]), the episode is a demonstration for that problem. An update acts, draws K
//! programs of each stage from a [`ProgramBuffer`], follows the gradient of the loss below, and then adds the demonstrations of its
//! own episodes to the buffer:
//!
//! ```text
//! L = − w/N Σ_programs Σ_t ln π(a_t | c, a_0 … a_{t−1})
//! ```
//!
//! over N relabelled programs with context c. No teacher writes these programs, no reward is used, and no solver.
//!
//! **Why this improves the policy.** Let q(a | c) be the distribution of the buffer: programs a that the policy has executed,
//! each with a context c for which it is right. −L/w estimates E_q ln π(a | c), which is largest where π(· | c) is q(· | c): a
//! distribution of right programs for c. The better policy then executes more of the programs that were asked for, and ε-random
//! actions find new ones. Of each kind of problem the buffer keeps only the shortest programs, so q prefers short ones.
//!
//! Without a policy gradient this is iterated supervised learning on relabelled episodes: D. Ghosh et al., "Learning to Reach
//! Goals via Iterated Supervised Learning" (ICLR 2021), section 3. Beside A2C, it is hindsight replay with an on-policy
//! gradient; the relabelling is that of M. Andrychowicz et al., "Hindsight Experience Replay" (2017), section 3.2, where a value
//! function learns from it instead.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use autograd::Var;
use tensor::Real;
use tensor::philox::Philox;

use crate::env::{Actions, Spec};
use crate::model::Decisions;
use crate::trajectories::{Row, Trajectories};

/// The maximum number of programs that the buffer keeps of each kind.
const CAPACITY: usize = 64;
/// The maximum number of actions in the programs that it keeps of each stage, but for one program of each kind. The header of a
/// checkpoint holds all of them.
const STAGE_CAPACITY: usize = 1 << 16;

/// A task that can say for which problem an episode is a demonstration.
pub trait Hindsight: Send + Sync {
    /// Adds what this episode has achieved: each program that is right for some problem of the task.
    fn achieved(&self, played: &Row, out: &mut Vec<Achieved>);

    /// Describes an episode of a problem for which the program is right: the tokens that a policy reads in it, the program as
    /// its actions, and which actions are legal. The problem is drawn from those of the same goal. Returns `None` if training
    /// must not show any of them.
    fn relabel(&self, achieved: &Achieved, rng: &mut Philox) -> Option<Row>;
}

/// A program that is right for some problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Achieved {
    /// The stage of the problem.
    pub stage: usize,
    /// The kind of the problem. The buffer keeps programs of each kind, and updates learn equally from all kinds.
    pub kind: u64,
    /// The actions.
    pub actions: Vec<u32>,
}

/// Removes from a program, from the front, each action without which its result is the same. `step` takes an action in a state;
/// it must accept every action of the program in each state, since removals lead to others.
pub fn minimize<A, S: Clone, R: PartialEq>(
    program: &mut Vec<A>,
    start: S,
    step: impl Fn(&mut S, &A),
    result: impl Fn(&S) -> R,
) {
    let run = |from: &S, rest: &[A]| {
        let mut state = from.clone();
        rest.iter().for_each(|action| step(&mut state, action));
        result(&state)
    };
    let wanted = run(&start, program);
    let (mut before, mut k) = (start, 0);
    while k < program.len() {
        if run(&before, &program[k + 1..]) == wanted {
            program.remove(k);
        } else {
            step(&mut before, &program[k]);
            k += 1;
        }
    }
}

/// The programs of one kind of problem, all equally long, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// The number of the kind.
    pub kind: u64,
    /// The actions of each program.
    pub programs: VecDeque<Vec<u32>>,
}

/// The shortest known programs of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramBuffer {
    /// The kinds of each stage, in ascending order of their numbers. The last stages may be missing if they have none.
    pub stages: Vec<Vec<Kind>>,
}

impl ProgramBuffer {
    /// Adds a program, unless a shorter one of its kind is known. It replaces longer ones; otherwise a full kind drops its oldest.
    pub fn add(&mut self, Achieved { stage, kind, actions }: Achieved) {
        if self.stages.len() <= stage {
            self.stages.resize_with(stage + 1, Vec::new);
        }
        let kinds = &mut self.stages[stage];
        let found = kinds.binary_search_by_key(&kind, |known| known.kind);
        let count = kinds.len() + usize::from(found.is_err());
        let capacity = |length: usize| CAPACITY.min(STAGE_CAPACITY / (count * length.max(1))).max(1);
        let place = found.unwrap_or_else(|place| {
            for Kind { programs, .. } in &mut *kinds {
                programs.drain(..programs.len().saturating_sub(capacity(programs[0].len())));
            }
            kinds.insert(place, Kind { kind, programs: VecDeque::new() });
            place
        });
        let programs = &mut kinds[place].programs;
        match programs.front().map(|known| actions.len().cmp(&known.len())) {
            Some(core::cmp::Ordering::Greater) => return,
            Some(core::cmp::Ordering::Less) => programs.clear(),
            _ if programs.len() == capacity(actions.len()) => _ = programs.pop_front(),
            _ => {}
        }
        programs.push_back(actions);
    }

    /// The number of kinds in each of the task's stages.
    pub fn count_kinds(&self, stages: usize) -> Vec<usize> {
        (0..stages).map(|stage| self.stages.get(stage).map_or(0, Vec::len)).collect()
    }

    /// Draws a program of a stage: each kind with the same probability, and each program of the kind. Returns `None` if the
    /// stage has none.
    pub fn draw(&self, stage: usize, rng: &mut Philox) -> Option<Achieved> {
        let kinds = self.stages.get(stage).filter(|kinds| !kinds.is_empty())?;
        let Kind { kind, programs } = &kinds[rng.below(kinds.len() as u32) as usize];
        let actions = programs[rng.below(programs.len() as u32) as usize].clone();
        Some(Achieved { stage, kind: *kind, actions })
    }

    /// Draws `count` programs of a stage and relabels them. There are fewer if training must not show their problems.
    pub fn sample(&self, task: &dyn Hindsight, stage: usize, count: usize, rng: &mut Philox) -> Trajectories {
        let draw = |_| self.draw(stage, rng).and_then(|achieved| task.relabel(&achieved, rng));
        let rows: Vec<Row> = (0..count).filter_map(draw).collect();
        Trajectories::from_rows(stage, &rows.iter().collect::<Vec<_>>())
    }

    /// Checks that these can be programs of a task.
    ///
    /// # Errors
    /// If there are too many stages or programs, if kinds are not in order, or if a program does not fit the task.
    pub fn check(&self, spec: &Spec) -> Result<(), String> {
        let found = self.stages.len();
        if found > spec.stages {
            return Err(format!("programs of {found} stages; expected at most {}", spec.stages));
        }
        for (stage, kinds) in self.stages.iter().enumerate() {
            let fits = |program: &Vec<u32>| {
                (1..=spec.horizon).contains(&program.len()) && spec.action.accepts(&Actions::Discrete(program.clone()))
            };
            let is_valid = |Kind { programs, .. }: &Kind| {
                (1..=CAPACITY).contains(&programs.len())
                    && programs.iter().all(|program| fits(program) && program.len() == programs[0].len())
            };
            if !kinds.is_sorted_by(|a, b| a.kind < b.kind) || !kinds.iter().all(is_valid) {
                return Err(format!("stage {stage}: programs that do not fit the task"));
            }
        }
        Ok(())
    }
}

/// − Σ ln π(a) over all valid steps of relabelled programs.
///
/// The critic learns nothing from them: it enters with the weight 0, so that its gradient is 0 and not missing.
pub fn loss<'t, T: Real>(played: &Trajectories, decisions: Decisions<'t, T>) -> Var<'t, T> {
    let steps = played.valid_step_indices();
    let Decisions { actions, values } = decisions.at_steps(&steps);
    values.sum().scale(T::zero()) - actions.log_prob(&played.actions_at(&steps.to_vec())).sum()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::distribution::Distribution;
    use crate::env::Task;
    use crate::tasks::Expression;
    use tensor::Tensor;

    fn achieved(stage: usize, kind: u64, actions: &[u32]) -> Achieved {
        Achieved { stage, kind, actions: actions.to_vec() }
    }

    fn buffer(all: &[Achieved]) -> ProgramBuffer {
        let mut buffer = ProgramBuffer::default();
        all.iter().cloned().for_each(|one| buffer.add(one));
        buffer
    }

    #[test]
    fn add_keeps_the_shortest_programs_of_each_kind() {
        let (long, short) = (achieved(1, 7, &[0, 1, 2]), achieved(1, 7, &[0, 3]));
        let other = achieved(1, 3, &[1, 1, 1, 1]);
        let kept = buffer(&[long.clone(), other, short.clone(), long, short]);
        assert_eq!(kept.stages[0], []);
        assert_eq!(
            kept.stages[1],
            [
                Kind { kind: 3, programs: [vec![1; 4]].into() },
                Kind { kind: 7, programs: [vec![0, 3], vec![0, 3]].into() }
            ]
        );
    }

    #[test]
    fn add_full_kind_drops_the_oldest() {
        let all: Vec<_> = (0..CAPACITY as u32 + 3).map(|k| achieved(0, 1, &[k])).collect();
        let programs = &buffer(&all).stages[0][0].programs;
        assert_eq!((programs.len(), &programs[0]), (CAPACITY, &vec![3]));
    }

    /// With many kinds, each has fewer programs, the latest ones; but each has one.
    #[test]
    fn add_many_kinds_of_a_stage_leaves_each_its_share() {
        let mut buffer = ProgramBuffer::default();
        let mut fill = |kinds: core::ops::Range<u64>, count: u32| {
            kinds.for_each(|kind| (0..count).for_each(|k| buffer.add(achieved(0, kind, &[k; 16]))));
            let sizes = buffer.stages[0].iter().map(|kind| (kind.programs.len(), kind.programs[0][0]));
            sizes.collect::<Vec<_>>()
        };
        assert_eq!(fill(0..64, 64), [(64, 0); 64]);
        let sizes = fill(64..128, 40);
        assert!(sizes[..64] == [(32, 32); 64] && sizes[64..] == [(32, 8); 64], "{sizes:?}");
        assert!(fill(128..5000, 1).iter().all(|&(len, _)| len == 1));
    }

    /// A kind with one program is drawn as often as one with many: within four standard errors.
    #[test]
    fn draw_is_uniform_over_kinds() {
        let mut all = vec![achieved(0, 1, &[9])];
        all.extend((0..40).map(|k| achieved(0, 2, &[k])));
        let (buffer, mut rng) = (buffer(&all), Philox::new(4));
        assert_eq!(buffer.draw(1, &mut rng), None);
        let first = (0..4000).filter(|_| buffer.draw(0, &mut rng).is_some_and(|drawn| drawn.kind == 1)).count();
        assert!(first.abs_diff(2000) < 127, "{first}");
    }

    #[test]
    fn check_other_task_is_an_error_in_words() {
        let spec = Expression::default().spec();
        let good = buffer(&[achieved(0, 1, &[0, 10]), achieved(0, 4, &[2]), achieved(2, 5, &[3; 14])]);
        assert_eq!(good.check(&spec), Ok(()));
        let unordered = ProgramBuffer { stages: vec![[good.stages[0].clone(), good.stages[0].clone()].concat()] };
        let uneven = Kind { kind: 1, programs: [vec![0], vec![0, 1]].into() };
        for (bad, error) in [
            (buffer(&[achieved(3, 1, &[0])]), "programs of 4 stages; expected at most 3"),
            (buffer(&[achieved(0, 1, &[11])]), "stage 0: programs that do not fit the task"),
            (buffer(&[achieved(1, 1, &[])]), "stage 1: programs that do not fit the task"),
            (buffer(&[achieved(1, 1, &[0; 15])]), "stage 1: programs that do not fit the task"),
            (unordered, "stage 0: programs that do not fit the task"),
            (ProgramBuffer { stages: vec![vec![uneven]] }, "stage 0: programs that do not fit the task"),
            (ProgramBuffer { stages: vec![vec![Kind::default()]] }, "stage 0: programs that do not fit the task"),
        ] {
            assert_eq!(bad.check(&spec), Err(String::from(error)));
        }
    }

    /// Two programs, of one and three steps, in a batch of two rows.
    fn two_programs() -> Trajectories {
        let row = |actions: &[u32]| Row::from_program(&[1], actions, |_, _| [1]);
        Trajectories::from_rows(0, &[&row(&[2]), &row(&[0, 1, 2])])
    }

    /// − Σ ln π(a) of the four valid steps. Its gradient is π − onehot(a) there, and 0 elsewhere, also after NaN; the critic's is 0.
    #[test]
    fn loss_is_the_negative_log_likelihood_of_the_programs() {
        let played = two_programs();
        let chosen = [2, 0, 0, 1, 0, 2];
        let tape = autograd::Tape::<f64>::new();
        let logits = tape.input(Tensor::from_fn([6, 3], |k| match played.valid[k / 3] {
            true => 0.3 * k as f64 - 0.1 * (k * k) as f64,
            false => f64::NAN,
        }));
        let values = tape.input(Tensor::from_fn([6], |k| if played.valid[k] { 0.5 } else { f64::NAN }));
        let actions = Distribution::Categorical { log_probs: logits.log_softmax() };
        let sum = loss(&played, Decisions { actions, values });
        sum.backward().expect("no parameters");
        let p = logits.log_softmax().exp().value();
        let (mut want, gradient) = (0.0, logits.grad().expect("it is reached"));
        for k in (0..6).filter(|&k| played.valid[k]) {
            want -= Real::ln(p.get(&[k, chosen[k]]));
            for a in 0..3 {
                let onehot = f64::from(u8::from(a == chosen[k]));
                assert!((gradient.get(&[k, a]) - (p.get(&[k, a]) - onehot)).abs() < 1e-14);
            }
        }
        assert!((sum.value().item() - want).abs() < 1e-13, "{} {want}", sum.value().item());
        assert_eq!(values.grad().expect("it is reached").to_vec(), [0.0; 6]);
    }
}
