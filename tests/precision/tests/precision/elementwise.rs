//! Precision of maps, their slopes and binary functions. The bound is one rounding, or the ulps of a function.

use gradus_tests::RandomTensors;
use tensor::{Binary, Kernels, Map, Real, Tensor};

use crate::{constant, normal, positive, wide};

precise!(Sums: map map_backward binary);

fn map<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let apply = |f| {
        let x = if matches!(f, Map::Log | Map::Sqrt) { positive(d, [n]) } else { normal::<T>(d, [n]) };
        let mut y = Tensor::zeros([n]);
        k.map(f, x.view(), y.view_mut());
        y
    };
    Map::all(constant(-1.5)).into_iter().map(apply).collect()
}

fn map_backward<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let apply = |slope| {
        let (kept, dy, mut dx) = (positive::<T>(d, [n]), wide(d, [n]), normal(d, [n]));
        k.map_backward(slope, kept.view(), dy.view(), dx.view_mut());
        dx
    };
    Map::all(constant(-1.5)).into_iter().map(apply).collect()
}

fn binary<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let apply = |op| {
        let (a, b, mut y) = (wide::<T>(d, [n, 1]), positive(d, [3]), Tensor::zeros([n, 3]));
        k.binary(op, a.view(), b.view(), y.view_mut());
        y
    };
    Binary::ALL.map(apply).into()
}
