//! `expression-read`: reading is a tool. The policy is shown nothing at first; it reads an expression token by token, and computes
//! it with a stack of values and a notebook.
//!
//! An expression is fully parenthesised, of 1 to 5 slots in training, each drawn from four; then END. READ shows the next token.
//! NOTE pushes the token that was shown last on the notebook, and RECALL pops it and shows it again. LD x pushes a slot on the stack;
//! ADD, SUB and MUL replace the two values on top by a ∘ b. An action that is impossible has no effect. ANS is right if END was
//! shown and the stack holds the expression alone, up to exchanging the operands of + and ·.
//!
//! The policy observes its own action and what that showed, and nothing else. A rule for 22 such observations evaluates
//! expressions of any length, because the notebook remembers the operators: the shunting-yard rule. So what the longer tests
//! show is an algorithm that uses an external memory, not that a GRU generalises to longer sequences.
//!
//! [`machine`] has the machine, [`relabel`] says for which expression an episode is right.

pub mod machine;
pub mod relabel;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use tensor::philox::Philox;

use crate::config::{Config, Curriculum, MemoryKind};
use crate::env::{ActionSpace, Actions, Env, Observations, Space, Spec, Task, TestSet, Transitions};
use crate::hindsight::Hindsight;
use crate::tasks::expression::tree::{Digest, Operator, Tree, Value, slot_name};
use crate::tasks::expression::{self, CLOSE, GO, OPERATOR, RULES, SLOT, write_tokens};

use machine::{Action, Machine};

/// The name of the task.
pub const NAME: &str = "expression-read";
/// The remark for readers of results.
const CAVEAT: &str = "Longer expressions are solved by a rule that uses an external memory, the notebook: that is no length generalisation \
     of a GRU. Relabelling knows which token causes which act; the rule is learned, by iterated supervised learning with A2C off.";
/// The number of stages: expressions of 1 to 5 slots.
pub const STAGES: usize = 5;
/// The numbers of slots in the tests of longer expressions, stage by stage.
pub const LONGER: [[usize; STAGES]; 2] = [[6, 7, 8, 9, 10], [15, 20, 30, 40, 50]];

/// END, in the place of GO among the tokens of `expression`.
const END: u32 = GO;
/// The first observation.
const START: u32 = END + 1;
const ACTION: u32 = START + 1;

/// The task.
#[derive(Clone, Debug)]
pub struct ExpressionRead {
    /// The number of slots of the expressions of each stage.
    leaves: [usize; STAGES],
    has_notebook: bool,
}

impl Default for ExpressionRead {
    fn default() -> Self {
        Self { leaves: core::array::from_fn(|stage| stage + 1), has_notebook: true }
    }
}

impl ExpressionRead {
    /// The task with expressions of these numbers of slots.
    pub fn with_leaves(&self, leaves: [usize; STAGES]) -> Self {
        Self { leaves, ..self.clone() }
    }

    /// The task with a notebook that forgets: NOTE has no effect.
    pub fn without_notebook(&self) -> Self {
        Self { has_notebook: false, ..self.clone() }
    }
}

/// The number of steps of a shortest program: a READ of each of the 4n − 3 tokens and of END, a LD of each slot, NOTE, RECALL and
/// an operation for each operator, and ANS.
pub fn optimum(leaves: usize) -> usize {
    8 * leaves - 4
}

/// The text of an expression, then END.
fn to_tokens(tree: &Tree) -> Vec<u32> {
    let mut tokens = Vec::new();
    write_tokens(tree, &mut tokens);
    tokens.push(END);
    tokens
}

