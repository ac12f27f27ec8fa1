//! The harness of the precision tests: runs a computation in `f32`, in `f64` and on bounds, and compares the results.

use std::fmt;

use gradus_tests::RandomTensors;
use tensor::{Fast, Kernels, Naive, Tensor, available_kernels};

use crate::bounded::{Bounded, Scheme, Sums};

/// Kernels in `f32`, and the kernels on bounds that follow the same formulas.
///
/// Generic kernels run on bounds themselves. For other kernels, `formulas` is [`Naive`] or [`Fast`]: the one with the same
/// operations, up to the order of sums and fused multiply-adds.
pub(crate) struct Implementation<S: Scheme> {
    pub(crate) f32: &'static dyn Kernels<f32>,
    pub(crate) formulas: &'static dyn Kernels<Bounded<S>>,
}

/// Returns all tested implementations. The kernels of every instruction set have the operations of [`Fast`].
pub(crate) fn implementations<S: Scheme>() -> Vec<Implementation<S>> {
    let mut all = vec![Implementation { f32: &Fast, formulas: &Fast }];
    all.extend(available_kernels().into_iter().map(|f32| match f32.name() {
        "reference" => Implementation { f32, formulas: &Naive },
        _ => Implementation { f32, formulas: &Fast },
    }));
    all
}

/// A computation of a given size. It draws its inputs, which are exact in `f32`.
pub(crate) type Computation<T> = fn(&mut RandomTensors, usize, &'static dyn Kernels<T>) -> Vec<Tensor<T>>;

/// The same computation on three scalars: the tested one, the one of the bound, and the reference.
pub(crate) struct Computations<S: Scheme = Sums> {
    pub(crate) f32: Computation<f32>,
    pub(crate) bounded: Computation<Bounded<S>>,
    pub(crate) f64: Computation<f64>,
}

impl<S: Scheme> Computations<S> {
    fn bounds(&self, n: usize, seed: u32, formulas: &'static dyn Kernels<Bounded<S>>) -> Vec<Vec<Bounded<S>>> {
        (self.bounded)(&mut RandomTensors::new(seed), n, formulas).iter().map(Tensor::to_vec).collect()
    }
}

/// Defines a test for each computation. Its sums follow the scheme. The sizes are those given, or
/// [`SIZES`](crate::SIZES).
macro_rules! precise {
    ($scheme:ident: $($body:ident)*) => {
        precise!($scheme of crate::SIZES: $($body)*);
    };
    ($scheme:ident of $sizes:path: $($body:ident)*) => {$(
        mod $body {
            #[test]
            fn stays_within_its_bound() {
                let body = $crate::harness::Computations::<$crate::bounded::$scheme> {
                    f32: super::$body,
                    bounded: super::$body,
                    f64: super::$body,
                };
                $crate::harness::assert_precise(stringify!($body), &body, &$sizes);
            }
        }
    )*};
}

/// The tolerance for the reference, relative to the bound. The reference and the bound are computed in `f64`, whose u is 2⁻²⁹
/// times that of `f32` and whose functions have the same error in ulps.
const REFERENCE: f64 = 1.0 / (1 << 20) as f64;

/// The largest allowed ratio of the bound of an implementation's formulas to the bound of the original equations. Two allows
/// two roundings in place of one. A rearrangement with cancellation (a variance as E x² − (E x)²) exceeds it.
const REARRANGED: f64 = 2.0;

/// The fraction of a bound that an error must reach at some size. A bound that is never approached would prove nothing.
const MEANINGFUL: f64 = 1e-3;

/// Returns the number of draws for one size. Large sizes get few.
fn case_count(n: usize) -> u32 {
    (600 / n).clamp(if n > 10_000 { 1 } else { 2 }, 12) as u32
}

/// Asserts that every implementation stays within its bound, and that the bound of each output is meaningful.
#[track_caller]
pub(crate) fn assert_precise<S: Scheme>(what: &str, computations: &Computations<S>, sizes: &[usize]) {
    let implementations = implementations();
    let mut most = vec![Vec::new(); implementations.len()];
    for &n in sizes {
        let mut used = vec![Vec::new(); implementations.len()];
        for seed in 0..case_count(n) {
            let case = Case::new(computations, n, seed);
            for (implementation, used) in implementations.iter().zip(&mut used) {
                let name = format!("{what} by {}, n = {n}, case {seed}", implementation.f32.name());
                merge_max(used, &case.compare(&name, implementation));
            }
        }
        for ((implementation, used), most) in implementations.iter().zip(&used).zip(&mut most) {
            let all = used.iter().copied().fold(BoundUse::default(), BoundUse::max);
            println!("{what} by {}, n = {n}: {all}", implementation.f32.name());
            merge_max(most, used);
        }
    }
    for (k, used) in most.iter().flat_map(|most| most.iter().enumerate()) {
        assert!(used.is_meaningful(), "{what}, output {k}: {used} at most: this bound would hide mistakes");
    }
}

/// Ratios of errors and bounds of one output.
#[derive(Clone, Copy, Default)]
pub(crate) struct BoundUse {
    /// max |error| / bound.
    bound: f64,
    /// max bound / bound of the original equations.
    rearranged: f64,
    /// True if some element has a bound above zero.
    inexact: bool,
}

impl BoundUse {
    fn max(self, other: Self) -> Self {
        Self {
            bound: self.bound.max(other.bound),
            rearranged: self.rearranged.max(other.rearranged),
            inexact: self.inexact || other.inexact,
        }
    }

    fn is_meaningful(self) -> bool {
        !self.inexact || self.bound >= MEANINGFUL
    }
}

/// Takes the maximum for each output.
fn merge_max(most: &mut Vec<BoundUse>, used: &[BoundUse]) {
    most.resize(used.len(), BoundUse::default());
    most.iter_mut().zip(used).for_each(|(max, &used)| *max = max.max(used));
}

impl fmt::Display for BoundUse {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { bound, rearranged, inexact } = self;
        if !inexact {
            return write!(f, "exact");
        }
        write!(f, "uses {bound:.3} of its bound, which is {rearranged:.2} times the equations' bound")
    }
}

