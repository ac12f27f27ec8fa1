//! Makes one call with the reference and with all other kernels, and compares the results.

use std::array::from_fn;

use tensor::profile::Profiler;
use tensor::{Device, Dual, Element, Fast, Kernels, Naive, Real, View, ViewMut};

use crate::gpu::{device, is_on_gpu};
use crate::{Draw, Operand};

/// The parts of an element that are compared: its value, and its tangent or 0.
pub(crate) trait Parts: Element {
    fn parts(self) -> [f64; 2];
}

/// The scalars that the kernels are tested with.
pub(crate) trait Scalar: Real + Parts {
    /// u, the relative error of one rounding.
    const ROUNDOFF: f64;
    fn draw(draw: &mut Draw) -> Self;
    /// The kernels under test: those of the GPU if a GPU is tested, else those of the host. `Naive` is among them,
    /// because it is also tested on operands with gaps.
    fn implementations() -> Vec<&'static dyn Kernels<Self>> {
        if is_on_gpu() { gpu_kernels().into_iter().collect() } else { vec![&Naive, &Fast] }
    }
}

impl Parts for u32 {
    fn parts(self) -> [f64; 2] {
        [self.into(), 0.0]
    }
}

macro_rules! float {
    ($($t:ty { $($more:tt)* })*) => {$(
        impl Parts for $t {
            fn parts(self) -> [f64; 2] {
                [self.into(), 0.0]
            }
        }
        impl Scalar for $t {
            const ROUNDOFF: f64 = <$t>::EPSILON as f64 / 2.0;
            fn draw(draw: &mut Draw) -> Self {
                draw.number() as $t
            }
            $($more)*
        }
    )*};
}
float! {
    f32 {
        fn implementations() -> Vec<&'static dyn Kernels<f32>> {
            if is_on_gpu() {
                return gpu_kernels().into_iter().collect();
            }
            let mut all = tensor::available_kernels();
            all.push(&Fast);
            all
        }
    }
    f64 {}
}

/// The kernels of the first GPU; `None` for dual numbers.
fn gpu_kernels<T: Scalar>() -> Option<&'static dyn Kernels<T>> {
    device()?.kernels().ok()
}

impl Parts for Dual<f64> {
    fn parts(self) -> [f64; 2] {
        [self.value, self.tangent]
    }
}

impl Scalar for Dual<f64> {
    const ROUNDOFF: f64 = f64::ROUNDOFF;
    fn draw(draw: &mut Draw) -> Self {
        Self { value: draw.number(), tangent: draw.number() }
    }
}

/// The tolerance of sums and products of drawn numbers. They have no rounding, so the order of summation does not matter.
pub(crate) const EXACT: f64 = 0.0;

/// The tolerance of functions of drawn numbers. A GPU rounds its functions differently, and may fuse products with additions.
pub(crate) fn functions<T: Scalar>() -> f64 {
    if is_on_gpu() { rounding::<T>(1) } else { EXACT }
}

/// The tolerance of functions of sums of `n` terms: (n + 8)·u for each of two evaluations, with n − 1 additions and about eight
/// other roundings (Higham 2002, equation 4.4). The terms add up to at most four times the largest result. The tolerance is
/// 3.7e-14 in `f64` at n = 33.
pub(crate) fn rounding<T: Scalar>(n: usize) -> f64 {
    8.0 * (n + 8) as f64 * T::ROUNDOFF
}

/// Asserts that `call` gives the same results with all kernels on the drawn layouts as with `Naive` on contiguous
/// copies, within `tolerance` of the largest entry. Also asserts that no guard around an output changes.
#[track_caller]
pub(crate) fn check<T: Scalar, U: Parts, const I: usize, const O: usize>(
    what: &str,
    tolerance: f64,
    inputs: [Operand<T>; I],
    outputs: [Operand<U>; O],
    call: impl Fn(&dyn Kernels<T>, [View<T>; I], [ViewMut<U>; O]),
) {
    check_by(what, |what, got, want| compare(what, tolerance, got, want), inputs, outputs, call);
}

