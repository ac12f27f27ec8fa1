//! Dot-product attention over the tokens that a network has read.
//!
//! A recurrent state of fixed size must hold a whole sequence. Attention looks the sequence up again instead: each state
//! is compared with all tokens that were read, and gets their mean, weighted by similarity.
//!
//! Symbols: B batch, T time (the steps of the states h), L length of the sequence that was read, H hidden size, V
//! vocabulary.
//!
//! ```text
//! k = s + E[tokens]                    keys, which are also the values: [B,L,H]
//! q = h·W_qᵀ + b_q                     queries: [T,B,H]
//! α = softmax(q·kᵀ/√H + mask)          weights, over the L tokens: [B,T,L]
//! c = α·k                              contexts: [T,B,H]
//! f = tanh([h; c]·W_mᵀ + b_m)          result: [T,B,H]
//! ```
//!
//! Sources: M.-T. Luong, H. Pham, C. Manning, "Effective Approaches to Attention-based Neural Machine Translation"
//! (2015): section 3.1 has the context c and the "general" score h·W·k, and equation 5 is tanh(W·\[c;h\]).
//! A. Vaswani et al., "Attention Is All You Need" (2017): the factor 1/√H is equation 1.

use autograd::Var;
use tensor::{Real, Tensor};

use crate::embedding::Embedding;
use crate::init::Builder;
use crate::linear::Linear;
use crate::params::BoundParams;

/// Dot-product attention over the tokens that a network has read. For a state h with the query q = h·W_qᵀ + b_q it is
/// f = tanh(\[h; c\]·W_mᵀ + b_m), with c = α·k and α = softmax(q·kᵀ/√H + mask).
///
/// The keys are the states s of an encoder plus a second embedding E of the tokens: k = s + E\[tokens\]. So a key says
/// which token stood there, even if the state has forgotten it.
#[derive(Clone, Copy, Debug)]
pub struct Attention {
    /// E\[V,H\], named `emb.weight`.
    pub embedding: Embedding,
    /// W_q\[H,H\] and b_q\[H\], named `query.weight` and `query.bias`.
    pub query: Linear,
    /// W_m\[H,2H\] and b_m\[H\], named `combine.weight` and `combine.bias`. The first H columns multiply h, the others c.
    pub combine: Linear,
}

/// The sequence that was read, for [`Attention::forward`].
#[derive(Clone, Copy)]
pub struct Keys<'t, T: Real> {
    /// k\[B,L,H\]: the keys, which are also the values.
    pub keys: Var<'t, T>,
    /// The mask \[B,1,L\]: 0 at each token of a row, −∞ behind its end. `None` if all rows have L tokens.
    pub mask: Option<Var<'t, T>>,
}

impl Attention {
    /// Draws E as [`Embedding::new`] does, and both linear layers as [`Linear::new`] does.
    #[track_caller]
    pub fn new<T: Real>(builder: &mut Builder<'_, T>, vocabulary: usize, hidden_size: usize) -> Self {
        let inputs = hidden_size.saturating_mul(2); // on overflow: usize::MAX, which no shape accepts
        Self {
            embedding: Embedding::new(&mut builder.scope("emb"), vocabulary, hidden_size),
            query: Linear::new(&mut builder.scope("query"), hidden_size, hidden_size),
            combine: Linear::new(&mut builder.scope("combine"), inputs, hidden_size),
        }
    }

