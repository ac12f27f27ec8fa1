//! The matrix product; either operand can be transposed. Of two batches of matrices it is the product of each pair.
//!
//! - Forward: y\[M,N\] = a\[M,K\] · b\[K,N\] (nn), a\[M,K\] · b\[N,K\]ᵀ (nt), or a\[K,M\]ᵀ · b\[K,N\] (tn). With a batch axis B before
//!   the others in a, b and y, it holds for each matrix of the batch, and so do the gradients.
//! - Backward: nn: da += dy·bᵀ, db += aᵀ·dy. nt: da += dy·b, db += dyᵀ·a. tn: da += b·dyᵀ, db += a·dy.
//!   Keeps both inputs. Transposes are never copied.
//! - Why: ⟨dy, δa·b⟩ = tr(dyᵀ·δa·b) = tr((dy·bᵀ)ᵀ·δa) = ⟨dy·bᵀ, δa⟩, and likewise for b.
//! - Cost: 2·M·N·K flops forward for each matrix, twice that backward.
//! - Reference: M. Giles, "Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic
//!   Differentiation" (2008), section 2.2.2.

use tensor::{Form, Real};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct MatMul {
    form: Form,
}

impl<T: Real> Var<'_, T> {
    /// Computes y = a\[M,K\] · b\[K,N\], with a = self; for a\[B,M,K\] and b\[B,K,N\] the B products y\[B,M,N\].
    ///
    /// Gradients: da += dy·bᵀ, db += aᵀ·dy; derived in [`ops::matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// If the operands are neither two matrices nor two batches of equal length, or if the inner extents differ.
    #[track_caller]
    pub fn matmul(self, b: Self) -> Self {
        self.matmul_in_form(Form::NN, b)
    }

    /// Computes y = a\[M,K\] · b\[N,K\]ᵀ, with a = self; for a\[B,M,K\] and b\[B,N,K\] the B products y\[B,M,N\].
    ///
    /// Gradients: da += dy·b, db += dyᵀ·a; derived in [`ops::matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// If the operands are neither two matrices nor two batches of equal length, or if the inner extents differ.
    #[track_caller]
    pub fn matmul_nt(self, b: Self) -> Self {
        self.matmul_in_form(Form::NT, b)
    }

    /// Computes y = a\[K,M\]ᵀ · b\[K,N\], with a = self; for a\[B,K,M\] and b\[B,K,N\] the B products y\[B,M,N\].
    ///
    /// Gradients: da += b·dyᵀ, db += a·dy; derived in [`ops::matmul`](crate::ops::matmul).
    ///
    /// # Panics
    /// If the operands are neither two matrices nor two batches of equal length, or if the inner extents differ.
    #[track_caller]
    pub fn matmul_tn(self, b: Self) -> Self {
        self.matmul_in_form(Form::TN, b)
    }

    #[track_caller]
    fn matmul_in_form(self, form: Form, b: Self) -> Self {
        form.product_shape(self.shape(), b.shape()); // panics at the caller
        self.tape.record(Op::MatMul(MatMul { form }), &[self, b])
    }
}

impl<T: Real> Operation<T> for MatMul {
    const NAME: &'static str = "matmul";

    fn arguments(&self) -> alloc::string::String {
        alloc::format!("form={:?}", self.form)
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        let (kernels, a, b) = (f.kernels(), f.input(0), f.input(1));
        let y = f.output(self.form.product_shape(a.shape(), b.shape()));
        self.form.multiply(kernels, [a, b], false, y);
    }

