//! Consistency checks of a specification, because kernels trust their arguments.

use tensor::Real;

use crate::spec::{Sizes, Tables, UpdateSpec};

impl Tables {
    /// Checks the tables. Afterwards the lengths and the horizon fit 32 bits, and there are fewer stages than states.
    ///
    /// # Panics
    /// If a length is wrong or an index is out of range.
    #[track_caller]
    pub(crate) fn check(&self) {
        let Self { next, distance, base, operands, tokens, horizon, .. } = self;
        let (actions, states) = (tokens.len(), distance.len());
        assert!(actions < 1 << 28, "{actions} actions: fewer than 2^28 were expected");
        assert!(states < 1 << 28 && next.len() == states * actions, "{} successors of {states} states", next.len());
        assert!(!base.is_empty() && operands.len() == base.len(), "operands of {} stages", operands.len());
        assert!(base[0] == 0 && operands.iter().all(|&count| count <= 7), "bases {base:?}, operands {operands:?}");
        for stage in 0..base.len() {
            let from = base[stage] as usize;
            let to = base.get(stage + 1).map_or(states, |&to| to as usize);
            assert!(from + 3 <= to && to <= states, "stage {stage} has the states from {from} to {to} of {states}");
            let inside = next[from * actions..to * actions].iter().all(|&state| usize::from(state) < to - from);
            assert!(inside, "stage {stage} has a successor state outside of the stage");
        }
        assert!((1..=1 << 16).contains(horizon), "{horizon} actions at most");
    }
}

/// The minimum vocabulary: the digits and the token that ends a context, whose numbers the kernels contain.
const LEAST_VOCABULARY: usize = 11;

impl UpdateSpec {
    /// Checks the specification. Afterwards all sizes are far below 2³², so that `as u32` is lossless.
    ///
    /// # Panics
    /// If kernels would read or write out of bounds.
    #[track_caller]
    pub(crate) fn check<T: Real>(&self) {
        let Sizes { hidden_size, vocabulary, actions, stages, batch, chunks, parameters, eval_episodes, ring } =
            self.sizes;
        assert!(
            hidden_size > 0 && hidden_size.is_multiple_of(32) && hidden_size * size_of::<T>() <= 1024,
            "{hidden_size} hidden units: a multiple of 32 was expected, of up to 1024 bytes"
        );
        assert!((1..=32).contains(&actions), "{actions} actions: 1 to 32 were expected");
        assert!((1..=8).contains(&stages), "{stages} stages: 1 to 8 were expected");
        assert!(vocabulary >= LEAST_VOCABULARY, "{vocabulary} tokens: {LEAST_VOCABULARY} at least were expected");
        let counts = [batch, chunks, ring];
        assert!(
            counts.iter().all(|count| (1..=1 << 28).contains(count)) && eval_episodes <= 1 << 24,
            "{:?}",
            self.sizes
        );
        // Kernels count the entries of the table and of a chunk's sums in 32 bits.
        assert!(vocabulary < 1 << 18, "{vocabulary} tokens: fewer than 2^18 were expected");
        self.check_offsets(parameters);
        self.check_tables();
    }

    /// Checks that the parameters fill their buffer without overlap.
    #[track_caller]
    fn check_offsets(&self, parameters: usize) {
        let Sizes { hidden_size, vocabulary, actions, stages, .. } = self.sizes;
        let rows = [vocabulary, stages, 3 * hidden_size, 3 * hidden_size, 3, 3, actions, 0, 1, 0];
        let mut places: Vec<(usize, usize)> =
            self.offsets.into_iter().zip(rows).map(|(at, rows)| (at, rows * hidden_size)).collect();
        places[7].1 = actions;
        places[9].1 = 1;
        places.sort_unstable();
        let end = places.iter().try_fold(0, |end, &(at, size)| (at == end).then_some(end + size));
        assert!(end == Some(parameters) && parameters < 1 << 31, "{parameters} parameters, but they lie at {places:?}");
    }

    /// Checks that the tables match the sizes.
    #[track_caller]
    fn check_tables(&self) {
        let Sizes { vocabulary, actions, stages, .. } = self.sizes;
        let Tables { base, tokens, .. } = &self.tables;
        assert!(base.len() == stages, "tables of {} stages", base.len());
        assert!(tokens.len() == actions, "{} tokens of {actions} actions", tokens.len());
        assert!(tokens.iter().all(|&token| (token as usize) < vocabulary), "tokens {tokens:?} of {vocabulary}");
        self.tables.check();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use nn::{Schedule, UpdateRule};
    use rl::returns::AdvantageEstimator;

    use super::*;

    /// A specification with one stage and one state to decide in.
    pub(crate) fn small() -> UpdateSpec {
        let sizes = Sizes {
            hidden_size: 32,
            vocabulary: 11,
            actions: 2,
            stages: 1,
            batch: 5,
            chunks: 2,
            parameters: 6819,
            eval_episodes: 3,
            ring: 2,
        };
        UpdateSpec {
            sizes,
            offsets: [0, 352, 384, 3456, 6528, 6624, 6720, 6784, 6786, 6818],
            tables: Tables {
                next: vec![0, 0, 1, 1, 0, 1],
                distance: vec![u16::MAX, 0, 1],
                base: vec![0],
                operands: vec![3],
                tokens: vec![9, 10],
                horizon: 4,
                correct: 1.0,
                milestone: 0.0,
                step: 0.0,
            },
            gamma: 1.0,
            estimator: AdvantageEstimator::Gae(1.0),
            normalize: false,
            value_coefficient: 0.5,
            clip: 1.0,
            rule: UpdateRule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0, decoupled: false },
            rate: Schedule::Constant(0.1),
            entropy: Schedule::Constant(0.1),
            seed: 1,
            eval_purpose: 3,
        }
    }

    #[test]
    fn check_accepts_a_consistent_spec() {
        small().check::<f32>();
        assert_eq!(small().tables.steps(), 7);
    }

    /// Each single change is detected.
    #[test]
    fn check_refuses_each_inconsistency() {
        let changes: [fn(&mut UpdateSpec); 21] = [
            |d| d.sizes.hidden_size = 48,
            |d| d.sizes.hidden_size = 512,
            |d| d.sizes.actions = 33,
            |d| d.sizes.stages = 0,
            |d| d.sizes.vocabulary = 10,
            |d| d.sizes.vocabulary = 1 << 18,
            |d| d.sizes.eval_episodes = (1 << 24) + 1,
            |d| d.sizes.batch = 0,
            |d| d.sizes.chunks = 0,
            |d| d.sizes.ring = 0,
            |d| d.sizes.parameters += 1,
            |d| d.offsets[5] -= 1,
            |d| d.offsets[8] = d.offsets[9],
            |d| d.tables.next[5] = 3,
            |d| d.tables.next.truncate(5),
            |d| d.tables.base[0] = 1,
            |d| d.tables.base.push(2),
            |d| d.tables.operands[0] = 8,
            |d| d.tables.tokens[0] = 11,
            |d| d.tables.tokens.truncate(1),
            |d| d.tables.horizon = 0,
        ];
        for (k, change) in changes.into_iter().enumerate() {
            let mut changed = small();
            change(&mut changed);
            let seen = std::panic::catch_unwind(|| changed.check::<f32>());
            assert!(seen.is_err(), "change {k}: {changed:?}");
        }
    }
}
