//! The solver: explores all states of a small machine, their distances to the goal, and the shortest programs.
//!
//! A breadth-first search numbers the states in the order in which it finds them. The first two numbers are absorbing
//! states: [`FAILED`] and [`SOLVED`]. The result is two flat arrays, so a step of an environment is one look-up,
//! also on a GPU.
//!
//! Distances: `d(SOLVED) = 0`, `d(FAILED) = ∞`, and elsewhere `d(s) = 1 + min over a of d(next(s, a))`.
//! Cost: each state is expanded once. Each round of the distance computation visits every edge once.

use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use core::ops::ControlFlow::{self, Break, Continue};

use crate::env::Task;

/// The state of a program that ended without reaching the goal.
pub const FAILED: u16 = 0;
/// The state of a program that ended at the goal.
pub const SOLVED: u16 = 1;
/// The initial state.
pub const START: u16 = 2;
/// The distance of states that cannot reach the goal.
pub const INFINITE: u16 = u16::MAX;

/// A deterministic machine. A step leads to another state, or ends the program at the goal or elsewhere.
pub trait Machine {
    /// The state, which determines the effect of each action.
    type State: Clone + Ord;

    /// The initial state.
    fn start(&self) -> Self::State;

    /// The number of actions.
    fn actions(&self) -> usize;

    /// The state after `action`. If the action ends the program: `Break(true)` at the goal, `Break(false)` elsewhere.
    fn step(&self, state: &Self::State, action: usize) -> ControlFlow<bool, Self::State>;
}

/// All states of a [`Machine`] and the edges between them.
#[derive(Clone, Debug)]
pub struct Graph<S> {
    actions: usize,
    states: Vec<S>,
    /// The number of the state after each action in each state, `[states + 2, actions]`.
    next: Vec<u16>,
    /// The distance of each state to [`SOLVED`], `[states + 2]`.
    distance: Vec<u16>,
}

impl<S: Clone + Ord> Graph<S> {
    /// Explores `machine`. States that need `horizon` steps or more to reach become [`FAILED`].
    ///
    /// # Panics
    /// If the number of states does not fit into 16 bits.
    pub fn explore(machine: &impl Machine<State = S>, horizon: usize) -> Self {
        let actions = machine.actions();
        let mut next = [vec![FAILED; actions], vec![SOLVED; actions]].concat();
        let mut states = vec![machine.start()];
        let mut depth = vec![0];
        let mut numbers = BTreeMap::from([(machine.start(), START)]);
        let mut from = 0;
        while from < states.len() {
            for action in 0..actions {
                next.push(match machine.step(&states[from], action) {
                    Break(true) => SOLVED,
                    Break(false) => FAILED,
                    Continue(state) => match numbers.get(&state) {
                        Some(&known) => known,
                        None if depth[from] + 1 >= horizon => FAILED,
                        None => {
                            let new = state_number(states.len());
                            numbers.insert(state.clone(), new);
                            states.push(state);
                            depth.push(depth[from] + 1);
                            new
                        }
                    },
                });
            }
            from += 1;
        }
        let distance = compute_distances(&next, actions);
        Self { actions, states, next, distance }
    }

    /// The states, in the order of their numbers from [`START`] on.
    pub fn states(&self) -> &[S] {
        &self.states
    }

    /// The state with this number, or `None` for [`FAILED`] and [`SOLVED`].
    pub fn state(&self, number: u16) -> Option<&S> {
        self.states.get(usize::from(number).checked_sub(usize::from(START))?)
    }

    /// The number of the state after `action`.
    ///
    /// # Panics
    /// If the action or the state does not exist.
    #[track_caller]
    pub fn next(&self, state: u16, action: usize) -> u16 {
        assert!(action < self.actions, "action {action}, but there are {} actions", self.actions);
        self.next[usize::from(state) * self.actions + action]
    }

    /// The fewest steps from `state` to [`SOLVED`], or [`INFINITE`].
    pub fn distance(&self, state: u16) -> u16 {
        self.distance[usize::from(state)]
    }

    /// The successors of all states in one array, `[states + 2, actions]`.
    pub fn next_table(&self) -> &[u16] {
        &self.next
    }

    /// The distances of all states in one array, `[states + 2]`.
    pub fn distance_table(&self) -> &[u16] {
        &self.distance
    }

    /// The number of states that cannot reach the goal.
    pub fn dead_states(&self) -> usize {
        self.distance[usize::from(START)..].iter().filter(|&&distance| distance == INFINITE).count()
    }

    /// All shortest programs in lexicographic order of their actions. The list is empty if the goal is unreachable.
    pub fn shortest_programs(&self) -> Vec<Vec<usize>> {
        let mut programs = Vec::new();
        if self.distance(START) != INFINITE {
            self.collect_programs(START, &mut Vec::new(), &mut programs);
        }
        programs
    }

    fn collect_programs(&self, state: u16, program: &mut Vec<usize>, programs: &mut Vec<Vec<usize>>) {
        if state == SOLVED {
            return programs.push(program.clone());
        }
        for action in 0..self.actions {
            let next = self.next(state, action);
            if self.distance(next).checked_add(1) == Some(self.distance(state)) {
                program.push(action);
                self.collect_programs(next, program, programs);
                program.pop();
            }
        }
    }
}

