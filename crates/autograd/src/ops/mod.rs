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

pub(crate) use add::Add;
pub(crate) use broadcast_to::BroadcastTo;
pub(crate) use concat::Concat;
pub(crate) use detach::Detach;
pub(crate) use div::Div;
pub(crate) use embedding::Embedding;
pub(crate) use entropy::Entropy;
pub(crate) use exp::Exp;
pub(crate) use gather::Gather;
pub(crate) use gru::Gru;
pub(crate) use hook::Hook;
pub(crate) use layer_norm::LayerNorm;
pub(crate) use log::Log;
pub(crate) use log_softmax::LogSoftmax;
pub(crate) use logsumexp::LogSumExp;
pub(crate) use matmul::MatMul;
pub(crate) use mul::Mul;
pub(crate) use neg::Neg;
pub(crate) use permute::Permute;
pub(crate) use relu::Relu;
pub(crate) use reshape::Reshape;
pub(crate) use scale::Scale;
pub(crate) use shift::Shift;
pub(crate) use sigmoid::Sigmoid;
pub(crate) use slice::Slice;
pub(crate) use softmax::Softmax;
pub(crate) use sqrt::Sqrt;
pub(crate) use square::Square;
pub(crate) use sub::Sub;
pub(crate) use sum::Sum;
pub(crate) use sum_axis::SumAxis;
pub(crate) use tanh::Tanh;

pub use crate::op::Kind;
