//! Kernels at the ends of the range of their equations, with answers by hand.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tensor::{Form, Kernels, Map, Reduce, Tensor};

use crate::Scalar;

/// The `f64` kernels: the reference and the fast ones, or those of a GPU.
fn all_kernels() -> Vec<&'static dyn Kernels<f64>> {
    f64::implementations()
}

/// Runs a kernel that overwrites a tensor of `shape`. Returns the result in row-major order.
fn run<const N: usize>(shape: [usize; N], kernel: impl FnOnce(&mut Tensor<f64>)) -> Vec<f64> {
    let mut y = Tensor::full(shape, f64::NAN);
    kernel(&mut y);
    y.to_vec()
}

#[test]
fn softmax_logits_of_ten_thousand_do_not_overflow() {
    let x = Tensor::from([[1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]]);
    let third = 1.0 / 3.0;
    for k in all_kernels() {
        let y = run([2, 3], |y| k.softmax(x.view(), y.view_mut()));
        assert_eq!(y, [0.5, 0.0, 0.5, third, third, third]);
        let y = run([2, 3], |y| k.log_softmax(x.view(), y.view_mut()));
        let (ln2, ln3) = (2_f64.ln(), 3_f64.ln());
        assert_eq!(y, [-ln2, -2e4 - ln2, -ln2, -ln3, -ln3, -ln3]);
        let y = run([2], |y| k.logsumexp(x.view(), y.view_mut()));
        assert_eq!(y, [1e4 + ln2, -1e4 + ln3]);
    }
}

/// The rows are longer than a vector. The largest logit is tested at each index.
#[test]
fn softmax_large_logits_in_every_instruction_set_do_not_overflow() {
    let row = |f: &dyn Fn(usize) -> f32| Tensor::from_fn([1, 18], f);
    for k in f32::implementations() {
        let softmax = |x: &Tensor| {
            let [mut p, mut ln_p] = [(); 2].map(|()| Tensor::full([1, 18], f32::NAN));
            k.softmax(x.view(), p.view_mut());
            k.log_softmax(x.view(), ln_p.view_mut());
            (p.to_vec(), ln_p.to_vec())
        };
        for largest in 0..18 {
            let (p, ln_p) = softmax(&row(&|i| if i == largest { 1e4 } else { -1e4 }));
            for i in 0..18 {
                let want = if i == largest { (1.0, 0.0) } else { (0.0, -2e4) };
                assert_eq!((p[i], ln_p[i]), want, "{}, {i} of {largest}", k.name());
            }
        }
        let (p, ln_p) = softmax(&row(&|_| -1e4));
        assert!(p.iter().all(|p| (p * 18.0 - 1.0).abs() < 1e-6), "{}: {p:?}", k.name());
        assert!(ln_p.iter().all(|ln_p| (ln_p + 18_f32.ln()).abs() < 1e-6), "{}: {ln_p:?}", k.name());
        let (p, ln_p) = softmax(&row(&|i| if i == 17 { f32::NAN } else { 0.0 }));
        assert!(p.iter().chain(&ln_p).all(|x| x.is_nan()), "{}", k.name());
    }
}

#[test]
fn softmax_masked_logit_has_probability_zero_and_nan_propagates() {
    let x = Tensor::from([[0.0, f64::NEG_INFINITY], [0.0, f64::NAN]]);
    for k in all_kernels() {
        let y = run([2, 2], |y| k.softmax(x.view(), y.view_mut()));
        assert_eq!(y[..2], [1.0, 0.0]);
        assert!(y[2].is_nan() && y[3].is_nan());
        let y = run([2, 2], |y| k.map(Map::Relu, x.view(), y.view_mut()));
        assert!(y[..3] == [0.0; 3] && y[3].is_nan());
    }
}

#[test]
fn relu_backward_at_nonpositive_outputs_adds_nothing() {
    let y = Tensor::from([0.0, 0.0, -1.0, 2.0, 2.0]);
    let dy = Tensor::from([f64::INFINITY, f64::NAN, f64::NEG_INFINITY, f64::INFINITY, 3.0]);
    for k in all_kernels() {
        let mut dx = Tensor::full([5], 0.5);
        k.map_backward(Map::Step, y.view(), dy.view(), dx.view_mut());
        assert_eq!(dx.to_vec(), [0.5, 0.5, 0.5, f64::INFINITY, 3.5]);
    }
    let [y, dy] = [y, dy].map(|x| Tensor::new([5], x.to_vec().iter().map(|&x| x as f32).collect()));
    for k in f32::implementations() {
        let mut dx = Tensor::full([5], 0.5);
        k.map_backward(Map::Step, y.view(), dy.view(), dx.view_mut());
        assert_eq!(dx.to_vec(), [0.5, 0.5, 0.5, f32::INFINITY, 3.5], "{}", k.name());
    }
}

