//! Sums on a GPU that are long, and rows far from zero: what a plain running sum in `f32` loses. Answers by hand.

use tensor::{Form, Kernels, Reduce, Sgemm, Tensor};

use crate::Scalar;
use crate::card::device;

/// A kernel that adds a sum to a tensor.
type Sum<'a> = &'a dyn Fn(&mut Tensor);

/// 2²⁴, beyond which a running sum in `f32` no longer takes up a 1.
const LARGE: f32 = 16_777_216.0;

fn gpu() -> Option<&'static dyn Kernels<f32>> {
    device().map(|_| f32::implementations()[0])
}

/// 2²⁴, then ones.
fn terms(n: usize) -> Tensor {
    Tensor::from_fn([n], |i| if i == 0 { LARGE } else { 1.0 })
}

fn off_by(got: &Tensor, ones: usize) -> f32 {
    got.to_vec().iter().map(|x| (x - LARGE - ones as f32).abs()).fold(0.0, f32::max)
}

/// The lengths around a block's 256 threads and 512 terms, and far beyond. Three roundings at 2²⁴ are allowed.
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

/// The first block of 512 terms may lose all its ones; the others none.
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

/// Every rung of the ladder as well: a plain running sum would lose all ones.
#[test]
fn sgemm_long_k_adds_in_blocks() {
    let Some(device) = device() else { return };
    let there = |x: Tensor| x.to(device).expect("there is room");
    for n in [512, 2100] {
        for rung in Sgemm::ALL {
            let mut y = there(Tensor::full([1, 1], f32::NAN));
            let (x, ones) = (there(terms(n).reshape([1, n])), there(Tensor::full([n, 1], 1.0)));
            rung.run(x.view(), ones.view(), y.view_mut());
            assert!(off_by(&y.to_host(), n - 1) <= 518.0, "{} of {n}: {y:?}", rung.name());
        }
    }
}

/// A view may repeat one number more often than kernels count: it is refused before they are called.
#[test]
fn extent_beyond_32_bits_is_refused() {
    let Some(k) = gpu() else { return };
    let one = Tensor::full([1, 1], 1.0);
    for extent in [u32::MAX as usize - 1022, u32::MAX as usize, 1 << 32] {
        let x = one.broadcast_to([1, extent]);
        let mut y = Tensor::zeros([1]);
        let sum = std::panic::AssertUnwindSafe(|| k.reduce(Reduce::Sum, x.view(), 1, y.view_mut()));
        let payload = std::panic::catch_unwind(sum).expect_err("it is refused");
        let words = format!("[1, {extent}]: {extent} along an axis, where kernels of a GPU count up to 4294966272");
        assert_eq!(*payload.downcast::<String>().expect("words"), words);
    }
}

/// e^−17.4 is less than half a roundoff of 1.
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

/// The mean is no `f32`, and its rounding is all that is left of a row after it is taken away.
#[test]
fn layer_norm_constant_row_is_its_bias() {
    let Some(k) = gpu() else { return };
    for (n, value) in [(96, 1234.567), (8, 1_000_000.25), (4096, 1234.567)] {
        let x = Tensor::full([3, n], value);
        let (w, b) = (Tensor::full([n], 1.0), Tensor::full([n], 0.5));
        let (mut y, mut stats) = (Tensor::zeros([3, n]), Tensor::zeros([3, 2]));
        k.layer_norm(x.view(), w.view(), b.view(), 1e-5, y.view_mut(), stats.view_mut());
        assert!(y.to_vec().iter().all(|y| *y == 0.5), "{n} x {value}: {:?}", &y.to_vec()[..4]);
        let dy = Tensor::from_fn([3, n], |i| if i % 2 == 0 { 1.0 } else { -1.0 });
        let (mut dx, mut dw) = (Tensor::zeros([3, n]), Tensor::zeros([n]));
        let (into_dx, into_dw) = (Some(dx.view_mut()), Some(dw.view_mut()));
        k.layer_norm_backward(x.view(), w.view(), stats.view(), dy.view(), into_dx, into_dw);
        let s = 1.0 / 1e-5_f32.sqrt(); // x̂ is 0, and so is the mean of dy
        let wrong = dx.to_vec().iter().zip(dy.to_vec()).any(|(dx, dy)| (dx / (s * dy) - 1.0).abs() > 1e-6);
        assert!(!wrong && dw.to_vec().iter().all(|dw| *dw == 0.0), "{n} x {value}: {:?}", &dx.to_vec()[..4]);
    }
}
