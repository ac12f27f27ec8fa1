//! bsuite's deep_sea: dive N rows deep and keep to the right, where each cell has its own action for "right".
//!
//! Source: I. Osband et al., "Behaviour Suite for Reinforcement Learning" (2020); rewards and the map of actions as in bsuite
//! 0.3.6. Each move to the right costs 0.01/N; only N of them find the treasure of 1. So the best return is 0.99, and random
//! actions find it in one episode of 2^N.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

/// The task `deep-sea`. The observation is one-hot: the cell of the diver, row by row; all numbers are 0 below the last row.
#[derive(Clone, Copy, Debug)]
pub struct DeepSea {
    /// For each row, the action that moves right in each of its cells, `0` or `1`.
    map: &'static [&'static str],
}

impl DeepSea {
    /// The task of bsuite with N = 10. NumPy's generator drew the map from seed 42; `golden/record_bsuite.py` recorded it.
    pub const TEN: Self = Self::new(&[
        "0111000111",
        "0110000100",
        "1000010110",
        "1001110010",
        "0001010110",
        "1111110000",
        "0010010101",
        "1001111000",
        "1100001110",
        "0111101000",
    ]);

    /// The task with another map: N rows of N digits, each the action that moves right in its cell.
    ///
    /// # Panics
    /// If the map is empty or not square, or if a digit is neither 0 nor 1.
    #[track_caller]
    pub const fn new(map: &'static [&'static str]) -> Self {
        assert!(!map.is_empty(), "DeepSea: a map without rows, expected at least 1");
        let mut k = 0;
        while k < map.len() * map.len() {
            let row = map[k / map.len()].as_bytes();
            assert!(row.len() == map.len(), "DeepSea: a row is not as long as the map has rows");
            assert!(matches!(row[k % map.len()], b'0' | b'1'), "DeepSea: a digit of the map is neither 0 nor 1");
            k += 1;
        }
        Self { map }
    }
}

impl Task for DeepSea {
    fn spec(&self) -> Spec {
        let size = self.map.len();
        Spec::new("deep-sea", Space::vector(size * size), ActionSpace::discrete(["0", "1"]), size).with_success()
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Diver::new(self.map))
    }
}

#[derive(Clone, Copy)]
struct Diver {
    map: &'static [&'static str],
    row: usize,
    column: usize,
}

impl Diver {
    fn new(map: &'static [&'static str]) -> Self {
        Self { map, row: 0, column: 0 }
    }
}

impl SingleEnv for Diver {
    fn reset(&mut self, _: &mut Philox) {
        *self = Self::new(self.map);
    }

    fn observe(&self, mut out: Observer<'_>) {
        let size = self.map.len();
        let mut cells = vec![0.0; size * size];
        if self.row < size {
            cells[self.row * size + self.column] = 1.0;
        }
        out.vector(&cells);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let last = self.map.len() - 1;
        let moves_right = u32::from(self.map[self.row].as_bytes()[self.column] - b'0') == action.discrete();
        let finds_treasure = moves_right && self.column == last; // only possible in the last row
        let cost = if moves_right { 0.01 / self.map.len() as f64 } else { 0.0 };
        self.column = if moves_right { last.min(self.column + 1) } else { self.column.saturating_sub(1) };
        self.row += 1;
        match self.row {
            _ if finds_treasure => Step::solved(1.0 - cost),
            row if row > last => Step::terminated(-cost),
            _ => Step::reward(-cost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    /// The map of bsuite with N = 6 and seed 42.
    const SIX: DeepSea = DeepSea::new(&["011100", "011101", "100001", "001000", "010110", "100111"]);

    const RECORDING: &str = include_str!("../golden/deep_sea.txt");

    #[test]
    fn check_deep_sea_finds_no_broken_promise() {
        [DeepSea::TEN, SIX].iter().for_each(|task| assert_eq!(env::check::check(task), Ok(())));
    }

    #[test]
    fn deep_sea_has_the_maps_of_bsuite() {
        for task in [DeepSea::TEN, SIX] {
            let line = format!("# map {} {}", task.map.len(), task.map.join(" "));
            assert!(RECORDING.lines().any(|recorded| recorded == line), "{line}");
        }
    }

    #[test]
    fn deep_sea_replays_the_episodes_of_bsuite() {
        let replay = |episode: &recorded::Recorded| {
            let task = if episode.variant == "10" { DeepSea::TEN } else { SIX };
            let expand = recorded::expand_ones(task.map.len() * task.map.len());
            episode.replay(&task.spec(), Diver::new(task.map), expand)
        };
        assert_eq!(recorded::read(RECORDING).iter().map(replay).sum::<usize>(), 100 * 16);
    }

    #[test]
    #[should_panic(expected = "DeepSea: a row is not as long as the map has rows")]
    fn deep_sea_map_that_is_not_square_panics() {
        DeepSea::new(&["01", "011"]);
    }
}
