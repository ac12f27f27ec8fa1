//! Derivatives of a [`Function`](crate::Function): along a direction, back from its value, and of second order.
//!
//! A dual number carries a tangent forward, a tape a gradient back. Each function here is a run of one or of both:
//! what the tape gives when its scalars are duals is the tangent of the gradient, H·u, exactly and without the matrix H.
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
//! With f of inputs x (some tensors, differentiated by all together), J its Jacobian and H its Hessian:
//!
//! | | gives | run | costs |
//! |---|---|---|---|
//! | [`jvp`] | f(x), J·u | forward, on duals | a few times f; nothing is kept |
//! | [`vjp`] | f(x), Jᵀ·dy | back | a few times f, and the memory of all values |
//! | [`gradient`] | f(x), ∇f | back, from one number | the same |
//! | [`hvp`] | ∇f, H·u | back, on duals | a few times the gradient |
//! | [`second_tangent`] | D²f\[u,w\] | forward, on duals of duals | a few times jvp; nothing is kept |
//! | [`jacobian`] | J | a jvp for each entry of x | |
//! | [`hessian`] | H | an hvp for each entry of x | |
//!
//! The names are those of JAX. What f has inside that is no input of it, data and parameters that it records itself,
//! does not move. Two conventions hold in every direction alike: a [detached](crate::Var::detach) value is a constant;
//! and at a kink the slope is that of the branch which the value takes, so for relu at 0 it is 0, and the second
//! derivative of a piecewise linear function is 0 everywhere. What looks at values in other ways, as a branch in Rust, is not
//! differentiated.
//!
//! For models whose parameters are in `nn::Params` there is `nn::derivatives`.
//!
//! References: A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008: chapter 3 (tangents, gradients, and
//! what they cost), chapter 5 (tangents of gradients). B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural
//! Computation 6 (1994).

use alloc::vec::Vec;

use tensor::{Dual, Real, Tensor};

use crate::function::Overloaded;
use crate::tape::Tape;
use crate::var::Var;

#[cfg(test)]
mod tests;

/// f(x), and how it changes along `u`: the Jacobian-vector product J·u, which is the directional derivative of f, not
/// divided by the length of u.
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
/// If `u` is not as many tensors as `x`, each of the same shape.
#[track_caller]
pub fn jvp(f: &dyn Overloaded, x: &[Tensor<f64>], u: &[Tensor<f64>]) -> (Tensor<f64>, Tensor<f64>) {
    let tape = Tape::evaluating();
    let y = f.on_duals(&tape, &inputs(&tape, along("jvp", x, u))).value();
    (y.values(), y.tangents())
}

/// f(x), and the gradients of ⟨dy, f⟩: the vector-Jacobian product Jᵀ·dy, in the shapes of `x`. An input without
/// influence has the gradient zero.
///
/// # Panics
/// If `dy` has not the shape of f(x).
#[track_caller]
pub fn vjp(f: &dyn Overloaded, x: &[Tensor<f64>], dy: &Tensor<f64>) -> (Tensor<f64>, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let x = inputs(&tape, x.to_vec());
    let y = f.on_numbers(&tape, &x);
    assert_eq!(y.shape(), dy.shape(), "vjp: value {} and cotangent {}", y.shape(), dy.shape());
    (y.value(), back(y, dy, &x))
}

/// f(x), which is one number, and its gradient in the shapes of `x`.
///
/// # Panics
/// If f(x) is not one number.
#[track_caller]
pub fn gradient(f: &dyn Overloaded, x: &[Tensor<f64>]) -> (f64, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let x = inputs(&tape, x.to_vec());
    let y = f.on_numbers(&tape, &x);
    let one = one("gradient", y);
    (y.value().item(), back(y, &one, &x))
}

/// The gradient of f, which is one number, and how the gradient changes along `u`: the Hessian-vector product H·u. Both
/// in the shapes of `x`.
///
/// # Panics
/// If f(x) is not one number, or as [`jvp`].
#[track_caller]
pub fn hvp(f: &dyn Overloaded, x: &[Tensor<f64>], u: &[Tensor<f64>]) -> (Vec<Tensor<f64>>, Vec<Tensor<f64>>) {
    let tape = Tape::new();
    let x = inputs(&tape, along("hvp", x, u));
    let y = f.on_duals(&tape, &x);
    let gradient = back(y, &one("hvp", y), &x);
    (gradient.iter().map(Tensor::values).collect(), gradient.iter().map(Tensor::tangents).collect())
}