#[test]
fn argmax_of_rows_with_nan_ignores_nan() {
    let (nan, low) = (f64::NAN, f64::NEG_INFINITY);
    let x = Tensor::from([[nan, 1.0, 3.0], [1.0, nan, 3.0], [nan, nan, low], [3.0, 1.0, nan], [nan; 3]]);
    for k in all_kernels() {
        let mut best = Tensor::from([9_u32; 5]);
        k.argmax(x.view(), best.view_mut());
        assert_eq!(best.to_vec(), [2, 2, 2, 0, 2]);
    }
}

#[test]
fn logsumexp_of_infinities_is_infinite_and_nan_propagates() {
    let (high, low) = (f64::INFINITY, f64::NEG_INFINITY);
    let x = Tensor::from([[low, low], [high, 1.0], [high, low], [low, 1.0], [low, f64::NAN], [high, f64::NAN]]);
    for k in all_kernels() {
        let mut y = Tensor::zeros([6]);
        k.logsumexp(x.view(), y.view_mut());
        assert_eq!(y.to_vec()[..4], [low, high, high, 1.0]);
        assert!(y.to_vec()[4..].iter().all(|y| y.is_nan()));
        let mut dx = Tensor::full([6, 2], 0.5);
        k.logsumexp_backward(x.view(), y.view(), Tensor::full([6], 2.0).view(), dx.view_mut());
        let dx = dx.to_vec();
        assert_eq!((&dx[..2], dx[3], dx[5], &dx[6..8]), (&[0.5; 2][..], 0.5, 0.5, &[0.5, 2.5][..]));
        assert!(dx[2].is_nan() && dx[4].is_nan());
    }
}

/// 2⁵³ + 1 is not an `f64`. So Σ (x − mean)·(x + mean), which is mathematically the same sum, would give half the variance.
#[test]
fn layer_norm_of_a_row_far_from_zero_has_the_exact_variance() {
    let far = 2_f64.powi(52);
    let (x, w, b) = (Tensor::from([[far - 1.0, far + 1.0]]), Tensor::full([2], 1.0), Tensor::zeros([2]));
    for k in all_kernels() {
        let mut stats = Tensor::full([1, 2], f64::NAN);
        let y = run([1, 2], |y| k.layer_norm(x.view(), w.view(), b.view(), 0.0, y.view_mut(), stats.view_mut()));
        assert_eq!((&y[..], &stats.to_vec()[..]), (&[-1.0, 1.0][..], &[far, 1.0][..]));
    }
}

#[test]
fn gru_gates_saturated_keep_or_replace_the_state() {
    let (open, shut) = (-1e4, 1e4); // z = 0 takes the candidate, z = 1 keeps h_prev
    let gx = Tensor::from([[0.0, open, 1e4], [0.0, shut, 1e4]]);
    let (hw, b_hh, h_prev) = (Tensor::zeros([2, 3]), Tensor::zeros([3]), Tensor::full([2, 1], 0.25));
    for k in all_kernels() {
        let mut kept = Tensor::zeros([2, 4]);
        let [gx, hw, b_hh, h_prev] = [&gx, &hw, &b_hh, &h_prev].map(Tensor::view);
        let h = run([2, 1], |h| k.gru_gates(gx, None, hw, b_hh, h_prev, kept.view_mut(), h.view_mut()));
        assert_eq!(h, [1.0, 0.25]);
        assert_eq!(kept.to_vec(), [0.5, 0.0, 1.0, 0.0, 0.5, 1.0, 1.0, 0.0]);
    }
}

#[test]
fn matmul_with_k_zero_is_zero_or_adds_nothing() {
    for (form, a, b) in [(Form::NN, [2, 0], [0, 3]), (Form::NT, [2, 0], [3, 0]), (Form::TN, [0, 2], [0, 3])] {
        let (a, b) = (Tensor::zeros(a), Tensor::zeros(b));
        for k in all_kernels() {
            assert_eq!(run([2, 3], |y| k.matmul(form, a.view(), b.view(), false, y.view_mut())), [0.0; 6]);
            let mut y = Tensor::full([2, 3], 7.0);
            k.matmul(form, a.view(), b.view(), true, y.view_mut());
            assert_eq!(y.to_vec(), [7.0; 6]);
        }
    }
}

