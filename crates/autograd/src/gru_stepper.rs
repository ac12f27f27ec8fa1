//! A GRU computed step by step, and recorded afterwards as one node.

use tensor::{Kernels, Map, Real, Shape, Tensor, View};

use crate::op::Op;
use crate::ops::gru::{Gru, assert_gru_shapes, gru_step};
use crate::var::Var;

/// The states of a GRU whose tokens become known one step at a time: an agent acts on a state, and its action decides the next
/// token.
///
/// [`step`](Self::step) computes and stores the same bytes as [`Var::embedding_gru`]. When all steps are known,
/// [`Var::embedding_gru_from_steps`] records them as one node without computing them again. It swaps buffers between the
/// stepper and the tape, so that the next pass of the same shapes allocates nothing.
#[derive(Clone, Debug)]
pub struct GruStepper<T: Real> {
    /// W_hhᵀ\[H,3H\] and b_hh\[3H\] of this pass.
    weights: [Tensor<T>; 2],
    /// h₀\[B,H\].
    h0: Tensor<T>,
    /// The states h\[T,B,H\], and the buffer \[T,B,4H\] that the backward needs.
    computed: [Tensor<T>; 2],
    /// h_prev·W_hhᵀ\[B,3H\].
    hw: Tensor<T>,
    steps: usize,
}

impl<T: Real> Default for GruStepper<T> {
    fn default() -> Self {
        let [a, b, c, d, e, f] = core::array::from_fn(|_| Tensor::zeros([0]));
        Self { weights: [a, b], h0: c, computed: [d, e], hw: f, steps: 0 }
    }
}

impl<T: Real> GruStepper<T> {
    /// Copies the recurrent weights w_hh\[3H,H\] and b_hh\[3H\]. The following steps use them.
    ///
    /// # Panics
    /// If w_hh is not a matrix. [`begin`](Self::begin) compares the shapes.
    #[track_caller]
    pub fn load(&mut self, kernels: &dyn Kernels<T>, w_hh: View<T>, b_hh: View<T>) {
        assert!(w_hh.shape().rank() == 2, "GruStepper: the weight {} is not a matrix", w_hh.shape());
        let [weight, bias] = &mut self.weights;
        copy(kernels, w_hh.permute(&[1, 0]), weight);
        copy(kernels, b_hh, bias);
    }

    /// Starts a pass with the loaded weights, and copies its initial state h₀\[B,H\].
    ///
    /// # Panics
    /// If no weights were loaded, or if their shapes do not fit the shape of h₀.
    #[track_caller]
    pub fn begin(&mut self, kernels: &dyn Kernels<T>, h0: View<T>) {
        let (h, [w_hh_t, b_hh]) = (h0.shape(), self.weights.each_ref().map(Tensor::shape));
        assert!(w_hh_t.rank() == 2, "GruStepper: no weights were loaded");
        let gx = Shape::from([h.first().copied().unwrap_or(1), b_hh.size()]); // the input part of each step
        assert_gru_shapes(2, gx, h, Shape::from([w_hh_t[1], w_hh_t[0]]), b_hh);
        self.steps = 0;
        copy(kernels, h0, &mut self.h0);
        on_device(kernels, &mut self.hw).resize(gx);
    }

    /// Computes one step for tokens\[B\]. Their rows of table\[V,3H\] are gx, the input part of the gates.
    ///
    /// # Panics
    /// If no weights were loaded, if the shapes do not fit those of [`begin`](Self::begin), or if a token is not a row of the
    /// table.
    #[track_caller]
    pub fn step(&mut self, kernels: &dyn Kernels<T>, table: View<T>, tokens: View<u32>) {
        let (batch, hidden_size) = (self.h0.shape()[0], self.h0.shape().last_extent());
        let (rows, columns, gx) = (tokens.shape(), table.shape(), self.hw.shape());
        let fits = rows[..] == [gx[0]] && columns.rank() == 2 && columns[1] == gx[1];
        assert!(fits, "GruStepper: tokens {rows} of a table {columns} do not give the input part {gx} of this pass");
        let Self { weights: [w_hh_t, b_hh], h0, computed: [states, kept], hw, steps } = self;
        for (buffer, columns) in [(&mut *states, hidden_size), (&mut *kept, 4 * hidden_size)] {
            let shape = on_device(kernels, buffer).shape();
            if shape.rank() != 3 || shape[1..] != [batch, columns] || shape[0] <= *steps {
                buffer.resize([*steps + 1, batch, columns]); // keeps the steps already in it
            }
        }
        let (past, now) = states.view_mut().split_at(*steps);
        let h_prev = if *steps == 0 { h0.view() } else { past.view().select(0, *steps - 1) };
        let outputs = (kept.view_mut().select(0, *steps), now.select(0, 0));
        let weights = (w_hh_t.view(), b_hh.view());
        gru_step(kernels, (table, Some(tokens)), h_prev, weights, hw.view_mut(), outputs);
        *steps += 1;
    }