/// The second directional derivative D²f(x)\[u,w\] = ∂²f(x + s·u + t·w)/∂s∂t at 0, in the shape of f(x). Where f is one
/// number, it is ⟨w, H·u⟩. No backward rule takes part.
///
/// # Panics
/// As [`jvp`], for either direction.
#[track_caller]
pub fn second_tangent(f: &dyn Overloaded, x: &[Tensor<f64>], u: &[Tensor<f64>], w: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::evaluating();
    let still: Vec<_> = w.iter().map(Tensor::cast).collect();
    let x = along("second_tangent", &along("second_tangent", x, u), &still);
    f.on_duals_of_duals(&tape, &inputs(&tape, x)).value().tangents().tangents()
}

/// J\[M,N\], for M numbers in f(x) and N in all of `x`, both one after the other in row-major order: N runs forward, each
/// of which gives a column. For what can be written down; J·u and Jᵀ·dy do without it.
#[track_caller]
pub fn jacobian(f: &dyn Overloaded, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (mut columns, mut n) = (Vec::new(), 0);
    for unit in basis(x) {
        columns.extend(jvp(f, x, &unit).1.to_vec());
        n += 1;
    }
    Tensor::new([n, columns.len() / n.max(1)], columns).transpose()
}

/// H\[N,N\] of f, which is one number, for N numbers in all of `x`, one after the other in row-major order: N runs forward
/// and back, each of which gives a row. It is symmetric but for rounding.
///
/// # Panics
/// If f(x) is not one number.
#[track_caller]
pub fn hessian(f: &dyn Overloaded, x: &[Tensor<f64>]) -> Tensor<f64> {
    let (mut rows, mut n) = (Vec::new(), 0);
    for unit in basis(x) {
        rows.extend(hvp(f, x, &unit).1.iter().flat_map(Tensor::to_vec));
        n += 1;
    }
    Tensor::new([n, n], rows)
}

/// x as duals that move along u.
#[track_caller]
fn along<T: Real>(name: &str, x: &[Tensor<T>], u: &[Tensor<T>]) -> Vec<Tensor<Dual<T>>> {
    assert_eq!(x.len(), u.len(), "{name}: {} inputs and {} directions", x.len(), u.len());
    for (k, (x, u)) in x.iter().zip(u).enumerate() {
        assert_eq!(x.shape(), u.shape(), "{name}: input {k} has shape {}, its direction {}", x.shape(), u.shape());
    }
    x.iter().zip(u).map(|(x, u)| Tensor::dual(x, u)).collect()
}

fn inputs<T: Real>(tape: &Tape<T>, x: Vec<Tensor<T>>) -> Vec<Var<'_, T>> {
    x.into_iter().map(|x| tape.input(x)).collect()
}

/// The gradient of a single number by itself.
#[track_caller]
fn one<T: Real>(name: &str, y: Var<'_, T>) -> Tensor<T> {
    assert_eq!(y.shape().size(), 1, "{name}: the value must be one number, not {}", y.shape());
    Tensor::full(y.shape(), T::one())
}

/// The gradients at `x` of what was computed from them.
#[track_caller]
fn back<T: Real>(y: Var<'_, T>, dy: &Tensor<T>, x: &[Var<'_, T>]) -> Vec<Tensor<T>> {
    // An error would be about parameters that the function recorded itself, and nobody asked for their gradients.
    let _ = y.backward_from(dy);
    x.iter().map(|x| x.grad().unwrap_or_else(|| Tensor::zeros(x.shape()))).collect()
}

/// The directions in which one entry of all moves.
fn basis(x: &[Tensor<f64>]) -> impl Iterator<Item = Vec<Tensor<f64>>> {
    let zeros: Vec<_> = x.iter().map(|x| Tensor::zeros(x.shape())).collect();
    let places: Vec<_> = (0..x.len()).flat_map(|k| (0..x[k].size()).map(move |i| (k, i))).collect();
    places.into_iter().map(move |(k, i)| {
        let mut unit = zeros.clone();
        unit[k] = Tensor::from_fn(unit[k].shape(), |j| if j == i { 1.0 } else { 0.0 });
        unit
    })
}
