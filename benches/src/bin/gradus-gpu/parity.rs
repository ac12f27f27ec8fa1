//! Checks of operations and layers on the GPU against the CPU: values and gradients, in `f64`.

use gradus_benches::gpu::BenchGpu;
use proofs::Case;
use tensor::{Device, Kernels, Tensor};

use autograd::Tape;

use crate::check_result::CheckResult;

/// The tolerance relative to the largest number of the same tensor. It covers a few roundings for each of some hundred terms,
/// another order of the terms, and functions that differ by an ulp or two.
const TOLERANCE: f64 = 1e-12;

/// Checks every case; on an emulated GPU, a selection.
pub(crate) fn check_all(gpu: BenchGpu) -> CheckResult {
    let (host, there) = (kernels(Device::Host), kernels(gpu.device));
    let (mut worst, mut largest) = (String::from("nothing"), 0.0);
    let cases = select_cases(gpu);
    for case in &cases {
        let (want, got) = (evaluate_case(case, host), evaluate_case(case, there));
        let error =
            relative_error(&want, &got).ok_or_else(|| format!("{case}: not as many numbers, or other shapes"))?;
        if error >= largest {
            (worst, largest) = (case.to_string(), error);
        }
        if error > TOLERANCE || error.is_nan() {
            return Err(format!("{case} differs by {error:.1e} of the largest number, where {TOLERANCE:e} is allowed"));
        }
    }
    Ok(format!("{} cases agree; off by at most {largest:.1e} of the largest number, in {worst}", cases.len()))
}

/// Selects all cases; on an emulated GPU, the first of each operation and layer.
pub(crate) fn select_cases(gpu: BenchGpu) -> Vec<Case> {
    let mut cases = proofs::all_cases();
    if gpu.emulated {
        cases.dedup_by(|next, first| next.target == first.target);
    }
    cases
}

fn kernels(device: Device) -> &'static dyn Kernels<f64> {
    device.kernels().expect("every device has kernels for f64")
}

/// Evaluates a case: its value, and its gradients for an upstream gradient with varying entries.
fn evaluate_case(case: &Case, kernels: &'static dyn Kernels<f64>) -> Vec<Option<Tensor<f64>>> {
    let tape = Tape::with_kernels(kernels);
    let x: Vec<_> = case.values().into_iter().map(|value| tape.input(value)).collect();
    let y = case.f.call_f64(&tape, &x);
    let dy = Tensor::from_fn(y.shape(), |i| 0.5 + (i * 7919 % 64) as f64 / 64.0);
    let _ = y.backward_from(&dy); // an unreached input has no gradient, on either device
    [Some(y.value())].into_iter().chain(x.iter().map(|x| x.grad())).collect()
}

/// Returns the largest error relative to the largest number of the same tensor; `None` if the shapes differ.
fn relative_error(want: &[Option<Tensor<f64>>], got: &[Option<Tensor<f64>>]) -> Option<f64> {
    let mut worst = 0.0_f64;
    for pair in want.iter().zip(got) {
        let (want, got) = match pair {
            (Some(want), Some(got)) if want.shape() == got.shape() => (want.to_vec(), got.to_vec()),
            (None, None) => continue,
            _ => return None,
        };
        let scale = want.iter().fold(f64::MIN_POSITIVE, |scale, x| scale.max(x.abs()));
        let error =
            want.iter().zip(&got).map(|(w, g)| (w - g).abs()).fold(0.0, |a, b| if b > a || b.is_nan() { b } else { a });
        worst = if error.is_nan() { error } else { worst.max(error / scale) };
    }
    (want.len() == got.len()).then_some(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_all_cases_agree_with_themselves() {
        let gpu = BenchGpu { device: Device::Host, emulated: false };
        assert!(check_all(gpu).is_ok_and(|words| words.contains("cases agree; off by at most 0.0e0")));
    }

    #[test]
    fn relative_error_is_relative_to_the_largest_number() {
        let tensors = |x: [f64; 2]| [Some(Tensor::from(x)), None];
        assert_eq!(relative_error(&tensors([4.0, 1.0]), &tensors([4.0, 1.5])), Some(0.125));
        assert!(relative_error(&tensors([4.0, 1.0]), &tensors([4.0, f64::NAN])).is_some_and(f64::is_nan));
        assert_eq!(relative_error(&tensors([4.0, 1.0]), &[None, None]), None);
    }
}
