//! A GRU that is read step by step, and recorded afterwards as if it had been read at once.

use tensor::{Kernels, Map, Real, Shape, Tensor, View};

use crate::op::Op;
use crate::ops::gru::{Gru, assert_gru_shapes, step};
use crate::var::Var;

/// What a GRU has computed so far, where its tokens become known one step after the other: who acts on a state decides
/// what is read next.
///
/// [`step`](Self::step) computes what [`Var::gru_of`] would, to the same bytes, and keeps it; when all steps are known,
/// [`Var::gru_scanned`] records them as one node, without computing them again. The buffers go to and fro between
/// scan and tape, so that the next pass of the same shape allocates nothing.
pub struct Scan<T: Real> {
    /// Wᵀ\[H,3H\] and b\[3H\] of this pass.
    weights: [Tensor<T>; 2],
    /// h₀\[B,H\].
    start: Tensor<T>,
    /// h\[T,B,H\] and what the backward needs, \[T,B,4H\].
    computed: [Tensor<T>; 2],
    /// h·Wᵀ\[B,3H\].
    scratch: Tensor<T>,
    steps: usize,
}

impl<T: Real> Default for Scan<T> {
    fn default() -> Self {
        let [a, b, c, d, e, f] = core::array::from_fn(|_| Tensor::zeros([0]));
        Self { weights: [a, b], start: c, computed: [d, e], scratch: f, steps: 0 }
    }
}

impl<T: Real> Scan<T> {
    /// Takes weights w\[3H,H\] and b\[3H\], copied: what follows is computed with them.
    ///
    /// # Panics
    /// If w is no matrix. [`begin`](Self::begin) compares the shapes.
    #[track_caller]
    pub fn load(&mut self, kernels: &dyn Kernels<T>, w: View<T>, b: View<T>) {
        assert!(w.shape().rank() == 2, "scan: the weight {} is no matrix", w.shape());
        let [wt, bias] = &mut self.weights;
        copy(kernels, w.permute(&[1, 0]), wt);
        copy(kernels, b, bias);
    }

    /// Starts from h₀\[B,H\], copied, with the weights that were loaded last.
    ///
    /// # Panics
    /// If no weights were loaded, or their shapes and that of h₀ do not fit together.
    #[track_caller]
    pub fn begin(&mut self, kernels: &dyn Kernels<T>, h0: View<T>) {
        let (h, [wt, b]) = (h0.shape(), self.weights.each_ref().map(Tensor::shape));
        assert!(wt.rank() == 2, "scan: no weights were loaded");
        let gx = Shape::from([h.first().copied().unwrap_or(1), b.size()]); // what each step is to read
        assert_gru_shapes(2, gx, h, Shape::from([wt[1], wt[0]]), b);
        self.steps = 0;
        copy(kernels, h0, &mut self.start);
        placed(kernels, &mut self.scratch).resize(gx);
    }

    /// Reads one step's tokens\[B\], of which table\[V,3H\] has the input part.
    ///
    /// # Panics
    /// If no weights were loaded, the scan began with other shapes, or a token is not a row.
    #[track_caller]
    pub fn step(&mut self, kernels: &dyn Kernels<T>, table: View<T>, tokens: View<u32>) {
        let (batch, hidden) = (self.start.shape()[0], self.start.shape().last_extent());
        let (rows, columns, want) = (tokens.shape(), table.shape(), self.scratch.shape());
        let fits = rows[..] == [want[0]] && columns.rank() == 2 && columns[1] == want[1];
        assert!(fits, "scan: tokens {rows} of a table {columns}, the scan began for input parts {want}");
        let Self { weights: [wt, b], start, computed: [hs, kept], scratch, steps } = self;
        for (buffer, width) in [(&mut *hs, hidden), (&mut *kept, 4 * hidden)] {
            let shape = placed(kernels, buffer).shape();
            if shape.rank() != 3 || shape[1..] != [batch, width] || shape[0] <= *steps {
                buffer.resize([*steps + 1, batch, width]); // what is there already stays
            }
        }
        let (past, now) = hs.view_mut().split_at(*steps);
        let h = if *steps == 0 { start.view() } else { past.view().select(0, *steps - 1) };
        let to = (kept.view_mut().select(0, *steps), now.select(0, 0));
        step(kernels, (table, Some(tokens)), h, (wt.view(), b.view()), scratch.view_mut(), to);
        *steps += 1;
    }

    /// The states after the last `count` steps, \[count,B,H\], copied.
    ///
    /// # Panics
    /// If fewer have been read.
    #[track_caller]
    pub fn last(&self, count: usize) -> Tensor<T> {
        assert!(count <= self.steps, "scan: the last {count} of {} steps", self.steps);
        self.computed[0].slice(0, self.steps - count..self.steps).packed()
    }

    /// The state after the last step, \[B,H\].
    ///
    /// # Panics
    /// If nothing has been read.
    #[track_caller]
    pub fn state(&self) -> View<'_, T> {
        assert!(self.steps > 0, "scan: there is no state before the first step is read");
        self.computed[0].view().select(0, self.steps - 1)
    }

    /// How many steps have been read.
    pub fn len(&self) -> usize {
        self.steps
    }

    /// Whether nothing has been read.
    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }
}

fn copy<T: Real>(kernels: &dyn Kernels<T>, from: View<T>, to: &mut Tensor<T>) {
    placed(kernels, to).resize(from.shape());
    kernels.map(Map::Identity, from, to.view_mut());
}

