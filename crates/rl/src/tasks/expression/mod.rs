//! `expression`: reads an expression, and computes it on a machine with an accumulator and registers.
//!
//! The context is the text of an expression with n = 2, 3 or 4 different slots, fully parenthesised, then GO. An episode is right
//! if the accumulator holds the goal *as a tree* when it answers, up to exchanging the operands of + and of ·. So a program
//! for one expression is wrong for almost all others: the policy must read its problem, and no fixed program is right in more
//! than 1/18, 1/108 and 1/405 of the contexts. If both sides of the goal are results themselves, one of them has to wait in a
//! register.
//!
//! [`tree`] has the expressions, [`machine`] the machine, [`mod@env`] the episodes, and [`relabel`] says what a program
//! computed. A fifth of the patterns (shape and operators) with three and four slots is held out: training never shows them,
//! and no relabelled program has their text.

pub mod env;
mod explain;
pub mod machine;
mod milestones;
pub mod parse;
pub mod relabel;
#[cfg(test)]
mod tests;
pub mod tree;

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use tensor::philox::Philox;

use crate::config::{Config, Curriculum, MemoryKind, ScheduleKind};
use crate::env::{ActionSpace, Contexts, Env, Space, Spec, Task, TestSet};
use crate::explain::Explain;
use crate::hindsight::Hindsight;
use crate::tasks::calculator_stages::Rewards;

use env::{ExpressionEnv, Problems};
use machine::{Instruction, Machine, Rules};
use milestones::Graphs;
use tree::{Digest, Operator, Tree, Value, slot_name};

/// The name of the task.
pub const NAME: &str = "expression";
/// The remark for readers of results.
pub(in crate::tasks) const CAVEAT: &str =
    "With the default settings A2C is off: hindsight alone is iterated supervised learning on relabelled episodes.";
/// The machine: four slots, one register, and RSB.
pub const RULES: Rules = Rules { slots: 4, registers: 1, has_reverse: true };
/// The number of leaves of the expressions of each stage.
pub const LEAVES: [usize; 3] = [2, 3, 4];
/// The share of patterns that is held out, from three leaves on.
const HELD_OUT: f64 = 0.2;

/// The unit that is held out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Kinds: patterns up to the order of the operands of + and ·. No sibling of a held-out expression is trained on.
    #[default]
    Kinds,
    /// Patterns, each by itself.
    Patterns,
}

/// A problem: an expression with its slots.
#[derive(Clone, Debug)]
pub struct Context {
    /// The text, then GO.
    pub tokens: Vec<u32>,
    /// The hash of the goal.
    pub goal: u64,
    /// The number of steps of a shortest program.
    pub optimum: usize,
    /// The number of registers that a program needs.
    pub registers: usize,
    /// The pattern: see [`Tree::pattern`].
    pub pattern: u64,
    /// The slots, from left to right.
    pub slots: Vec<u32>,
}

impl Context {
    /// The problem of an expression.
    fn new(tree: &Tree) -> Self {
        Self {
            tokens: to_tokens(tree),
            goal: tree.value::<Digest>().hash,
            optimum: tree.optimum(RULES.has_reverse),
            registers: tree.registers(RULES.has_reverse),
            pattern: tree.pattern(),
            slots: tree.slots(),
        }
    }
}

/// The problems of one stage.
#[derive(Debug)]
struct Stage {
    /// The problems that training shows, and those that are held out.
    contexts: [Vec<Context>; 2],
    /// The patterns that are held out.
    held_out: BTreeSet<u64>,
    /// The kinds with a pattern that is not held out.
    trained_kinds: BTreeSet<u64>,
    horizon: usize,
}

/// The task. Its copies share the list of problems.
#[derive(Clone, Debug)]
pub struct Expression {
    stages: Arc<[Stage; LEAVES.len()]>,
    /// The instruction of each action.
    instructions: Arc<[Instruction]>,
    /// The index in [`Stage::contexts`].
    set: usize,
    has_registers: bool,
    rewards: Rewards,
    /// The distances to the goals, if there are milestones.
    graphs: Option<Arc<Graphs>>,
}

impl Default for Expression {
    fn default() -> Self {
        Self::new(Split::default())
    }
}

impl Expression {
    /// Creates the task with the training problems.
    pub fn new(split: Split) -> Self {
        let stages = Arc::new(LEAVES.map(|leaves| Stage::new(leaves, split)));
        let instructions = RULES.instructions().into();
        Self { stages, instructions, set: 0, has_registers: true, rewards: Rewards::ANSWER, graphs: None }
    }

