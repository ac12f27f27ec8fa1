//! Long sums in `f32`, in which a plain running sum would lose terms. Answers by hand.
//!
//! The first tests run on a GPU. The last ones run on the host, because they are too long for an emulated GPU.

use tensor::{Form, Kernels, Naive, Reduce, Sgemm, Tensor};

use crate::Scalar;
use crate::gpu::{device, is_on_gpu};

/// A kernel that adds a sum to a tensor.
type Sum<'a> = &'a dyn Fn(&mut Tensor);

/// 2²⁴. A running sum in `f32` that has reached it no longer changes when 1 is added.
const LARGE: f32 = 16_777_216.0;

fn gpu() -> Option<&'static dyn Kernels<f32>> {
    device().map(|_| f32::implementations()[0])
}

/// The terms of a sum: 2²⁴, then n − 1 ones.
fn terms(n: usize) -> Tensor {
    Tensor::from_fn([n], |i| if i == 0 { LARGE } else { 1.0 })
}

fn off_by(got: &Tensor, ones: usize) -> f32 {
    got.to_vec().iter().map(|x| (x - LARGE - ones as f32).abs()).fold(0.0, f32::max)
}

/// The lengths are around the 256 threads and the 512 terms of a block, and far above. Three roundings at 2²⁴ are allowed.
#[test]
fn sum_long_row_keeps_small_terms() {
    let Some(k) = gpu() else { return };
    for n in [255, 256, 257, 511, 512, 513, 20_000] {
        let (x, one) = (terms(n), Tensor::full([n], 1.0));
        let sums: [(&str, Sum<'_>); 4] = [
            ("reduce", &|y| k.reduce(Reduce::Sum, x.reshape([1, n]).view(), 1, y.view_mut())),
            ("sum_to", &|y| k.sum_to(1.0, x.view(), y.view_mut())),
            ("sum_product_to", &|y| k.sum_product_to(1.0, x.view(), one.view(), y.view_mut())),
            ("scatter_add_rows", &|y| {
                let rows = Tensor::new([n], vec![0_u32; n]);
                k.scatter_add_rows(
                    rows.view(),
                    x.reshape([n, 1]).view(),
                    y.view_mut().reshape([1, 1]).expect("no gaps"),
                );
            }),
        ];
        for (name, sum) in sums {
            let mut y = Tensor::zeros([1]);
            sum(&mut y);
            assert!(off_by(&y, n - 1) <= 6.0, "{name} of {n}: {y:?}");
        }
        let root = Tensor::from_fn([n], |i| if i == 0 { 4096.0 } else { 1.0 });
        let squares = Tensor::full([1], k.sum_of_squares(root.view()));
        assert!(off_by(&squares, n - 1) <= 6.0, "sum_of_squares of {n}: {squares:?}");
    }
}

/// The first block of 512 terms may lose all its ones. The other blocks may lose none.
#[test]
fn matmul_long_k_adds_in_blocks() {
    let Some(k) = gpu() else { return };
    for n in [511, 512, 513, 1024, 1025, 5000] {
        let x = terms(n);
        for (form, a, b) in [(Form::NN, [1, n], [n, 1]), (Form::NT, [1, n], [1, n]), (Form::TN, [n, 1], [n, 1])] {
            for accumulate in [false, true] {
                let mut y = Tensor::full([1, 1], if accumulate { 0.0 } else { f32::NAN });
                let (x, ones) = (x.reshape(a), Tensor::full(b, 1.0));
                k.matmul(form, x.view(), ones.view(), accumulate, y.view_mut());
                assert!(off_by(&y, n - 1) <= 518.0, "{form:?} of {n}, {accumulate}: {y:?}");
            }
        }
    }
}

/// Does the same for every rung of the ladder. A plain running sum would lose all ones.
#[test]
fn sgemm_long_k_adds_in_blocks() {
    let Some(device) = device() else { return };
    let there = |x: Tensor| x.to(device).expect("the GPU has enough memory");
    for n in [512, 2100] {
        for rung in Sgemm::ALL {
            let mut y = there(Tensor::full([1, 1], f32::NAN));
            let (x, ones) = (there(terms(n).reshape([1, n])), there(Tensor::full([n, 1], 1.0)));
            rung.run(x.view(), ones.view(), y.view_mut());
            assert!(off_by(&y.to_host(), n - 1) <= 518.0, "{} of {n}: {y:?}", rung.name());
        }
    }
}

/// A view may repeat one number more often than the kernels of a GPU can count. It must panic before the launch.
#[test]
fn reduce_extent_beyond_32_bits_panics() {
    let Some(k) = gpu() else { return };
    let one = Tensor::full([1, 1], 1.0);
    for extent in [u32::MAX as usize - 1022, u32::MAX as usize, 1 << 32] {
        let x = one.broadcast_to([1, extent]);
        let mut y = Tensor::zeros([1]);
        let sum = std::panic::AssertUnwindSafe(|| k.reduce(Reduce::Sum, x.view(), 1, y.view_mut()));
        let payload = std::panic::catch_unwind(sum).expect_err("it panics");
        let message = format!("[1, {extent}]: {extent} along an axis, where kernels of a GPU count up to 4294966272");
        assert_eq!(*payload.downcast::<String>().expect("a message"), message);
    }
}

/// e^−17.4 is less than half of the unit roundoff of 1.
#[test]
fn logsumexp_long_row_keeps_small_terms() {
    let Some(k) = gpu() else { return };
    let n = 8192;
    let x = Tensor::from_fn([1, n], |i| if i == 0 { 0.0 } else { -17.4 });
    let mut y = Tensor::zeros([1]);
    k.logsumexp(x.view(), y.view_mut());
    let want = ((n - 1) as f64 * f64::from(-17.4_f32).exp()).ln_1p();
    assert!((f64::from(y.to_vec()[0]) - want).abs() < 5e-7, "{y:?}, not {want}");
}

/// The kernels of the host; none if the tests run on a GPU.
fn host() -> Vec<&'static dyn Kernels<f32>> {
    if is_on_gpu() { Vec::new() } else { f32::implementations() }
}