/// Draws an expression: its shape, its operators and its slots uniformly.
///
/// Source: J.-L. Rémy, "Un procédé itératif de dénombrement d'arbres binaires et son application à leur génération aléatoire"
/// (1985): each new leaf goes beside a node that is drawn from all nodes, on a side that is drawn, too.
fn draw(leaves: usize, rng: &mut Philox) -> Tree {
    // Nodes of the shape: a leaf has no sides. The root is the first one.
    let mut sides: Vec<Option<[usize; 2]>> = vec![None];
    for _ in 1..leaves {
        let (place, side) = (rng.below(sides.len() as u32) as usize, rng.below(2) as usize);
        let (moved, leaf) = (sides.len(), sides.len() + 1);
        sides.push(sides[place]);
        sides.push(None);
        let mut pair = [moved, leaf];
        pair.rotate_left(side);
        sides[place] = Some(pair);
    }
    build(&sides, 0, rng)
}

fn build(sides: &[Option<[usize; 2]>], node: usize, rng: &mut Philox) -> Tree {
    match sides[node] {
        None => Tree::Slot(rng.below(RULES.slots as u32)),
        Some([left, right]) => {
            let operator = Operator::ALL[rng.below(Operator::ALL.len() as u32) as usize];
            let (a, b) = (build(sides, left, rng), build(sides, right, rng));
            Tree::apply(operator, a, b)
        }
    }
}

/// The shunting-yard rule: the action after an observation.
///
/// It is right for every text, by induction: reading a slot pushes its value. Reading an expression in parentheses pushes its value
/// and leaves the notebook as it was, since its sign is noted between its operands and recalled at its end.
fn act_by_rule(observed: &[u32]) -> Action {
    let (acted, shown) = (observed[0].checked_sub(ACTION).map(Action::from_number), observed.get(1).copied());
    match (acted, shown) {
        (Some(Action::Read), Some(END)) => Action::Answer,
        (Some(Action::Read), Some(CLOSE)) => Action::Recall,
        (Some(Action::Read), Some(token @ SLOT..OPERATOR)) => Action::Load(token - SLOT),
        (Some(Action::Read), Some(OPERATOR..END)) => Action::Note,
        (Some(Action::Recall), Some(token)) => Action::Apply(Operator::ALL[(token - OPERATOR) as usize]),
        _ => Action::Read,
    }
}

/// The description of the task.
pub fn spec() -> Spec {
    let actions: Vec<String> = Action::all().map(Action::name).collect();
    let slots = (0..RULES.slots as u32).map(|slot| slot_name(slot).to_string());
    let signs = Operator::ALL.map(|operator| operator.sign().to_string());
    let tokens = ["(", ")"].map(String::from).into_iter().chain(slots).chain(signs);
    let tokens = tokens.chain(["END".into(), "START".into()]).chain(actions.clone());
    let longest = LONGER[1][STAGES - 1];
    Spec::new(NAME, Space::tokens(tokens), ActionSpace::discrete(actions), horizon(longest))
        .with_stages(STAGES)
        .with_hidden_stage()
        .with_success()
        .with_caveat(CAVEAT)
}

/// The number of the action that answers.
fn answer() -> u32 {
    Action::all().count() as u32 - 1
}

/// The maximum number of steps: the optimum, and six more.
fn horizon(leaves: usize) -> usize {
    optimum(leaves) + 6
}

/// The settings that suit the task: hindsight alone, for a small GRU that often acts by its latest observation alone.
pub fn default_config() -> Config {
    Config {
        width: 32,
        memory: MemoryKind::Gru,
        explore: 0.05,
        forget: 0.5,
        prior: 0.5,
        hindsight: 20,
        curriculum: Curriculum::Gate,
        unlock: 0.2,
        validate_every: 50,
        validation_episodes: 256,
        test_episodes: 1000,
        ..expression::default_config()
    }
}

/// A vector of episodes.
struct ReadEnv {
    task: ExpressionRead,
    leaves: usize,
    machines: Vec<Machine<Digest>>,
    texts: Vec<Vec<u32>>,
    goals: Vec<u64>,
    /// The number of actions.
    steps: Vec<usize>,
}

