//! bsuite's catch: move a paddle at the bottom of a board below the ball that falls from its top.
//!
//! Source: I. Osband et al., "Behaviour Suite for Reinforcement Learning" (2020); sizes, rewards and observations as in
//! bsuite 0.3.6. Its score is clip((1.6 − mean regret)/1.6, 0, 1), where an episode without the ball has regret 2.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

const ROWS: usize = 10;
const COLUMNS: usize = 5;

/// The task `catch`. The observation is the board, row by row: 1 for the ball and the paddle, 0 elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Catch;

impl Task for Catch {
    fn spec(&self) -> Spec {
        let actions = ActionSpace::discrete(["LEFT", "STAY", "RIGHT"]);
        Spec::new("catch", Space::vector(ROWS * COLUMNS), actions, ROWS - 1).with_success()
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, Board::default)
    }
}

#[derive(Clone, Copy, Default)]
struct Board {
    row: usize,
    ball: usize,
    paddle: usize,
}

impl Board {
    /// The start of an episode with the ball in this column.
    fn new(ball: usize) -> Self {
        Self { row: 0, ball, paddle: COLUMNS / 2 }
    }
}

impl SingleEnv for Board {
    fn reset(&mut self, rng: &mut Philox) {
        *self = Self::new(rng.below(COLUMNS as u32) as usize);
    }

    fn observe(&self, mut out: Observer<'_>) {
        let mut board = [0.0; ROWS * COLUMNS];
        board[self.row * COLUMNS + self.ball] = 1.0;
        board[(ROWS - 1) * COLUMNS + self.paddle] = 1.0;
        out.vector(&board);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.paddle = (self.paddle + action.discrete() as usize).saturating_sub(1).min(COLUMNS - 1);
        self.row += 1;
        match self.row {
            row if row < ROWS - 1 => Step::reward(0.0),
            _ if self.paddle == self.ball => Step::solved(1.0),
            _ => Step::terminated(-1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    #[test]
    fn check_catch_finds_no_broken_promise() {
        assert_eq!(env::check::check(&Catch), Ok(()));
    }

    #[test]
    fn catch_replays_the_episodes_of_bsuite() {
        let expand = recorded::expand_ones(ROWS * COLUMNS);
        let episodes = recorded::read(include_str!("../golden/catch.txt"));
        let replay = |episode: &recorded::Recorded| {
            episode.replay(&Catch.spec(), Board::new(episode.hidden.parse().expect("a column")), &expand)
        };
        assert_eq!(episodes.iter().map(replay).sum::<usize>(), 120 * 9);
    }
}