/// A buffer where the kernels compute; what lay elsewhere is left behind.
fn placed<'b, T: Real>(kernels: &dyn Kernels<T>, buffer: &'b mut Tensor<T>) -> &'b mut Tensor<T> {
    if buffer.device() != kernels.device() {
        *buffer = Tensor::empty_on(kernels.device());
    }
    buffer
}

impl<T: Real> Var<'_, T> {
    /// [`gru_of`](Self::gru_of), of tokens that `scan` has read already: from the same table, h0, w and b. (With debug
    /// assertions they are computed again and compared.) The scan is empty afterwards.
    ///
    /// # Panics
    /// If the shapes do not fit together, or the scan has read another number of steps.
    #[track_caller]
    pub fn gru_scanned(self, tokens: &Tensor<u32>, h0: Self, w: Self, b: Self, scan: &mut Scan<T>) -> Self {
        self.assert_gru_of(tokens, h0, w, b);
        let (got, want) = (scan.len(), tokens.shape());
        assert!(got == want[0], "gru_scanned: the scan has read {got} steps of tokens {want}");
        self.tape.record_by(Op::Gru(Gru(Some(tokens.clone()))), &[self, h0, w, b], |_op, f| {
            #[cfg(debug_assertions)]
            _op.forward(f);
            let [hs, kept] = &mut scan.computed;
            let (batch, hidden) = (scan.start.shape()[0], scan.start.shape().last_extent());
            hs.resize([scan.steps, batch, hidden]);
            kept.resize([scan.steps, batch, 4 * hidden]);
            for (theirs, ours) in [(&mut *f.value, hs), (&mut *f.kept, kept)] {
                let theirs = theirs.get_or_insert_with(|| Tensor::empty_on(f.kernels.device()));
                #[cfg(debug_assertions)]
                assert!(alike(theirs, ours), "gru_scanned: the scan read something else than is recorded");
                core::mem::swap(theirs, ours);
            }
            f.has_output = true;
            scan.steps = 0;
        })
    }
}

/// Equal, or neither a number.
#[cfg(debug_assertions)]
fn alike<T: Real>(a: &Tensor<T>, b: &Tensor<T>) -> bool {
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

    fn scanned(scan: &mut Scan<f64>, [table, h0, w, b]: &[Tensor<f64>; 4]) {
        let kernels = f64::kernels();
        scan.load(kernels, w.view(), b.view());
        scan.begin(kernels, h0.view());
        for t in 0..4 {
            scan.step(kernels, table.view(), tokens().view().select(0, t));
        }
        assert_eq!(scan.last(2).shape()[..], [2, 2, 3]);
        assert_eq!(scan.state().to_vec(), scan.last(1).to_vec());
    }

    /// Twice, the second time in the buffers that the first left; values and gradients are those of the fused form.
    #[test]
    fn what_was_read_step_by_step_runs_back_as_one() {
        let (mut tape, mut scan, operands) = (Tape::new(), Scan::default(), operands());
        for _ in 0..2 {
            let mut results = [(); 2].map(|()| None);
            for (scans, result) in results.iter_mut().enumerate() {
                let [table, h0, w, b] = operands.clone().map(|x| tape.input(x));
                let hs = if scans == 1 {
                    scanned(&mut scan, &operands);
                    table.gru_scanned(&tokens(), h0, w, b, &mut scan)
                } else {
                    table.gru_of(&tokens(), h0, w, b)
                };
                hs.square().sum().backward().expect("no parameters");
                *result = Some((hs.value().to_vec(), [table, h0, w, b].map(|x| x.grad().map(|dx| dx.to_vec()))));
                tape.clear();
            }
            assert!(results[0].is_some() && results[0] == results[1]);
            assert!(scan.is_empty());
        }
    }

    #[test]
    #[should_panic(expected = "gru_scanned: the scan has read 4 steps of tokens [3, 2]")]
    fn another_number_of_steps_is_named() {
        let (tape, mut scan, operands) = (Tape::new(), Scan::default(), operands());
        scanned(&mut scan, &operands);
        let [table, h0, w, b] = operands.map(|x| tape.input(x));
        table.gru_scanned(&tokens().slice(0, 0..3), h0, w, b, &mut scan);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "the scan read something else than is recorded")]
    fn other_weights_are_noticed() {
        let (tape, mut scan, mut operands) = (Tape::new(), Scan::default(), operands());
        scanned(&mut scan, &operands);
        operands[3] = Tensor::zeros([9]);
        let [table, h0, w, b] = operands.map(|x| tape.input(x));
        table.gru_scanned(&tokens(), h0, w, b, &mut scan);
    }

    #[test]
    #[should_panic(expected = "scan: there is no state before the first step is read")]
    fn without_a_step_there_is_no_state() {
        let (mut scan, [_, h0, w, b]) = (Scan::default(), operands());
        scan.load(f64::kernels(), w.view(), b.view());
        scan.begin(f64::kernels(), h0.view());
        scan.state();
    }

    #[test]
    #[should_panic(expected = "scan: tokens [2] of a table [5, 8], the scan began for input parts [2, 9]")]
    fn another_width_is_named() {
        let (mut scan, operands) = (Scan::default(), operands());
        scanned(&mut scan, &operands);
        scan.step(f64::kernels(), Tensor::zeros([5, 8]).view(), Tensor::from([0, 1]).view());
    }
}