    /// Returns the state after the last step, \[B,H\].
    ///
    /// # Panics
    /// If no step has been computed.
    #[track_caller]
    pub fn state(&self) -> View<'_, T> {
        assert!(self.steps > 0, "GruStepper: no step has been computed");
        self.computed[0].view().select(0, self.steps - 1)
    }

    /// Returns the number of computed steps.
    pub fn len(&self) -> usize {
        self.steps
    }

    /// Returns true if no step has been computed.
    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }
}

fn copy<T: Real>(kernels: &dyn Kernels<T>, from: View<T>, to: &mut Tensor<T>) {
    on_device(kernels, to).resize(from.shape());
    kernels.map(Map::Identity, from, to.view_mut());
}

/// Returns the buffer, replaced by an empty one on the kernels' device if it is on another device.
fn on_device<'b, T: Real>(kernels: &dyn Kernels<T>, buffer: &'b mut Tensor<T>) -> &'b mut Tensor<T> {
    if buffer.device() != kernels.device() {
        *buffer = Tensor::empty_on(kernels.device());
    }
    buffer
}

impl<T: Real> Var<'_, T> {
    /// Records [`embedding_gru`](Self::embedding_gru) for tokens that `stepper` has computed from the same table, h0, w_hh and
    /// b_hh. With debug assertions, the states are computed again and compared. The stepper is empty afterwards.
    ///
    /// # Panics
    /// If the shapes do not fit together, or if the stepper has computed another number of steps.
    #[track_caller]
    pub fn embedding_gru_from_steps(
        self,
        tokens: &Tensor<u32>,
        h0: Self,
        w_hh: Self,
        b_hh: Self,
        stepper: &mut GruStepper<T>,
    ) -> Self {
        self.assert_embedding_gru_shapes(tokens, h0, w_hh, b_hh);
        let (got, want) = (stepper.len(), tokens.shape());
        assert!(got == want[0], "embedding_gru_from_steps: {got} steps were computed, the tokens are {want}");
        self.tape.record_with(Op::Gru(Gru(Some(tokens.clone()))), &[self, h0, w_hh, b_hh], |_op, f| {
            #[cfg(debug_assertions)]
            _op.forward(f);
            let [states, kept] = &mut stepper.computed;
            let (batch, hidden_size) = (stepper.h0.shape()[0], stepper.h0.shape().last_extent());
            states.resize([stepper.steps, batch, hidden_size]);
            kept.resize([stepper.steps, batch, 4 * hidden_size]);
            for (on_tape, computed) in [(&mut *f.value, states), (&mut *f.kept, kept)] {
                let on_tape = on_tape.get_or_insert_with(|| Tensor::empty_on(f.kernels.device()));
                #[cfg(debug_assertions)]
                assert!(
                    is_equal(on_tape, computed),
                    "embedding_gru_from_steps: the steps were computed from other inputs"
                );
                on_tape.resize(computed.shape()); // so that the next pass finds a buffer of this size
                core::mem::swap(on_tape, computed);
            }
            f.has_output = true;
            stepper.steps = 0;
        })
    }
}

