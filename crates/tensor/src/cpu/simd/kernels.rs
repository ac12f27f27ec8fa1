//! The implementation of [`Kernels`]: calls of the functions in the sibling modules, and of [`Fast`] for the other kernels.

use super::isa::Isa;
use super::{Simd, elementwise, gru, index, matmul, optim, reduce, softmax};
use crate::cpu::Fast;
use crate::kernels::{AdamStep, Binary, Form, Kernels, Reduce, forward_kernels};
use crate::map::Map;
use crate::view::{View, ViewMut};

/// The scalar type in the signatures of the kernel list.
type T = f32;

/// Forwards the kernels that have an arm here to `Fast`. Every other kernel is a function of the same name, whose first
/// argument is the token.
#[deny(unused_macro_rules)]
macro_rules! call {
    ($self:ident, reduce::sum_product_to $args:tt) => { Fast.sum_product_to $args };
    ($self:ident, reduce::reduce $args:tt) => { Fast.reduce $args };
    ($self:ident, reduce::argmax $args:tt) => { Fast.argmax $args };
    ($self:ident, softmax::softmax_backward $args:tt) => { Fast.softmax_backward $args };
    ($self:ident, softmax::logsumexp $args:tt) => { Fast.logsumexp $args };
    ($self:ident, softmax::logsumexp_backward $args:tt) => { Fast.logsumexp_backward $args };
    ($self:ident, index::gather $args:tt) => { Fast.gather $args };
    ($self:ident, index::scatter_add $args:tt) => { Fast.scatter_add $args };
    ($self:ident, norm::$kernel:ident $args:tt) => { Fast.$kernel $args };
    ($self:ident, optim::momentum $args:tt) => { Fast.momentum $args };
    ($self:ident, $family:ident::$kernel:ident($($arg:ident),*)) => { $family::$kernel($self.0, $($arg),*) };
}

impl<S: Isa> Kernels<T> for Simd<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }
    forward_kernels! { call }
}
