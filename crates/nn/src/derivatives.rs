//! Derivatives of a model with respect to its parameters: directional derivatives, gradients, Hessian-vector products.
//!
//! This module applies [`autograd::derivatives`] to functions of [`Params`]. Such a function receives the parameters'
//! variables in order, and [`BoundParams::from_vars`](crate::BoundParams::from_vars) makes them usable by layers. Gradient
//! checks take the same functions.
//!
//! ```
//! use autograd::function;
//! use nn::{Activation, BoundParams, Builder, Grads, Mlp, Params, derivatives};
//! use tensor::{Real, Tensor};
//!
//! let mut params = Params::<f64>::new();
//! let mlp = Mlp::new(&mut Builder::new(&mut params, 42), &[1, 4, 1], Activation::Tanh);
//! let x = Tensor::from([[-1.0], [0.5], [2.0]]);
//! let loss = function!([mlp: Mlp, x: Tensor<f64>] |tape, w| {
//!     let x = tape.constant(x.cast());
//!     (mlp.forward(BoundParams::from_vars(w), x) - x.square()).square().mean()
//! });
//!
//! // Steepest descent. The step |g|² / ⟨g, H·g⟩ minimises the quadratic model along −g.
//! let (before, g) = derivatives::gradient(&loss, &params)?;
//! let (_, hg) = derivatives::hvp(&loss, &params, &g)?;
//! let step = (g.flat() * g.flat()).sum() / (g.flat() * hg.flat()).sum();
//! let moved = params.flat() - &(g.flat() * step);
//! *params.flat_mut() = moved;
//! let (after, _) = derivatives::gradient(&loss, &params)?;
//! assert!(after < before);
//! # Ok::<(), autograd::Unreached>(())
//! ```
//!
//! A frozen parameter is a constant: its part of a direction is ignored, and its part of a result is zero. A trainable
//! parameter that the loss does not depend on is an error that names it, as in training.
//!
//! `examples/curvature.rs` computes the largest curvature of a GRU's loss. It bounds the step of gradient descent.
//!
//! References: see [`autograd::derivatives`].

use autograd::{DynFunction, Tape, Unreached};
use tensor::Tensor;

use crate::differentiate;
use crate::params::{Grads, Params};

/// Computes f at the parameters and its directional derivative J·u along `direction`. f may have any shape.
///
/// # Panics
/// If the direction belongs to other parameters.
#[track_caller]
pub fn jvp(f: &dyn DynFunction, params: &Params<f64>, direction: &Grads<f64>) -> (Tensor<f64>, Tensor<f64>) {
    let (dual_params, tape) = (params.to_dual(direction), Tape::no_grad());
    let y = f.call_dual(&tape, &dual_params.bind(&tape).vars()).value();
    (y.values(), y.tangents())
}

/// Computes a scalar loss and its gradient.
///
/// # Errors
/// If the loss does not depend on a trainable parameter.
///
/// # Panics
/// If the loss is not one number.
#[track_caller]
pub fn gradient(loss: &dyn DynFunction, params: &Params<f64>) -> Result<(f64, Grads<f64>), Unreached> {
    let mut grads = Grads::zeros(params);
    let value = differentiate(params, &mut Tape::new(), &mut grads, |tape, w| loss.call_f64(tape, &w.vars()))?;
    Ok((value, grads))
}

