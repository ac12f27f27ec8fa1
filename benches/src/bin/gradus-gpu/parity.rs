//! Operations and layers on the GPU against the same on the processor: values and gradients, in `f64`.

use gradus_benches::gpu::Gpu;
use proofs::Case;
use tensor::{Device, Kernels, Tensor};

use autograd::Tape;

use crate::found::Found;

/// Of the largest number of the same tensor: a few roundings for each of some hundred terms, in another order, and functions that
/// differ by an ulp or two.
const TOLERANCE: f64 = 1e-12;

/// Every case, as far as this GPU can do it in time.
pub(crate) fn all(gpu: Gpu) -> Found {
    let (host, there) = (kernels(Device::Host), kernels(gpu.device));
    let (mut worst, mut largest) = (String::from("nothing"), 0.0);
    let cases = chosen(gpu);
    for case in &cases {
        let (want, got) = (outcome(case, host), outcome(case, there));
        let error = distance(&want, &got).ok_or_else(|| format!("{case}: not as many numbers, or other shapes"))?;
        if error >= largest {
            (worst, largest) = (case.to_string(), error);
        }
        if error > TOLERANCE || error.is_nan() {
            return Err(format!("{case} differs by {error:.1e} of the largest number, where {TOLERANCE:e} is allowed"));
        }
    }
    Ok(format!("{} cases agree; off by at most {largest:.1e} of the largest number, in {worst}", cases.len()))
}

/// All; on an emulated GPU, the first of each operation and layer.
pub(crate) fn chosen(gpu: Gpu) -> Vec<Case> {
    let mut cases = proofs::all();
    if gpu.emulated {
        cases.dedup_by(|next, first| next.of == first.of);
    }
    cases
}

fn kernels(device: Device) -> &'static dyn Kernels<f64> {
    device.kernels().expect("every device has kernels for f64")
}

/// The value, and the gradients for a gradient of it that differs in every place.
fn outcome(case: &Case, kernels: &'static dyn Kernels<f64>) -> Vec<Option<Tensor<f64>>> {
    let tape = Tape::with_kernels(kernels);
    let x: Vec<_> = case.values().into_iter().map(|value| tape.input(value)).collect();
    let y = case.f.on_numbers(&tape, &x);
    let dy = Tensor::from_fn(y.shape(), |i| 0.5 + (i * 7919 % 64) as f64 / 64.0);
    let _ = y.backward_from(&dy); // inputs that were not reached have no gradient, on both
    [Some(y.value())].into_iter().chain(x.iter().map(|x| x.grad())).collect()
}

/// How far off the numbers are, of the largest of the same tensor; `None` if these are other tensors.
fn distance(want: &[Option<Tensor<f64>>], got: &[Option<Tensor<f64>>]) -> Option<f64> {
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
    fn every_case_agrees_with_itself() {
        let gpu = Gpu { device: Device::Host, emulated: false };
        assert!(all(gpu).is_ok_and(|words| words.contains("cases agree; off by at most 0.0e0")));
    }

    #[test]
    fn distances_are_relative_to_the_largest_number() {
        let of = |x: [f64; 2]| [Some(Tensor::from(x)), None];
        assert_eq!(distance(&of([4.0, 1.0]), &of([4.0, 1.5])), Some(0.125));
        assert!(distance(&of([4.0, 1.0]), &of([4.0, f64::NAN])).is_some_and(f64::is_nan));
        assert_eq!(distance(&of([4.0, 1.0]), &[None, None]), None);
    }
}