    fn backward(&self, back: &mut Backward<'_, T>) {
        let (kernels, a, b, dy) = (back.kernels(), back.input(0), back.input(1), back.dy());
        if let Some((da, add)) = back.grad_uninit(0) {
            match self.form {
                Form::NN => Form::NT.multiply(kernels, [dy, b], add, da),
                Form::NT => Form::NN.multiply(kernels, [dy, b], add, da),
                Form::TN => Form::NT.multiply(kernels, [b, dy], add, da),
            }
        }
        if let Some((db, add)) = back.grad_uninit(1) {
            match self.form {
                Form::NN => Form::TN.multiply(kernels, [a, dy], add, db),
                Form::NT => Form::TN.multiply(kernels, [dy, a], add, db),
                Form::TN => Form::NN.multiply(kernels, [a, dy], add, db),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::string::String;

    use tensor::{Form, Tensor};

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

    /// Each product of a batch equals the product of its matrices, in all forms.
    #[test]
    fn matmul_of_batches_equals_the_product_of_each_pair() {
        let tape = Tape::new();
        let [a, b] = [[2, 3, 4], [2, 4, 5]].map(|shape| tape.input(Tensor::from_fn(shape, |i| (i as f64).sin())));
        let [at, bt] = [a, b].map(|x| x.permute(&[0, 2, 1]));
        for y in [a.matmul(b), a.matmul_nt(bt), at.matmul_tn(b)] {
            assert_eq!(y.shape()[..], [2, 3, 5]);
            for i in 0..2 {
                assert_eq!(y.select(0, i).value(), a.select(0, i).matmul(b.select(0, i)).value());
            }
        }
        assert_eq!(a.value().matmul(&b.value()), a.matmul(b).value());
        assert_eq!(a.slice(0, 0..0).matmul(b.slice(0, 0..0)).shape()[..], [0, 3, 5]);
    }

    /// Asserts that the product of variables and, for `Form::NN`, the product of tensors panics with these words.
    #[track_caller]
    fn assert_panics_with(words: &str, form: Form, shapes: [&[usize]; 2]) {
        let [a, b] = shapes.map(Tensor::<f32>::zeros);
        let tape = Tape::new();
        let [x, y] = [&a, &b].map(|x| tape.input(x.clone()));
        let of_variables = || match form {
            Form::NN => _ = x.matmul(y),
            Form::NT => _ = x.matmul_nt(y),
            Form::TN => _ = x.matmul_tn(y),
        };
        let of_tensors = || _ = a.matmul(&b);
        let products: [&dyn Fn(); 2] = [&of_variables, if form == Form::NN { &of_tensors } else { &of_variables }];
        for product in products {
            let panic = catch_unwind(AssertUnwindSafe(product)).expect_err("the shapes do not fit");
            assert_eq!(panic.downcast_ref::<String>().map(|text| &**text), Some(words));
        }
    }

    #[test]
    fn matmul_wrong_shapes_panic_in_words_for_variables_and_tensors() {
        let inner = "matmul: the inner sizes of";
        let (same, turned) = ([&[2, 3][..], &[2, 3]], [&[2, 3][..], &[3, 2]]);
        assert_panics_with(&format!("{inner} [2, 3] · [2, 3] must agree: 3 is not 2"), Form::NN, same);
        assert_panics_with(&format!("{inner} [2, 3] · [3, 2]ᵀ must agree: 3 is not 2"), Form::NT, turned);
        assert_panics_with(&format!("{inner} [2, 3]ᵀ · [3, 2] must agree: 2 is not 3"), Form::TN, turned);
        let batches = [&[2, 3, 4][..], &[2, 5, 4]];
        assert_panics_with(&format!("{inner} [2, 3, 4] · [2, 5, 4] must agree: 4 is not 5"), Form::NN, batches);
        let rule = "matmul takes two matrices, or two batches of matrices of equal length, not";
        let hint = "; reshape [2, 3, 4] to [6, 4] to multiply each by one matrix";
        let one = [&[2, 3, 4][..], &[4, 5]];
        assert_panics_with(&format!("{rule} [2, 3, 4] and [4, 5]{hint}"), Form::NN, one);
        assert_panics_with(&format!("{rule} [2, 3, 4] and [5, 4]{hint}"), Form::NT, [&[2, 3, 4], &[5, 4]]);
        assert_panics_with(&format!("{rule} [2, 3, 4] and [4, 5]"), Form::NT, one); // reshaped, 4 would not be 5
        assert_panics_with(&format!("{rule} [2, 3, 4] and [4, 5]"), Form::TN, one);
        assert_panics_with(&format!("{rule} [2, 3, 4] and [3, 4, 5]"), Form::NN, [&[2, 3, 4], &[3, 4, 5]]);
        assert_panics_with(&format!("{rule} [3] and [3, 2]"), Form::NN, [&[3], &[3, 2]]);
    }
}
