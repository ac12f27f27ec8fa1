//! Precision of gathering and scattering. Gathering is exact. Scattering adds all values with the same index.

use gradus_tests::RandomTensors;
use tensor::{Kernels, Real, Tensor};

use crate::{normal, wide};

precise!(AnyOrder: gather_rows scatter_add_rows gather scatter_add);

/// Returns n indices below `places`, not in order. Large n use all of them.
fn indices(n: usize, places: u32) -> Tensor<u32> {
    Tensor::from_fn([n], |i| i as u32 * 7 % places)
}

fn gather_rows<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (table, mut y) = (normal::<T>(d, [5, 3]), Tensor::zeros([n, 3]));
    k.gather_rows(table.view(), indices(n, 5).view(), y.view_mut());
    vec![y]
}

fn scatter_add_rows<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (dy, mut dtable) = (wide::<T>(d, [n, 3]), normal(d, [5, 3]));
    k.scatter_add_rows(indices(n, 5).view(), dy.view(), dtable.view_mut());
    vec![dtable]
}

fn gather<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (x, mut y) = (normal::<T>(d, [5]), Tensor::zeros([n]));
    k.gather(x.view(), indices(n, 5).view(), y.view_mut());
    vec![y]
}

fn scatter_add<T: Real>(d: &mut RandomTensors, n: usize, k: &dyn Kernels<T>) -> Vec<Tensor<T>> {
    let (dy, mut dx) = (wide::<T>(d, [n]), normal(d, [5]));
    k.scatter_add(indices(n, 5).view(), dy.view(), dx.view_mut());
    vec![dx]
}