impl Env for ReadEnv {
    fn reset(&mut self, episodes: &[usize], rngs: &mut [Philox], out: &mut Observations) {
        for &i in episodes {
            let tree = draw(self.leaves, &mut rngs[i]);
            (self.goals[i], self.texts[i]) = (tree.value::<Digest>().hash, to_tokens(&tree));
            (self.machines[i], self.steps[i]) = (Machine::default(), 0);
            out.set_tokens(i, &[START]);
        }
    }

    /// The policy observes its own action, and what that showed.
    fn step(&mut self, episodes: &[usize], actions: &Actions, _: &mut [Philox], out: &mut Transitions) {
        let actions = actions.discrete();
        for &i in episodes {
            let action = Action::from_number(actions[i]);
            let is_lost = action == Action::Note && !self.task.has_notebook;
            let shown = if is_lost { None } else { self.machines[i].execute(action, &self.texts[i]) };
            self.steps[i] += 1;
            let machine = &self.machines[i];
            let is_answer = action == Action::Answer;
            let is_right = is_answer && machine.result(&self.texts[i]).is_some_and(|value| value.hash == self.goals[i]);
            out.rewards[i] = f64::from(u8::from(is_right));
            out.solved[i] = is_right;
            out.terminated[i] = is_answer || self.steps[i] == horizon(self.leaves);
            let read = [ACTION + actions[i], shown.unwrap_or(0)];
            out.observations.set_tokens(i, &read[..1 + usize::from(shown.is_some())]);
        }
    }
}

impl Task for ExpressionRead {
    fn spec(&self) -> Spec {
        spec()
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(ReadEnv {
            task: self.clone(),
            leaves: self.leaves[stage],
            machines: vec![Machine::default(); episodes],
            texts: vec![Vec::new(); episodes],
            goals: vec![0; episodes],
            steps: vec![0; episodes],
        })
    }

    fn default_config(&self) -> Config {
        default_config()
    }

    fn hindsight(&self) -> Option<&dyn Hindsight> {
        Some(self)
    }

    /// Tools are drawn first, and then their slot or operator.
    fn exploration(&self) -> Vec<f64> {
        let weight = |action| match action {
            Action::Load(_) => 1.0 / RULES.slots as f64,
            Action::Apply(_) => 1.0 / Operator::ALL.len() as f64,
            Action::Answer => 0.25,
            _ => 1.0,
        };
        Action::all().map(weight).collect()
    }

    fn rule(&self) -> Vec<(Vec<u32>, u32)> {
        let (places, numbers) = (Action::all().collect::<Vec<_>>(), 0..);
        let number = |action| places.iter().position(|&other| other == action).expect("an action") as u32;
        let observed = places.iter().zip(numbers).flat_map(|(&action, number)| {
            let tokens: Vec<u32> = match action {
                Action::Read => (0..START).collect(),
                Action::Recall => (OPERATOR..END).collect(),
                Action::Answer => Vec::new(),
                _ => return Vec::from([Vec::from([ACTION + number])]),
            };
            tokens.into_iter().map(|shown| Vec::from([ACTION + number, shown])).collect()
        });
        let all = [Vec::from([START])].into_iter().chain(observed);
        all.map(|observed| (observed.clone(), number(act_by_rule(&observed)))).collect()
    }

    fn optimum(&self, stage: usize) -> Option<f64> {
        Some(optimum(self.leaves[stage]) as f64)
    }

    fn label(&self, stage: usize) -> String {
        format!("n = {}", self.leaves[stage])
    }

    fn test_sets(&self) -> Vec<TestSet> {
        let set = |name: &str, task: Self, is_forgetting| TestSet {
            name: name.into(),
            task: Box::new(task),
            predicted: None,
            is_forgetting,
        };
        let [longer, longest] = LONGER.map(|leaves| self.with_leaves(leaves));
        Vec::from([
            set("longer", longer.clone(), false),
            set("longer, state erased", longer.clone(), true),
            set("much longer", longest.clone(), false),
            set("much longer, state erased", longest, true),
            set("longer, no notebook", longer.without_notebook(), false),
        ])
    }
}
