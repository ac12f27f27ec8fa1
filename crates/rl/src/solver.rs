//! Everything about a small machine: the states it can reach, how far each is from the goal, the shortest programs.
//!
//! States are numbered in the order in which a breadth-first search meets them, behind two that absorb:
//! [`FAILED`] and [`SOLVED`]. The result is two flat arrays, so that a step of an environment is one look-up,
//! on a graphics card as well.
//!
//! Distances: `d(SOLVED) = 0`, `d(FAILED) = ∞`, and elsewhere `d(s) = 1 + min over a of d(next(s, a))`.
//! Cost: each state is expanded once, and each round of the distances looks at every edge once.

use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use core::ops::ControlFlow::{self, Break, Continue};

use crate::env::Task;

/// The state after a wrong end.
pub const FAILED: u16 = 0;
/// The state after the right end.
pub const SOLVED: u16 = 1;
/// The state at the start.
pub const START: u16 = 2;
/// The distance from where the goal can no longer be reached.
pub const INFINITE: u16 = u16::MAX;

/// A deterministic machine that either goes on or ends, rightly or wrongly.
pub trait Machine {
    /// Everything that decides what an action does.
    type State: Clone + Ord;

    /// The state at the start.
    fn start(&self) -> Self::State;

    /// The number of actions.
    fn actions(&self) -> usize;

    /// The state after `action`, or `Break(whether the goal was met)` where it ends the program.
    fn step(&self, state: &Self::State, action: usize) -> ControlFlow<bool, Self::State>;
}

/// All states of a [`Machine`] and the edges between them.
#[derive(Clone, Debug)]
pub struct Graph<S> {
    actions: usize,
    states: Vec<S>,
    /// `[states + 2, actions]`
    next: Vec<u16>,
    /// `[states + 2]`
    distance: Vec<u16>,
}

impl<S: Clone + Ord> Graph<S> {
    /// Explores `machine`; a state that takes `horizon` steps or more to reach counts as failed.
    ///
    /// # Panics
    /// If there are more states than 16 bits can number.
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
                            let new = number(states.len());
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
        let distance = distances(&next, actions);
        Self { actions, states, next, distance }
    }

    /// The states, in the order of their numbers from [`START`] on.
    pub fn states(&self) -> &[S] {
        &self.states
    }

    /// The state with that number, or `None` for [`FAILED`] and [`SOLVED`].
    pub fn state(&self, number: u16) -> Option<&S> {
        self.states.get(usize::from(number).checked_sub(usize::from(START))?)
    }

    /// The number of the state after `action`.
    ///
    /// # Panics
    /// On an action or a state that is not there.
    #[track_caller]
    pub fn next(&self, state: u16, action: usize) -> u16 {
        assert!(action < self.actions, "action {action}, but there are {}", self.actions);
        self.next[usize::from(state) * self.actions + action]
    }

    /// The fewest steps from `state` to [`SOLVED`], or [`INFINITE`].
    pub fn distance(&self, state: u16) -> u16 {
        self.distance[usize::from(state)]
    }

    /// The successors of all states as one array, `[states + 2, actions]`.
    pub fn next_table(&self) -> &[u16] {
        &self.next
    }

    /// The distances of all states as one array, `[states + 2]`.
    pub fn distance_table(&self) -> &[u16] {
        &self.distance
    }

    /// The number of states from which the goal can no longer be reached.
    pub fn dead(&self) -> usize {
        self.distance[usize::from(START)..].iter().filter(|&&distance| distance == INFINITE).count()
    }

    /// All shortest programs, in the order of their actions; none if the goal is out of reach.
    pub fn shortest_programs(&self) -> Vec<Vec<usize>> {
        let mut programs = Vec::new();
        if self.distance(START) != INFINITE {
            self.descend(START, &mut Vec::new(), &mut programs);
        }
        programs
    }

    fn descend(&self, state: u16, program: &mut Vec<usize>, programs: &mut Vec<Vec<usize>>) {
        if state == SOLVED {
            return programs.push(program.clone());
        }
        for action in 0..self.actions {
            let next = self.next(state, action);
            if self.distance(next).checked_add(1) == Some(self.distance(state)) {
                program.push(action);
                self.descend(next, program, programs);
                program.pop();
            }
        }
    }
}

/// The number of the state at `index` in the order of discovery.
fn number(index: usize) -> u16 {
    u16::try_from(index).ok().and_then(|index| index.checked_add(START)).expect("a machine has at most 65,534 states")
}

/// Round `d` finds the states at distance `d`: those, not found before, with a successor at `d − 1`.
fn distances(next: &[u16], actions: usize) -> Vec<u16> {
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

/// A task whose states can be listed.
pub trait Solvable: Task {
    /// What the solver knows about `stage`.
    ///
    /// # Panics
    /// On a stage that the task does not have.
    fn report(&self, stage: usize) -> Report;
}

/// What is known about one stage of a task, for people to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The stage.
    pub stage: usize,
    /// What a program has to compute.
    pub goal: String,
    /// Reachable states; the end is not counted.
    pub states: usize,
    /// Those of them from which the goal can no longer be reached.
    pub dead: usize,
    /// Steps of a shortest program, the answer included; `None` if there is none.
    pub optimum: Option<usize>,
    /// All shortest programs, as names of actions.
    pub programs: Vec<Vec<&'static str>>,
}

impl Report {
    /// The figures that come from `graph` alone.
    pub fn new<S: Clone + Ord>(
        stage: usize,
        goal: String,
        graph: &Graph<S>,
        name: impl Fn(usize) -> &'static str,
    ) -> Self {
        let programs = graph.shortest_programs();
        Self {
            stage,
            goal,
            states: graph.states().len(),
            dead: graph.dead(),
            optimum: programs.first().map(Vec::len),
            programs: programs.into_iter().map(|program| program.into_iter().map(&name).collect()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up by one or two; a third action answers, rightly at `goal`; beyond `limit` it stands still.
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
    fn all_states_distances_and_shortest_programs() {
        let graph = Graph::explore(&Counter { goal: 3, limit: 9 }, usize::MAX);
        assert_eq!(graph.states(), (0..10).collect::<Vec<_>>());
        assert_eq!(graph.dead(), 6, "4 to 9 have passed the goal");
        assert_eq!(graph.distance_table()[..6], [INFINITE, 0, 3, 2, 2, 1]);
        assert_eq!(graph.shortest_programs(), [[0, 1, 2], [1, 0, 2]]);
    }

    #[test]
    fn the_ends_absorb() {
        let graph = Graph::explore(&Counter { goal: 1, limit: 3 }, usize::MAX);
        assert_eq!(graph.next_table()[..6], [FAILED, FAILED, FAILED, SOLVED, SOLVED, SOLVED]);
    }

    #[test]
    fn a_horizon_cuts_the_states_off() {
        let machine = Counter { goal: 3, limit: 9 };
        assert_eq!(Graph::explore(&machine, 3).states(), [0, 1, 2, 3, 4]);
        assert_eq!(Graph::explore(&machine, 3).distance(START), 3);
        let short = Graph::explore(&machine, 2);
        assert_eq!(short.distance(START), INFINITE);
        assert!(short.shortest_programs().is_empty());
    }

    #[test]
    fn a_goal_out_of_reach_has_no_program() {
        let graph = Graph::explore(&Counter { goal: 10, limit: 9 }, usize::MAX);
        assert_eq!((graph.dead(), graph.shortest_programs().len()), (10, 0));
    }
}
