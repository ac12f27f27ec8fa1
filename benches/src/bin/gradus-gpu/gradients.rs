//! Checks of gradients that the GPU computes in `f64`, by methods that do not know the derivative rules: differences of the
//! GPU's own values, and tangents on dual numbers, which run on the CPU.

use gradus_benches::gpu::{BenchGpu, with_gpu_kernels};
use proofs::Case;
use proofs::measure::Method;

use crate::check_result::CheckResult;
use crate::parity;

/// The methods that use the GPU's gradients. Second derivatives need duals, which a GPU does not support.
const METHODS: [Method; 4] = [Method::Duals, Method::Richardson, Method::CentralDifferences, Method::DotProducts];

/// The methods for an emulated GPU, whose launches are slow: those with few forward passes.
const FEW: [Method; 2] = [Method::Duals, Method::DotProducts];

/// Checks every case by every method.
pub(crate) fn check_all(gpu: BenchGpu, ordinal: usize) -> CheckResult {
    let methods = if gpu.emulated { &FEW[..] } else { &METHODS };
    let cases = parity::select_cases(gpu);
    with_gpu_kernels(ordinal, || check_cases(&cases, methods))
}

fn check_cases(cases: &[Case], methods: &[Method]) -> CheckResult {
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