/// True if the shapes are equal, and all elements are equal or both NaN.
#[cfg(debug_assertions)]
fn is_equal<T: Real>(a: &Tensor<T>, b: &Tensor<T>) -> bool {
    a.shape() == b.shape()
        && a.to_vec().iter().zip(b.to_vec()).all(|(&a, b)| a == b || a.value().is_nan() && b.value().is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    fn wave(phase: f64) -> impl FnMut(usize) -> f64 {
        move |i| (phase + 1.7 * i as f64).sin()
    }

    fn operands() -> [Tensor<f64>; 4] {
        let (table, h0) = (Tensor::from_fn([5, 9], wave(0.1)), Tensor::from_fn([2, 3], wave(0.2)));
        [table, h0, Tensor::from_fn([9, 3], wave(0.3)), Tensor::from_fn([9], wave(0.4))]
    }

    fn tokens() -> Tensor<u32> {
        Tensor::from([[4, 0], [1, 1], [0, 3], [4, 4]])
    }

    fn compute_steps(stepper: &mut GruStepper<f64>, [table, h0, w_hh, b_hh]: &[Tensor<f64>; 4]) {
        let kernels = f64::kernels();
        stepper.load(kernels, w_hh.view(), b_hh.view());
        stepper.begin(kernels, h0.view());
        for t in 0..4 {
            stepper.step(kernels, table.view(), tokens().view().select(0, t));
        }
    }

    /// The second pass reuses the buffers of the first. Values and gradients equal those of the fused form.
    #[test]
    fn embedding_gru_from_steps_equals_embedding_gru() {
        let (mut tape, mut stepper, operands) = (Tape::new(), GruStepper::default(), operands());
        for _ in 0..2 {
            let mut results = [(); 2].map(|()| None);
            for (by_steps, result) in results.iter_mut().enumerate() {
                let [table, h0, w_hh, b_hh] = operands.clone().map(|x| tape.input(x));
                let states = if by_steps == 1 {
                    compute_steps(&mut stepper, &operands);
                    table.embedding_gru_from_steps(&tokens(), h0, w_hh, b_hh, &mut stepper)
                } else {
                    table.embedding_gru(&tokens(), h0, w_hh, b_hh)
                };
                states.square().sum().backward().expect("no parameters");
                let grads = [table, h0, w_hh, b_hh].map(|x| x.grad().map(|dx| dx.to_vec()));
                *result = Some((states.value().to_vec(), grads));
                tape.clear();
            }
            assert!(results[0].is_some() && results[0] == results[1]);
            assert!(stepper.is_empty());
        }
    }

    #[test]
    #[should_panic(expected = "embedding_gru_from_steps: 4 steps were computed, the tokens are [3, 2]")]
    fn embedding_gru_from_steps_wrong_number_of_steps_panics() {
        let (tape, mut stepper, operands) = (Tape::new(), GruStepper::default(), operands());
        compute_steps(&mut stepper, &operands);
        let [table, h0, w_hh, b_hh] = operands.map(|x| tape.input(x));
        table.embedding_gru_from_steps(&tokens().slice(0, 0..3), h0, w_hh, b_hh, &mut stepper);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "the steps were computed from other inputs")]
    fn embedding_gru_from_steps_other_weights_panics() {
        let (tape, mut stepper, mut operands) = (Tape::new(), GruStepper::default(), operands());
        compute_steps(&mut stepper, &operands);
        operands[3] = Tensor::zeros([9]);
        let [table, h0, w_hh, b_hh] = operands.map(|x| tape.input(x));
        table.embedding_gru_from_steps(&tokens(), h0, w_hh, b_hh, &mut stepper);
    }

    #[test]
    #[should_panic(expected = "GruStepper: no step has been computed")]
    fn gru_stepper_state_before_the_first_step_panics() {
        let (mut stepper, [_, h0, w_hh, b_hh]) = (GruStepper::default(), operands());
        stepper.load(f64::kernels(), w_hh.view(), b_hh.view());
        stepper.begin(f64::kernels(), h0.view());
        stepper.state();
    }

    #[test]
    #[should_panic(
        expected = "GruStepper: tokens [2] of a table [5, 8] do not give the input part [2, 9] of this pass"
    )]
    fn gru_stepper_table_of_another_width_panics() {
        let (mut stepper, operands) = (GruStepper::default(), operands());
        compute_steps(&mut stepper, &operands);
        stepper.step(f64::kernels(), Tensor::zeros([5, 8]).view(), Tensor::from([0, 1]).view());
    }
}