/// γ_D(n), the bound on the relative error of a sum of n positive numbers, as in `kernels.rs`.
fn stated_error(n: usize) -> f64 {
    let additions = 32.0 + f64::from(n.div_ceil(32).next_power_of_two().ilog2());
    let unit_roundoff = f64::from(f32::EPSILON) / 2.0;
    additions * unit_roundoff / (1.0 - additions * unit_roundoff)
}

/// The gradient of a bias from rows of 0.1. A running sum of a million rows would have a relative error of 9.6e-3.
#[test]
fn bias_gradient_of_many_rows_is_within_its_bound() {
    for n in [100_000, 1_000_000] {
        let dy = Tensor::full([n, 3], 0.1_f32);
        let want = n as f64 * f64::from(0.1_f32);
        let on_gpu = gpu().filter(|_| is_on_gpu() && n == 100_000).map(|k| (k, 3e-6));
        for (k, bound) in host().into_iter().map(|k| (k, stated_error(n))).chain(on_gpu) {
            let mut db = Tensor::zeros([3]);
            k.sum_to(1.0, dy.view(), db.view_mut());
            for db in db.to_vec() {
                let error = (f64::from(db) / want - 1.0).abs();
                assert!(error <= bound, "{}: {db}, not {want}: wrong by {error:e}", k.name());
            }
        }
    }
}

#[test]
fn sum_axis_of_more_ones_than_f32_counts_is_exact() {
    if is_on_gpu() {
        return;
    }
    let n = (1 << 24) + 1000;
    let ones = Tensor::full([n], 1.0_f32);
    let mut by_reference = Tensor::zeros([]);
    Naive.reduce(Reduce::Sum, ones.view(), 0, by_reference.view_mut());
    assert_eq!([ones.sum(), ones.sum_axis(0).item(), by_reference.item()], [n as f32; 3]);
}

/// The end of a sum of more than 2²⁸ ones: 16 partial sums, the most that run side by side, have reached 2²⁴ and would stay
/// there. (A test in `cpu/sum.rs` adds all 2²⁸ ones.)
#[test]
fn sum_of_ones_behind_sixteen_large_terms_keeps_them() {
    let ones = 1 << 16;
    let n = 16 + ones;
    let term = |i| if i < 16 { LARGE } else { 1.0 };
    let (flat, rows) = (Tensor::from_fn([n], term), Tensor::from_fn([n, 2], |i| term(i / 2)));
    let (roots, one) = (Tensor::from_fn([n], |i| term(i).sqrt()), Tensor::full([n, 1], 1.0));
    for k in host() {
        let sums: [(&str, Sum<'_>); 6] = [
            ("reduce", &|y| k.reduce(Reduce::Sum, flat.reshape([1, n, 1]).view(), 1, y.view_mut().slice(1, 0..1))),
            ("reduce of rows", &|y| k.reduce(Reduce::Sum, rows.reshape([1, n, 2]).view(), 1, y.view_mut())),
            ("sum_to", &|y| k.sum_to(1.0, flat.view(), y.view_mut().select(0, 0).slice(0, 0..1))),
            ("sum_to of rows", &|y| k.sum_to(1.0, rows.view(), y.view_mut().select(0, 0))),
            ("sum_product_to", &|y| k.sum_product_to(1.0, rows.view(), one.view(), y.view_mut().select(0, 0))),
            ("sum_of_squares", &|y| y.view_mut().fill(k.sum_of_squares(roots.view()))),
        ];
        for (name, sum) in sums {
            let mut y = Tensor::zeros([1, 2]);
            sum(&mut y);
            let (got, want) = (f64::from(y.to_vec()[0]), 16.0 * f64::from(LARGE) + ones as f64);
            let error = (got / want - 1.0).abs();
            assert!(error <= stated_error(n), "{name} by {}: {got}, not {want}", k.name());
        }
    }
}

/// The reference would need a second for twice as many ones.
#[test]
fn sum_of_squares_of_more_ones_than_f32_counts_is_exact_by_the_reference() {
    if is_on_gpu() {
        return;
    }
    let n = (1 << 24) + 1000;
    let ones = Tensor::scalar(1.0_f32).broadcast_to([n]);
    assert_eq!(Naive.sum_of_squares(ones.view()), n as f32);
}