/// Does the same as [`check`] with another comparison. `compare` gets a description, the result, and the result of `Naive`.
#[track_caller]
pub(crate) fn check_by<T: Scalar, U: Parts, const I: usize, const O: usize>(
    what: &str,
    compare: impl Fn(&str, &[U], &[U]),
    inputs: [Operand<T>; I],
    outputs: [Operand<U>; O],
    call: impl Fn(&dyn Kernels<T>, [View<T>; I], [ViewMut<U>; O]),
) {
    let mut want = outputs.each_ref().map(|o| o.values.clone());
    let mut places = outputs.iter().zip(&mut want).map(|(o, values)| o.contiguous_mut(values));
    call(&Naive, inputs.each_ref().map(Operand::contiguous), from_fn(|_| places.next().expect("O outputs")));
    let profiled = Profiler::new(&Fast);
    let all = T::implementations().into_iter().chain((!is_on_gpu()).then_some(&profiled as &dyn Kernels<T>));
    for (kernels, place) in
        all.flat_map(|kernels| placements(kernels.device()).iter().map(move |&place| (kernels, place)))
    {
        let device = |k: usize| if place(k) { kernels.device() } else { Device::Host };
        let read: [_; I] = from_fn(|k| inputs[k].buffer.to(device(k)).expect("the GPU has enough memory"));
        let mut got: [_; O] = from_fn(|k| outputs[k].buffer.to(device(I + k)).expect("the GPU has enough memory"));
        let mut places = outputs.iter().zip(&mut got).map(|(o, buffer)| o.strided_mut(buffer));
        call(kernels, from_fn(|k| inputs[k].strided_in(&read[k])), from_fn(|_| places.next().expect("O outputs")));
        for (k, output) in outputs.iter().enumerate() {
            let what = format!("{what}, output {k} by {}", kernels.name());
            let mut got = got[k].to_host();
            compare(&what, &output.read(&got), &want[k]);
            output.strided_mut(&mut got).fill(output.guard);
            assert!(got.to_vec().iter().all(|&x| x == output.guard), "{what}: an element outside was written");
        }
    }
}

/// The placements of the operands to test. A function returns true for each operand that is on the device of the
/// kernels. On the host this is every operand. For a GPU it is every operand, none, and every second one.
fn placements(device: Device) -> &'static [fn(usize) -> bool] {
    if device.is_host() { &[|_| true] } else { &[|_| true, |_| false, |k| k % 2 == 0] }
}

#[track_caller]
fn compare<U: Parts>(what: &str, tolerance: f64, got: &[U], want: &[U]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for part in 0..2 {
        let scale = want.iter().map(|w| w.parts()[part].abs()).filter(|w| w.is_finite()).fold(1.0, f64::max);
        for (at, (g, w)) in got.iter().zip(want).enumerate() {
            let (g, w) = (g.parts()[part], w.parts()[part]);
            let agree = g == w || g.is_nan() && w.is_nan() || (g - w).abs() <= tolerance * scale;
            assert!(
                agree,
                "{what}: part {part} of element {at} is {g:e}, not {w:e} (tolerance {tolerance:e}·{scale:e})"
            );
        }
    }
}

#[test]
#[should_panic(expected = "part 1 of element 1 is 2e0, not 3e0")]
fn compare_wrong_tangent_panics() {
    let a = [Dual { value: 1.0, tangent: 2.0 }; 2];
    compare("tangent", 1e-9, &a, &[a[0], Dual { value: 1.0, tangent: 3.0 }]);
}

#[test]
#[should_panic(expected = "an element outside was written")]
fn check_write_outside_an_operand_panics() {
    let mut draw = Draw::new(1);
    let mut y = draw.gradient::<f64>([3]);
    y.buffer = tensor::Tensor::full([64], 0.0);
    check::<f64, _, 0, 1>("guard", EXACT, [], [y], |_, [], [mut y]| (0..3).for_each(|i| y.set(&[i], 1.0)));
}