/// Lowers the smallest distance so far to this one, if that is smaller. Returns the difference: the milestones of a step.
pub(crate) fn approach(nearest: &mut u16, distance: u16) -> u16 {
    let milestones = nearest.saturating_sub(distance);
    *nearest -= milestones;
    milestones
}

/// Converts a position in the order of discovery, from 0, to the number of the state.
fn state_number(index: usize) -> u16 {
    u16::try_from(index).ok().and_then(|index| index.checked_add(START)).expect("a machine has at most 65,534 states")
}

/// Computes the distances to the goal. Round d finds the states at distance d: the remaining ones with a successor at d − 1.
fn compute_distances(next: &[u16], actions: usize) -> Vec<u16> {
    let mut distance = vec![INFINITE; next.len() / actions];
    distance[usize::from(SOLVED)] = 0;
    for round in 1.. {
        let found: Vec<usize> = (0..distance.len())
            .filter(|&state| distance[state] == INFINITE)
            .filter(|&state| {
                let successors = &next[state * actions..][..actions];
                successors.iter().any(|&to| distance[usize::from(to)] == round - 1)
            })
            .collect();
        if found.is_empty() {
            break;
        }
        found.into_iter().for_each(|state| distance[state] = round);
    }
    distance
}

/// A task whose states the solver can explore.
pub trait Solvable: Task {
    /// The formula that a program of `stage` must compute.
    ///
    /// # Panics
    /// If the task has no such stage.
    fn goal(&self, stage: usize) -> String;

    /// The solver's report on `stage`.
    ///
    /// # Panics
    /// If the task has no such stage.
    fn report(&self, stage: usize) -> Report;
}

/// The solver's report on one stage of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The stage.
    pub stage: usize,
    /// The formula that a program must compute.
    pub goal: String,
    /// The number of reachable states, without [`FAILED`] and [`SOLVED`].
    pub states: usize,
    /// The number of reachable states that cannot reach the goal.
    pub dead_states: usize,
    /// The number of steps of a shortest program, including the answer; `None` if there is no program.
    pub optimum: Option<usize>,
    /// All shortest programs, as action names.
    pub programs: Vec<Vec<String>>,
}

impl Report {
    /// Creates the report of a stage from its graph. `name` returns the name of an action.
    pub fn new<S: Clone + Ord>(stage: usize, goal: String, graph: &Graph<S>, name: impl Fn(usize) -> String) -> Self {
        let programs = graph.shortest_programs();
        Self {
            stage,
            goal,
            states: graph.states().len(),
            dead_states: graph.dead_states(),
            optimum: programs.first().map(Vec::len),
            programs: programs.into_iter().map(|program| program.into_iter().map(&name).collect()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter. Actions 0 and 1 add one or two, up to `limit`. Action 2 answers; the answer is right at `goal`.
    struct Counter {
        goal: u32,
        limit: u32,
    }

    impl Machine for Counter {
        type State = u32;

        fn start(&self) -> u32 {
            0
        }

        fn actions(&self) -> usize {
            3
        }

        fn step(&self, &state: &u32, action: usize) -> ControlFlow<bool, u32> {
            match action {
                2 => Break(state == self.goal),
                _ => Continue((state + 1 + action as u32).min(self.limit)),
            }
        }
    }

    #[test]
    fn graph_counter_has_all_states_distances_and_shortest_programs() {
        let graph = Graph::explore(&Counter { goal: 3, limit: 9 }, usize::MAX);
        assert_eq!(graph.states(), (0..10).collect::<Vec<_>>());
        assert_eq!(graph.dead_states(), 6, "4 to 9 have passed the goal");
        assert_eq!(graph.distance_table()[..6], [INFINITE, 0, 3, 2, 2, 1]);
        assert_eq!(graph.shortest_programs(), [[0, 1, 2], [1, 0, 2]]);
    }

    #[test]
    fn graph_failed_and_solved_are_absorbing() {
        let graph = Graph::explore(&Counter { goal: 1, limit: 3 }, usize::MAX);
        assert_eq!(graph.next_table()[..6], [FAILED, FAILED, FAILED, SOLVED, SOLVED, SOLVED]);
    }

    #[test]
    fn explore_horizon_limits_the_states() {
        let machine = Counter { goal: 3, limit: 9 };
        assert_eq!(Graph::explore(&machine, 3).states(), [0, 1, 2, 3, 4]);
        assert_eq!(Graph::explore(&machine, 3).distance(START), 3);
        let short = Graph::explore(&machine, 2);
        assert_eq!(short.distance(START), INFINITE);
        assert!(short.shortest_programs().is_empty());
    }

    #[test]
    fn shortest_programs_unreachable_goal_has_none() {
        let graph = Graph::explore(&Counter { goal: 10, limit: 9 }, usize::MAX);
        assert_eq!((graph.dead_states(), graph.shortest_programs().len()), (10, 0));
    }
}
