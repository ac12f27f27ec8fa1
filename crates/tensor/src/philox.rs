//! Counter-based random numbers: Philox 4×32-10. A number is a pure function of the seed and of the place that uses it.
//!
//! ```
//! use tensor::philox::{Philox, Purpose, Stream};
//!
//! let place = Stream { purpose: Purpose::OPERANDS, update: 3, episode: 17 };
//! let mut rng = Philox::stream(42, place);
//! let digit = rng.below(10);
//! assert_eq!(digit, Philox::stream(42, place).below(10));
//! ```
//!
//! With a generator that has hidden state, results depend on the order of the draws. Here every episode of every update has
//! its own stream. So any number of threads draws the same numbers, and so does a GPU: block `i` of a stream is one call of
//! [`philox4x32_10`], which needs none of the blocks before it.
//!
//! ```text
//! key     = [ seed mod 2³², seed div 2³² ]
//! counter = [ block index i, episode, update, purpose ]
//! words 4i, 4i+1, 4i+2, 4i+3 of the stream = philox4x32_10(counter, key)
//! ```
//!
//! The doc of each method says how many words it consumes. A 64-bit number consumes two, the low half first.
//!
//! Reference: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3",
//! SC '11, section 3.3 and table 2; known answers from the authors' Random123, `tests/kat_vectors`.

use core::convert::Infallible;

use rand::TryRng;
use rand_distr::{Distribution, StandardNormal};

/// The multipliers of the two lanes (table 2's 4×32 row).
const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// The increments of the key in each round: the fractional bits of the golden ratio and of √3 − 1.
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// Applies the bijection that `key` selects to a 128-bit `counter`, in ten rounds.
///
/// One round maps `[x0, x1, x2, x3]`, with `M·x` split into high and low words, to
/// `[hi(M1·x2) ^ x1 ^ k0, lo(M1·x2), hi(M0·x0) ^ x3 ^ k1, lo(M0·x0)]`.
pub fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let ([mut x0, mut x1, mut x2, mut x3], [mut k0, mut k1]) = (counter, key);
    for _ in 0..ROUNDS {
        let (hi0, lo0) = wide_product(MULTIPLIER[0], x0);
        let (hi1, lo1) = wide_product(MULTIPLIER[1], x2);
        (x0, x1, x2, x3) = (hi1 ^ x1 ^ k0, lo1, hi0 ^ x3 ^ k1, lo0);
        (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
    }
    [x0, x1, x2, x3]
}

/// The high and the low word of `a · b`.
fn wide_product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

/// The purpose of a stream. It is the last word of the counter, so that different purposes never share a number.
///
/// The constants are the engine's own. Programs that embed the engine use values from 256 upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Purpose(pub u32);

impl Purpose {
    /// Initial weights.
    pub const INIT: Self = Self(0);
    /// Operands of training episodes.
    pub const OPERANDS: Self = Self(1);
    /// Actions sampled in training.
    pub const ACTIONS: Self = Self(2);
    /// Validation episodes, which decide when to unlock a stage and when to stop.
    pub const VALIDATION: Self = Self(3);
    /// Test episodes, which are drawn once, after training.
    pub const TEST: Self = Self(4);
    /// Permutations.
    pub const SHUFFLE: Self = Self(5);
    /// The stage of each episode in a mixed batch.
    pub const STAGES: Self = Self(6);
    /// Choices among the stored successes for replay.
    pub const REPLAY: Self = Self(7);
    /// The one stream of [`Philox::new`].
    const ONLY: Self = Self(255);
}

/// The place that uses the numbers. The place and the seed together identify a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The purpose of the numbers.
    pub purpose: Purpose,
    /// The update, or 0 if there is none.
    pub update: u32,
    /// The episode within the update; for [`Purpose::INIT`] the index of the parameter.
    pub episode: u32,
}

/// A generator of the numbers of one stream, which has 2³⁴ words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Philox {
    key: [u32; 2],
    /// The first word of the counter for the next block; `None` after the last block.
    next_block: Option<u32>,
    /// The other words of the counter.
    place: [u32; 3],
    block: [u32; 4],
    used: usize,
}

impl Philox {
    /// Makes a generator for a program that needs one stream. No other stream has its numbers.
    ///
    /// ```
    /// use tensor::Tensor;
    /// use tensor::philox::Philox;
    ///
    /// let mut rng = Philox::new(42);
    /// let noise = Tensor::from_fn([2, 3], |_| rng.normal());
    /// ```
    pub fn new(seed: u64) -> Self {
        Self::stream(seed, Stream { purpose: Purpose::ONLY, update: 0, episode: 0 })
    }

