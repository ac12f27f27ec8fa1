//! All operations, one module each. A module's page derives the backward rule; its file also holds the methods on
//! [`Var`](crate::Var), both rules and the tests.
//!
//! y is the value of an operation and dy the gradient of the loss with respect to y. The backward rule adds to the gradients of
//! the inputs. In row-wise operations m is the maximum of a row, μ its mean, and s = 1/√(variance + ε). Brackets hold a shape, as
//! in x\[M,N\], or the indices of an element, as in x\[…,k\].
//!
//! A number may stand on either side of `+`, `-`, `*` and `/`; it is a constant.
//!
//! On a tape of a GPU, the host computes abs, sin, cos, powi, clamp, maximum and minimum, on copies of the operands.
//!
//! | operation | forward | gradients |
//! |---|---|---|
//! | [add] | y = a + b | da += dy and db += dy |
//! | [sub] | y = a − b | da += dy and db += −dy |
//! | [mul] | y = a·b | da += b·dy and db += a·dy |
//! | [div] | y = a / b | with g = dy / b: da += g and db += −y·g |
//! | [maximum] | y = max(a, b) | da += dy where a > b and db += dy where a < b; where a = b, each gets ½dy |
//! | [minimum] | y = min(a, b) | da += dy where a < b and db += dy where a > b; where a = b, each gets ½dy |
//! | [neg] | y = −x | dx += −dy |
//! | [scale] | y = c·x | dx += c·dy |
//! | [shift] | y = x + c | dx += dy |
//! | [exp] | y = eˣ | dx += y·dy |
//! | [log] | y = ln x | dx += dy / x |
//! | [sqrt] | y = √x | dx += dy / (2y) |
//! | [square] | y = x² | dx += 2x·dy |
//! | [powi] | y = xⁿ | dx += n·xⁿ⁻¹·dy |
//! | [abs] | y = \|x\| | dx += sign(x)·dy, with sign(0) = 0 |
//! | [clamp] | y = min(max(x, low), high) | dx += dy where low ≤ x ≤ high |
//! | [sin] | y = sin x | dx += cos(x)·dy |
//! | [cos] | y = cos x | dx += −sin(x)·dy |
//! | [tanh] | y = tanh x | dx += (1 − y²)·dy |
//! | [sigmoid] | y = σ(x) = 1 / (1 + e⁻ˣ) | dx += y·(1 − y)·dy |
//! | [relu] | y = max(x, 0) | dx += dy where y > 0 |
//! | [matmul] | y\[M,N\] = a\[M,K\] · b\[K,N\] | da += dy·bᵀ, db += aᵀ·dy |
//! | [sum] | y = Σ x | dx += dy for every element |
//! | [sum_axis] | y\[…\] = Σ_k x\[…, k, …\] | dx\[…, k, …\] += dy\[…\] for every k |
//! | [reshape] | y has the elements of x in row-major order | dx += dy in the shape of x |
//! | [permute] | axis k of y is axis `axes[k]` of x | dx += dy under the inverse permutation |
//! | [broadcast_to] | y is x broadcast to a larger shape | dx += dy summed over the repeated axes |
//! | [slice] | y = x with one axis restricted to a range | dx in the same range += dy |
//! | [flip] | y = x with the entries along one axis in reverse order | dx += dy reversed along the same axis |
//! | [concat] | y = \[x₀, x₁, …\] along `axis` | dx_k += the slice of dy that holds x_k |
//! | [softmax] | y_i = e^(x_i − m) / Σ_j e^(x_j − m) per row | dx_i += y_i·(dy_i − Σ_j dy_j·y_j) |
//! | [log_softmax] | y_i = x_i − m − ln Σ_j e^(x_j − m) per row | dx_i += dy_i − e^(y_i)·Σ_j dy_j |
//! | [logsumexp] | y = m + ln Σ_j e^(x_j − m) per row | dx_j += dy·e^(x_j − y) |
//! | [entropy] | y = −Σ_j e^(x_j)·x_j per row of log-probabilities | dx_j += −(1 + x_j)·e^(x_j)·dy |
//! | [embedding] | y\[…,:\] = table\[index\[…\],:\] | dtable\[index\[…\],:\] += dy\[…,:\] |
//! | [gather] | y\[…,k\] = x\[…, index\[…,k\]\] | dx\[…, index\[…,k\]\] += dy\[…,k\] |
//! | [layer_norm] | x̂ = (x − μ)·s, y = x̂·w + b | with g = dy·w: dx += s·(g − mean g − x̂·mean(g·x̂)); dw += Σ_rows dy·x̂; db += Σ_rows dy |
//! | [gru] | h = (1 − z)·n + z·h_prev | dgx += (da_r, da_z, da_n); dh_prev += dgh·W_hh; dW_hh += Σ_t dghᵀ·h_prev; db_hh += Σ_t Σ_B dgh |
//! | [detach] | y = x | nothing is added to dx |
//! | [hook] | y = x | dx += dy |
//!
//! Each page has five parts: the forward equation with shapes; the backward equation and the tensors it keeps from the forward;
//! why it holds; the cost (flops, and memory kept besides inputs and value); a reference.
//!
//! [concat]: mod@concat
//! [slice]: mod@slice

pub mod abs;
pub mod add;
mod binary;
pub mod broadcast_to;
pub mod clamp;
pub mod concat;
pub mod cos;
pub mod detach;
pub mod div;
pub mod embedding;
pub mod entropy;
pub mod exp;
pub mod flip;
pub mod gather;
pub mod gru;
pub mod hook;
pub mod layer_norm;
pub mod log;
pub mod log_softmax;
pub mod logsumexp;
pub mod matmul;
pub mod maximum;
pub mod minimum;
pub mod mul;
pub mod neg;
mod number;
pub mod permute;
pub mod powi;
pub mod relu;
pub mod reshape;
pub mod scale;
pub mod shift;
pub mod sigmoid;
pub mod sin;
pub mod slice;
pub mod softmax;
pub mod sqrt;
pub mod square;
pub mod sub;
pub mod sum;
pub mod sum_axis;
pub mod tanh;
mod unary;

use alloc::boxed::Box;
use alloc::string::String;

use tensor::Real;

use crate::backward::Backward;
use crate::custom::CustomOp;
use crate::forward::Forward;
use crate::op::{Leaf, Operation, has_table_row, operations};

// The order defines the numbers of `Kind`: a new operation comes last.
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
    abs::Abs,
    sin::Sin,
    cos::Cos,
    powi::Powi,
    clamp::Clamp<T>,
    maximum::Maximum,
    minimum::Minimum,
    flip::Flip,
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::Kind;

    /// The doc of a file as one line.
    fn doc(source: &str) -> alloc::string::String {
        let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
        lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ops_table_equations_stand_in_the_files_of_their_operations() {
        for kind in Kind::ALL {
            let is_of_kind = |line: &&str| line.starts_with(&alloc::format!("//! | [{}] |", kind.name()));
            let row = include_str!("mod.rs").lines().find(is_of_kind).expect("a missing row does not compile");
            for equation in row.trim_end_matches(" |").split(" | ").skip(2).flat_map(|cell| cell.split("; ")) {
                assert!(doc(kind.source()).contains(equation), "ops/{}.rs does not contain {equation}", kind.name());
            }
        }
    }
}