    /// The task with these rewards. Milestones take the solver a moment.
    pub fn with_rewards(self, rewards: Rewards) -> Self {
        let graphs = (rewards.milestone != 0.0).then(milestones::explore);
        Self { rewards, graphs, ..self }
    }

    /// The task with the problems that are held out.
    pub fn held_out(&self) -> Self {
        Self { set: 1, ..self.clone() }
    }

    /// The task on a machine whose registers do not work: ST and RC have no effect. There are no milestones.
    pub fn without_registers(&self) -> Self {
        Self { has_registers: false, graphs: None, ..self.clone() }
    }

    /// The problems of a stage.
    pub fn contexts(&self, stage: usize) -> &[Context] {
        &self.stages[stage].contexts[self.set]
    }

    /// Executes an instruction, unless it needs a register and the registers do not work.
    fn execute<V: Value>(&self, machine: &mut Machine<V>, instruction: Instruction) {
        if self.has_registers || !matches!(instruction, Instruction::Store(_) | Instruction::Recall(_)) {
            machine.execute(instruction);
        }
    }

    /// The stage of expressions with this many leaves, if there is one.
    fn stage_of(leaves: usize) -> Option<usize> {
        LEAVES.iter().position(|&known| known == leaves)
    }
}

impl Stage {
    fn new(leaves: usize, split: Split) -> Self {
        let patterns = Tree::patterns(leaves);
        let unit = |tree: &Tree| if split == Split::Kinds { tree.kind() } else { tree.pattern() };
        let held_out = choose_held_out(&patterns.iter().map(|tree| (unit(tree), tree.pattern())).collect::<Vec<_>>());
        let trained = patterns.iter().filter(|tree| !held_out.contains(&tree.pattern()));
        let trained_kinds = trained.map(Tree::kind).collect();
        let mut contexts = [Vec::new(), Vec::new()];
        for pattern in &patterns {
            let set = usize::from(held_out.contains(&pattern.pattern()));
            for slots in arrangements(RULES.slots, leaves) {
                let mut tree = pattern.clone();
                tree.set_slots(&mut slots.into_iter());
                contexts[set].push(Context::new(&tree));
            }
        }
        // The optimum of the worst tree, and four more.
        let horizon = patterns.iter().map(|tree| tree.optimum(RULES.has_reverse)).max().unwrap_or(0) + 4;
        Self { contexts, held_out, trained_kinds, horizon }
    }
}

/// Chooses the patterns to hold out, of pairs of a unit and a pattern: units in a random order, as long as a fifth of the patterns
/// is not exceeded.
pub(in crate::tasks) fn choose_held_out(patterns: &[(u64, u64)]) -> BTreeSet<u64> {
    let mut chosen = BTreeSet::new();
    if patterns.len() <= Operator::ALL.len() {
        return chosen; // two leaves: each pattern is needed
    }
    let count = (HELD_OUT * patterns.len() as f64 + 0.5) as usize;
    let mut units: Vec<u64> = patterns.iter().map(|&(unit, _)| unit).collect();
    units.sort_unstable();
    units.dedup();
    let mut rng = Philox::new(patterns.len() as u64);
    for last in (1..units.len()).rev() {
        units.swap(last, rng.below(last as u32 + 1) as usize);
    }
    for of_unit in units {
        let members = patterns.iter().filter(|&&(unit, _)| unit == of_unit).map(|&(_, pattern)| pattern);
        if chosen.len() + members.clone().count() <= count {
            chosen.extend(members);
        }
    }
    chosen
}

/// All ordered choices of `count` of the numbers below `n`, in lexicographic order.
fn arrangements(n: usize, count: usize) -> Vec<Vec<u32>> {
    (0..count).fold(Vec::from([Vec::new()]), |shorter, _| {
        let longer = |chosen: &Vec<u32>| {
            let free = (0..n as u32).filter(|x| !chosen.contains(x)).collect::<Vec<_>>();
            free.into_iter().map(|x| [&chosen[..], &[x]].concat()).collect::<Vec<_>>()
        };
        shorter.iter().flat_map(longer).collect()
    })
}

