//! Derivatives of a [`Function`](crate::Function): forward mode, reverse mode, and second derivatives.
//!
//! Dual numbers propagate tangents forward; a tape propagates gradients back. Each function here uses one of them or both. A
//! tape whose scalars are dual numbers gives the tangent of the gradient, H·u, exactly and without the matrix H.
//!
//! ```
//! use autograd::{derivatives::hvp, function};
//! use tensor::Tensor;
//!
//! let f = function!(|x| (x[0].square() * x[0]).sum()); // Σ x³
//! let (gradient, product) = hvp(&f, &[Tensor::from([1.0, 2.0])], &[Tensor::from([1.0, 10.0])]);
//! assert_eq!(gradient, [Tensor::from([3.0, 12.0])]); // 3x²
//! assert_eq!(product, [Tensor::from([6.0, 120.0])]); // 6x·u
//! ```
//!
//! f is a function of inputs x (several tensors, treated as one vector), J its Jacobian and H its Hessian:
//!
//! | function | result | method | cost |
//! |---|---|---|---|
//! | [`jvp`] | f(x), J·u | forward mode, on duals | a few times f; nothing is kept |
//! | [`vjp`] | f(x), Jᵀ·dy | reverse mode | a few times f, and memory for all values |
//! | [`gradient`] | f(x), ∇f | reverse mode, from a scalar | the same |
//! | [`hvp`] | ∇f, H·u | reverse mode, on duals | a few times the gradient |
//! | [`second_tangent`] | D²f\[u,w\] | forward mode, on duals of duals | a few times jvp; nothing is kept |
//! | [`jacobian`] | J | one jvp per entry of x | |
//! | [`hessian`] | H | one hvp per entry of x | |
//!
//! The names are from JAX. Data and parameters that f records itself are constants. Two conventions hold in forward and reverse
//! mode: a [detached](crate::Var::detach) value is a constant, and a kink has the slope of the branch that the value takes. So
//! the slope of relu at 0 is 0, and the second derivative of a piecewise linear function is 0 everywhere. A branch in Rust code
//! that depends on a value is not differentiated.
//!
//! `nn::derivatives` is the same for models with `nn::Params`.
//!
//! References: A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008: chapter 3 (tangents, gradients, and
//! what they cost), chapter 5 (tangents of gradients). B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural
//! Computation 6 (1994).

use alloc::vec::Vec;

use tensor::{Dual, Real, Tensor};

use crate::function::DynFunction;
use crate::tape::Tape;
use crate::var::Var;

#[cfg(test)]
mod tests;

/// Computes f(x) and the Jacobian-vector product J·u: the directional derivative of f along `u`, not divided by the length of
/// `u`.
///
/// ```
/// use autograd::{derivatives::jvp, function};
/// use tensor::Tensor;
///
/// let area = function!(|x| x[0] * x[1]);
/// let sides = [3.0, 4.0].map(Tensor::scalar);
/// let (value, slope) = jvp(&area, &sides, &[1.0, -1.0].map(Tensor::scalar));
/// assert_eq!((value.item(), slope.item()), (12.0, 1.0)); // y − x
/// ```
///
/// # Panics
/// If `u` does not have as many tensors as `x`, with the same shapes.
#[track_caller]
pub fn jvp(f: &dyn DynFunction, x: &[Tensor<f64>], u: &[Tensor<f64>]) -> (Tensor<f64>, Tensor<f64>) {
    let tape = Tape::no_grad();
    let y = f.call_dual(&tape, &record_inputs(&tape, to_duals("jvp", x, u))).value();
    (y.values(), y.tangents())
}

/// Computes f(x) and the vector-Jacobian product Jᵀ·dy: the gradients of ⟨dy, f⟩, in the shapes of `x`. An input without
/// influence has the gradient zero.
///
/// # Panics
/// If the shape of `dy` differs from the shape of f(x).
#[track_caller]
pub fn vjp(f: &dyn DynFunction, x: &[Tensor<f64>], dy: &Tensor<f64>) -> (Tensor<f64>, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let x = record_inputs(&tape, x.to_vec());
    let y = f.call_f64(&tape, &x);
    let (value_shape, dy_shape) = (y.shape(), dy.shape());
    assert!(value_shape == dy_shape, "vjp: value {value_shape} and cotangent {dy_shape} must have the same shape");
    (y.value(), gradients_at(&x, y, dy))
}

/// Computes f(x), which must be a scalar, and its gradient in the shapes of `x`.
///
/// # Panics
/// If f(x) does not have exactly one element.
#[track_caller]
pub fn gradient(f: &dyn DynFunction, x: &[Tensor<f64>]) -> (f64, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let x = record_inputs(&tape, x.to_vec());
    let y = f.call_f64(&tape, &x);
    let dy = unit_cotangent("gradient", y);
    (y.value().item(), gradients_at(&x, y, &dy))
}