/// One draw, with the bounds and the reference for all implementations.
pub(crate) struct Case<'a, S: Scheme> {
    computations: &'a Computations<S>,
    n: usize,
    seed: u32,
    equations: Vec<Vec<Bounded<S>>>,
    fast: Vec<Vec<Bounded<S>>>,
    want: Vec<Vec<f64>>,
}

impl<'a, S: Scheme> Case<'a, S> {
    pub(crate) fn new(computations: &'a Computations<S>, n: usize, seed: u32) -> Self {
        let want = (computations.f64)(&mut RandomTensors::new(seed), n, &Naive).iter().map(Tensor::to_vec).collect();
        let (equations, fast) = (computations.bounds(n, seed, &Naive), computations.bounds(n, seed, &Fast));
        Self { computations, n, seed, equations, fast, want }
    }

    /// Asserts that every element stays within its bound.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str, implementation: &Implementation<S>) -> Vec<BoundUse> {
        let got = (self.computations.f32)(&mut RandomTensors::new(self.seed), self.n, implementation.f32);
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
                check_element(name, got[at].into(), bounds[at], equations[at], want[at])
            };
            (0..want.len()).map(element).fold(BoundUse::default(), BoundUse::max)
        };
        (0..want.len()).map(output).collect()
    }
}

#[track_caller]
fn check_element<S: Scheme>(
    name: impl Fn() -> String,
    got: f64,
    bound: Bounded<S>,
    equation: Bounded<S>,
    want: f64,
) -> BoundUse {
    let (value, bound, equation) = (bound.value, bound.error(), equation.error());
    assert!(bound.is_finite(), "{}: {want:e} is outside the domain, or a sum is outside its scheme", name());
    let same = (value - want).abs() <= bound * REFERENCE;
    assert!(same, "{}: the bound is for {value:e}, but the reference is {want:e}", name());
    let error = (got - want).abs();
    let right = error <= bound * (1.0 + REFERENCE);
    assert!(right, "{} is {got:e}, not {want:e}: the error is {error:e}, the bound is {bound:e}", name());
    let alike = bound <= REARRANGED * equation;
    assert!(alike, "{}: the formula's bound is {bound:e}, the equation's bound is {equation:e}", name());
    if bound == 0.0 {
        BoundUse::default()
    } else {
        BoundUse { bound: error / bound, rearranged: bound / equation, inexact: true }
    }
}

