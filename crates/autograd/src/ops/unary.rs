//! Forward and backward shared by elementwise operations of one argument: y = f(x), dx += f′·dy. f′ is a function of x or of y.

use tensor::{Map, Real};

use crate::backward::Backward;
use crate::forward::Forward;

/// The argument of the slope f′.
pub(crate) enum SlopeOf {
    /// The input.
    X,
    /// The output: f is not computed again.
    Y,
}

pub(crate) fn forward<T: Real>(f: &mut Forward<'_, T>, map: Map<T>) {
    let (kernels, x, shape) = (f.kernels(), f.input(0), f.shape(0));
    kernels.map(map, x, f.output(shape));
}

pub(crate) fn backward<T: Real>(b: &mut Backward<'_, T>, slope: Map<T>, argument: SlopeOf) {
    let (kernels, dy) = (b.kernels(), b.dy());
    let kept = match argument {
        SlopeOf::X => b.input(0),
        SlopeOf::Y => b.output(),
    };
    if let Some(dx) = b.grad(0) {
        kernels.map_backward(slope, kept, dy, dx);
    }
}

/// Backward with the slope f′ = c·g(x), for which [`Map`] has only g.
pub(crate) fn backward_scaled<T: Real>(b: &mut Backward<'_, T>, c: T, g: Map<T>) {
    let (kernels, x, dy) = (b.kernels(), b.input(0), b.dy());
    let mut slope = b.scratch_uninit(dy.shape());
    kernels.map(g, x, slope.view_mut());
    if let Some(dx) = b.grad(0) {
        kernels.sum_product_to(c, slope.view(), dy, dx);
    }
    b.release_scratch(slope);
}