/// Computes the gradient of a scalar f, and the Hessian-vector product H·u: the derivative of the gradient along `u`. Both have
/// the shapes of `x`.
///
/// # Panics
/// If f(x) does not have exactly one element, and as [`jvp`].
#[track_caller]
pub fn hvp(f: &dyn DynFunction, x: &[Tensor<f64>], u: &[Tensor<f64>]) -> (Vec<Tensor<f64>>, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let x = record_inputs(&tape, to_duals("hvp", x, u));
    let y = f.call_dual(&tape, &x);
    let gradient = gradients_at(&x, y, &unit_cotangent("hvp", y));
    (gradient.iter().map(Tensor::values).collect(), gradient.iter().map(Tensor::tangents).collect())
}

/// Computes the second directional derivative D²f(x)\[u,w\] = ∂²f(x + s·u + t·w)/∂s∂t at s = t = 0, in the shape of f(x). For a
/// scalar f it is ⟨w, H·u⟩. It uses no backward rule.
///
/// # Panics
/// As [`jvp`], for either direction.
#[track_caller]
pub fn second_tangent(f: &dyn DynFunction, x: &[Tensor<f64>], u: &[Tensor<f64>], w: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::no_grad();
    let constant_w: Vec<_> = w.iter().map(Tensor::cast).collect();
    let x = to_duals("second_tangent", &to_duals("second_tangent", x, u), &constant_w);
    f.call_nested_dual(&tape, &record_inputs(&tape, x)).value().tangents().tangents()
}

/// Computes the Jacobian J\[M,N\] for M elements of f(x) and N elements of all inputs, in row-major order. Runs forward N
/// times; each run gives a column. Use it for small functions; [`jvp`] and [`vjp`] do not need J.
#[track_caller]
pub fn jacobian(f: &dyn DynFunction, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (mut columns, mut n) = (Vec::new(), 0);
    for unit in unit_directions(x) {
        columns.extend(jvp(f, x, &unit).1.to_vec());
        n += 1;
    }
    Tensor::new([n, columns.len() / n.max(1)], columns).transpose()
}

/// Computes the Hessian H\[N,N\] of a scalar f for N elements of all inputs, in row-major order. Runs forward and back N times;
/// each run gives a row. H is symmetric up to rounding.
///
/// # Panics
/// If f(x) does not have exactly one element.
#[track_caller]
pub fn hessian(f: &dyn DynFunction, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (mut rows, mut n) = (Vec::new(), 0);
    for unit in unit_directions(x) {
        rows.extend(hvp(f, x, &unit).1.iter().flat_map(Tensor::to_vec));
        n += 1;
    }
    Tensor::new([n, n], rows)
}

/// Returns the dual numbers with values x and tangents u.
#[track_caller]
fn to_duals<T: Real>(name: &str, x: &[Tensor<T>], u: &[Tensor<T>]) -> Vec<Tensor<Dual<T>>> {
    assert!(x.len() == u.len(), "{name}: {} inputs and {} directions", x.len(), u.len());
    for (k, (x, u)) in x.iter().zip(u).enumerate() {
        assert!(x.shape() == u.shape(), "{name}: input {k} has shape {}, its direction {}", x.shape(), u.shape());
    }
    x.iter().zip(u).map(|(x, u)| Tensor::dual(x, u)).collect()
}

fn record_inputs<T: Real>(tape: &Tape<T>, x: Vec<Tensor<T>>) -> Vec<Var<'_, T>> {
    x.into_iter().map(|x| tape.input(x)).collect()
}

/// Returns dy = 1 for a value with one element.
#[track_caller]
fn unit_cotangent<T: Real>(name: &str, y: Var<'_, T>) -> Tensor<T> {
    assert!(y.shape().size() == 1, "{name}: the value must have one element, its shape is {}", y.shape());
    Tensor::full(y.shape(), T::one())
}

/// Runs back from y, whose gradient is dy, and returns the gradients at `x`.
#[track_caller]
fn gradients_at<T: Real>(x: &[Var<'_, T>], y: Var<'_, T>, dy: &Tensor<T>) -> Vec<Tensor<T>> {
    // An error names parameters that the function recorded itself. Their gradients are not needed.
    let _ = y.backward_from(dy);
    x.iter().map(|x| x.grad().unwrap_or_else(|| Tensor::zeros(x.shape()))).collect()
}

/// Returns the unit vectors of the input space: one direction for each entry of each input.
fn unit_directions(x: &[Tensor<f64>]) -> impl Iterator<Item = Vec<Tensor<f64>>> {
    let zeros: Vec<_> = x.iter().map(|x| Tensor::zeros(x.shape())).collect();
    let entries: Vec<_> = (0..x.len()).flat_map(|k| (0..x[k].size()).map(move |i| (k, i))).collect();
    entries.into_iter().map(move |(k, i)| {
        let mut unit = zeros.clone();
        unit[k] = Tensor::from_fn(unit[k].shape(), |j| if j == i { 1.0 } else { 0.0 });
        unit
    })
}
