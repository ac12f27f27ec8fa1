//! The decks of POPGym's card games. Only the suits of the cards matter.

use tensor::philox::Philox;

/// The suits in the order of POPGym's numbers.
pub(crate) const SUITS: [&str; 4] = ["SPADES", "DIAMONDS", "CLUBS", "HEARTS"];

/// The number of cards in `decks` decks.
pub(crate) const fn count(decks: usize) -> usize {
    52 * decks
}

/// Shuffles the suits of `decks` decks into the order in which they are dealt.
pub(crate) fn shuffle(decks: usize, rng: &mut Philox) -> Vec<u32> {
    let mut cards: Vec<u32> = (0..4).cycle().take(count(decks)).collect();
    for k in (1..cards.len()).rev() {
        cards.swap(k, rng.below(k as u32 + 1) as usize);
    }
    cards
}

/// Reads the suits of a recorded deck.
#[cfg(test)]
pub(crate) fn parse(hidden: &str) -> Vec<u32> {
    hidden.chars().map(|digit| digit.to_digit(4).expect("a suit from 0 to 3")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffle_keeps_thirteen_cards_of_each_suit_and_deck() {
        let cards = shuffle(3, &mut Philox::new(1));
        let counts = [0, 1, 2, 3].map(|suit| cards.iter().filter(|&&card| card == suit).count());
        assert_eq!(counts, [39; 4]);
        assert_ne!(cards, shuffle(3, &mut Philox::new(2)));
    }

    #[test]
    fn shuffle_puts_each_suit_first_equally_often() {
        let mut counts = [0; 4];
        (0..4000).for_each(|seed| counts[shuffle(1, &mut Philox::new(seed))[0] as usize] += 1);
        // A count has the deviation √(4000·¼·¾) = 27.
        assert!(counts.iter().all(|&count: &i32| (count - 1000).abs() < 110), "{counts:?}");
    }
}
