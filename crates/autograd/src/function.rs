//! Functions that are generic in the scalar, so that they run on numbers and on duals. Gradient checks and derivatives take
//! them.

use tensor::{Dual, Real};

use crate::tape::Tape;
use crate::var::Var;

/// A function of tensors that is generic in the scalar, which a closure cannot be. [`function!`](crate::function) implements it
/// for a single expression.
pub trait Function {
    /// Records the function of `x` on `tape`.
    fn call<'t, T: Real>(&self, tape: &'t Tape<T>, x: &[Var<'t, T>]) -> Var<'t, T>;
}

/// The object-safe form of [`Function`], with one method for each scalar that checks and derivatives use. Every [`Function`]
/// implements it.
pub trait DynFunction {
    /// Records the function on `f32`.
    fn call_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32>;

    /// Records the function on `f64`.
    fn call_f64<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64>;

    /// Records the function on dual numbers: values with a tangent.
    fn call_dual<'t>(&self, tape: &'t Tape<Dual<f64>>, x: &[Var<'t, Dual<f64>>]) -> Var<'t, Dual<f64>>;

    /// Records the function on duals of duals, for second derivatives.
    fn call_nested_dual<'t>(
        &self,
        tape: &'t Tape<Dual<Dual<f64>>>,
        x: &[Var<'t, Dual<Dual<f64>>>],
    ) -> Var<'t, Dual<Dual<f64>>>;
}

impl<F: Function> DynFunction for F {
    fn call_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32> {
        self.call(tape, x)
    }

    fn call_f64<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        self.call(tape, x)
    }

    fn call_dual<'t>(&self, tape: &'t Tape<Dual<f64>>, x: &[Var<'t, Dual<f64>>]) -> Var<'t, Dual<f64>> {
        self.call(tape, x)
    }

    fn call_nested_dual<'t>(
        &self,
        tape: &'t Tape<Dual<Dual<f64>>>,
        x: &[Var<'t, Dual<Dual<f64>>>],
    ) -> Var<'t, Dual<Dual<f64>>> {
        self.call(tape, x)
    }
}

/// Creates a [`Function`](crate::Function) from a closure-like expression `|x| …` or `|tape, x| …`. A list of the captured
/// variables with their types comes first. The scalar type is `T`.
///
/// ```
/// use autograd::{function, gradcheck};
/// use tensor::{Real, Tensor};
///
/// let index = Tensor::from([2, 0, 2]);
/// let f = function!([index: Tensor<u32>] |x| x[0].embedding(index).scale(T::from_f64(0.5)));
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