#[test]
fn reduce_of_an_empty_axis_is_the_neutral_element() {
    let x = Tensor::zeros([2, 0]);
    for k in all_kernels() {
        assert_eq!(run([2], |y| k.reduce(Reduce::Sum, x.view(), 1, y.view_mut())), [0.0; 2]);
        assert_eq!(run([2], |y| k.reduce(Reduce::Max, x.view(), 1, y.view_mut())), [f64::NEG_INFINITY; 2]);
        assert_eq!(run([2], |y| k.logsumexp(x.view(), y.view_mut())), [f64::NEG_INFINITY; 2]);
        assert_eq!(k.sum_of_squares(x.view()), 0.0);
    }
}

#[test]
fn scatter_add_repeated_indices_add_up_and_argmax_takes_the_first() {
    let index = Tensor::from([2_u32, 0, 2]);
    let dy = Tensor::from([1.0, 10.0, 100.0]);
    for k in all_kernels() {
        let mut dx = Tensor::from([0.5; 3]);
        k.scatter_add(index.view(), dy.view(), dx.view_mut());
        assert_eq!(dx.to_vec(), [10.5, 0.5, 101.5]);
        let mut dtable = Tensor::full([3, 1], 0.5);
        k.scatter_add_rows(index.view(), dy.reshape([3, 1]).view(), dtable.view_mut());
        assert_eq!(dtable.to_vec(), [10.5, 0.5, 101.5]);
        let mut best = Tensor::from([9_u32; 2]);
        k.argmax(Tensor::from([[1.0, 3.0, 3.0], [-2.0, -2.0, -2.0]]).view(), best.view_mut());
        assert_eq!(best.to_vec(), [1, 0]);
    }
}

/// A view that repeats one number more often than a `u32` can count.
#[test]
#[cfg(target_pointer_width = "64")]
fn argmax_of_rows_longer_than_u32_panics() {
    let (one, mut y) = (Tensor::<f32>::zeros([1, 1]), Tensor::from([7_u32]));
    let x = one.broadcast_to([1, 1 << 32]);
    for k in f32::implementations() {
        let payload = catch_unwind(AssertUnwindSafe(|| k.argmax(x.view(), y.view_mut()))).expect_err(k.name());
        let message = *payload.downcast::<String>().expect("a message");
        assert!(message.contains("[1, 4294967296]") && message.contains("429496"), "{}: {message}", k.name());
    }
    assert_eq!(y.to_vec(), [7]);
}

#[test]
fn gather_and_scatter_index_outside_panics() {
    let (x, index) = (Tensor::zeros([3, 1]), Tensor::from([3_u32]));
    let panics = |f: &dyn Fn()| catch_unwind(AssertUnwindSafe(f)).is_err();
    for k in all_kernels() {
        let (row, one) = (|| x.reshape([3]), || Tensor::zeros([1]));
        assert!(panics(&|| k.gather_rows(x.view(), index.view(), Tensor::zeros([1, 1]).view_mut())));
        assert!(panics(&|| k.scatter_add_rows(index.view(), Tensor::zeros([1, 1]).view(), x.clone().view_mut())));
        assert!(panics(&|| k.gather(row().view(), index.view(), one().view_mut())));
        assert!(panics(&|| k.scatter_add(index.view(), one().view(), row().view_mut())));
    }
}

#[test]
fn map_of_a_broadcast_bias_fills_rows_with_and_without_gaps() {
    let bias = Tensor::from([1.0_f32, 2.0, 3.0]).broadcast_to([2, 3]);
    for k in f32::implementations() {
        let mut wide = Tensor::full([2, 4], 9.0);
        k.map(Map::Identity, bias.view(), wide.view_mut().slice(1, 0..3));
        assert_eq!(wide.to_vec(), [1.0, 2.0, 3.0, 9.0, 1.0, 2.0, 3.0, 9.0], "{}", k.name());
        let mut plain = Tensor::full([2, 3], 9.0);
        k.map(Map::Identity, bias.view(), plain.view_mut());
        assert_eq!(plain.to_vec(), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0], "{}", k.name());
    }
}
