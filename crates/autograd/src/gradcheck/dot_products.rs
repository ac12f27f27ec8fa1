//! The check for any size: a run forward along a direction and the run back must belong to the same derivative.

use alloc::vec::Vec;

use tensor::Tensor;

use super::check;
use super::finding::Finding;
use super::input::Input;
use super::pass::{Pass, cotangent};
use super::report::{Compared, Report};
use crate::derivatives::jvp;
use crate::function::Overloaded;

/// Sums over a whole tensor are rounded more often than one entry: some √n times for n terms.
const TOLERANCE: f64 = 1e-12;

/// Holds ⟨dx, u⟩, with the tape's gradient dx of `f` for a gradient dy of its value, against ⟨dy, J·u⟩, with the
/// tangent J·u of `f` on dual numbers: for each input along two directions u.
///
/// Costs two runs forward an input, whatever its size, and so serves where an entry at a time would take for ever. In
/// the first direction u has the signs of dx, so that nothing cancels; in the other they are random. A wrong entry among
/// n shows with 1/n of its size.
///
/// Reference: A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.3: ⟨dy, J·u⟩ = ⟨Jᵀ·dy, u⟩.
pub fn dot_products<I: Clone + Into<Input>>(f: &dyn Overloaded, inputs: &[I]) -> Report {
    compare(f, &check::inputs(inputs))
}

fn compare(f: &dyn Overloaded, inputs: &[Input]) -> Report {
    let values = check::values(inputs);
    let mut run = |times| Pass::on_tape(&|tape, x| f.on_numbers(tape, x), &values, times);
    check::each(Report::new("dot products", TOLERANCE), inputs, &mut run, &mut |report, pass, k| {
        let (name, random) = (inputs[k].name(k), cotangent(values[k].shape(), 1));
        let Some(dx) = &pass.gradients[k] else {
            let none = tangent(f, &values, k, &random).to_vec().iter().all(|&y| y == 0.0);
            return report.findings.push(if none { Finding::NoInfluence(name) } else { Finding::Severed(name) });
        };
        if let Some(finding) = check::unlike(&inputs[k], &name, dx) {
            return report.findings.push(finding);
        }
        let along = |u: &f64, dx: &f64| if *dx < 0.0 { -u.abs() } else { u.abs() };
        let signs = random.to_vec().iter().zip(&dx.to_vec()).map(|(u, dx)| along(u, dx)).collect();
        let signs = Tensor::new(random.shape(), signs);
        for (place, u) in [("a direction of its signs", signs), ("a random direction", random)] {
            let tangent = tangent(f, &values, k, &u);
            let (back, back_scale) = product(dx, &u);
            let (ahead, ahead_scale) = product(&pass.dy, &tangent);
            let scale = back_scale.max(ahead_scale);
            if scale == 0.0 {
                return report.findings.push(Finding::NoInfluence(name));
            }
            let error = (back - ahead).abs() / scale;
            report.compared.push(Compared { place: place.into(), ..Compared::of(k, &inputs[k], back, ahead, error) });
        }
    })
}

/// ⟨a, b⟩, and the sum of what is added, without signs.
fn product(a: &Tensor<f64>, b: &Tensor<f64>) -> (f64, f64) {
    let terms: Vec<f64> = a.to_vec().iter().zip(b.to_vec()).map(|(a, b)| a * b).collect();
    (terms.iter().sum(), terms.iter().map(|term| term.abs()).sum())
}

/// How `f` changes along `u` in input `k` alone.
fn tangent(f: &dyn Overloaded, inputs: &[Tensor<f64>], k: usize, u: &Tensor<f64>) -> Tensor<f64> {
    let still = |x: &Tensor<f64>| Tensor::zeros(x.shape());
    let mut along: Vec<_> = inputs.iter().map(still).collect();
    along[k] = u.clone();
    jvp(f, inputs, &along).1
}
