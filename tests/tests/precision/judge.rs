//! One body, run in `f32`, in `f64` and on bounds; and the verdict.

use std::fmt;

use gradus_tests::Draw;
use tensor::{Fast, Kernels, Naive, Tensor, available_kernels};

use crate::bounded::Bounded;

/// Kernels in `f32`, and those whose formulas they follow: the same code on bounds, where it is generic; where it is
/// not, whichever of [`Naive`] and [`Fast`] has the same operations, up to the order of sums and fused products.
pub(crate) struct Implementation {
    pub(crate) f32: &'static dyn Kernels<f32>,
    pub(crate) formulas: &'static dyn Kernels<Bounded>,
}

/// All that are judged: every instruction set's has the operations of [`Fast`].
pub(crate) fn implementations() -> Vec<Implementation> {
    let mut all = vec![Implementation { f32: &Fast, formulas: &Fast }];
    all.extend(available_kernels().into_iter().map(|f32| match f32.name() {
        "reference" => Implementation { f32, formulas: &Naive },
        _ => Implementation { f32, formulas: &Fast },
    }));
    all
}

/// A computation of some size on numbers that it draws, all of them `f32`s.
pub(crate) type Computation<T> = fn(&mut Draw, usize, &'static dyn Kernels<T>) -> Vec<Tensor<T>>;

/// The computation that is judged, that of its bound, and the reference.
pub(crate) struct Body {
    pub(crate) f32: Computation<f32>,
    pub(crate) bounded: Computation<Bounded>,
    pub(crate) f64: Computation<f64>,
}

/// One test per body.
macro_rules! precise {
    ($($body:ident)*) => {$(
        mod $body {
            #[test]
            fn stays_within_its_bound() {
                let body = $crate::judge::Body { f32: super::$body, bounded: super::$body, f64: super::$body };
                $crate::judge::judge(stringify!($body), &body, &$crate::SIZES);
            }
        }
    )*};
}

/// The reference is computed in `f64`, whose u is 2⁻²⁹ of ours, with functions that are as good in ulps; and so is the
/// bound. Both are well within this part of it.
const REFERENCE: f64 = 1.0 / (1 << 20) as f64;

/// By how much the formulas of an implementation may bound worse than the equations as they stand: twice, that is, two
/// roundings in the place of one. A rearrangement that cancels (a variance as E x² − (E x)²) is a different thing.
const REARRANGED: f64 = 2.0;

/// How much of a bound must be reached at some size: one that is never approached would prove nothing.
const MEANINGFUL: f64 = 1e-3;

/// How many draws of one size: few where each has many elements.
fn cases(n: usize) -> u32 {
    (600 / n).clamp(2, 12) as u32
}

/// Asserts that every implementation stays within its bound, and that the bound of each output means something.
#[track_caller]
pub(crate) fn judge(what: &str, body: &Body, sizes: &[usize]) {
    for implementation in &implementations() {
        let mut most = Vec::new();
        for &n in sizes {
            let mut used = Vec::new();
            for seed in 0..cases(n) {
                let name = format!("{what} by {}, n = {n}, case {seed}", implementation.f32.name());
                take_most(&mut used, &compare(&name, body, n, seed, implementation));
            }
            let all = used.iter().copied().fold(Used::default(), Used::most);
            println!("{what} by {}, n = {n}: {all}", implementation.f32.name());
            take_most(&mut most, &used);
        }
        for (k, used) in most.iter().enumerate() {
            assert!(used.means_something(), "{what}, output {k}: {used}, nowhere more: it would hide mistakes");
        }
    }
}

/// How well a bound fits the elements of one output.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    /// max |error| / bound.
    bound: f64,
    /// max bound / bound of the equations as they stand.
    rearranged: f64,
    /// Whether all elements are exact: their bounds are zero.
    inexact: bool,
}

impl Used {
    fn most(self, other: Self) -> Self {
        Self {
            bound: self.bound.max(other.bound),
            rearranged: self.rearranged.max(other.rearranged),
            inexact: self.inexact || other.inexact,
        }
    }

    fn means_something(self) -> bool {
        !self.inexact || self.bound >= MEANINGFUL
    }
}

/// Output by output.
fn take_most(most: &mut Vec<Used>, used: &[Used]) {
    most.resize(used.len(), Used::default());
    most.iter_mut().zip(used).for_each(|(most, &used)| *most = most.most(used));
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { bound, rearranged, inexact } = self;
        if !inexact {
            return write!(f, "exact");
        }
        write!(f, "{bound:.3} of its bound is used, which is {rearranged:.2} of the equations'")
    }
}

