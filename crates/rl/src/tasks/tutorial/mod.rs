//! `tutorial`: the environment of the tutorial, bug for bug, so that its figures can be reproduced and seen through.
//!
//! "How to Build a Model-Native Agent That Learns Internal Planning, Memory, and Multi-Tool Reasoning Through
//! End-to-End Reinforcement Learning", MarkTechPost.
//!
//! What is wrong with the environment; `tests/tests/all/tutorial_flaws.rs` proves each point, and [`exhaustive`] computes
//! the figures. (Its network and its update have flaws of their own.)
//!
//! 1. **The target is off by one.** It prints `a·b+c`, `(a·b+c)−d`, `(a·b+c)−(d·e)` and calls correct `a·b`, `a·b+c`,
//!    `(a·b+c)−d`. So in stage 0 the best program is MUL ANS, which earns 1.06 and gives what is printed in one episode
//!    of ten; MUL ADD ANS, always right, earns 0.205.
//! 2. **The tools are not tools.** STO stores no value but a mark that it was used, RCL in stage 2 conjures `d·e`
//!    from the operands, and no tool can take its argument from what another computed. The printed target of stage 2
//!    is out of reach in 16.7 % of draws, whatever the program, with the seven steps that the environment allows,
//!    and in 25.8 % with the six tokens that the network emits.
//! 3. **Its accuracy is none.** The figure printed is a mean of shaped rewards, up to 1.36 in an episode, and chance
//!    is in it: `d·e` is 0 in 19 % of draws, and then programs that ignore d and e are right.

pub mod env;
pub mod exhaustive;
mod explain;
pub mod machine;

use alloc::{boxed::Box, string::String, vec};

use crate::env::{Env, Task};
use crate::solver::{Report, Solvable};
use crate::tasks::{STAGES, token};

use env::TutorialEnv;
use exhaustive::Exhaustive;

/// The tokens that its network emits in an episode.
pub const EMITTED: usize = 6;
/// The tokens that its environment would accept in an episode.
pub const STEP_LIMIT: usize = 7;
/// What its environment calls correct, by stage.
pub const CORRECT: [&str; STAGES] = ["a·b", "a·b+c", "(a·b+c)−d"];

/// The task. Every token is an action; whatever is not a tool only counts a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tutorial;

impl Task for Tutorial {
    fn name(&self) -> &'static str {
        "tutorial"
    }

    fn caveat(&self) -> &'static str {
        "Kept bug for bug: rewards follow a target that is off by one; exact match is on the printed targets, \
         and partly chance."
    }

    fn stages(&self) -> usize {
        STAGES
    }

    fn vocabulary(&self) -> usize {
        token::COUNT
    }

    fn actions(&self) -> usize {
        token::COUNT
    }

    fn action_name(&self, action: usize) -> &'static str {
        token::name(token::ALL[action])
    }

    fn horizon(&self) -> usize {
        EMITTED
    }

    fn env(&self, stage: usize, episodes: usize) -> Box<dyn Env> {
        Box::new(TutorialEnv::new(stage, episodes))
    }
}

impl Solvable for Tutorial {
    fn report(&self, stage: usize) -> Report {
        let all = Exhaustive::new(stage, EMITTED);
        let figures = all.figures();
        let name = |action: usize| token::name(token::TOOLS[action]);
        Report {
            figures: vec![
                ("mean reward of the best fixed program", figures.best_fixed),
                ("mean reward when the operands choose the program", figures.optimum),
                ("exact match of the best fixed program on the printed target", figures.best_fixed_match),
                ("share of draws in which any program reaches the printed target", figures.reachable),
            ],
            ..Report::new(stage, String::from(CORRECT[stage]), all.graph(), name)
        }
    }
}
