use tensor::{Kernels, Naive, Shape, Tensor};

use crate::gpu::is_on_gpu;
use crate::{Draw, Operand, Scalar, check, rounding};

agree!(layer_norm layer_norm_backward either_gradient_alone);

/// Draws the shapes of x\[…,N\] and of stats\[…,2\]. Also returns N and the number of rows.
fn shapes(draw: &mut Draw) -> (Shape, Shape, usize, usize) {
    let x = draw.shape(1);
    let last = x.rank() - 1;
    (x, x.with_extent(last, 2), x[last], x.without_axis(last).size())
}

fn layer_norm<T: Scalar>(draw: &mut Draw) {
    let (shape, stats, n, _) = shapes(draw);
    let inputs = [draw.input(shape), draw.input([n]), draw.input([n])];
    let outputs = [draw.overwritten::<T>(shape), draw.overwritten(stats)];
    check("layer_norm", rounding::<T>(n), inputs, outputs, |k, [x, w, b], [y, stats]| {
        k.layer_norm(x, w, b, T::from_f64(0.125), y, stats);
    });
}

/// If all numbers of a row are equal, y is b, for any rounding of the mean. The mean is not an `f32` here, so x − mean
/// is only the rounding error of the mean. The test is exact on a GPU, and has a tolerance of 1e-6 on the host.
#[test]
fn layer_norm_of_a_constant_row_is_its_bias() {
    let [near, near_0] = if is_on_gpu() { [0.0, 0.0] } else { [1e-6, 1e-5] };
    let slopes = if is_on_gpu() { 1e-6 } else { 1e-4 };
    for (n, x) in [(96, 1234.567_f32), (8, 1_000_000.25), (4096, 1234.567)] {
        for k in f32::implementations() {
            let (x, w, b) = (Tensor::full([3, n], x), Tensor::full([n], 1.0), Tensor::full([n], 0.5));
            let (mut y, mut stats) = (Tensor::zeros([3, n]), Tensor::zeros([3, 2]));
            k.layer_norm(x.view(), w.view(), b.view(), 1e-5, y.view_mut(), stats.view_mut());
            let furthest = y.to_vec().iter().fold(0.0, |worst: f32, y| worst.max((y - 0.5).abs()));
            assert!(furthest <= near, "{}: off by {furthest} for n = {n}", k.name());
            // x̂ = 0, so dw = 0 and dx = s·(g − mean g) with s = 1/√ε. The mean of dy is 1/2 or 0.
            for shift in [0.0, -0.5] {
                let dy = Tensor::from_fn([3, n], |j| (j % 2) as f32 + shift);
                let (mut dx, mut dw) = (Tensor::zeros([3, n]), Tensor::zeros([n]));
                let (to_dx, to_dw) = (Some(dx.view_mut()), Some(dw.view_mut()));
                k.layer_norm_backward(x.view(), w.view(), stats.view(), dy.view(), to_dx, to_dw);
                let s = 1e-5_f32.sqrt().recip();
                for (j, dx) in dx.to_vec().into_iter().enumerate() {
                    let want = s * ((j % 2) as f32 - 0.5);
                    assert!((dx - want).abs() <= slopes * s, "{}: {dx}, not {want}", k.name());
                }
                assert!(dw.to_vec().iter().all(|dw| dw.abs() <= near_0), "{}: {dw}", k.name());
            }
        }
    }
}

/// Draws x, w and dy, and computes the stats of x with the reference.
fn backward_inputs<T: Scalar>(draw: &mut Draw, shape: Shape, stats: Shape, n: usize) -> [Operand<T>; 4] {
    let (x, w) = (draw.input::<T>(shape), draw.input::<T>([n]));
    let [mut y, mut found] = [shape, stats].map(|shape| Tensor::full(shape, T::zero()));
    Naive.layer_norm(
        x.contiguous(),
        w.contiguous(),
        w.contiguous(),
        T::from_f64(0.125),
        y.view_mut(),
        found.view_mut(),
    );
    let stats = draw.given(stats, found.to_vec());
    [x, w, stats, draw.input(shape)]
}

fn layer_norm_backward<T: Scalar>(draw: &mut Draw) {
    let (shape, stats, n, rows) = shapes(draw);
    let inputs = backward_inputs(draw, shape, stats, n);
    let outputs = [draw.gradient::<T>(shape), draw.gradient([n])];
    check("layer_norm_backward", rounding::<T>(n.max(rows)), inputs, outputs, |k, [x, w, stats, dy], [dx, dw]| {
        k.layer_norm_backward(x, w, stats, dy, Some(dx), Some(dw));
    });
}

fn either_gradient_alone<T: Scalar>(draw: &mut Draw) {
    let (shape, stats, n, rows) = shapes(draw);
    for only_dx in [true, false] {
        let inputs = backward_inputs(draw, shape, stats, n);
        let outputs = [if only_dx { draw.gradient::<T>(shape) } else { draw.gradient([n]) }];
        check("layer_norm_backward", rounding::<T>(n.max(rows)), inputs, outputs, |k, [x, w, stats, dy], [d]| {
            let (dx, dw) = if only_dx { (Some(d), None) } else { (None, Some(d)) };
            k.layer_norm_backward(x, w, stats, dy, dx, dw);
        });
    }
}
