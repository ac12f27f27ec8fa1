//! POPGym's RepeatPrevious: say the suit of an earlier card at every step, while others are dealt.
//!
//! Source: S. Morad et al., "POPGym: Benchmarking Partially Observable Reinforcement Learning" (2023); decks, k, rewards and
//! lengths as in popgym 1.0.7. Counted from the card that was dealt last as the first, the answer is the k-th, so it is k − 1
//! steps old. There is no reward before k cards were dealt. Rewards are ±1/(cards − k), so returns are from −1 to 1.

use rl::env::{self, Action, ActionSpace, Env, Observer, SingleEnv, Space, Spec, Step, Task};
use tensor::philox::Philox;

use crate::cards;

/// The tasks `repeat-previous-easy`, `-medium` and `-hard`. The observation is the suit of the card that was dealt last.
#[derive(Clone, Copy, Debug)]
pub struct RepeatPrevious {
    name: &'static str,
    decks: usize,
    k: usize,
}

impl RepeatPrevious {
    /// One deck, k = 4.
    pub const EASY: Self = Self { name: "repeat-previous-easy", decks: 1, k: 4 };
    /// Two decks, k = 32.
    pub const MEDIUM: Self = Self { name: "repeat-previous-medium", decks: 2, k: 32 };
    /// Three decks, k = 64.
    pub const HARD: Self = Self { name: "repeat-previous-hard", decks: 3, k: 64 };
}

impl Task for RepeatPrevious {
    fn spec(&self) -> Spec {
        let (cards, actions) = (Space::tokens(cards::SUITS), ActionSpace::discrete(cards::SUITS));
        Spec::new(self.name, cards, actions, cards::count(self.decks) - 1)
    }

    fn env(&self, _stage: usize, episodes: usize) -> Box<dyn Env> {
        env::vector(episodes, || Game { task: *self, cards: Vec::new(), dealt: 0 })
    }
}

#[derive(Clone)]
struct Game {
    task: RepeatPrevious,
    cards: Vec<u32>,
    /// The number of cards that were dealt.
    dealt: usize,
}

impl SingleEnv for Game {
    fn reset(&mut self, rng: &mut Philox) {
        (self.cards, self.dealt) = (cards::shuffle(self.task.decks, rng), 1);
    }

    fn observe(&self, mut out: Observer<'_>) {
        out.token(self.cards[self.dealt - 1]);
    }

    fn step(&mut self, action: Action<'_>, _: &mut Philox) -> Step {
        let Self { task: RepeatPrevious { k, .. }, cards, dealt } = self;
        let sign = match dealt.checked_sub(*k) {
            None => 0.0,
            Some(asked) if cards[asked] == action.discrete() => 1.0,
            Some(_) => -1.0,
        };
        *dealt += 1;
        Step { terminated: *dealt == cards.len(), ..Step::reward(sign / (cards.len() - *k) as f64) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorded;

    const LEVELS: [RepeatPrevious; 3] = [RepeatPrevious::EASY, RepeatPrevious::MEDIUM, RepeatPrevious::HARD];

    #[test]
    fn check_repeat_previous_finds_no_broken_promise() {
        LEVELS.iter().for_each(|task| assert_eq!(env::check::check(task), Ok(())));
    }

    #[test]
    fn repeat_previous_replays_the_episodes_of_popgym() {
        let text = include_str!("../golden/repeat_previous.txt");
        let steps = recorded::replay_decks(text, &LEVELS, |&task, cards| Game { task, cards, dealt: 1 });
        assert_eq!(steps, 20 * 51 + 10 * 103 + 7 * 155);
    }
}
