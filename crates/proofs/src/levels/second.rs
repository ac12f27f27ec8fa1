//! L4: second derivatives. The tape on dual numbers gives Hessian-vector products.

use crate::Case;
use autograd::gradcheck::{self, draw_cotangent};
use autograd::{Tape, Var};
use tensor::{Dual, Tensor};

use super::pass::{check_close_with_scale, checked_gradients, max_abs, run_case_at};
use super::{Verdict, report_to_verdict};

/// Checks that H·u for a random u equals the second tangents of nested dual numbers.
///
/// # Errors
/// If the check fails.
pub fn check_second_order(case: &Case) -> Verdict {
    report_to_verdict(&gradcheck::second_order(&*case.f, &case.inputs))
}

/// The step h at which the extrapolation error, h⁴·f⁗′, and the rounding error of a gradient, 2⁻⁵²·g/h, are about
/// equal.
const STEP: f64 = 1e-3;

/// Checks that H·u for a random u equals the slope of the gradient along u: (4·D(h/2) − D(h)) / 3, with central
/// differences D.
///
/// # Errors
/// If the check fails.
pub fn check_gradient_slope(case: &Case) -> Verdict {
    let u = draw_direction(case, 1);
    let want = |h: f64| -> Result<Vec<Tensor<f64>>, String> {
        let (after, before) = (compute_gradient_at(case, &u, h)?, compute_gradient_at(case, &u, -h)?);
        let slope = |(a, b): (&Tensor<f64>, &Tensor<f64>)| &(a - b) * (0.5 / h);
        Ok(after.iter().zip(&before).map(slope).collect())
    };
    let (near, far) = (want(0.5 * STEP)?, want(STEP)?);
    let gradient = compute_gradient_at(case, &u, 0.0)?;
    for (k, got) in compute_hessian_product(case, &u)?.iter().enumerate() {
        let want = &(&near[k] * (4.0 / 3.0)) - &(&far[k] * (1.0 / 3.0));
        check_close_with_scale(&format!("H·u, input {k}"), got, &want, max_abs(&gradient[k].to_vec()), 1e-8)?;
    }
    Ok(())
}

/// Checks that ⟨v, H·u⟩ = ⟨u, H·v⟩ for random u and v.
///
/// # Errors
/// If the check fails.
pub fn check_hessian_symmetry(case: &Case) -> Verdict {
    let (u, v) = (draw_direction(case, 1), draw_direction(case, 2));
    let (hu, hv) = (compute_hessian_product(case, &u)?, compute_hessian_product(case, &v)?);
    let (vhu, uhv) = (products(&v, &hu), products(&u, &hv));
    let (a, b): (f64, f64) = (vhu.iter().sum(), uhv.iter().sum());
    let scale: f64 = vhu.iter().chain(&uhv).map(|term| term.abs()).sum();
    if a == b || (a - b).abs() <= 1e-13 * scale {
        Ok(())
    } else {
        Err(format!("⟨v, H·u⟩ = {a:e}, ⟨u, H·v⟩ = {b:e}"))
    }
}

fn products(a: &[Tensor<f64>], b: &[Tensor<f64>]) -> Vec<f64> {
    a.iter().zip(b).flat_map(|(a, b)| (a * b).to_vec()).collect()
}

/// Draws a direction in all inputs together.
fn draw_direction(case: &Case, seed: u32) -> Vec<Tensor<f64>> {
    (0..).zip(&case.inputs).map(|(k, input)| draw_cotangent(input.value.shape(), 10 * seed + k)).collect()
}

/// Computes the gradient at x + h·u.
fn compute_gradient_at(case: &Case, u: &[Tensor<f64>], h: f64) -> Result<Vec<Tensor<f64>>, String> {
    let moved = |(x, u): (Tensor<f64>, &Tensor<f64>)| &x + &(u * h);
    let inputs: Vec<_> = case.values().into_iter().zip(u).map(moved).collect();
    checked_gradients(run_case_at(case, &inputs, |shape| draw_cotangent(shape, 0)), &inputs)
}

/// Computes the tangents of the gradients along u, for a cotangent without a tangent.
fn compute_hessian_product(case: &Case, u: &[Tensor<f64>]) -> Result<Vec<Tensor<f64>>, String> {
    let tape = Tape::new();
    let x: Vec<_> = case.values().iter().zip(u).map(|(x, u)| tape.input(Tensor::dual(x, u))).collect();
    let y = case.f.call_dual(&tape, &x);
    y.backward_from(&draw_cotangent(y.shape(), 0).cast()).map_err(|unreached| unreached.to_string())?;
    let tangents = |(k, x): (usize, &Var<'_, Dual<f64>>)| {
        x.grad().map(|dx| dx.tangents()).ok_or_else(|| format!("input {k} has no gradient"))
    };
    x.iter().enumerate().map(tangents).collect()
}