/// Asserts that every element of one draw stays within its bound.
#[track_caller]
pub(crate) fn compare(name: &str, body: &Body, n: usize, seed: u32, implementation: &Implementation) -> Vec<Used> {
    let got = (body.f32)(&mut Draw::new(seed), n, implementation.f32);
    let bounds = (body.bounded)(&mut Draw::new(seed), n, implementation.formulas);
    let equations = (body.bounded)(&mut Draw::new(seed), n, &Naive);
    let want = (body.f64)(&mut Draw::new(seed), n, &Naive);
    assert!([got.len(), bounds.len(), equations.len()] == [want.len(); 3], "{name}: outputs are missing");
    let output = |k: usize| {
        let (got, bounds) = (got[k].to_vec(), bounds[k].to_vec());
        let (equations, want) = (equations[k].to_vec(), want[k].to_vec());
        assert!([got.len(), bounds.len(), equations.len()] == [want.len(); 3], "{name}: output {k} has another size");
        let element = |at: usize| {
            let name = format!("{name}, output {k}, element {at}");
            element(&name, got[at].into(), bounds[at], equations[at], want[at])
        };
        (0..want.len()).map(element).fold(Used::default(), Used::most)
    };
    (0..want.len()).map(output).collect()
}

fn element(name: &str, got: f64, bound: Bounded, equation: Bounded, want: f64) -> Used {
    let (value, bound, equation) = (bound.value, bound.error(), equation.error());
    assert!(bound.is_finite(), "{name}: {want:e} is outside the domain");
    assert!((value - want).abs() <= bound * REFERENCE, "{name}: the bound is of {value:e}, the reference is {want:e}");
    let error = (got - want).abs();
    let allowed = bound * (1.0 + REFERENCE);
    assert!(error <= allowed, "{name} is {got:e}, not {want:e}: wrong by {error:e}, the bound is {bound:e}");
    assert!(bound <= REARRANGED * equation, "{name}: its formula's bound is {bound:e}, the equation's {equation:e}");
    if bound == 0.0 {
        Used::default()
    } else {
        Used { bound: error / bound, rearranged: bound / equation, inexact: true }
    }
}

mod tests {
    use tensor::Real;

    use super::*;
    use crate::normal;

    fn mean<T: Real>(d: &mut Draw, n: usize, _: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
        vec![Tensor::scalar(normal::<T>(d, [n]).sum() * T::of(1.0 / n as f64))]
    }

    fn variance<T: Real>(d: &mut Draw, n: usize, k: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
        let (x, mut spread) = (normal::<T>(d, [n]), Tensor::zeros([2]));
        let (w, mut y) = (Tensor::zeros([n]), Tensor::zeros([n]));
        k.layer_norm(x.view(), w.view(), w.view(), T::zero(), y.view_mut(), spread.view_mut());
        vec![spread]
    }

    #[test]
    #[should_panic(expected = "the bound is")]
    fn four_lost_bits_are_seen() {
        let lossy: Computation<f32> =
            |d, n, k| mean(d, n, k).iter().map(|x| Tensor::scalar(f32::from_bits(x.item().to_bits() & !0xf))).collect();
        judge("mean", &Body { f32: lossy, bounded: mean, f64: mean }, &[7]);
    }

    #[test]
    fn the_same_without_the_loss_passes() {
        judge("mean", &Body { f32: mean, bounded: mean, f64: mean }, &[7]);
        judge("variance", &Body { f32: variance, bounded: variance, f64: variance }, &[7]);
    }

    #[test]
    #[should_panic(expected = "nowhere more: it would hide mistakes")]
    fn a_bound_that_is_far_too_wide_is_refused() {
        let wide: Computation<Bounded> = |d, n, k| {
            let third = Tensor::scalar(Bounded::of(1.0) / Bounded::of(3.0));
            let noise = Tensor::scalar(third.item() * Bounded::of(1e6) - third.item() * Bounded::of(1e6));
            mean(d, n, k).iter().map(|x| x + &noise).collect()
        };
        judge("mean", &Body { f32: mean, bounded: wide, f64: mean }, &[7]);
    }

    #[test]
    #[should_panic(expected = "its formula's bound is")]
    fn a_formula_that_cancels_is_refused() {
        let (exact, cancelling) = (Bounded::of(0.1), Bounded::of(0.1) + Bounded::of(9.7) - Bounded::of(9.7));
        element("sum", 0.1, cancelling, exact, 0.1);
    }

    #[test]
    #[should_panic(expected = "is outside the domain")]
    fn an_overflow_is_named() {
        element("e⁸⁹", f64::INFINITY, Bounded::of(89.0).exp(), Bounded::of(89.0).exp(), 89.0_f64.exp());
    }
}
