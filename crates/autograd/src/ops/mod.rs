//! The operations, one file each: equation, derivation, methods on [`Var`](crate::Var), forward, backward, tests.
//!
//! Each file's doc has five parts: the forward equation with shapes; the backward equation and what it keeps; why;
//! cost per element (flops, and bytes kept besides inputs and value); reference. `dy` comes in, `dx` goes out, and
//! gradients are added to.

mod add;
mod binary;
mod broadcast_to;
mod concat;
mod detach;
mod div;
mod embedding;
mod entropy;
mod exp;
mod gather;
pub(crate) mod gru;
mod hook;
mod layer_norm;
mod log;
mod log_softmax;
mod logsumexp;
mod matmul;
mod mul;
mod neg;
mod permute;
mod relu;
mod reshape;
mod scale;
mod shift;
mod sigmoid;
mod slice;
mod softmax;
mod sqrt;
mod square;
mod sub;
mod sum;
mod sum_axis;
mod tanh;
mod unary;

use alloc::boxed::Box;

use tensor::Real;

use crate::backward::Backward;
use crate::custom::CustomOp;
use crate::forward::Forward;
use crate::op::{Leaf, Operation, operations};

// The order numbers them: a new one comes last.
operations! {
    add::Add,
    sub::Sub,
    mul::Mul,
    div::Div,
    neg::Neg,
    scale::Scale<T>,
    shift::Shift<T>,
    exp::Exp,
    log::Log,
    sqrt::Sqrt,
    square::Square,
    tanh::Tanh,
    sigmoid::Sigmoid,
    relu::Relu,
    matmul::MatMul,
    sum::Sum,
    sum_axis::SumAxis,
    reshape::Reshape,
    permute::Permute,
    broadcast_to::BroadcastTo,
    slice::Slice,
    concat::Concat,
    softmax::Softmax,
    log_softmax::LogSoftmax,
    logsumexp::LogSumExp,
    entropy::Entropy,
    embedding::Embedding,
    gather::Gather,
    layer_norm::LayerNorm<T>,
    gru::Gru,
    detach::Detach,
    hook::Hook<T>,
}
