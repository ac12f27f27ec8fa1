//! A function over any scalar, so that it can run on numbers and on duals: what gradient checks and derivatives take.

use tensor::{Dual, Real};

use crate::tape::Tape;
use crate::var::Var;

/// What a closure cannot be: a function of tensors that is generic in its scalar. [`function!`](crate::function) writes
/// an implementation for a single expression.
pub trait Function {
    /// Records the function of `x` on `tape`.
    fn call<'t, T: Real>(&self, tape: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T>;
}

/// A [`Function`] behind a pointer, for tables of them: one method for each scalar that checks and derivatives run
/// on. Every [`Function`] is one.
pub trait Overloaded {
    /// Records the function on single-precision numbers.
    fn on_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32>;

    /// Records the function on numbers.
    fn on_numbers<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64>;

    /// Records the function on numbers with a tangent.
    fn on_duals<'t>(&self, tape: &'t Tape<Dual<f64>>, x: &[Var<'t, Dual<f64>>]) -> Var<'t, Dual<f64>>;

    /// Records the function on duals with a tangent, for second derivatives.
    fn on_duals_of_duals<'t>(
        &self,
        tape: &'t Tape<Dual<Dual<f64>>>,
        x: &[Var<'t, Dual<Dual<f64>>>],
    ) -> Var<'t, Dual<Dual<f64>>>;
}

impl<F: Function> Overloaded for F {
    fn on_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32> {
        self.call(tape, x)
    }

    fn on_numbers<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        self.call(tape, x)
    }

    fn on_duals<'t>(&self, tape: &'t Tape<Dual<f64>>, x: &[Var<'t, Dual<f64>>]) -> Var<'t, Dual<f64>> {
        self.call(tape, x)
    }

    fn on_duals_of_duals<'t>(
        &self,
        tape: &'t Tape<Dual<Dual<f64>>>,
        x: &[Var<'t, Dual<Dual<f64>>>],
    ) -> Var<'t, Dual<Dual<f64>>> {
        self.call(tape, x)
    }
}

/// A [`Function`](crate::Function) written like a closure: `|x| …` or `|tape, x| …`, after a list of what it
/// captures, with types. The scalar is called `T`.
///
/// ```
/// use autograd::{function, gradcheck};
/// use tensor::{Real, Tensor};
///
/// let index = Tensor::from([2, 0, 2]);
/// let f = function!([index: Tensor<u32>] |x| x[0].embedding(index).scale(T::of(0.5)));
/// gradcheck::duals(&f, &[Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])]).assert_ok();
/// ```
#[macro_export]
macro_rules! function {
    ($([$($name:ident: $type:ty),* $(,)?])? |$x:pat_param| $body:expr) => {
        $crate::function!($([$($name: $type),*])? |_, $x| $body)
    };
    ($([$($name:ident: $type:ty),* $(,)?])? |$tape:pat_param, $x:pat_param| $body:expr) => {{
        struct Captured {
            $($($name: $type,)*)?
        }
        impl $crate::Function for Captured {
            fn call<'t, T: $crate::Real>(
                &self,
                $tape: &'t $crate::Tape<T>,
                $x: &[$crate::Var<'t, T>],
            ) -> $crate::Var<'t, T> {
                let Self { $($($name,)*)? } = self;
                $body
            }
        }
        Captured { $($($name,)*)? }
    }};
}
