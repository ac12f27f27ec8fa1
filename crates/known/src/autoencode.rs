//! POPGym's Autoencode: watch a whole deck, then say its suits in reverse order.
//!
//! Source: S. Morad et al., "POPGym: Benchmarking Partially Observable Reinforcement Learning" (2023); decks, rewards and
//! lengths as in popgym 1.0.7. The last card is shown in mode PLAY; after each answer, the observation is PLAY SPADES,
//! whatever the cards are. Rewards are ±1/cards, so returns are from −1 to 1.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

use crate::cards::{self, SUITS};

/// The tasks `autoencode-easy`, `-medium` and `-hard`. The observation is one token for mode and suit.
#[derive(Clone, Copy, Debug)]
pub struct Autoencode {
    name: &'static str,
    decks: usize,
}

impl Autoencode {
    /// One deck.
    pub const EASY: Self = Self { name: "autoencode-easy", decks: 1 };
    /// Two decks.
    pub const MEDIUM: Self = Self { name: "autoencode-medium", decks: 2 };
    /// Three decks.
    pub const HARD: Self = Self { name: "autoencode-hard", decks: 3 };
}

impl Task for Autoencode {
    fn spec(&self) -> Spec {
        let tokens = ["PLAY", "WATCH"].iter().flat_map(|mode| SUITS.map(|suit| format!("{mode} {suit}")));
        let horizon = 2 * cards::count(self.decks) - 1;
        Spec::new(self.name, Space::tokens(tokens), ActionSpace::discrete(SUITS), horizon)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Game { decks: self.decks, ..Game::default() })
    }
}

#[derive(Clone, Default)]
struct Game {
    decks: usize,
    cards: Vec<u32>,
    /// The number of steps so far.
    taken: usize,
}

impl SingleEnv for Game {
    fn reset(&mut self, rng: &mut Philox) {
        (self.cards, self.taken) = (cards::shuffle(self.decks, rng), 0);
    }

    fn observe(&self, mut out: Observer<'_>) {
        let watches = self.taken + 1 < self.cards.len();
        let suit = self.cards.get(self.taken).copied().unwrap_or(0);
        out.token(if watches { 4 + suit } else { suit });
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let count = self.cards.len();
        self.taken += 1;
        let Some(answered) = self.taken.checked_sub(count) else { return Step::reward(0.0) };
        let sign = if action.discrete() == self.cards[count - 1 - answered] { 1.0 } else { -1.0 };
        Step { terminated: answered == count - 1, ..Step::reward(sign / count as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    const LEVELS: [Autoencode; 3] = [Autoencode::EASY, Autoencode::MEDIUM, Autoencode::HARD];

    #[test]
    fn check_autoencode_finds_no_broken_promise() {
        LEVELS.iter().for_each(|task| assert_eq!(env::check::check(task), Ok(())));
    }

    #[test]
    fn autoencode_replays_the_episodes_of_popgym() {
        let text = include_str!("../golden/autoencode.txt");
        let steps = recorded::replay_decks(text, &LEVELS, |task, cards| Game { decks: task.decks, cards, taken: 0 });
        assert_eq!(steps, 10 * 103 + 5 * 207 + 4 * 311);
    }
}
