//! Losses, composed of operations.

use tensor::{Real, Tensor};

use crate::var::Var;

impl<T: Real> Var<'_, T> {
    /// Computes the mean squared error Σ (y − t)² / n over all n elements, as a scalar, for y = self and the targets t.
    ///
    /// A subtraction, a [`square`](Self::square) and a [`mean`](Self::mean); both operands get a gradient. The mean of no
    /// elements is NaN, as in PyTorch.
    ///
    /// # Panics
    /// If the shapes differ. They do not broadcast, because the mean would then be over other elements than the targets.
    #[track_caller]
    pub fn mse(self, targets: Self) -> Self {
        let (y, t) = (self.shape(), targets.shape());
        assert!(y == t, "mse: predictions {y} and targets {t} must have the same shape");
        (self - targets).square().mean()
    }

    /// Computes the cross-entropy −ln softmax(x)\[target\] of each row of logits x\[…,C\], and returns the mean over the rows, as
    /// a scalar. Each of the `targets`\[…\] is the index of a class.
    ///
    /// A [`log_softmax`](Self::log_softmax), a [`gather`](Self::gather), a [`mean`](Self::mean) and a negation. The mean over
    /// no rows is NaN, as in PyTorch.
    ///
    /// ```
    /// # use autograd::Tape;
    /// # use tensor::Tensor;
    /// let tape = Tape::<f64>::new();
    /// let logits = tape.input(Tensor::from([[0.0, 0.0], [1.0, 1.0]]));
    /// let loss = logits.cross_entropy(&Tensor::from([1, 0]));
    /// assert!((loss.value().item() - 2.0_f64.ln()).abs() < 1e-15);
    /// loss.backward()?;
    /// println!("{}", logits.grad().unwrap()); // (softmax(x) − onehot(target)) / rows: [[0.25, -0.25], [-0.25, 0.25]]
    /// # Ok::<(), autograd::Unreached>(())
    /// ```
    ///
    /// # Panics
    /// If the targets do not have the shape of the logits without the last axis, or if a target is not a class.
    #[track_caller]
    pub fn cross_entropy(self, targets: &Tensor<u32>) -> Self {
        let (logits, given) = (self.shape(), targets.shape());
        let classes = logits.last_extent();
        assert!(classes > 0 && logits.rank() > 0, "cross_entropy: logits {logits} have no classes");
        let last = logits.rank() - 1;
        let wanted = logits.without_axis(last);
        assert!(given == wanted, "cross_entropy: logits {logits} need one target for each row, {wanted}, not {given}");
        if let Some((at, target)) = targets.find(|target| target as usize >= classes) {
            panic!("cross_entropy: target {target} at {at:?} is not below {classes}, the number of classes");
        }
        -self.log_softmax().gather(&targets.reshape(logits.with_extent(last, 1))).mean()
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;
    use crate::testing::check_against_differences;

    /// −ln(e^(x_t) / Σ e^x), one row at a time.
    fn naive_cross_entropy(rows: &[[f64; 3]], targets: &[u32]) -> f64 {
        let row = |(x, &t): (&[f64; 3], &u32)| -(x[t as usize].exp() / x.iter().map(|x| x.exp()).sum::<f64>()).ln();
        rows.iter().zip(targets).map(row).sum::<f64>() / rows.len() as f64
    }

    #[test]
    fn cross_entropy_matches_a_plain_loop_and_differences() {
        let (rows, targets) = ([[0.5, -1.0, 2.0], [3.0, 0.0, -0.5]], [1, 0]);
        let (logits, index) = (Tensor::from(rows), Tensor::from(targets));
        let y = Tape::<f64>::new().input(logits.clone()).cross_entropy(&index).value().item();
        assert!((y - naive_cross_entropy(&rows, &targets)).abs() < 1e-15, "{y}");
        check_against_differences(core::slice::from_ref(&logits), |x| x[0].cross_entropy(&index));
        let batch = [logits.reshape([1, 2, 3])];
        check_against_differences(&batch, |x| x[0].cross_entropy(&index.reshape([1, 2])));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: logits [2, 3] need one target for each row, [2], not [2, 1]")]
    fn cross_entropy_targets_of_another_shape_panic() {
        let _ = Tape::<f32>::new().input(Tensor::zeros([2, 3])).cross_entropy(&Tensor::from([[0], [1]]));
    }

    #[test]
    #[should_panic(expected = "cross_entropy: target 3 at [1] is not below 3, the number of classes")]
    fn cross_entropy_target_that_is_no_class_is_named_with_its_place() {
        let _ = Tape::<f32>::new().input(Tensor::zeros([2, 3])).cross_entropy(&Tensor::from([0, 3]));
    }

    #[test]
    fn losses_of_no_rows_are_nan() {
        let tape = Tape::<f32>::new();
        let x = tape.input(Tensor::zeros([0, 3]));
        assert!(x.mse(x).value().item().is_nan());
        assert!(x.cross_entropy(&Tensor::zeros([0])).value().item().is_nan());
    }

    #[test]
    fn mse_matches_a_plain_loop_and_differences() {
        let (y, t) = (Tensor::from([[1.0, 2.0], [3.0, -4.0]]), Tensor::from([[0.0, 2.5], [3.0, 1.0]]));
        let tape = Tape::<f64>::new();
        let error = tape.input(y.clone()).mse(tape.constant(t.clone())).value().item();
        assert_eq!(error, (1.0 + 0.25 + 0.0 + 25.0) / 4.0);
        check_against_differences(&[y, t], |x| x[0].mse(x[1]));
    }

    #[test]
    #[should_panic(expected = "mse: predictions [2, 1] and targets [2] must have the same shape")]
    fn mse_shapes_that_would_broadcast_panic() {
        let tape = Tape::<f64>::new();
        let _ = tape.input(Tensor::zeros([2, 1])).mse(tape.input(Tensor::zeros([2])));
    }
}
