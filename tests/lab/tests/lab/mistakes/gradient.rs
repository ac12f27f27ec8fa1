//! The operation behind every wrong rule. It has the value of one function and the gradient of another.

use std::sync::Arc;

use autograd::{Backward, CustomOp, Forward, Var};
use tensor::{Map, Real, Tensor};

/// A function that changes a gradient. Its first argument says for each input whether it needs a gradient.
type Edit = Arc<dyn Fn(&[bool], &mut [f64]) + Send + Sync>;

/// An operation whose value is its first input. Its backward edits the cotangent, then adds or stores it in the last gradient.
#[derive(Default)]
struct Override {
    edit: Option<Edit>,
    stored: bool,
}

impl<T: Real> CustomOp<T> for Override {
    fn name(&self) -> &str {
        "override"
    }

    fn forward(&self, f: &mut Forward<'_, T>) {
        assert_eq!(f.shape(0), f.shape(f.arity() - 1), "the other function has another shape");
        let (kernels, x) = (f.kernels(), f.input(0));
        kernels.map(Map::Identity, x, f.output(x.shape()));
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        let (kernels, mut dy) = (b.kernels(), Tensor::new(b.dy().shape(), b.dy().to_vec()));
        if let Some(edit) = &self.edit {
            let wanted: Vec<bool> = (0..b.arity()).map(|k| b.needs_grad(k)).collect();
            let mut numbers: Vec<f64> = dy.to_vec().into_iter().map(T::value).collect();
            edit(&wanted, &mut numbers);
            dy = Tensor::new(dy.shape(), numbers.into_iter().map(T::from_f64).collect());
        }
        b.grad(0); // an input without another gradient gets zero instead of none
        if let Some(mut dx) = b.grad(b.arity() - 1) {
            if self.stored {
                dx.reborrow().fill(T::zero());
            }
            kernels.sum_to(T::one(), dy.view(), dx);
        }
    }
}

/// Returns `value` with the gradient of `other`.
pub(crate) fn override_gradient<'t, T: Real>(value: Var<'t, T>, other: Var<'t, T>) -> Var<'t, T> {
    value.tape().custom(Override::default(), &[value, other])
}

/// Returns x and edits its gradient. The tangents of the gradient are lost.
pub(crate) fn edit_gradient<T: Real>(x: Var<'_, T>, edit: impl Fn(&mut [f64]) + Send + Sync + 'static) -> Var<'_, T> {
    let edit: Edit = Arc::new(move |_, dy| edit(dy));
    x.tape().custom(Override { edit: Some(edit), stored: false }, &[x])
}

/// Returns x and multiplies its gradient by a factor.
pub(crate) fn scale_gradient<T: Real>(x: Var<'_, T>, factor: f64) -> Var<'_, T> {
    edit_gradient(x, move |dy| dy.iter_mut().for_each(|dy| *dy *= factor))
}

/// Returns x and stores its gradient in place of the sum over all uses: `=` for `+=`.
pub(crate) fn store_gradient<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    x.tape().custom(Override { edit: None, stored: true }, &[x])
}

/// Returns y and doubles its gradient if one of the operands is a constant.
pub(crate) fn double_beside_constants<'t, T: Real>(y: Var<'t, T>, operands: [Var<'t, T>; 2]) -> Var<'t, T> {
    let edit: Edit = Arc::new(|wanted, dy| {
        if !(wanted[1] && wanted[2]) {
            dy.iter_mut().for_each(|dy| *dy *= 2.0);
        }
    });
    y.tape().custom(Override { edit: Some(edit), stored: false }, &[y, operands[0], operands[1], y])
}

/// Returns x with its tangent, but without a gradient.
pub(crate) fn block_gradient<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    override_gradient(x, x.tape().constant(Tensor::zeros(x.shape())))
}

/// Returns a function of x with the gradient `slope`·dy. The slope is a constant.
pub(crate) fn sloped<'t, T: Real>(slope: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    slope.detach() * x
}

/// Returns 1 − x.
pub(crate) fn one_minus<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    (-x).shift(T::one())
}

/// Broadcasts x to rows and multiplies each row by a number.
pub(crate) fn scale_rows<'t, T: Real>(x: Var<'t, T>, factors: &[f64]) -> Var<'t, T> {
    x * x.tape().constant(Tensor::from_fn([factors.len(), 1], |i| T::from_f64(factors[i])))
}
