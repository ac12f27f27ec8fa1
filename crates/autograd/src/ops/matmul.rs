//! The matrix product; either operand can be transposed.
//!
//! - Forward: y\[M,N\] = a\[M,K\] · b\[K,N\] (nn), a\[M,K\] · b\[N,K\]ᵀ (nt), or a\[K,M\]ᵀ · b\[K,N\] (tn).
//! - Backward: nn: da += dy·bᵀ, db += aᵀ·dy. nt: da += dy·b, db += dyᵀ·a. tn: da += b·dyᵀ, db += a·dy.
//!   Keeps both inputs. Transposes are never copied.
//! - Why: ⟨dy, δa·b⟩ = tr(dyᵀ·δa·b) = tr((dy·bᵀ)ᵀ·δa) = ⟨dy·bᵀ, δa⟩, and likewise for b.
//! - Cost: 2·M·N·K flops forward, twice that backward.
//! - Reference: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic
//!   Differentiation" (2008), section 2.2.2.

use tensor::{Form, Real};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct MatMul(Form);

impl<T: Real> Var<'_, T> {
    /// Computes y = a\[M,K\] · b\[K,N\], with a = self.
    ///
    /// Gradients: da += dy·bᵀ, db += aᵀ·dy; derived in [`ops::matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// If an operand is not a matrix, or if the inner extents differ.
    #[track_caller]
    pub fn matmul(self, b: Self) -> Self {
        self.matmul_in_form(Form::NN, b)
    }

    /// Computes y = a\[M,K\] · b\[N,K\]ᵀ, with a = self.
    ///
    /// Gradients: da += dy·b, db += dyᵀ·a; derived in [`ops::matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// If an operand is not a matrix, or if the inner extents differ.
    #[track_caller]
    pub fn matmul_nt(self, b: Self) -> Self {
        self.matmul_in_form(Form::NT, b)
    }

    /// Computes y = a\[K,M\]ᵀ · b\[K,N\], with a = self.
    ///
    /// Gradients: da += b·dyᵀ, db += a·dy; derived in [`ops::matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// If an operand is not a matrix, or if the inner extents differ.
    #[track_caller]
    pub fn matmul_tn(self, b: Self) -> Self {
        self.matmul_in_form(Form::TN, b)
    }

    #[track_caller]
    fn matmul_in_form(self, form: Form, b: Self) -> Self {
        let (left, right) = (self.shape(), b.shape());
        assert!(
            left.rank() == 2 && right.rank() == 2 && inner_extents(form, &left).0 == inner_extents(form, &right).1,
            "matmul: {left} and {right} in form {form:?} do not fit together"
        );
        self.tape.record(Op::MatMul(MatMul(form)), &[self, b])
    }
}

/// Returns the inner extent of `shape`, first as the left operand and then as the right one.
fn inner_extents(form: Form, shape: &[usize]) -> (usize, usize) {
    match form {
        Form::NN => (shape[1], shape[0]),
        Form::NT => (shape[1], shape[1]),
        Form::TN => (shape[0], shape[0]),
    }
}

impl<T: Real> Operation<T> for MatMul {
    const NAME: &'static str = "matmul";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("form={:?}", self.0)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, a, b) = (f.kernels(), f.input(0), f.input(1));
        let m = a.shape()[if self.0 == Form::TN { 1 } else { 0 }];
        let n = b.shape()[if self.0 == Form::NT { 0 } else { 1 }];
        kernels.matmul(self.0, a, b, false, f.output([m, n]));
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let (kernels, a, b, dy) = (back.kernels(), back.input(0), back.input(1), back.dy());
        if let Some((da, add)) = back.grad_uninit(0) {
            match self.0 {
                Form::NN => kernels.matmul(Form::NT, dy, b, add, da),
                Form::NT => kernels.matmul(Form::NN, dy, b, add, da),
                Form::TN => kernels.matmul(Form::NT, b, dy, add, da),
            }
        }
        if let Some((db, add)) = back.grad_uninit(1) {
            match self.0 {
                Form::NN => kernels.matmul(Form::TN, a, dy, add, db),
                Form::NT => kernels.matmul(Form::TN, dy, a, add, db),
                Form::TN => kernels.matmul(Form::NN, a, dy, add, db),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::Tape;

    /// The three forms of one product have the same value; their gradients differ by transposes alone.
    #[test]
    fn matmul_three_forms_agree() {
        let a = Tensor::from([[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let b = Tensor::from([[1.0_f64, -1.0], [0.5, 2.0], [3.0, 0.0]]);
        let dy = Tensor::from([[1.0_f64, 10.0], [100.0, 1000.0]]);
        let da = [[-9.0, 20.5, 3.0], [-900.0, 2050.0, 300.0]];
        let db = [[401.0, 4010.0], [502.0, 5020.0], [603.0, 6030.0]];

        let tape = Tape::new();
        let (x, xt) = (tape.input(a.clone()), tape.input(a.transpose()));
        let (w, wt) = (tape.input(b.clone()), tape.input(b.transpose()));
        for (y, x, w) in [(x.matmul(w), x, w), (x.matmul_nt(wt), x, wt), (xt.matmul_tn(w), xt, w)] {
            assert_eq!(y.value(), Tensor::from([[11.0, 3.0], [24.5, 6.0]]));
            y.backward_from(&dy).expect("no parameters");
            let untransposed = |g: Tensor<f64>, shape| if g.shape() == shape { g } else { g.transpose() };
            assert_eq!(untransposed(x.grad().expect("reached"), a.shape()), Tensor::from(da));
            assert_eq!(untransposed(w.grad().expect("reached"), b.shape()), Tensor::from(db));
        }
    }

    #[test]
    #[should_panic(expected = "matmul: [2, 3] and [2, 3] in form NN do not fit together")]
    fn matmul_wrong_shapes_panic_with_both_shapes() {
        let tape = Tape::<f32>::new();
        let a = tape.input(Tensor::zeros([2, 3]));
        let _ = a.matmul(a);
    }
}
