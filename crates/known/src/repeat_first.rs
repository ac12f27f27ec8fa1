//! POPGym's RepeatFirst: say the suit of the first card at every step, while others are dealt.
//!
//! Source: S. Morad et al., "POPGym: Benchmarking Partially Observable Reinforcement Learning" (2023); decks, rewards and
//! lengths as in popgym 1.0.7. Rewards are ±1/(cards − 1), so returns are from −1 to 1; random actions have −0.5 on average.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

use crate::cards;

/// The tasks `repeat-first-easy`, `-medium` and `-hard`. The observation is the suit of the card that was dealt last.
#[derive(Clone, Copy, Debug)]
pub struct RepeatFirst {
    name: &'static str,
    decks: usize,
}

impl RepeatFirst {
    /// One deck.
    pub const EASY: Self = Self { name: "repeat-first-easy", decks: 1 };
    /// 8 decks.
    pub const MEDIUM: Self = Self { name: "repeat-first-medium", decks: 8 };
    /// 16 decks.
    pub const HARD: Self = Self { name: "repeat-first-hard", decks: 16 };
}

impl Task for RepeatFirst {
    fn spec(&self) -> Spec {
        let (cards, actions) = (Space::tokens(cards::SUITS), ActionSpace::discrete(cards::SUITS));
        Spec::new(self.name, cards, actions, cards::count(self.decks) - 1)
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
        out.token(self.cards[self.taken]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        self.taken += 1;
        let last = self.cards.len() - 1;
        let sign = if action.discrete() == self.cards[0] { 1.0 } else { -1.0 };
        Step { terminated: self.taken == last, ..Step::reward(sign / last as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    const LEVELS: [RepeatFirst; 3] = [RepeatFirst::EASY, RepeatFirst::MEDIUM, RepeatFirst::HARD];

    #[test]
    fn check_repeat_first_finds_no_broken_promise() {
        LEVELS.iter().for_each(|task| assert_eq!(env::check::check(task), Ok(())));
    }

    #[test]
    fn repeat_first_replays_the_episodes_of_popgym() {
        let text = include_str!("../golden/repeat_first.txt");
        let steps = recorded::replay_decks(text, &LEVELS, |task, cards| Game { decks: task.decks, cards, taken: 0 });
        assert_eq!(steps, 20 * 51 + 3 * 415 + 2 * 831);
    }
}
