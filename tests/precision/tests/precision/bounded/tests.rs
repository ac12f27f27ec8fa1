//! Tests of the bounds themselves: no computation exceeds its bound, and some computations come close to it.

use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Fast, Kernels, Naive, Reduce, Tensor};

use num_traits::{One, Zero};

use super::*;

fn stream(case: u32) -> Philox {
    Philox::stream(7, Stream { purpose: Purpose(257), update: 0, episode: case })
}

/// Draws a number of either sign with a size from 2⁻²⁰ to 2²⁰.
fn number(rng: &mut Philox) -> f32 {
    let size = (rng.below(41) as f32 - 20.0).exp2();
    (0.5 + rng.uniform_f32()) * if rng.below(2) == 0 { size } else { -size }
}

#[track_caller]
fn assert_bounded<S: Scheme>(what: &str, got: f32, bounded: Bounded<S>) {
    let error = (f64::from(got) - bounded.value).abs();
    assert!(error <= bounded.error() * (1.0 + 1e-6), "{what}: the error of {got:e} is {error:e}, beyond {bounded}");
}

/// Each addition adds two random partial sums, so every bracketing can occur.
#[test]
fn bounded_sum_random_orders_stay_within_the_bound() {
    for case in 0..2000 {
        let mut rng = stream(case);
        let mut terms: Vec<f32> = (0..2 + rng.below(20)).map(|_| number(&mut rng)).collect();
        let bounded =
            terms.iter().fold(Bounded::zero(), |sum: Bounded<AnyOrder>, &x| sum + Bounded::from_f64(x.into()));
        while terms.len() > 1 {
            let (i, j) = (rng.below(terms.len() as u32), rng.below(terms.len() as u32 - 1));
            let term = terms.swap_remove(i as usize);
            terms[j as usize] += term;
        }
        assert_bounded("sum", terms[0], bounded);
    }
}

/// Each term after 1 is half the gap above 1, so every addition loses it.
#[test]
fn bounded_sum_worst_case_reaches_the_bound() {
    for n in [2, 3, 10, 1000] {
        let terms = (0..n).map(|i| if i == 0 { 1.0 } else { U as f32 });
        let bounded =
            terms.clone().fold(Bounded::zero(), |sum: Bounded<AnyOrder>, x| sum + Bounded::from_f64(x.into()));
        let error = bounded.value - f64::from(terms.sum::<f32>());
        assert!(error <= bounded.error() && error > 0.99 * bounded.error(), "n = {n}: {error:e} of {bounded}");
    }
}

/// The bound of a sum of n ones, in units of n·u, is D(n) of the kernels, but at most n − 1.
#[test]
fn bounded_sum_bound_grows_with_the_logarithm_of_its_length() {
    for (n, additions) in [(1, 0), (2, 1), (32, 31), (33, 32), (34, 33), (64, 33), (65, 34), (1000, 37), (100_000, 44)]
    {
        let ones = Tensor::<Bounded>::full([n], Bounded::one());
        for k in [&Naive as &dyn Kernels<Bounded>, &Fast] {
            let mut y = Tensor::zeros([]);
            k.reduce(Reduce::Sum, ones.view(), 0, y.view_mut());
            let in_roundings = y.item().error() / (n as f64 * U);
            let right = (in_roundings - f64::from(additions)).abs() <= 1e-3;
            assert!(right, "{}, n = {n}: {in_roundings}, not {additions}", k.name());
        }
    }
}

/// The first block adds 31 terms to 1 and loses them. Each block sum that is added to this block is lost as well.
#[test]
fn bounded_sum_worst_blocked_case_reaches_the_bound() {
    let n = 1 << 15;
    let term = |i: usize| match i {
        0 => 1.0,
        i if i < 32 || i.is_power_of_two() => U as f32,
        _ => 1e-30,
    };
    let bounded: Bounded = sum_of(Tensor::from_fn([n], |i| Bounded::from_f64(term(i).into())));
    let error = bounded.value - f64::from(sum_of(Tensor::from_fn([n], term)));
    assert!(error <= bounded.error() && error > 0.95 * bounded.error(), "{error:e} of {bounded}");
}

