//! The tutorial, bug for bug, so that its figures can be reproduced and seen through: its environment, its network, its
//! update, and runs of several seeds, which `gradus tutorial` trains.
//!
//! "How to Build a Model-Native Agent That Learns Internal Planning, Memory, and Multi-Tool Reasoning Through
//! End-to-End Reinforcement Learning", MarkTechPost.
//!
//! What is wrong with the environment; `tests/tests/all/tutorial_flaws.rs` proves each point, and [`exhaustive`] computes
//! the figures. [`network`] and [`run`] have flaws of their own: `tests/tests/all/tutorial_update_flaws.rs`.
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
#![forbid(unsafe_code)]

pub mod env;
pub mod exhaustive;
mod fisher;
pub mod machine;
pub mod memory;
pub mod network;
pub mod results;
pub mod run;

use rl::env::{Env, Task};
use rl::tasks::{STAGES, token};

use env::TutorialEnv;

/// The tokens that its network emits in an episode.
pub const EMITTED: usize = 6;
/// The tokens that its environment would accept in an episode.
pub const STEP_LIMIT: usize = 7;

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
