//! Tests every operation of every instruction set on special numbers, against the arrays of `Portable`.

use alloc::vec::Vec;

use super::Simd;
use super::isa::{Isa, Position};
use super::portable::Portable;

#[cfg(any(all(target_arch = "x86_64", feature = "std"), target_arch = "aarch64"))]
const NUMBERS: [f32; 14] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    3.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    -f32::NAN,
    f32::from_bits(1),
    -1e-40,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
];

/// The results of each operation for a, b and c, in the first and the last lane.
fn results<S: Isa>(s: S, [a, b, c]: [f32; 3]) -> Vec<(&'static str, f32)> {
    let lanes = |v: S::V| -> [f32; 2] {
        let mut out = [0.0; 16];
        Position::new(s, 0, S::LANES).store(v, &mut out);
        [out[0], out[S::LANES - 1]]
    };
    let [va, vb] = [a, b].map(|x| s.splat(x));
    let mut out = Vec::new();
    s.run(|| {
        let mut note = |name, v| out.extend(lanes(v).map(|x| (name, x)));
        note("add", s.add(va, vb));
        note("sub", s.sub(va, vb));
        note("mul", s.mul(va, vb));
        note("div", s.div(va, vb));
        note("min", s.min(va, 3.0));
        note("max", s.max(va, -1.5));
        note("maximum", s.maximum(va, vb));
        note("abs", s.abs(va));
        note("copysign", s.copysign(va, vb));
        note("select_negative", s.select_negative(va, vb, s.splat(c)));
        let part = [c; 15];
        let lanes = S::LANES - 1;
        note("load_masked", Position::new(s, 0, lanes).load_or(&part[..lanes], vb));
    });
    out
}

#[cfg(any(all(target_arch = "x86_64", feature = "std"), target_arch = "aarch64"))]
fn assert_agrees_with_portable<S: Isa>(s: S) {
    for a in NUMBERS {
        for b in NUMBERS {
            for c in [2.0, f32::NAN, f32::INFINITY] {
                for ((name, got), (_, want)) in results(s, [a, b, c]).into_iter().zip(results(Portable, [a, b, c])) {
                    let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
                    assert!(same, "{}: {name} of {a:e}, {b:e}, {c:e} is {got:e}, not {want:e}", S::NAME);
                }
            }
        }
    }
}

fn assert_maximum_ignores_nan<S: Isa>(s: S) {
    for n in [1, 7, 8, 9, 16, 17, 33, 65] {
        for at in 0..n {
            for largest in [0, n / 2, n - 1].into_iter().filter(|&largest| largest != at) {
                let mut x: Vec<f32> = (0..n).map(|i| -(i as f32)).collect();
                (x[largest], x[at]) = (5.0, f32::NAN);
                let got = s.run(|| super::reduce::maximum(s, &x));
                assert_eq!(got, 5.0, "{}: NaN at {at}, the largest at {largest} of {n}", S::NAME);
            }
        }
    }
}

#[test]
fn portable_maximum_ignores_nan() {
    assert_maximum_ignores_nan(Portable);
    let maximum =
        |a, b| results(Portable, [a, b, 0.0]).into_iter().find(|(name, _)| *name == "maximum").map(|(_, x)| x);
    assert_eq!([maximum(1.0, f32::NAN), maximum(1.0, 2.0), maximum(2.0, 1.0)], [Some(1.0), Some(2.0), Some(2.0)]);
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
#[test]
fn avx_agrees_with_portable_on_special_numbers() {
    if let Some(&Simd(s)) = super::x86::avx2() {
        assert_agrees_with_portable(s);
        assert_maximum_ignores_nan(s);
    }
    if let Some(&Simd(s)) = super::x86::avx512() {
        assert_agrees_with_portable(s);
        assert_maximum_ignores_nan(s);
    }
}

#[cfg(target_arch = "aarch64")]
#[test]
fn neon_agrees_with_portable_on_special_numbers() {
    let Simd(s) = Simd(super::neon::Neon);
    assert_agrees_with_portable(s);
    assert_maximum_ignores_nan(s);
}