/// The tokens before those of the actions: parentheses, slots, operators, GO.
const OPEN: u32 = 0;
pub(in crate::tasks) const CLOSE: u32 = 1;
pub(in crate::tasks) const SLOT: u32 = 2;
pub(in crate::tasks) const OPERATOR: u32 = SLOT + RULES.slots as u32;
pub(in crate::tasks) const GO: u32 = OPERATOR + Operator::ALL.len() as u32;
pub(in crate::tasks) const ACTION: u32 = GO + 1;

/// Appends the text of an expression.
pub(in crate::tasks) fn write_tokens(tree: &Tree, out: &mut Vec<u32>) {
    match tree {
        Tree::Slot(slot) => out.push(SLOT + slot),
        Tree::Node(operator, sides) => {
            out.push(OPEN);
            write_tokens(&sides[0], out);
            out.push(OPERATOR + *operator as u32);
            write_tokens(&sides[1], out);
            out.push(CLOSE);
        }
    }
}

/// The text of an expression, then GO.
fn to_tokens(tree: &Tree) -> Vec<u32> {
    let mut tokens = Vec::new();
    write_tokens(tree, &mut tokens);
    tokens.push(GO);
    tokens
}

/// The description of the task.
pub fn spec() -> Spec {
    let actions: Vec<String> = RULES.instructions().into_iter().map(Instruction::name).collect();
    let slots = (0..RULES.slots as u32).map(|slot| slot_name(slot).to_string());
    let signs = Operator::ALL.map(|operator| operator.sign().to_string());
    let tokens = ["(", ")"].map(String::from).into_iter().chain(slots).chain(signs).chain(["GO".into()]);
    let horizon = LEAVES.map(|leaves| 2 * leaves + 2 * (leaves / 2).saturating_sub(1) + 4);
    Spec::new(NAME, Space::tokens(tokens.chain(actions.clone())), ActionSpace::discrete(actions), horizon[2])
        .with_stages(LEAVES.len())
        .with_success()
        .with_caveat(CAVEAT)
}

/// The settings that suit the task: hindsight alone, with attention. `record/expression.md` compares them with others.
pub fn default_config() -> Config {
    Config {
        width: 64,
        batch: 192,
        chunk: 96,
        memory: MemoryKind::Attention,
        reward_milestone: Rewards::ANSWER.milestone,
        reward_step: Rewards::ANSWER.step,
        explore: 0.35,
        a2c: 0.0,
        hindsight: 32,
        rate: 3e-3,
        rate_schedule: ScheduleKind::Linear,
        rate_final: 3e-4,
        max_updates: 2000,
        curriculum: Curriculum::Adapt,
        validate_every: 50,
        patience: 4,
        ..Config::default()
    }
}

impl Task for Expression {
    fn spec(&self) -> Spec {
        spec()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(ExpressionEnv::new(self, stage, episodes, Problems::Drawn))
    }

    fn default_config(&self) -> Config {
        default_config()
    }

    fn hindsight(&self) -> Option<&dyn Hindsight> {
        Some(self)
    }

    fn all_contexts(&self) -> Option<&dyn Contexts> {
        Some(self)
    }

    fn explanations(&self) -> Option<&dyn Explain> {
        Some(self)
    }

    /// The mean over all contexts.
    fn optimum(&self, stage: usize) -> Option<f64> {
        let contexts = self.contexts(stage);
        Some(contexts.iter().map(|context| context.optimum as f64).sum::<f64>() / contexts.len() as f64)
    }

    fn label(&self, stage: usize) -> String {
        format!("n = {}", LEAVES[stage])
    }

    fn test_sets(&self) -> Vec<TestSet> {
        let stages = || 0..LEAVES.len();
        // Without registers, the policy solves what needs none. It cannot know that they do not work.
        let needs_none = |stage| {
            let contexts = self.contexts(stage);
            contexts.iter().filter(|context| context.registers == 0).count() as f64 / contexts.len() as f64
        };
        Vec::from([
            TestSet { name: "held out".into(), task: Box::new(self.held_out()), predicted: None, is_forgetting: false },
            TestSet {
                name: "no registers".into(),
                task: Box::new(self.without_registers()),
                predicted: Some(stages().map(needs_none).collect()),
                is_forgetting: false,
            },
        ])
    }
}

impl Contexts for Expression {
    fn count(&self, stage: usize) -> usize {
        self.contexts(stage).len()
    }

    fn env_with_contexts(&self, stage: usize, contexts: &[usize]) -> Box<dyn Env> {
        Box::new(ExpressionEnv::new(self, stage, contexts.len(), Problems::Listed(contexts.to_vec())))
    }
}
