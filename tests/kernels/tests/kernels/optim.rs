use tensor::{AdamStep, Tensor};

use crate::{Draw, Scalar, check, rounding};

agree!(adam momentum rmsprop);

fn adam<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let step = [1, 2, 3, 100, 100_000][draw.below(5)];
    for decoupled in [false, true] {
        let config = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.05, decoupled, step };
        let (g, m, p) = (draw.input(shape), draw.gradient::<T>(shape), draw.gradient(shape));
        let v = draw.positive(shape);
        check(&format!("{config:?}"), rounding::<T>(8), [g], [m, v, p], |k, [g], [m, v, p]| k.adam(config, g, m, v, p));
    }
}

fn momentum<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (g, m, p) = (draw.input(shape), draw.gradient::<T>(shape), draw.gradient(shape));
    check("momentum", rounding::<T>(8), [g], [m, p], |k, [g], [m, p]| {
        k.momentum(T::from_f64(0.1), T::from_f64(0.9), g, m, p)
    });
}

fn rmsprop<T: Scalar>(draw: &mut Draw) {
    let shape = draw.shape(0);
    let (g, p) = (draw.input(shape), draw.gradient::<T>(shape));
    let v = draw.positive(shape);
    check("rmsprop", rounding::<T>(8), [g], [v, p], |k, [g], [v, p]| {
        k.rmsprop(T::from_f64(0.1), T::from_f64(0.99), T::from_f64(1e-8), g, v, p);
    });
}

/// 1 − 0.999 is 0.001, but with 0.999 rounded to `f32` it would be 0.00100005. So the kernels compute constants in
/// `f64` and then round them. The first step is exactly as long as the rate.
#[test]
fn adam_constants_are_rounded_once() {
    let config = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 0.0, decay: 0.0, decoupled: false, step: 1 };
    let g = Tensor::from([1.0_f32, -1.0]);
    for k in f32::implementations() {
        let [mut m, mut v, mut p] = [(); 3].map(|()| Tensor::zeros([2]));
        k.adam(config, g.view(), m.view_mut(), v.view_mut(), p.view_mut());
        let [first, second] = [0.9, 0.999].map(|beta: f64| (1.0 - beta) as f32);
        assert_eq!((m.to_vec(), v.to_vec()), (vec![first, -first], vec![second; 2]), "{}", k.name());
        let is_near = |(p, want): (f32, f32)| (p - want).abs() <= 4.0 * f32::EPSILON * 0.1;
        assert!(p.to_vec().into_iter().zip([-0.1, 0.1]).all(is_near), "{}: {p}", k.name());
    }
}

/// A bias of −∞ masks an action and has gradient 0. Without decay and with decoupled decay it does not change.
#[test]
fn adam_infinite_parameters_without_gradient_stay_and_have_no_moments() {
    let n = 19;
    for (decay, decoupled) in [(0.0, false), (0.0, true), (0.05, true)] {
        let config = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, decoupled, step: 3 };
        let start = Tensor::from_fn([n], |i| [f32::NEG_INFINITY, f32::INFINITY][i % 2]);
        for k in f32::implementations().into_iter().chain([&tensor::Naive as &dyn tensor::Kernels<f32>]) {
            let (zeros, mut p) = (Tensor::zeros([n]), start.clone());
            let [mut m, mut v] = [(); 2].map(|()| Tensor::zeros([n]));
            k.adam(config, zeros.view(), m.view_mut(), v.view_mut(), p.view_mut());
            assert_eq!(p.to_vec(), start.to_vec(), "{} with {config:?}", k.name());
            assert_eq!((m.to_vec(), v.to_vec()), (zeros.to_vec(), zeros.to_vec()), "{} with {config:?}", k.name());
        }
    }
}

/// Draws 10^u with u uniform in [low, high), so that all orders of magnitude are equally likely.
fn log_uniform(draw: &mut Draw, low: f64, high: f64) -> f64 {
    10_f64.powf(low + (high - low) * draw.uniform())
}

/// Rounds x to the scalar type.
fn round_to<T: Scalar>(x: f64) -> f64 {
    T::from_f64(x).value()
}

/// Sizes around the lanes of all vectors, and one that exceeds any block.
const SIZES: [usize; 8] = [1, 3, 7, 8, 17, 33, 257, 5000];

/// Asserts that each result of a step has an error of at most sixteen roundings of the sum of its absolute terms.
/// `want` has the result and that sum.
#[track_caller]
fn assert_within_roundings<T: Scalar>(what: &str, got: &Tensor<T>, want: &[(f64, f64)]) {
    for (i, (got, &(want, terms))) in got.to_vec().iter().zip(want).enumerate() {
        let bound = 16.0 * T::ROUNDOFF * terms + f64::from(f32::MIN_POSITIVE);
        assert!(
            (got.value() - want).abs() <= bound,
            "{what}, number {i}: {:e} is not {want:e} ± {bound:e}",
            got.value()
        );
    }
}

