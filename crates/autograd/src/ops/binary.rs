//! Shape check and broadcasting forward shared by elementwise operations of two arguments, and the backward of an operation that
//! selects one of them.

use tensor::{Binary, Real, View};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::var::Var;

#[track_caller]
pub(crate) fn assert_broadcast<T: Real>(name: &str, a: Var<'_, T>, b: Var<'_, T>) {
    let (a, b) = (a.shape(), b.shape());
    assert!(a.broadcast(&b).is_some(), "{name}: {a} and {b} do not broadcast");
}

pub(crate) fn forward<T: Real>(f: &mut Forward<'_, T>, op: Binary) {
    let (kernels, a, b) = (f.kernels(), f.input(0), f.input(1));
    let shape = a.shape().broadcast(&b.shape()).expect("the shapes were checked at recording");
    kernels.binary(op, a, b, f.output(shape));
}

/// Adds dy to the gradient of input k where the first view of `pairs[k]` is larger than the second, and half of it where both are
/// equal.
pub(crate) fn backward_of_larger<T: Real>(back: &mut Backward<'_, T>, pairs: [[View<'_, T>; 2]; 2]) {
    let (kernels, dy) = (back.kernels(), back.dy());
    let mut share = back.scratch_uninit(dy.shape());
    for (k, [x, other]) in pairs.into_iter().enumerate() {
        if let Some(dx) = back.grad(k) {
            kernels.binary(Binary::MaxSlope, x, other, share.view_mut());
            kernels.sum_product_to(T::one(), share.view(), dy, dx);
        }
    }
    back.release_scratch(share);
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    #[test]
    #[should_panic(expected = "sub: [2, 3] and [2] do not broadcast")]
    fn sub_incompatible_shapes_panic_with_both_shapes() {
        let tape = crate::Tape::<f64>::new();
        let _ = tape.input(Tensor::zeros([2, 3])) - tape.input(Tensor::zeros([2]));
    }
}
