//! Gradient check for inputs of any size: forward mode along a direction and the backward pass must give the same dot product.

use alloc::vec::Vec;

use tensor::Tensor;

use super::check;
use super::finding::Finding;
use super::input::Input;
use super::pass::{Pass, draw_cotangent};
use super::report::{Comparison, Report};
use crate::derivatives::jvp;
use crate::function::DynFunction;

/// Rounding errors of a sum of n terms exceed those of one entry by a factor of about √n.
const TOLERANCE: f64 = 1e-12;

/// Compares ⟨dx, u⟩ with ⟨dy, J·u⟩ for each input along two directions u. dx is the tape's gradient of `f` for a gradient dy of
/// its value; J·u is the tangent of `f` on dual numbers.
///
/// The check costs two forward runs per input of any size, so it suits inputs with too many entries for the other methods. The
/// first direction has the signs of dx, so that no terms cancel; the second is random. An error in one of n entries appears
/// divided by n.
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.3: ⟨dy, J·u⟩ = ⟨Jᵀ·dy, u⟩.
pub fn dot_products<I: Clone + Into<Input>>(f: &dyn DynFunction, inputs: &[I]) -> Report {
    compare(f, &check::to_inputs(inputs))
}

fn compare(f: &dyn DynFunction, inputs: &[Input]) -> Report {
    let values = check::input_values(inputs);
    let mut run = |factor| Pass::run_on_tape(&|tape, x| f.call_f64(tape, x), &values, factor);
    check::visit_inputs(Report::new("dot products", TOLERANCE), inputs, &mut run, &mut |report, pass, k| {
        let (name, random) = (inputs[k].name(k), draw_cotangent(values[k].shape(), 1));
        let Some(dx) = &pass.gradients[k] else {
            let none = tangent_along(f, &values, k, &random).to_vec().iter().all(|&y| y == 0.0);
            return report.findings.push(if none { Finding::NoInfluence(name) } else { Finding::Severed(name) });
        };
        if let Some(finding) = check::find_mismatch(&inputs[k], &name, dx) {
            return report.findings.push(finding);
        }
        let with_sign = |u: &f64, dx: &f64| if *dx < 0.0 { -u.abs() } else { u.abs() };
        let signs = random.to_vec().iter().zip(&dx.to_vec()).map(|(u, dx)| with_sign(u, dx)).collect();
        let signs = Tensor::new(random.shape(), signs);
        for (place, u) in [("the direction of its signs", signs), ("a random direction", random)] {
            let tangent = tangent_along(f, &values, k, &u);
            let (backward, backward_scale) = dot_product_and_scale(dx, &u);
            let (forward, forward_scale) = dot_product_and_scale(&pass.dy, &tangent);
            let scale = backward_scale.max(forward_scale);
            if scale == 0.0 {
                return report.findings.push(Finding::NoInfluence(name));
            }
            let error = (backward - forward).abs() / scale;
            report
                .compared
                .push(Comparison { place: place.into(), ..Comparison::new(k, &inputs[k], backward, forward, error) });
        }
    })
}

/// Returns ⟨a, b⟩, and the sum of the absolute values of its terms.
fn dot_product_and_scale(a: &Tensor<f64>, b: &Tensor<f64>) -> (f64, f64) {
    let terms: Vec<f64> = a.to_vec().iter().zip(b.to_vec()).map(|(a, b)| a * b).collect();
    (terms.iter().sum(), terms.iter().map(|term| term.abs()).sum())
}

/// Returns the tangent of `f` along `u` in input `k`; the other inputs do not move.
fn tangent_along(f: &dyn DynFunction, inputs: &[Tensor<f64>], k: usize, u: &Tensor<f64>) -> Tensor<f64> {
    let zeros = |x: &Tensor<f64>| Tensor::zeros(x.shape());
    let mut directions: Vec<_> = inputs.iter().map(zeros).collect();
    directions[k] = u.clone();
    jvp(f, inputs, &directions).1
}
