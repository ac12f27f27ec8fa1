//! Milestones: rewards for coming closer to the goal.
//!
//! The distance of a state is the exact number of steps that a program needs from there. Only the parts of the goal can become
//! the goal, so all other values count as one, and the solver can explore all states of a pattern. An expression of other slots
//! has the graph of its pattern, with other numbers for the loads.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::ControlFlow::{self, Break, Continue};

use super::machine::{Instruction, Machine};
use super::tree::{Digest, Tree};
use super::{Context, LEAVES, RULES};
use crate::solver::{self, Graph, START, approach};

/// The states of the machine for each pattern, with their distances to the goal.
pub(super) type Graphs = BTreeMap<u64, Graph<Machine<Digest>>>;

/// Explores all patterns of the task.
pub(super) fn explore() -> Arc<Graphs> {
    let patterns = LEAVES.into_iter().flat_map(Tree::patterns);
    Arc::new(patterns.map(|tree| (tree.pattern(), Graph::explore(&GoalMachine::new(&tree), usize::MAX))).collect())
}

/// The machine, with a goal.
struct GoalMachine {
    instructions: Vec<Instruction>,
    /// The hashes of the goal's parts; the last is that of the goal.
    parts: Vec<u64>,
}

impl GoalMachine {
    fn new(goal: &Tree) -> Self {
        fn collect(tree: &Tree, out: &mut Vec<u64>) {
            if let Tree::Node(_, sides) = tree {
                sides.iter().for_each(|side| collect(side, out));
            }
            out.push(tree.value::<Digest>().hash);
        }
        let mut parts = Vec::new();
        collect(goal, &mut parts);
        Self { instructions: RULES.instructions(), parts }
    }
}

impl solver::Machine for GoalMachine {
    type State = Machine<Digest>;

    fn start(&self) -> Self::State {
        Machine::default()
    }

    fn actions(&self) -> usize {
        self.instructions.len()
    }

    fn step(&self, state: &Self::State, action: usize) -> ControlFlow<bool, Self::State> {
        let (instruction, mut next) = (self.instructions[action], state.clone());
        if instruction == Instruction::Answer {
            return Break(state.acc.map(|acc| acc.hash) == self.parts.last().copied());
        }
        next.execute(instruction);
        let Machine { acc, arg, registers } = &mut next;
        for value in [acc, arg].into_iter().chain(registers).flatten() {
            if !self.parts.contains(&value.hash) {
                *value = Digest::OTHER;
            }
        }
        Continue(next)
    }
}

/// An episode on its way to the goal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    pattern: u64,
    /// The load of the graph for that of each slot.
    loads: [usize; RULES.slots],
    state: u16,
    /// The smallest distance so far.
    nearest: u16,
}

impl Progress {
    /// The start of an episode with this problem.
    pub(super) fn new(graphs: &Graphs, context: &Context) -> Self {
        let Context { pattern, slots, .. } = context;
        let (mut loads, mut others) = ([0; RULES.slots], slots.len()..);
        for (slot, load) in (0..).zip(&mut loads) {
            let place = slots.iter().position(|&other| other == slot);
            *load = place.or_else(|| others.next()).expect("the numbers have no end");
        }
        Self { pattern: *pattern, loads, state: START, nearest: graphs[pattern].distance(START) }
    }

    /// Takes an action. Returns the number of steps by which the episode is closer than ever before.
    pub(super) fn advance(&mut self, graphs: &Graphs, action: usize) -> u16 {
        let graph = &graphs[&self.pattern];
        self.state = graph.next(self.state, self.loads.get(action).copied().unwrap_or(action));
        approach(&mut self.nearest, graph.distance(self.state))
    }
}
