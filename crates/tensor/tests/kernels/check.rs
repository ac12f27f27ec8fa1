//! One call, three times, and the comparison of what comes out.

use std::array::from_fn;

use tensor::profile::Profiled;
use tensor::{Device, Dual, Element, Fast, Kernels, Naive, Real, View, ViewMut};

use crate::gpu::{device, is_on_gpu};
use crate::{Draw, Operand};

/// What an element is compared by: its value, and its tangent where it has one.
pub(crate) trait Parts: Element {
    fn parts(self) -> [f64; 2];
}

/// The scalars that the kernels are tested with.
pub(crate) trait Scalar: Real + Parts {
    /// u, the relative error of one rounding.
    const ROUNDOFF: f64;
    fn draw(draw: &mut Draw) -> Self;
    /// All that are tested; the reference judges itself on operands with gaps. Where a GPU is tested, its own.
    fn implementations() -> Vec<&'static dyn Kernels<Self>> {
        if is_on_gpu() { of_a_gpu().into_iter().collect() } else { vec![&Naive, &Fast] }
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
                return of_a_gpu().into_iter().collect();
            }
            let mut all = tensor::available_kernels();
            all.push(&Fast);
            all
        }
    }
    f64 {}
}

/// The kernels of the first GPU; none of duals.
fn of_a_gpu<T: Scalar>() -> Option<&'static dyn Kernels<T>> {
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

/// For results that are sums and products of drawn numbers: no rounding, so no order of summation shows.
pub(crate) const EXACT: f64 = 0.0;

/// For results that are functions of drawn numbers: those of a GPU are rounded otherwise, and its products may be fused with
/// additions.
pub(crate) fn functions<T: Scalar>() -> f64 {
    if is_on_gpu() { rounding::<T>(1) } else { EXACT }
}

/// For results that are functions of sums of `n` terms: (n + 8)·u for each of two evaluations (n − 1 additions and
/// some eight roundings around them; Higham 2002, equation 4.4), with terms that add up to at most four times the
/// largest result. That is 3.7e-14 in `f64` at n = 33.
pub(crate) fn rounding<T: Scalar>(n: usize) -> f64 {
    8.0 * (n + 8) as f64 * T::ROUNDOFF
}

/// Asserts that `call` does on the operands' own layouts, by every set of kernels, what `Naive` does on row-major
/// copies of them, within `tolerance` of the largest entry; and that no guard around an output changes.
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

/// The same with another comparison of what comes out, of its name, what came, and what `Naive` gave.
#[track_caller]
pub(crate) fn check_by<T: Scalar, U: Parts, const I: usize, const O: usize>(
    what: &str,
    compare: impl Fn(&str, &[U], &[U]),
    inputs: [Operand<T>; I],
    outputs: [Operand<U>; O],
    call: impl Fn(&dyn Kernels<T>, [View<T>; I], [ViewMut<U>; O]),
) {
    let mut want = outputs.each_ref().map(|o| o.values.clone());
    let mut places = outputs.iter().zip(&mut want).map(|(o, values)| o.plain_mut(values));
    call(&Naive, inputs.each_ref().map(Operand::plain), from_fn(|_| places.next().expect("O outputs")));
    let profiled = Profiled::new(&Fast);
    let all = T::implementations().into_iter().chain((!is_on_gpu()).then_some(&profiled as &dyn Kernels<T>));
    for (kernels, place) in
        all.flat_map(|kernels| places_for(kernels.device()).iter().map(move |&place| (kernels, place)))
    {
        let device = |k: usize| if place(k) { kernels.device() } else { Device::Host };
        let read: [_; I] = from_fn(|k| inputs[k].buffer.to(device(k)).expect("there is room"));
        let mut got: [_; O] = from_fn(|k| outputs[k].buffer.to(device(I + k)).expect("there is room"));
        let mut places = outputs.iter().zip(&mut got).map(|(o, buffer)| o.carved_mut(buffer));
        call(kernels, from_fn(|k| inputs[k].carved_in(&read[k])), from_fn(|_| places.next().expect("O outputs")));
        for (k, output) in outputs.iter().enumerate() {
            let what = format!("{what}, output {k} by {}", kernels.name());
            let mut got = got[k].to_host();
            compare(&what, &output.read(&got), &want[k]);
            output.carved_mut(&mut got).fill(output.guard);
            assert!(got.to_vec().iter().all(|&x| x == output.guard), "{what}: an element outside was written");
        }
    }
}

/// Which operands lie where the kernels compute: all that are on the host have to; for a GPU, all, none, and every second.
fn places_for(device: Device) -> &'static [fn(usize) -> bool] {
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
fn a_wrong_tangent_is_seen() {
    let a = [Dual { value: 1.0, tangent: 2.0 }; 2];
    compare("tangent", 1e-9, &a, &[a[0], Dual { value: 1.0, tangent: 3.0 }]);
}

#[test]
#[should_panic(expected = "an element outside was written")]
fn a_broken_guard_is_seen() {
    let mut draw = Draw::new(1);
    let mut y = draw.gradient::<f64>([3]);
    y.buffer = tensor::Tensor::full([64], 0.0);
    check::<f64, _, 0, 1>("guard", EXACT, [], [y], |_, [], [mut y]| (0..3).for_each(|i| y.set(&[i], 1.0)));
}
