//! L4: second order. The tape on dual numbers gives Hessian-vector products.

use crate::Case;
use autograd::gradcheck::{self, cotangent};
use autograd::{Tape, Var};
use tensor::{Dual, Tensor};

use super::pass::{gradients, largest, near_on, pass_at};
use super::{Verdict, verdict};

/// H·u for a random u equals second tangents on duals of duals.
///
/// # Errors
/// If not.
pub fn second_order(case: &Case) -> Verdict {
    verdict(&gradcheck::second_order(&*case.f, &case.inputs))
}

/// Where a difference of third order, h⁴·f⁗′, and the rounding of a gradient, 2⁻⁵²·g/h, are alike.
const STEP: f64 = 1e-3;

/// H·u for a random u equals the slope of the gradient along u: (4·D(h/2) − D(h)) / 3, with central differences D.
///
/// # Errors
/// If not.
pub fn slope_of_the_gradient(case: &Case) -> Verdict {
    let u = direction(case, 1);
    let want = |h: f64| -> Result<Vec<Tensor<f64>>, String> {
        let (after, before) = (gradient_at(case, &u, h)?, gradient_at(case, &u, -h)?);
        let slope = |(a, b): (&Tensor<f64>, &Tensor<f64>)| &(a - b) * &Tensor::scalar(0.5 / h);
        Ok(after.iter().zip(&before).map(slope).collect())
    };
    let (near, far) = (want(0.5 * STEP)?, want(STEP)?);
    let gradient = gradient_at(case, &u, 0.0)?;
    for (k, got) in hessian_times(case, &u)?.iter().enumerate() {
        let want = &(&near[k] * &Tensor::scalar(4.0 / 3.0)) - &(&far[k] * &Tensor::scalar(1.0 / 3.0));
        near_on(&format!("H·u, input {k}"), got, &want, largest(&gradient[k].to_vec()), 1e-8)?;
    }
    Ok(())
}

/// ⟨v, H·u⟩ = ⟨u, H·v⟩ for random u and v.
///
/// # Errors
/// If not.
pub fn symmetric(case: &Case) -> Verdict {
    let (u, v) = (direction(case, 1), direction(case, 2));
    let (hu, hv) = (hessian_times(case, &u)?, hessian_times(case, &v)?);
    let (vhu, uhv) = (terms(&v, &hu), terms(&u, &hv));
    let (a, b): (f64, f64) = (vhu.iter().sum(), uhv.iter().sum());
    let scale: f64 = vhu.iter().chain(&uhv).map(|term| term.abs()).sum();
    if a == b || (a - b).abs() <= 1e-13 * scale {
        Ok(())
    } else {
        Err(format!("⟨v, H·u⟩ = {a:e}, ⟨u, H·v⟩ = {b:e}"))
    }
}

fn terms(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> Vec<f64> {
    a.iter().zip(b).flat_map(|(a, b)| (a * b).to_vec()).collect()
}

/// A direction in all inputs together.
fn direction(case: &Case, seed: u32) -> Vec<Tensor<f64>> {
    (0..).zip(&case.inputs).map(|(k, input)| cotangent(input.value.shape(), 10 * seed + k)).collect()
}

/// The gradient at x + h·u.
fn gradient_at(case: &Case, u: &[Tensor<f64>], h: f64) -> Result<Vec<Tensor<f64>>, String> {
    let moved = |(x, u): (Tensor<f64>, &Tensor<f64>)| &x + &(u * &Tensor::scalar(h));
    let at: Vec<_> = case.values().into_iter().zip(u).map(moved).collect();
    gradients(pass_at(case, &at, |shape| cotangent(shape, 0)), &at)
}

/// The tangents of the gradients along u, with numbers of the same cotangent.
fn hessian_times(case: &Case, u: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>, String> {
    let tape = Tape::new();
    let x: Vec<_> = case.values().iter().zip(u).map(|(x, u)| tape.input(Tensor::dual(x, u))).collect();
    let y = case.f.on_duals(&tape, &x);
    y.backward_from(&cotangent(y.shape(), 0).cast()).map_err(|unreached| unreached.to_string())?;
    let tangents = |(k, x): (usize, &Var<'_, Dual<f64>>)| {
        x.grad().map(|dx| dx.tangents()).ok_or_else(|| format!("input {k} has no gradient"))
    };
    x.iter().enumerate().map(tangents).collect()
}
