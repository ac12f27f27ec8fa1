//! Gradients that the GPU computes in `f64`, against what knows nothing of the rules: differences of the GPU's own values, and
//! tangents on dual numbers, which run on the processor.

use gradus_benches::gpu::{Gpu, choosing};
use proofs::Case;
use proofs::measure::Method;

use crate::found::Found;
use crate::parity;

/// Those whose gradients are the GPU's. Second derivatives come from duals alone, which a GPU does not have.
const METHODS: [Method; 4] = [Method::Duals, Method::Richardson, Method::CentralDifferences, Method::DotProducts];

/// On an emulated GPU, where each launch takes long: those that run forward only a few times.
const FEW: [Method; 2] = [Method::Duals, Method::DotProducts];

/// Every case by every method.
pub(crate) fn all(gpu: Gpu, ordinal: usize) -> Found {
    let methods = if gpu.emulated { &FEW[..] } else { &METHODS };
    let cases = parity::chosen(gpu);
    choosing(ordinal, || checked(&cases, methods))
}

fn checked(cases: &[Case], methods: &[Method]) -> Found {
    let mut worst = vec![0.0_f64; methods.len()];
    for case in cases {
        for (worst, method) in worst.iter_mut().zip(methods) {
            let report = method.check(case);
            if !report.is_ok() {
                return Err(format!("{case} by {}: {report}", method.name()));
            }
            *worst = report.worst().map_or(0.0, |compared| compared.error).max(*worst);
        }
    }
    let each = methods.iter().zip(&worst).map(|(method, worst)| format!("{} {worst:.1e}", method.name()));
    Ok(format!("{} cases agree; the largest errors: {}", cases.len(), each.collect::<Vec<_>>().join(", ")))
}
