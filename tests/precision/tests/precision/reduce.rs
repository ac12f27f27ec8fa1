//! Precision of sums over everything, over an axis, and over broadcast axes. The bound is D(n)·u times the sum of the absolute
//! values, in any order of the scheme.

use gradus_tests::RandomTensors;
use tensor::{Kernels, Real, Reduce, Tensor};

use crate::{constant, normal, wide};

precise!(Axes: sum_to sum_product_to);
precise!(Sums: reduce sum_of_squares);

/// Returns the shapes that remain of dy\[3,N,5\], with N summed or not.
fn targets(n: usize) -> [[usize; 3]; 6] {
    [[1, 1, 1], [3, 1, 5], [3, 1, 1], [1, 1, 5], [1, n, 1], [3, n, 1]]
}

fn sum_to<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let sum = |to: [usize; 3]| {
        let (dy, [mut dx, mut along_lanes]) = (wide::<T>(d, [3, n, 5]), [(); 2].map(|()| normal(d, to)));
        k.sum_to(constant(0.3), dy.view(), dx.view_mut());
        // The same with the summed axis innermost, along the SIMD lanes.
        let to = along_lanes.view_mut().permute(&[0, 2, 1]);
        k.sum_to(constant(1.0), dy.permute(&[0, 2, 1]).view(), to);
        [dx, along_lanes]
    };
    targets(n).map(sum).into_iter().flatten().collect()
}

fn sum_product_to<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let sum = |to: [usize; 3]| {
        let (a, b, mut dx) = (wide::<T>(d, [3, n, 5]), normal(d, [n, 1]), normal(d, to));
        k.sum_product_to(constant(0.3), a.view(), b.view(), dx.view_mut());
        dx
    };
    targets(n).map(sum).into()
}

fn reduce<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (x, mut out) = (wide::<T>(d, [3, n, 5]), Vec::new());
    for how in [Reduce::Sum, Reduce::Max] {
        for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2]] {
            let x = x.permute(&axes);
            for axis in 0..3 {
                let mut y = Tensor::zeros(x.shape().without_axis(axis));
                k.reduce(how, x.view(), axis, y.view_mut());
                out.push(y);
            }
        }
    }
    out
}

fn sum_of_squares<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (flat, x) = (wide::<T>(d, [n]), wide::<T>(d, [n, 3]));
    [flat, x.transpose()].map(|x| Tensor::scalar(k.sum_of_squares(x.view()))).into()
}