    /// Computes the keys k = s + E\[tokens\] from tokens\[L,B\] and states s\[L,B,H\], and the mask from the length of
    /// each row, which is 1 to L.
    ///
    /// Behind the end of a row, tokens must still be in the vocabulary, and states finite. They change nothing: their
    /// weight is 0, and so is their gradient.
    ///
    /// # Panics
    /// If the shapes do not match, a length is 0 or exceeds L, or a token is outside the vocabulary.
    #[track_caller]
    pub fn read<'t, T: Real>(
        &self,
        weights: BoundParams<'t, T>,
        tokens: &Tensor<u32>,
        states: Var<'t, T>,
        lengths: &[usize],
    ) -> Keys<'t, T> {
        let (read, s, table) = (tokens.shape(), states.shape(), weights.get(self.embedding.weight).shape());
        let rows = lengths.len();
        let fits = read.rank() == 2 && read[0] > 0 && read[1] == rows && s[..] == [read[0], rows, table.last_extent()];
        assert!(
            fits,
            "attention: tokens {read}, states {s}, embedding {table}, {rows} lengths: they must be [L, B], [L, B, H], \
             [V, H] and B, with L ≥ 1"
        );
        let longest = read[0];
        if let Some(i) = lengths.iter().position(|&n| n == 0 || n > longest) {
            panic!("attention: row {i} of tokens {read} has length {}: it must be from 1 to {longest}", lengths[i]);
        }
        // The keys are a view: adding first and turning the axes then is faster than adding a turned operand.
        let keys = (states + self.embedding.forward(weights, tokens)).permute(&[1, 0, 2]);
        let mask = lengths.iter().any(|&n| n < longest).then(|| {
            let after_end = |i: usize| i % longest >= lengths[i / longest];
            let value = |i| if after_end(i) { T::from_f64(f64::NEG_INFINITY) } else { T::zero() };
            weights.tape().constant(Tensor::from_fn([rows, 1, longest], value))
        });
        Keys { keys, mask }
    }

    /// Computes the weights α\[B,T,L\] = softmax(q·kᵀ/√H + mask) of the tokens for states h\[T,B,H\], with
    /// q = h·W_qᵀ + b_q.
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn weights<'t, T: Real>(&self, weights: BoundParams<'t, T>, h: Var<'t, T>, read: Keys<'t, T>) -> Var<'t, T> {
        self.assert_shapes(weights, h, read);
        let q = self.query.forward(weights, h).permute(&[1, 0, 2]);
        let scale = 1.0 / (h.shape().last_extent() as f64).sqrt();
        let scores = q.matmul_nt(read.keys).scale(T::from_f64(scale));
        read.mask.map_or(scores, |mask| scores + mask).softmax()
    }

    /// Computes f\[T,B,H\] = tanh(\[h; c\]·W_mᵀ + b_m) for states h\[T,B,H\], with c = α·k and α from
    /// [`weights`](Self::weights).
    ///
    /// # Panics
    /// If the shapes do not match.
    #[track_caller]
    pub fn forward<'t, T: Real>(&self, weights: BoundParams<'t, T>, h: Var<'t, T>, read: Keys<'t, T>) -> Var<'t, T> {
        let c = self.weights(weights, h, read).matmul(read.keys).permute(&[1, 0, 2]);
        self.combine.forward(weights, Var::concat(&[h, c], 2)).tanh()
    }

    #[track_caller]
    fn assert_shapes<T: Real>(&self, weights: BoundParams<'_, T>, h: Var<'_, T>, read: Keys<'_, T>) {
        let (states, keys, w_q) = (h.shape(), read.keys.shape(), weights.get(self.query.weight).shape());
        let fits = keys.rank() == 3 && states.rank() == 3 && states[1..] == [keys[0], keys[2]] && keys[1] > 0;
        assert!(
            fits && w_q[..] == [keys[2], keys[2]],
            "attention: states {states}, keys {keys}, query weight {w_q}: they must be [T, B, H], [B, L, H], [H, H], \
             with L ≥ 1"
        );
        if let Some(mask) = read.mask.map(Var::shape) {
            let fits = mask[..] == [keys[0], 1, keys[1]];
            assert!(fits, "attention: keys {keys}, mask {mask}: they must be [B, L, H], [B, 1, L]");
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use alloc::{format, vec};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::string::String;

    use autograd::Tape;

    use super::*;
    use crate::params::Params;

    type W<'t> = BoundParams<'t, f64>;

    fn build(vocabulary: usize, hidden_size: usize) -> (Params<f64>, Attention) {
        let mut params = Params::new();
        let layer = Attention::new(&mut Builder::new(&mut params, 1), vocabulary, hidden_size);
        (params, layer)
    }

    fn wave(shape: impl Into<tensor::Shape>, phase: f64) -> Tensor<f64> {
        Tensor::from_fn(shape, |i| (phase + 1.3 * i as f64).sin())
    }

    #[track_caller]
    fn assert_near(what: &str, got: &Tensor<f64>, want: &[f64]) {
        let got = got.to_vec();
        assert_eq!(got.len(), want.len(), "{what}");
        assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-13), "{what}: {got:?} is not {want:?}");
    }

    #[test]
    fn attention_parameters_have_names_and_shapes() {
        let (params, _) = build(7, 4);
        let named: Vec<String> = params.handles().map(|p| format!("{} {}", params.name(p), params.shape(p))).collect();
        let linear = ["query.weight [4, 4]", "query.bias [4]", "combine.weight [4, 8]", "combine.bias [4]"];
        assert_eq!(named, [&["emb.weight [7, 4]"], &linear[..]].concat());
    }

    #[test]
    fn attention_of_rows_of_different_lengths_matches_plain_loops() {
        let (steps, rows, longest, size) = (3, 4, 5, 6);
        let (params, layer) = build(7, size);
        let tokens = Tensor::from_fn([longest, rows], |i| (i * i + 3) as u32 % 7);
        let (states, h) = (wave([longest, rows, size], 0.2), wave([steps, rows, size], 0.4));
        let lengths = [5, 1, 3, 4];

        let tape = Tape::new();
        let weights = params.bind(&tape);
        let read = layer.read(weights, &tokens, tape.constant(states.clone()), &lengths);
        let alpha = layer.weights(weights, tape.constant(h.clone()), read).value();
        let f = layer.forward(weights, tape.constant(h.clone()), read).value();
        assert_eq!((&alpha.shape()[..], &f.shape()[..]), (&[rows, steps, longest][..], &[steps, rows, size][..]));

        let affine = |layer: Linear, x: &[f64]| -> Vec<f64> {
            let (w, b) = (params.get(layer.weight), params.get(layer.bias).to_vec());
            let dot = |i| (0..x.len()).map(|j| w.get(&[i, j]) * x[j]).sum::<f64>();
            (0..b.len()).map(|i| dot(i) + b[i]).collect()
        };
        let table = params.get(layer.embedding.weight);
        for (t, row) in (0..steps).flat_map(|t| (0..rows).map(move |row| (t, row))) {
            let key = |l, j| states.get(&[l, row, j]) + table.get(&[tokens.get(&[l, row]) as usize, j]);
            let h: Vec<f64> = (0..size).map(|j| h.get(&[t, row, j])).collect();
            let q = affine(layer.query, &h);
            let score = |l| (0..size).map(|j| q[j] * key(l, j)).sum::<f64>() / (size as f64).sqrt();
            let exps: Vec<f64> = (0..lengths[row]).map(|l| score(l).exp()).collect();
            let want: Vec<f64> = exps.iter().map(|e| e / exps.iter().sum::<f64>()).collect();
            let c = |j| (0..lengths[row]).map(|l| want[l] * key(l, j)).sum::<f64>();
            let result = affine(layer.combine, &[h, (0..size).map(c).collect()].concat());
            assert_near("f", &f.select(0, t).select(0, row), &result.iter().map(|y| y.tanh()).collect::<Vec<_>>());
            let padded = [want, vec![0.0; longest - lengths[row]]].concat();
            assert_near("α", &alpha.select(0, row).select(0, t), &padded);
        }
    }

    /// The numbers come from PyTorch 2.11.0 in float64: `torch.nn.functional.scaled_dot_product_attention`, two
    /// `linear`, `embedding` and `tanh`, and their backward. The second token of three is the last of the row.
    #[test]
    fn attention_value_and_gradients_match_pytorch() {
        let (mut params, layer) = build(3, 2);
        for (k, param) in params.handles().enumerate() {
            params.set(param, &wave(params.shape(param), 0.1 * (k + 1) as f64));
        }
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let (states, h) = (tape.input(wave([3, 1, 2], 0.6)), tape.input(wave([2, 1, 2], 0.7)));
        let read = layer.read(weights, &Tensor::from([[2], [0], [2]]), states, &[2]);
        let alpha = layer.weights(weights, h, read).value();
        let f = layer.forward(weights, h, read);
        f.backward_from(&wave([2, 1, 2], 0.8)).expect("all are used");
        assert_near(
            "α",
            &alpha,
            &[0.5314019797853502, 0.4685980202146499, 0.0, 0.8473925793276641, 0.15260742067233593, 0.0],
        );
        assert_near(
            "f",
            &f.value(),
            &[0.7611330266551408, 0.7292510511443211, -0.9179997649220067, 0.20797458263901827],
        );
        let grad = |x: Var<'_, f64>| x.grad().expect("reached");
        assert_near(
            "ds",
            &grad(states),
            &[-0.6908800580517787, -0.04669550997306551, 0.20801801104920342, -0.15143623965918832, 0.0, 0.0],
        );
        assert_near(
            "dh",
            &grad(h),
            &[-0.16995976850045724, 0.6535548463724001, 0.6018503472134301, -0.6438444321085431],
        );
        let want: [(&str, &[f64]); 5] = [
            (
                "emb.weight",
                &[0.20801801104920342, -0.15143623965918832, 0.0, 0.0, -0.6908800580517787, -0.04669550997306551],
            ),
            ("query.weight", &[0.01988233709504116, 0.03712470016436477, -0.08040321686521387, -0.15013050548850893]),
            ("query.bias", &[0.016233047504475902, -0.0656456649259418]),
            (
                "combine.weight",
                &[
                    0.2007485958665262,
                    0.31434013481303263,
                    -0.028194270174694017,
                    0.15994495940303377,
                    0.41127068238168096,
                    1.3181286940295083,
                    0.1612798666530768,
                    -0.7492197223342927,
                ],
            ),
            ("combine.bias", &[0.26158426820602265, -0.5525246494327251]),
        ];
        for (name, want) in want {
            assert_near(name, &grad(weights.get(params.find(name).expect(name))), want);
        }
    }

    #[test]
    fn attention_behind_the_end_of_a_row_weight_and_gradient_are_zero() {
        check_end_of_row::<f64>();
        check_end_of_row::<f32>();
    }

    fn check_end_of_row<T: Real>() {
        let (params, layer) = build(7, 4);
        let params = params.cast::<T>();
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let cast = |x: Tensor<f64>| tape.input(x.cast());
        let (states, h) = (cast(wave([3, 2, 4], 0.2)), cast(wave([5, 2, 4], 0.4)));
        // Token 6 is only behind the end of row 1.
        let read = layer.read(weights, &Tensor::from([[1, 2], [3, 6], [4, 6]]), states, &[3, 1]);
        let alpha = layer.weights(weights, h, read).value();
        layer.forward(weights, h, read).sum().backward().expect("all are used");
        let ds = states.grad().expect("reached");
        let d_table = weights.get(layer.embedding.weight).grad().expect("reached");
        let behind_end = |x: &Tensor<T>| x.to_vec().iter().all(|x| x.value() == 0.0);
        assert!(behind_end(&alpha.select(0, 1).slice(1, 1..3)), "{alpha}");
        assert!(behind_end(&ds.slice(0, 1..3).select(1, 1)), "{ds}");
        assert!(behind_end(&d_table.slice(0, 6..7)), "{d_table}");
        assert!(!behind_end(&ds.select(0, 0).select(0, 1)), "{ds}");
        assert!(!behind_end(&alpha.select(0, 0)) && !behind_end(&d_table.slice(0, 4..5)));
    }

    #[test]
    fn attention_to_equal_keys_is_their_mean() {
        let (params, layer) = build(7, 4);
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let states = tape.constant(wave([1, 2, 4], 0.2).broadcast_to([4, 2, 4]));
        let read = layer.read(weights, &Tensor::full([4, 2], 5), states, &[4, 3]);
        let alpha = layer.weights(weights, tape.constant(wave([3, 2, 4], 0.4)), read);
        let third = 1.0 / 3.0;
        assert_near("α", &alpha.select(0, 0).value(), &[0.25; 12]);
        assert_near("α", &alpha.select(0, 1).value(), &[third, third, third, 0.0].repeat(3));
        let means = alpha.matmul(read.keys).value();
        for (row, t) in [(0, 0), (0, 2), (1, 1)] {
            assert_near(
                "c",
                &means.select(0, row).select(0, t),
                &read.keys.value().select(0, row).select(0, 0).to_vec(),
            );
        }
    }

    #[test]
    fn attention_without_a_mask_and_with_a_mask_of_zeros_have_the_same_bits() {
        let (params, layer) = build(7, 4);
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let (states, h) = (tape.constant(wave([3, 2, 4], 0.2)), tape.constant(wave([5, 2, 4], 0.4)));
        let read = layer.read(weights, &Tensor::from([[1, 2], [3, 6], [4, 6]]), states, &[3, 3]);
        assert!(read.mask.is_none());
        let zeros = Keys { mask: Some(tape.constant(Tensor::zeros([2, 1, 3]))), ..read };
        let bits = |x: Var<'_, f64>| x.value().to_vec().into_iter().map(f64::to_bits).collect::<Vec<_>>();
        assert_eq!(bits(layer.weights(weights, h, read)), bits(layer.weights(weights, h, zeros)));
        assert_eq!(bits(layer.forward(weights, h, read)), bits(layer.forward(weights, h, zeros)));
    }

    /// A row's result does not depend on the other rows, nor on how far the longest row reaches.
    #[test]
    fn attention_of_a_row_alone_equals_its_row_in_a_batch() {
        let (params, layer) = build(7, 4);
        let tape = Tape::new();
        let weights = params.bind(&tape);
        let (states, h) = (tape.constant(wave([3, 2, 4], 0.2)), tape.constant(wave([5, 2, 4], 0.4)));
        let tokens = Tensor::from([[1, 2], [3, 6], [4, 6]]);
        let both = layer.forward(weights, h, layer.read(weights, &tokens, states, &[3, 2])).value();
        let (tokens, states) = (tokens.slice(0, 0..2).slice(1, 1..2), states.slice(0, 0..2).slice(1, 1..2));
        let alone = layer.forward(weights, h.slice(1, 1..2), layer.read(weights, &tokens, states, &[2]));
        assert_near("f", &alone.value(), &both.slice(1, 1..2).to_vec());
    }

    #[track_caller]
    fn assert_panics_with(words: &str, work: impl FnOnce()) {
        let panic = catch_unwind(AssertUnwindSafe(work)).expect_err(words);
        assert_eq!(panic.downcast_ref::<String>().map(|text| &**text), Some(words));
    }

    #[test]
    fn attention_read_wrong_shapes_or_lengths_panic_in_words() {
        let (params, layer) = build(7, 4);
        let tape = Tape::new();
        let weights: W<'_> = params.bind(&tape);
        let read = |tokens: &[usize], states: &[usize], lengths: &[usize]| {
            _ = layer.read(weights, &Tensor::zeros(tokens), tape.constant(Tensor::zeros(states)), lengths);
        };
        read(&[3, 2], &[3, 2, 4], &[3, 1]);
        let shapes: [(&[usize], &[usize], usize); 8] = [
            (&[3], &[3, 2, 4], 2),
            (&[3, 2], &[3, 4], 2),
            (&[3, 2], &[2, 3, 4], 2),
            (&[3, 2], &[3, 1, 4], 2),
            (&[3, 2], &[3, 2, 5], 2),
            (&[3, 2], &[3, 2, 1], 2),
            (&[3, 2], &[3, 2, 4], 3),
            (&[0, 2], &[0, 2, 4], 2),
        ];
        for (tokens, states, rows) in shapes {
            let words = format!(
                "attention: tokens {}, states {}, embedding [7, 4], {rows} lengths: they must be [L, B], [L, B, H], \
                 [V, H] and B, with L ≥ 1",
                tensor::Shape::new(tokens),
                tensor::Shape::new(states)
            );
            assert_panics_with(&words, || read(tokens, states, &vec![1; rows]));
        }
        for (lengths, row, length) in [([0, 3], 0, 0), ([3, 4], 1, 4)] {
            let words = format!("attention: row {row} of tokens [3, 2] has length {length}: it must be from 1 to 3");
            assert_panics_with(&words, || read(&[3, 2], &[3, 2, 4], &lengths));
        }
    }

    #[test]
    fn attention_forward_wrong_shapes_panic_in_words() {
        let (params, layer) = build(7, 4);
        let tape = Tape::new();
        let weights: W<'_> = params.bind(&tape);
        let zeros = |shape: &[usize]| tape.constant(Tensor::zeros(shape));
        let call = |h: &[usize], keys: &[usize], mask: Option<&[usize]>| {
            let read = Keys { keys: zeros(keys), mask: mask.map(zeros) };
            assert_eq!(layer.weights(weights, zeros(h), read).shape()[..], [keys[0], h[0], keys[1]]);
            assert_eq!(layer.forward(weights, zeros(h), read).shape()[..], *h);
        };
        call(&[5, 2, 4], &[2, 3, 4], Some(&[2, 1, 3]));
        call(&[0, 2, 4], &[2, 3, 4], None);
        call(&[5, 0, 4], &[0, 3, 4], None);
        let shapes: [[&[usize]; 2]; 7] = [
            [&[2, 4], &[2, 3, 4]],
            [&[5, 2, 4], &[3, 4]],
            [&[5, 1, 4], &[2, 3, 4]],
            [&[5, 2, 4], &[1, 3, 4]],
            [&[5, 2, 1], &[2, 3, 4]],
            [&[5, 2, 3], &[2, 3, 3]],
            [&[5, 2, 4], &[2, 0, 4]],
        ];
        for [h, keys] in shapes {
            let words = format!(
                "attention: states {}, keys {}, query weight [4, 4]: they must be [T, B, H], [B, L, H], [H, H], with L ≥ 1",
                tensor::Shape::new(h),
                tensor::Shape::new(keys)
            );
            assert_panics_with(&words, || call(h, keys, None));
        }
        for mask in [&[2, 3][..], &[2, 1, 1], &[1, 1, 3], &[2, 5, 3]] {
            let mask_shape = tensor::Shape::new(mask);
            let words = format!("attention: keys [2, 3, 4], mask {mask_shape}: they must be [B, L, H], [B, 1, L]");
            assert_panics_with(&words, || call(&[5, 2, 4], &[2, 3, 4], Some(mask)));
        }
    }
}
