//! A stack of GRU layers.

use autograd::gradcheck::Input;
use autograd::{Tape, Var};
use tensor::{Shape, Tensor};

use super::tools::{B, H, named_input};

/// One layer of a stack: computes the states \[T,B,H\] from x\[T,B,E\] and W_ih\[3H,E\], W_hh\[3H,H\], b_ih\[3H\],
/// b_hh\[3H\]. It starts from zero states.
fn layer<'t>(x: Var<'t, f64>, weights: &[Var<'t, f64>]) -> Var<'t, f64> {
    let h0 = x.tape().constant(Tensor::zeros([x.shape()[1], H]));
    project_input(x, weights).gru(h0, weights[1], weights[3])
}

/// Computes the last layer's states from [`layer_inputs`].
pub(super) fn stack<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    x[1..].chunks(4).fold(x[0], layer)
}

/// Computes gx\[T,B,3H\] of one layer.
pub(super) fn project_input<'t>(x: Var<'t, f64>, weights: &[Var<'t, f64>]) -> Var<'t, f64> {
    let (steps, batch, input_size) = (x.shape()[0], x.shape()[1], x.shape()[2]);
    (x.reshape([steps * batch, input_size]).matmul_nt(weights[0]) + weights[2]).reshape([steps, batch, 3 * H])
}

/// Creates x\[T,B,E\] and the four weights of each layer.
pub(super) fn layer_inputs(layers: usize) -> Vec<Input> {
    let (steps, input_size) = (4, 5);
    let weights_of_layer = |l: usize| {
        let width = if l == 0 { input_size } else { H };
        let shapes = [Shape::from([3 * H, width]), [3 * H, H].into(), [3 * H].into(), [3 * H].into()];
        let named = (10 * l as u32 + 10..).zip(["w_ih", "w_hh", "b_ih", "b_hh"]).zip(shapes);
        named.map(move |((seed, name), shape)| {
            named_input(&format!("{name} of layer {l}"), seed, shape).gates(0, &["r", "z", "n"])
        })
    };
    [named_input("x", 1, [steps, B, input_size])].into_iter().chain((0..layers).flat_map(weights_of_layer)).collect()
}
