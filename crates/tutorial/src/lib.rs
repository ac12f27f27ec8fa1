//! A reproduction of a tutorial with all its bugs, so that its results can be reproduced and explained: its environment, its
//! network, its update, and runs of several seeds. `gradus tutorial` trains them.
//!
//! Source: "How to Build a Model-Native Agent That Learns Internal Planning, Memory, and Multi-Tool Reasoning Through
//! End-to-End Reinforcement Learning", MarkTechPost.
//!
//! The environment has the flaws below. `tests/tests/all/tutorial_flaws.rs` proves each of them, and [`exhaustive`] computes
//! the numbers. [`network`] and [`run`] have other flaws: see `tests/tests/all/tutorial_update_flaws.rs`.
//!
//! 1. **The target is off by one.** The printed targets are `a·b+c`, `(a·b+c)−d` and `(a·b+c)−(d·e)`. The rewarded targets
//!    are `a·b`, `a·b+c` and `(a·b+c)−d`. So in stage 0 the best program is MUL ANS. It earns 1.06, but its result is
//!    the printed one in one of ten episodes. MUL ADD ANS is always right and earns 0.205.
//! 2. **The tools are not tools.** STO stores no value, only a flag that it was used. RCL in stage 2 computes `d·e` from the
//!    operands. No tool can use the result of another as its argument. With the seven steps that the environment allows,
//!    no program reaches the printed target of stage 2 in 16.7 % of draws. With the six tokens that the network emits,
//!    none reaches it in 25.8 % of draws.
//! 3. **The accuracy is not an accuracy.** The printed number is a mean of shaped rewards, up to 1.36 in an episode. It also
//!    depends on chance: `d·e` is 0 in 19 % of draws, and then programs that ignore d and e are right.
//!
//! Two updates, and the test after them:
//!
//! ```
//! use tutorial::run::{TutorialConfig, TutorialRun};
//!
//! fn main() -> Result<(), rl::NotFinite> {
//!     let config = TutorialConfig { width: 8, batch: 16, ..TutorialConfig::default() };
//!     let mut run = TutorialRun::<f32>::new(&config, 0);
//!     for _ in 0..2 {
//!         let report = run.advance()?;
//!         println!("update {}, stage {}: {:?}", report.update, report.stage, report.metrics);
//!     }
//!     for stage in run.test()? {
//!         println!("exact match {:.3}", stage.greedy.exact);
//!     }
//!     Ok(())
//! }
//! ```
#![forbid(unsafe_code)]

pub mod env;
pub mod exhaustive;
mod fisher;
pub mod machine;
pub mod memory;
pub mod network;
pub mod results;
pub mod run;

use rl::env::{ActionSpace, Space, Spec};
use rl::tasks::{STAGES, token};

/// The number of tokens that the network emits in an episode.
pub const EMITTED_TOKENS: usize = 6;
/// The number of tokens that the environment accepts in an episode.
pub const STEP_LIMIT: usize = 7;

/// The description of the task. Every token is an action. A token that is not a tool has no effect except that it counts as a
/// step.
pub fn spec() -> Spec {
    let names = token::ALL.map(token::name);
    Spec::new("tutorial", Space::tokens(names), ActionSpace::discrete(names), EMITTED_TOKENS)
        .with_stages(STAGES)
        .with_success()
        .with_caveat(
            "All bugs are kept: rewards follow a target that is off by one; exact match compares with the printed targets, \
             and is partly chance.",
        )
}