    /// Makes a generator at the start of the stream of `seed` and `place`.
    pub fn stream(seed: u64, place: Stream) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            next_block: Some(0),
            place: [place.episode, place.update, place.purpose.0],
            block: [0; 4],
            used: 4,
        }
    }

    /// Draws the next word.
    ///
    /// # Panics
    /// After 2³⁴ words, because the stream would repeat.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.refill();
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// Returns the number of words drawn so far.
    pub fn words_drawn(&self) -> u64 {
        let blocks = self.next_block.map_or(1 << 32, u64::from);
        4 * blocks - (self.block.len() - self.used) as u64
    }

    /// Skips the next `words` words.
    ///
    /// # Panics
    /// If the stream has fewer.
    #[track_caller]
    pub fn skip(&mut self, words: u64) {
        let position = self.words_drawn().checked_add(words).filter(|&position| position <= 1 << 34);
        let position = position.unwrap_or_else(|| panic!("Philox::skip: {words} words, but a stream has 2^34"));
        (self.next_block, self.used) = (u32::try_from(position / 4).ok(), self.block.len());
        if !position.is_multiple_of(4) {
            self.refill();
            self.used = (position % 4) as usize;
        }
    }

    fn refill(&mut self) {
        let index = self.next_block.expect("Philox: all 2^34 words of this stream were drawn");
        let [episode, update, purpose] = self.place;
        self.block = philox4x32_10([index, episode, update, purpose], self.key);
        self.next_block = index.checked_add(1);
        self.used = 0;
    }

    /// Draws the next two words, the low half first.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        low | u64::from(self.next_u32()) << 32
    }

    /// Draws uniformly from the multiples of 2⁻⁵³ in [0, 1). Consumes two words.
    pub fn uniform_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Draws uniformly from the multiples of 2⁻²⁴ in [0, 1). Consumes one word.
    pub fn uniform_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / (1u32 << 24) as f32)
    }

    /// Draws uniformly from 0..`n`, without bias. Consumes one word, rarely more.
    ///
    /// `hi(x·n)` alone would favour some values if 2³² is not a multiple of `n`. The function rejects the `2³² mod n` smallest
    /// values of `lo(x·n)`, so each result has the same number of `x` (D. Lemire, "Fast Random Integer Generation in an
    /// Interval", 2019, algorithm 5).
    ///
    /// # Panics
    /// If `n` is 0.
    #[track_caller]
    pub fn below(&mut self, n: u32) -> u32 {
        assert!(n > 0, "Philox::below: no number is below 0");
        let excess = n.wrapping_neg() % n;
        loop {
            let (hi, lo) = wide_product(self.next_u32(), n);
            if lo >= excess {
                return hi;
            }
        }
    }

    /// Draws from the standard normal distribution, by the ziggurat of rand_distr. Consumes two words, sometimes more.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(self)
    }
}

