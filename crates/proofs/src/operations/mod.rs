//! The table of operations. A new operation without cases does not compile.

mod binary;
mod elementwise;
pub(crate) mod gru;
mod products;
mod rowwise;
mod shapes;

use autograd::ops::Kind;

use crate::{Case, RandomTensors};

/// Returns the cases of an operation: its shapes, views, repeated operands. Extents are pairwise distinct unless a case
/// needs equal ones.
pub fn operation_cases(kind: Kind) -> Vec<Case> {
    let d = &mut RandomTensors::new(kind as u32);
    match kind {
        Kind::Add => binary::add(d),
        Kind::Sub => binary::sub(d),
        Kind::Mul => binary::mul(d),
        Kind::Div => binary::div(d),
        Kind::Neg => elementwise::neg(d),
        Kind::Scale => elementwise::scale(d),
        Kind::Shift => elementwise::shift(d),
        Kind::Exp => elementwise::exp(d),
        Kind::Log => elementwise::log(d),
        Kind::Sqrt => elementwise::sqrt(d),
        Kind::Square => elementwise::square(d),
        Kind::Tanh => elementwise::tanh(d),
        Kind::Sigmoid => elementwise::sigmoid(d),
        Kind::Relu => elementwise::relu(d),
        Kind::MatMul => products::matmul(d),
        Kind::Sum => shapes::sum(d),
        Kind::SumAxis => shapes::sum_axis(d),
        Kind::Reshape => shapes::reshape(d),
        Kind::Permute => shapes::permute(d),
        Kind::BroadcastTo => shapes::broadcast_to(d),
        Kind::Slice => shapes::slice(d),
        Kind::Concat => shapes::concat(d),
        Kind::Softmax => rowwise::softmax(d),
        Kind::LogSoftmax => rowwise::log_softmax(d),
        Kind::LogSumExp => rowwise::logsumexp(d),
        Kind::Entropy => rowwise::entropy(d),
        Kind::Embedding => rowwise::embedding(d),
        Kind::Gather => rowwise::gather(d),
        Kind::LayerNorm => rowwise::layer_norm(d),
        Kind::Gru => gru::gru(d),
        Kind::Detach => elementwise::detach(d),
        Kind::Hook => elementwise::hook(d),
        Kind::Abs => elementwise::abs(d),
        Kind::Sin => elementwise::sin(d),
        Kind::Cos => elementwise::cos(d),
        Kind::Powi => elementwise::powi(d),
        Kind::Clamp => elementwise::clamp(d),
        Kind::Maximum => binary::maximum(d),
        Kind::Minimum => binary::minimum(d),
        Kind::Flip => shapes::flip(d),
    }
}
