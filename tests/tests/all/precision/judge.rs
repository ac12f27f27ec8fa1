//! One body, run in `f32`, in `f64` and on bounds; and the verdict.

use std::fmt;

use gradus_tests::Draw;
use tensor::{Fast, Kernels, Naive, Tensor, available_kernels};

use crate::precision::bounded::{Bounded, Scheme, Sums};

/// Kernels in `f32`, and those whose formulas they follow: the same code on bounds, where it is generic; where it is
/// not, whichever of [`Naive`] and [`Fast`] has the same operations, up to the order of sums and fused products.
pub(crate) struct Implementation<S: Scheme> {
    pub(crate) f32: &'static dyn Kernels<f32>,
    pub(crate) formulas: &'static dyn Kernels<Bounded<S>>,
}

/// All that are judged: every instruction set's has the operations of [`Fast`].
pub(crate) fn implementations<S: Scheme>() -> Vec<Implementation<S>> {
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
pub(crate) struct Body<S: Scheme = Sums> {
    pub(crate) f32: Computation<f32>,
    pub(crate) bounded: Computation<Bounded<S>>,
    pub(crate) f64: Computation<f64>,
}

impl<S: Scheme> Body<S> {
    fn bounds(&self, n: usize, seed: u32, formulas: &'static dyn Kernels<Bounded<S>>) -> Vec<Vec<Bounded<S>>> {
        (self.bounded)(&mut Draw::new(seed), n, formulas).iter().map(Tensor::to_vec).collect()
    }
}

/// A test for each body, whose sums follow the scheme, at these sizes or at [`SIZES`](crate::precision::SIZES).
macro_rules! precise {
    ($scheme:ident: $($body:ident)*) => {
        precise!($scheme of crate::precision::SIZES: $($body)*);
    };
    ($scheme:ident of $sizes:path: $($body:ident)*) => {$(
        mod $body {
            #[test]
            fn stays_within_its_bound() {
                let body = $crate::precision::judge::Body::<$crate::precision::bounded::$scheme> {
                    f32: super::$body,
                    bounded: super::$body,
                    f64: super::$body,
                };
                $crate::precision::judge::judge(stringify!($body), &body, &$sizes);
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
    (600 / n).clamp(if n > 10_000 { 1 } else { 2 }, 12) as u32
}

/// Asserts that every implementation stays within its bound, and that the bound of each output means something.
#[track_caller]
pub(crate) fn judge<S: Scheme>(what: &str, body: &Body<S>, sizes: &[usize]) {
    let implementations = implementations();
    let mut most = vec![Vec::new(); implementations.len()];
    for &n in sizes {
        let mut used = vec![Vec::new(); implementations.len()];
        for seed in 0..cases(n) {
            let case = Case::new(body, n, seed);
            for (implementation, used) in implementations.iter().zip(&mut used) {
                let name = format!("{what} by {}, n = {n}, case {seed}", implementation.f32.name());
                take_most(used, &case.compare(&name, implementation));
            }
        }
        for ((implementation, used), most) in implementations.iter().zip(&used).zip(&mut most) {
            let all = used.iter().copied().fold(Used::default(), Used::most);
            println!("{what} by {}, n = {n}: {all}", implementation.f32.name());
            take_most(most, used);
        }
    }
    for (k, used) in most.iter().flat_map(|most| most.iter().enumerate()) {
        assert!(used.means_something(), "{what}, output {k}: {used}, nowhere more: it would hide mistakes");
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

/// One draw: what all implementations are compared with.
pub(crate) struct Case<'a, S: Scheme> {
    body: &'a Body<S>,
    n: usize,
    seed: u32,
    equations: Vec<Vec<Bounded<S>>>,
    fast: Vec<Vec<Bounded<S>>>,
    want: Vec<Vec<f64>>,
}

impl<'a, S: Scheme> Case<'a, S> {
    pub(crate) fn new(body: &'a Body<S>, n: usize, seed: u32) -> Self {
        let want = (body.f64)(&mut Draw::new(seed), n, &Naive).iter().map(Tensor::to_vec).collect();
        let (equations, fast) = (body.bounds(n, seed, &Naive), body.bounds(n, seed, &Fast));
        Self { body, n, seed, equations, fast, want }
    }

    /// Asserts that every element stays within its bound.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, implementation: &Implementation<S>) -> Vec<Used> {
        let got = (self.body.f32)(&mut Draw::new(self.seed), self.n, implementation.f32);
        let is_reference = implementation.formulas.name() == Kernels::<f32>::name(&Naive);
        let (bounds, equations) = (if is_reference { &self.equations } else { &self.fast }, &self.equations);
        let want = &self.want;
        assert!([got.len(), bounds.len(), equations.len()] == [want.len(); 3], "{name}: outputs are missing");
        let output = |k: usize| {
            let (got, bounds, equations, want) = (got[k].to_vec(), &bounds[k], &equations[k], &want[k]);
            let sizes = [got.len(), bounds.len(), equations.len()];
            assert!(sizes == [want.len(); 3], "{name}: output {k} has another size");
            let element = |at: usize| {
                let name = || format!("{name}, output {k}, element {at}");
                element(name, got[at].into(), bounds[at], equations[at], want[at])
            };
            (0..want.len()).map(element).fold(Used::default(), Used::most)
        };
        (0..want.len()).map(output).collect()
    }
}

#[track_caller]
fn element<S: Scheme>(name: impl Fn() -> String, got: f64, bound: Bounded<S>, equation: Bounded<S>, want: f64) -> Used {
    let (value, bound, equation) = (bound.value, bound.error(), equation.error());
    assert!(bound.is_finite(), "{}: {want:e} is outside the domain, or a sum outside its scheme", name());
    let same = (value - want).abs() <= bound * REFERENCE;
    assert!(same, "{}: the bound is of {value:e}, the reference is {want:e}", name());
    let error = (got - want).abs();
    let right = error <= bound * (1.0 + REFERENCE);
    assert!(right, "{} is {got:e}, not {want:e}: wrong by {error:e}, the bound is {bound:e}", name());
    let alike = bound <= REARRANGED * equation;
    assert!(alike, "{}: its formula's bound is {bound:e}, the equation's {equation:e}", name());
    if bound == 0.0 {
        Used::default()
    } else {
        Used { bound: error / bound, rearranged: bound / equation, inexact: true }
    }
}

mod tests {
    use tensor::Real;

    use super::*;
    use crate::precision::normal;

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
        judge("mean", &Body::<Sums> { f32: lossy, bounded: mean, f64: mean }, &[7]);
    }

    #[test]
    fn the_same_without_the_loss_passes() {
        judge("mean", &Body::<Sums> { f32: mean, bounded: mean, f64: mean }, &[7]);
        judge("variance", &Body::<Sums> { f32: variance, bounded: variance, f64: variance }, &[7]);
    }

    #[test]
    #[should_panic(expected = "nowhere more: it would hide mistakes")]
    fn a_bound_that_is_far_too_wide_is_refused() {
        let wide: Computation<Bounded> = |d, n, k| {
            let third = Tensor::scalar(Bounded::of(1.0) / Bounded::of(3.0));
            let noise = Tensor::scalar(third.item() * Bounded::of(1e6) - third.item() * Bounded::of(1e6));
            mean(d, n, k).iter().map(|x| x + &noise).collect()
        };
        judge("mean", &Body::<Sums> { f32: mean, bounded: wide, f64: mean }, &[7]);
    }

    #[test]
    #[should_panic(expected = "its formula's bound is")]
    fn a_formula_that_cancels_is_refused() {
        let (exact, near) = (Bounded::<Sums>::of(0.1), Bounded::of(9.7));
        element(|| "sum".into(), 0.1, exact + near - near, exact, 0.1);
    }

    #[test]
    #[should_panic(expected = "or a sum outside its scheme")]
    fn running_sum_of_many_terms_is_refused() {
        let sum = |_| (0..100).fold(Bounded::<Sums>::of(0.0), |sum, _| sum + Bounded::of(1.0));
        element(|| "sum".into(), 100.0, sum(()), sum(()), 100.0);
    }

    #[test]
    #[should_panic(expected = "is outside the domain")]
    fn an_overflow_is_named() {
        let bound = Bounded::<Sums>::of(89.0).exp();
        element(|| "e⁸⁹".into(), f64::INFINITY, bound, bound, 89.0_f64.exp());
    }
}