/// Makes the generator a `rand::Rng`, for use with rand and rand_distr. (An infallible `TryRng` is a `rand::Rng`.)
impl TryRng for Philox {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(4) {
            part.copy_from_slice(&self.next_u32().to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    const PLACE: Stream = Stream { purpose: Purpose::TEST, update: 7, episode: 9 };

    /// The three `philox4x32 10` lines of Random123: zeros, ones, and the digits of π.
    #[test]
    fn philox_of_known_inputs_gives_the_known_answers() {
        let pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
        for (counter, key, answer) in [
            ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
            ([!0; 4], [!0; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
            (pi, [0xa4093822, 0x299f31d0], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]),
        ] {
            assert_eq!(philox4x32_10(counter, key), answer);
        }
    }

    #[test]
    fn stream_gives_its_blocks_in_order() {
        let mut rng = Philox::stream(0x0123_4567_89ab_cdef, PLACE);
        for index in 0..3 {
            let block = philox4x32_10([index, 9, 7, Purpose::TEST.0], [0x89ab_cdef, 0x0123_4567]);
            assert_eq!([(); 4].map(|()| rng.next_u32()), block);
        }
    }

    #[test]
    fn skip_gives_the_words_that_follow() {
        for (drawn, skipped) in [(0, 0), (0, 1), (0, 4), (3, 1), (3, 6), (5, 11), (8, 0)] {
            let [mut by_drawing, mut by_skipping] = [(); 2].map(|()| Philox::stream(5, PLACE));
            (0..drawn + skipped).for_each(|_| _ = by_drawing.next_u32());
            (0..drawn).for_each(|_| _ = by_skipping.next_u32());
            by_skipping.skip(skipped);
            assert_eq!((by_skipping.words_drawn(), by_drawing.words_drawn()), (drawn + skipped, drawn + skipped));
            assert_eq!(by_skipping.next_u64(), by_drawing.next_u64(), "{drawn} drawn, {skipped} skipped");
        }
        let mut rng = Philox::stream(5, PLACE);
        rng.skip((1 << 34) - 1);
        let last = philox4x32_10([u32::MAX, 9, 7, Purpose::TEST.0], [5, 0])[3];
        assert_eq!((rng.next_u32(), rng.words_drawn()), (last, 1 << 34));
    }

    #[test]
    #[should_panic(expected = "Philox::skip: 17179869185 words, but a stream has 2^34")]
    fn skip_beyond_the_stream_panics() {
        Philox::stream(5, PLACE).skip((1 << 34) + 1);
    }

    #[test]
    fn stream_of_another_seed_or_place_is_different() {
        let first = |seed, place| Philox::stream(seed, place).next_u64();
        let streams = [
            first(1, PLACE),
            first(2, PLACE),
            first(1 << 32 | 1, PLACE),
            first(1, Stream { purpose: Purpose::INIT, ..PLACE }),
            first(1, Stream { update: 8, ..PLACE }),
            first(1, Stream { episode: 8, ..PLACE }),
        ];
        for (i, stream) in streams.iter().enumerate() {
            assert!(!streams[..i].contains(stream), "stream {i} repeats an earlier one");
        }
    }

    #[test]
    fn new_gives_other_numbers_than_the_streams_of_programs() {
        let first_of_programs = Stream { purpose: Purpose(256), update: 0, episode: 0 };
        assert_ne!(Philox::new(1).next_u64(), Philox::stream(1, first_of_programs).next_u64());
    }

    #[test]
    #[should_panic(expected = "all 2^34 words")]
    fn stream_after_its_last_word_panics() {
        let mut rng = Philox::stream(1, PLACE);
        rng.next_block = Some(u32::MAX);
        for _ in 0..5 {
            rng.next_u32();
        }
    }

    #[test]
    fn rand_on_a_stream_gets_the_same_words() {
        let mut ours = Philox::stream(5, PLACE);
        let mut theirs = ours.clone();
        assert_eq!(theirs.random::<u64>(), ours.next_u64());
        let mut bytes = [0; 6];
        theirs.fill(&mut bytes[..]);
        let words = [ours.next_u32().to_le_bytes(), ours.next_u32().to_le_bytes()].concat();
        assert_eq!(bytes, words[..6]);
    }

    /// χ² with 9 degrees of freedom is above 27.9 for one stream in a thousand. This stream is fixed.
    #[test]
    fn below_ten_is_uniform() {
        let mut rng = Philox::stream(1, PLACE);
        let mut counts = [0u32; 10];
        (0..10_000).for_each(|_| counts[rng.below(10) as usize] += 1);
        let chi2: f64 = counts.iter().map(|&n| (f64::from(n) - 1e3).powi(2) / 1e3).sum();
        assert!(chi2 < 27.9, "{counts:?}");
    }

    /// At n = 3·2³⁰, plain `hi(x·n)` would give multiples of 3 in half of the draws instead of a third.
    #[test]
    fn below_where_the_plain_product_is_worst_has_no_bias() {
        let mut rng = Philox::stream(1, PLACE);
        let multiples = (0..30_000).filter(|_| rng.below(3 << 30).is_multiple_of(3)).count();
        assert!((9_600..10_400).contains(&multiples), "{multiples} of 30000");
    }

    #[test]
    fn uniforms_and_normals_have_the_moments_of_their_distribution() {
        let mut rng = Philox::stream(1, PLACE);
        let n = 20_000;
        let mut moments = |draw: fn(&mut Philox) -> f64| {
            let (mut first, mut second) = (0.0, 0.0);
            for _ in 0..n {
                let x = draw(&mut rng);
                first += x / f64::from(n);
                second += x * x / f64::from(n);
            }
            (first, second)
        };
        let close = |(m1, m2): (f64, f64), (e1, e2): (f64, f64)| (m1 - e1).abs() < 0.03 && (m2 - e2).abs() < 0.05;
        assert!(close(moments(Philox::uniform_f64), (0.5, 1.0 / 3.0)));
        assert!(close(moments(|rng| rng.uniform_f32().into()), (0.5, 1.0 / 3.0)));
        assert!(close(moments(Philox::normal), (0.0, 1.0)));
    }

    #[test]
    fn uniform_of_the_largest_words_is_below_one() {
        let highest = Philox { block: [u32::MAX; 4], used: 0, ..Philox::stream(0, PLACE) };
        assert_eq!(highest.clone().uniform_f64(), 1.0 - f64::EPSILON / 2.0);
        assert_eq!(highest.clone().uniform_f32(), 1.0 - f32::EPSILON / 2.0);
    }
}