/// Computes the gradient of the loss and the Hessian-vector product H·u for u = `direction`.
///
/// # Errors
/// If the loss does not depend on a trainable parameter.
///
/// # Panics
/// If the loss is not one number, or the direction belongs to other parameters.
#[track_caller]
pub fn hvp(
    loss: &dyn DynFunction,
    params: &Params<f64>,
    direction: &Grads<f64>,
) -> Result<(Grads<f64>, Grads<f64>), Unreached> {
    let dual_params = params.to_dual(direction);
    let mut grads = Grads::zeros(&dual_params);
    differentiate(&dual_params, &mut Tape::new(), &mut grads, |tape, w| loss.call_dual(tape, &w.vars()))?;
    Ok((Grads::new(params, grads.flat().values()), Grads::new(params, grads.flat().tangents())))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use autograd::{derivatives, function};

    use super::*;
    use crate::{Activation, BoundParams, Builder, Gru, Mlp, Param};

    fn direction(params: &Params<f64>, seed: usize) -> Grads<f64> {
        Grads::new(params, Tensor::from_fn([params.size()], |i| ((2 * i + 1) as f64 + 0.3 * seed as f64).sin()))
    }

    fn dot(a: &Grads<f64>, b: &Grads<f64>) -> f64 {
        (a.flat() * b.flat()).sum()
    }

    #[track_caller]
    fn assert_close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance * want.abs(), "{got} is not {want}");
    }

    /// A GRU that reads seven steps, with a head. The loss is a scalar.
    fn model() -> (impl autograd::Function, Params<f64>) {
        let mut params = Params::new();
        let mut builder = Builder::new(&mut params, 3);
        let gru = Gru::new(&mut builder, 2, 3);
        let head = Mlp::new(&mut builder.scope("head"), &[3, 4, 1], Activation::Tanh);
        let loss = function!([gru: Gru, head: Mlp] |tape, w| {
            let w = BoundParams::from_vars(w);
            let x = Tensor::from_fn([7, 2, 2], |i| T::from_f64(((3 * i) as f64).sin()));
            let h = tape.constant(Tensor::zeros([2, 3]));
            head.forward(w, gru.forward(w, tape.constant(x), h).select(0, 6)).square().sum()
        });
        (loss, params)
    }

    /// The function a·b² at a = 3, b = 7.
    fn product() -> (impl autograd::Function, Params<f64>, [Param; 2]) {
        let mut params = Params::new();
        let handles = [("a", 3.0), ("b", 7.0)].map(|(name, x)| params.add(name, &Tensor::from([x])));
        (function!(|w| w[0] * w[1].square()), params, handles)
    }

    #[test]
    fn derivatives_of_a_product_match_calculus() {
        let (f, params, _) = product();
        let u = Grads::new(&params, Tensor::from([1.0, 10.0]));
        let (value, slope) = jvp(&f, &params, &u);
        assert_eq!((value.item(), slope.item()), (147.0, 49.0 + 420.0));
        let (value, grads) = gradient(&f, &params).expect("both are used");
        assert_eq!((value, grads.flat().to_vec()), (147.0, [49.0, 42.0].to_vec()));
        let (grads, hu) = hvp(&f, &params, &u).expect("both are used");
        assert_eq!((grads.flat().to_vec(), hu.flat().to_vec()), ([49.0, 42.0].into(), [140.0, 14.0 + 60.0].into()));
    }

    #[test]
    fn derivatives_frozen_parameter_is_a_constant() {
        let (f, mut params, [a, _]) = product();
        params.set_trainable(a, false);
        let u = Grads::new(&params, Tensor::from([1.0, 10.0]));
        assert_eq!(jvp(&f, &params, &u).1.item(), 420.0);
        let (grads, hu) = hvp(&f, &params, &u).expect("b is used");
        assert_eq!((grads.flat().to_vec(), hu.flat().to_vec()), ([0.0, 42.0].into(), [0.0, 60.0].into()));
        assert_eq!(gradient(&f, &params).expect("b is used").1.flat().to_vec(), [0.0, 42.0]);
    }

    #[test]
    fn derivatives_unused_parameter_is_named() {
        let (_, params, _) = product();
        let f = function!(|w| w[1].square());
        let names: Vec<String> = ["a".into()].into();
        let u = Grads::zeros(&params);
        assert_eq!(hvp(&f, &params, &u).map(drop), Err(Unreached { names: names.clone() }));
        assert_eq!(gradient(&f, &params).map(drop), Err(Unreached { names }));
    }

    #[test]
    fn derivatives_of_a_gru_agree_with_each_other() {
        let (loss, params) = model();
        let (u, w) = (direction(&params, 1), direction(&params, 2));
        let (grads, hu) = hvp(&loss, &params, &u).expect("all are used");
        let (_, hw) = hvp(&loss, &params, &w).expect("all are used");
        assert_close(jvp(&loss, &params, &u).1.item(), dot(&grads, &u), 1e-13);
        assert_close(dot(&w, &hu), dot(&u, &hw), 1e-12);
        let values: Vec<_> = params.handles().map(|param| params.get(param)).collect();
        let h = derivatives::hessian(&loss, &values).matmul(&u.flat().reshape([params.size(), 1]));
        assert_close((&h.reshape([params.size()]) * w.flat()).sum(), dot(&w, &hu), 1e-12);
        let moved = |step: f64| {
            let mut moved = params.clone();
            *moved.flat_mut() = params.flat() + &(u.flat() * step);
            gradient(&loss, &moved).expect("all are used").1
        };
        assert_close((dot(&w, &moved(1e-5)) - dot(&w, &moved(-1e-5))) / 2e-5, dot(&w, &hu), 1e-7);
    }

    #[test]
    #[should_panic(expected = "gradients: [1] numbers were given for parameters of [2] numbers")]
    fn jvp_direction_of_other_parameters_panics() {
        let (f, params, _) = product();
        let mut others = Params::new();
        others.add("c", &Tensor::from([1.0]));
        jvp(&f, &params, &Grads::zeros(&others));
    }
}