mod tests {
    use tensor::Real;

    use super::*;
    use crate::normal;

    fn mean<T: Real>(d: &mut RandomTensors, n: usize, _: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
        vec![Tensor::scalar(normal::<T>(d, [n]).sum() * T::from_f64(1.0 / n as f64))]
    }

    fn variance<T: Real>(d: &mut RandomTensors, n: usize, k: &'static dyn Kernels<T>) -> Vec<Tensor<T>> {
        let (x, mut spread) = (normal::<T>(d, [n]), Tensor::zeros([2]));
        let (w, mut y) = (Tensor::zeros([n]), Tensor::zeros([n]));
        k.layer_norm(x.view(), w.view(), w.view(), T::zero(), y.view_mut(), spread.view_mut());
        vec![spread]
    }

    #[test]
    #[should_panic(expected = "the bound is")]
    fn assert_precise_four_lost_bits_are_refused() {
        let lossy: Computation<f32> =
            |d, n, k| mean(d, n, k).iter().map(|x| Tensor::scalar(f32::from_bits(x.item().to_bits() & !0xf))).collect();
        assert_precise("mean", &Computations::<Sums> { f32: lossy, bounded: mean, f64: mean }, &[7]);
    }

    #[test]
    fn assert_precise_exact_computation_passes() {
        assert_precise("mean", &Computations::<Sums> { f32: mean, bounded: mean, f64: mean }, &[7]);
        assert_precise("variance", &Computations::<Sums> { f32: variance, bounded: variance, f64: variance }, &[7]);
    }

    #[test]
    #[should_panic(expected = "this bound would hide mistakes")]
    fn assert_precise_far_too_wide_bound_is_refused() {
        let wide: Computation<Bounded> = |d, n, k| {
            let third = Tensor::scalar(Bounded::from_f64(1.0) / Bounded::from_f64(3.0));
            let noise = Tensor::scalar(third.item() * Bounded::from_f64(1e6) - third.item() * Bounded::from_f64(1e6));
            mean(d, n, k).iter().map(|x| x + &noise).collect()
        };
        assert_precise("mean", &Computations::<Sums> { f32: mean, bounded: wide, f64: mean }, &[7]);
    }

    #[test]
    #[should_panic(expected = "the formula's bound is")]
    fn check_element_cancelling_formula_is_refused() {
        let (exact, near) = (Bounded::<Sums>::from_f64(0.1), Bounded::from_f64(9.7));
        check_element(|| "sum".into(), 0.1, exact + near - near, exact, 0.1);
    }

    #[test]
    #[should_panic(expected = "or a sum is outside its scheme")]
    fn check_element_running_sum_of_many_terms_is_refused() {
        let sum = |_| (0..100).fold(Bounded::<Sums>::from_f64(0.0), |sum, _| sum + Bounded::from_f64(1.0));
        check_element(|| "sum".into(), 100.0, sum(()), sum(()), 100.0);
    }

    #[test]
    #[should_panic(expected = "is outside the domain")]
    fn check_element_overflow_is_named() {
        let bound = Bounded::<Sums>::from_f64(89.0).exp();
        check_element(|| "e⁸⁹".into(), f64::INFINITY, bound, bound, 89.0_f64.exp());
    }
}
