//! GRUs one on top of the other.

use autograd::gradcheck::Input;
use autograd::{Tape, Var};
use tensor::{Shape, Tensor};

use super::tools::{B, H, drawn};

/// One layer of a stack: the states \[T,B,H\] from x\[T,B,I\] and its w_ih\[3H,I\], w_hh\[3H,H\], b_ih\[3H\] and
/// b_hh\[3H\], from a state of zeros.
fn layer<'t>(x: Var<'t, f64>, weights: &[Var<'t, f64>]) -> Var<'t, f64> {
    let h0 = x.tape().constant(Tensor::zeros([x.shape()[1], H]));
    input_part(x, weights).gru(h0, weights[1], weights[3])
}

/// The last layer's states, of [`layer_inputs`].
pub(super) fn stack<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    x[1..].chunks(4).fold(x[0], layer)
}

/// gx\[T,B,3H\] of that layer.
pub(super) fn input_part<'t>(x: Var<'t, f64>, weights: &[Var<'t, f64>]) -> Var<'t, f64> {
    let (steps, batch, wide) = (x.shape()[0], x.shape()[1], x.shape()[2]);
    (x.reshape([steps * batch, wide]).matmul_nt(weights[0]) + weights[2]).reshape([steps, batch, 3 * H])
}

/// x\[T,B,I\], and the four weights of each of so many layers.
pub(super) fn layer_inputs(layers: usize) -> Vec<Input> {
    let (steps, wide) = (4, 5);
    let of_layer = |l: usize| {
        let inputs = if l == 0 { wide } else { H };
        let shapes = [Shape::from([3 * H, inputs]), [3 * H, H].into(), [3 * H].into(), [3 * H].into()];
        let named = (10 * l as u32 + 10..).zip(["w_ih", "w_hh", "b_ih", "b_hh"]).zip(shapes);
        named.map(move |((seed, what), shape)| {
            drawn(&format!("{what} of layer {l}"), seed, shape).gates(0, &["r", "z", "n"])
        })
    };
    [drawn("x", 1, [steps, B, wide])].into_iter().chain((0..layers).flat_map(of_layer)).collect()
}
