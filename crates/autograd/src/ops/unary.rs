//! What elementwise operations of one argument share: y = f(x), dx += f′·dy with f′ written in x or in y.

use tensor::{Map, Real};

use crate::backward::Backward;
use crate::forward::Forward;

/// What the slope is written in.
pub(crate) enum In {
    /// The input.
    X,
    /// The output, which saves computing f again.
    Y,
}

pub(crate) fn forward<T: Real>(f: &mut Forward<'_, T>, map: Map<T>) {
    let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
    kernels.map(map, x, f.output(shape));
}

pub(crate) fn backward<T: Real>(b: &mut Backward<'_, T>, slope: Map<T>, kept: In) {
    let (kernels, dy) = (b.kernels(), b.dy());
    let kept = match kept {
        In::X => b.input(0),
        In::Y => b.output(),
    };
    if let Some(dx) = b.grad(0) {
        kernels.map_backward(slope, kept, dy, dx);
    }
}