/// Compares all kernels with a plain `f64` loop of the equations, for rates from 1e-6 to 1, decays up to 10, and steps
/// up to 10¹².
fn compare_with_plain_loops<T: Scalar>() {
    let all = || T::implementations().into_iter().chain(std::iter::once(&tensor::Naive as &dyn tensor::Kernels<T>));
    crate::cases::run_up_to(200, |draw| {
        let n = SIZES[draw.below(SIZES.len())];
        let rate = log_uniform(draw, -6.0, 0.0);
        let [beta1, beta2, alpha] = [(); 3].map(|()| 1.0 - log_uniform(draw, -4.0, 0.0));
        let mu = if draw.below(4) == 0 { 0.0 } else { beta1 };
        let epsilon = log_uniform(draw, -10.0, -1.0);
        let decay = if draw.below(4) == 0 { 0.0 } else { log_uniform(draw, -4.0, 1.0) };
        let step = if draw.coin() { 1 + draw.below(5) as u64 } else { log_uniform(draw, 1.0, 12.0) as u64 };
        let mut numbers = |least: f64| -> Vec<T> {
            (0..n).map(|_| T::from_f64(least.max(2.0 * draw.uniform() - 1.0) * log_uniform(draw, -3.0, 1.0))).collect()
        };
        let (g, m, p, v) = (numbers(-1.0), numbers(-1.0), numbers(-1.0), numbers(0.0));
        let to_f64 = |x: &[T], i: usize| x[i].value();
        let tensors = || [&m, &v, &p].map(|x| Tensor::new([n], x.clone()));
        let g_tensor = Tensor::new([n], g.clone());

        for decoupled in [false, true] {
            let config = AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step };
            let corrections = [beta1, beta2].map(|beta| -(step as f64 * beta.ln()).exp_m1());
            let want: Vec<[(f64, f64); 3]> = (0..n)
                .map(|i| {
                    let [mut g, m, v, mut p] = [to_f64(&g, i), to_f64(&m, i), to_f64(&v, i), to_f64(&p, i)];
                    let mut g_terms = g.abs();
                    let p_terms = p.abs();
                    if decoupled {
                        p -= rate * decay * p;
                    } else {
                        g_terms += (decay * p).abs();
                        g += decay * p;
                    }
                    let m_terms = (beta1 * m).abs() + (1.0 - beta1) * g_terms;
                    let v_terms = beta2 * v + (1.0 - beta2) * g_terms * g_terms;
                    let (m, v) = (beta1 * m + (1.0 - beta1) * g, beta2 * v + (1.0 - beta2) * g * g);
                    let size = rate / corrections[0] / ((v / corrections[1]).sqrt() + epsilon);
                    let cancelled = if v > 0.0 { v_terms / v } else { 1.0 };
                    // The error of 1 − βᵗ: cancellation, and as many roundings of βᵗ in f64 as there are steps.
                    let lost =
                        |beta: f64, c: f64| f64::EPSILON / T::ROUNDOFF * (1.0 + step as f64 * (1.0 - c) / beta) / c;
                    let lost = lost(beta1, corrections[0]) + lost(beta2, corrections[1]);
                    let p_terms = p_terms * (1.0 + rate * decay) + size * (m_terms + m.abs() * (cancelled + lost));
                    [(m, m_terms), (v, v_terms), (p - size * m, p_terms)]
                })
                .collect();
            for k in all() {
                let [mut m, mut v, mut p] = tensors();
                k.adam(config, g_tensor.view(), m.view_mut(), v.view_mut(), p.view_mut());
                for (j, got) in [m, v, p].iter().enumerate() {
                    let want: Vec<_> = want.iter().map(|want| want[j]).collect();
                    let which = ["m", "v", "p"][j];
                    assert_within_roundings(&format!("{config:?} by {}, {which}", k.name()), got, &want);
                }
            }
        }
        let [rate, mu, alpha, epsilon] = [rate, mu, alpha, epsilon].map(round_to::<T>);
        for k in all() {
            let [mut m_tensor, mut v_tensor, start] = tensors();
            let mut moved = start.clone();
            k.momentum(T::from_f64(rate), T::from_f64(mu), g_tensor.view(), m_tensor.view_mut(), moved.view_mut());
            let want: Vec<[(f64, f64); 2]> = (0..n)
                .map(|i| {
                    let [g, m, p] = [to_f64(&g, i), to_f64(&m, i), to_f64(&p, i)];
                    let (velocity, terms) = (mu * m + g, (mu * m).abs() + g.abs());
                    [(velocity, terms), (p - rate * velocity, p.abs() + rate * terms)]
                })
                .collect();
            for (j, got) in [m_tensor, moved].iter().enumerate() {
                let want: Vec<_> = want.iter().map(|want| want[j]).collect();
                assert_within_roundings(&format!("momentum {mu} at {rate:e} by {}", k.name()), got, &want);
            }
            let mut moved = start;
            k.rmsprop(
                T::from_f64(rate),
                T::from_f64(alpha),
                T::from_f64(epsilon),
                g_tensor.view(),
                v_tensor.view_mut(),
                moved.view_mut(),
            );
            let want: Vec<[(f64, f64); 2]> = (0..n)
                .map(|i| {
                    let [g, v, p] = [to_f64(&g, i), to_f64(&v, i), to_f64(&p, i)];
                    let v = alpha * v + (1.0 - alpha) * g * g;
                    let step = rate * g / (v.sqrt() + epsilon);
                    [(v, v), (p - step, p.abs() + step.abs())]
                })
                .collect();
            for (j, got) in [v_tensor, moved].iter().enumerate() {
                let want: Vec<_> = want.iter().map(|want| want[j]).collect();
                assert_within_roundings(&format!("rmsprop {alpha} at {rate:e} by {}", k.name()), got, &want);
            }
        }
    });
}

#[test]
fn optimisers_in_f32_match_plain_loops() {
    compare_with_plain_loops::<f32>();
}

#[test]
fn optimisers_in_f64_match_plain_loops() {
    compare_with_plain_loops::<f64>();
}
