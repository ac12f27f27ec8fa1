//! Shape check and broadcasting forward shared by elementwise operations of two arguments.

use tensor::{Binary, Real};

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