fn sum_of<T: Real>(x: Tensor<T>) -> T {
    let mut y = Tensor::zeros([]);
    Naive.reduce(Reduce::Sum, x.view(), 0, y.view_mut());
    y.item()
}

/// Runs random programs over a few variables, in `f32` and on bounds.
#[test]
fn bounded_random_programs_stay_within_the_bound() {
    let mut finite = 0;
    for case in 0..20_000 {
        let mut rng = stream(case);
        let mut x = [(); 4].map(|()| number(&mut rng));
        let mut bounded: [Bounded; 4] = x.map(|x| Bounded::from_f64(x.into()));
        for _ in 0..12 {
            let [a, b, to] = [(); 3].map(|()| rng.below(4) as usize);
            let operation = rng.below(9);
            x[to] = apply(operation, x[a], x[b]);
            bounded[to] = apply(operation, bounded[a], bounded[b]);
            if bounded[to].error().is_finite() {
                assert_bounded("program", x[to], bounded[to]);
                finite += 1;
            }
        }
    }
    assert!(finite > 100_000, "{finite} results had a bound");
}

/// Applies an operation. The arguments of roots and logarithms can be negative only by their error.
fn apply<T: Real>(operation: u32, a: T, b: T) -> T {
    match operation {
        0 => a + b,
        1 => a - b,
        2 => a * b,
        3 => a / b,
        4 => a.exp(),
        5 => a.tanh(),
        6 => a.sigmoid(),
        7 => (a * a).sqrt(),
        _ => (a * a + T::from_f64(0.1)).ln(),
    }
}

/// Checks the claimed ulps on every 9973rd number of either sign.
#[test]
fn bounded_functions_stay_within_the_claimed_ulps() {
    let positive = || (1..f32::INFINITY.to_bits()).step_by(9973).map(f32::from_bits);
    for x in positive() {
        let bounded: Bounded = Bounded::from_f64(x.into());
        assert_bounded("ln", Real::ln(x), bounded.ln());
        assert_bounded("sqrt", Real::sqrt(x), bounded.sqrt());
    }
    for x in positive().flat_map(|x| [x, -x]) {
        let bounded: Bounded = Bounded::from_f64(x.into());
        assert_bounded("tanh", Real::tanh(x), bounded.tanh());
        assert_bounded("sigmoid", Real::sigmoid(x), bounded.sigmoid());
        if x < 88.7 {
            assert_bounded("exp", Real::exp(x), bounded.exp());
        }
    }
}

#[test]
fn bounded_exact_operations_have_no_error() {
    let (zero, one, x): (Bounded, _, _) = (Bounded::zero(), Bounded::one(), Bounded::from_f64(0.3));
    assert_eq!(x.error(), f64::from(0.3_f32) - 0.3);
    for same in [x + zero, zero - -x, x * one, -x * -one] {
        assert_eq!((same.value, same.error()), (x.value, x.error()));
    }
    assert_eq!(((x * zero).value, (zero / x).error()), (0.0, 0.0));
}

#[test]
fn bounded_possible_overflow_has_no_bound() {
    let large: Bounded = Bounded::from_f64(f32::MAX.into());
    assert_eq!(large.error(), 0.0);
    for beyond in [large + large, large * Bounded::from_f64(1.5), large / Bounded::from_f64(0.5), large - large + large]
    {
        assert_eq!(beyond.error(), f64::INFINITY);
    }
    assert_eq!(Bounded::<Sums>::from_f64(88.8).exp().error(), f64::INFINITY);
    assert!(
        (Bounded::<Sums>::one() / (Bounded::from_f64(0.3) - Bounded::from_f64(0.3))).error().is_infinite(),
        "it may divide by zero"
    );
}
