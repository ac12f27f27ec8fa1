//! What is wrong with the tutorial's environment, each point proved over all operands.
#![forbid(unsafe_code)]

use rl::env::Task;
use rl::tasks::token::{ADD, ANS, MUL, RCL, STO, SUB};
use rl::tasks::tutorial::exhaustive::{Exhaustive, assess, draws};
use rl::tasks::tutorial::machine::{State, hundredths};
use rl::tasks::{Tutorial, goal};

/// The best mean rewards, exactly. In each stage one fixed program is as good as choosing the program by the operands
/// could ever be: nothing is gained by reading the context, so a policy whose context is destroyed loses nothing
/// and nobody notices.
#[test]
fn optimal_mean_rewards_are_those_of_a_fixed_program() {
    for (stage, optimum) in [1.06, 1.12, 1.03703].into_iter().enumerate() {
        let figures = Exhaustive::new(stage).figures();
        assert_eq!(figures.best_fixed, optimum, "stage {stage}");
        println!("stage {stage}: {figures:?}");
    }
}

/// The target is off by one. Stage 0 asks for `a·b+c`, and what it pays best, MUL ANS, is right only where c is 0,
/// in one draw of ten. MUL ADD ANS is always right and earns 0.205: the shaping's 0.1, and 1.05 where c is 0.
#[test]
fn the_best_paid_program_is_wrong_and_the_right_one_is_not_paid() {
    assert_eq!(assess(0, &[MUL, ANS]), (1.06, 0.1));
    assert_eq!(assess(0, &[MUL, ADD, ANS]), (0.205, 1.0));
    assert_eq!(Tutorial.report(0).programs, [["MUL", "ANS"]]);
}

/// The step off by one runs through all stages: what is called correct in stages 1 and 2 is what stages 0 and 1 print.
#[test]
fn each_stage_pays_for_the_target_before_its_own() {
    assert_eq!(Tutorial.report(1).programs, [["MUL", "ADD", "ANS"]]);
    assert!(Tutorial.report(2).programs.contains(&vec!["MUL", "ADD", "SUB", "ANS"]));
}
