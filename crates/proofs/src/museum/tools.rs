//! What the exhibits are made of: inputs, operations with any backward, right gradients to be spoiled, and the usual test.

use autograd::gradcheck::{Input, Report, by_hand};
use autograd::{Backward, CustomOp, Forward, Tape, Var};
use tensor::{Shape, Tensor, View};

use crate::Draw;

/// Hidden units, other than every other extent.
pub(super) const H: usize = 3;
/// Rows of a batch.
pub(super) const B: usize = 2;

/// An input by name, with numbers that `seed` names.
pub(super) fn drawn(name: &str, seed: u32, shape: impl Into<Shape>) -> Input {
    Input::from(draw(seed, shape)).named(name)
}

pub(super) fn draw(seed: u32, shape: impl Into<Shape>) -> Tensor<f64> {
    Draw::new(seed).normal(shape)
}

/// gx\[T,B,3H\], h0\[B,H\], w\[3H,H\] and b\[3H\] of a GRU, with the names of their gates.
pub(super) fn gru_inputs(steps: usize) -> [Input; 4] {
    let gates = &["r", "z", "n"];
    [
        drawn("gx", 1, [steps, B, 3 * H]).gates(2, gates),
        drawn("h0", 2, [B, H]),
        drawn("w", 3, [3 * H, H]).gates(0, gates),
        drawn("b", 4, [3 * H]).gates(0, gates),
    ]
}

/// The states of the GRU of [`gru_inputs`], rightly.
pub(super) fn gru<'t>(_: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
    x[0].gru(x[1], x[2], x[3])
}

/// A closure over the tape, as the checks take it.
pub(super) trait OnTape: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64> {}
impl<F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> OnTape for F {}

pub(super) fn value(f: &impl OnTape, x: &[Tensor<f64>]) -> Tensor<f64> {
    let tape = Tape::evaluating();
    let x: Vec<_> = x.iter().map(|x| tape.constant(x.clone())).collect();
    f(&tape, &x).value()
}

pub(super) fn gradients(f: &impl OnTape, x: &[Tensor<f64>], dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let x: Vec<_> = x.iter().map(|x| tape.input(x.clone())).collect();
    f(&tape, &x).backward_from(dy).expect("there are inputs only");
    x.iter().map(|x| x.grad().expect("the value depends on every input")).collect()
}

/// Checks `f` with its gradients as `spoil` leaves them.
pub(super) fn spoiled(f: impl OnTape, spoil: impl Fn(&mut [Tensor<f64>]), inputs: &[Input]) -> Report {
    let spoiled = |x: &[Tensor<f64>], dy: &Tensor<f64>| {
        let mut gradients = gradients(&f, x, dy);
        spoil(&mut gradients);
        gradients
    };
    by_hand(|x| value(&f, x), spoiled, inputs)
}

/// What every tutorial does: the gradient of a plain sum against central differences, with the step and the tolerances
/// that PyTorch's `gradcheck` has by default.
pub(super) fn plain_sum_passes(f: impl OnTape, inputs: &[Tensor<f64>]) -> bool {
    let dy = Tensor::full(value(&f, inputs).shape(), 1.0);
    let slope = |k: usize, i: usize| {
        let at = |h: f64| {
            let mut entries = inputs[k].to_vec();
            entries[i] += h;
            let mut x = inputs.to_vec();
            x[k] = Tensor::new(x[k].shape(), entries);
            value(&f, &x).sum()
        };
        (at(1e-6) - at(-1e-6)) / 2e-6
    };
    gradients(&f, inputs, &dy).iter().enumerate().all(|(k, dx)| {
        dx.to_vec().iter().enumerate().all(|(i, dx)| (dx - slope(k, i)).abs() <= 1e-5 + 1e-3 * slope(k, i).abs())
    })
}

/// The value of `forward`, with whatever `backward` says of the inputs and the gradient of the value: nothing, for an
/// input to which it sends nothing.
pub(super) fn rule<'t>(
    inputs: &[Var<'t, f64>],
    forward: impl Fn(&[Tensor<f64>]) -> Tensor<f64> + Send + 'static,
    backward: impl Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Option<Tensor<f64>>> + Send + 'static,
) -> Var<'t, f64> {
    inputs[0].tape().custom(Rule { forward, backward }, inputs)
}

struct Rule<F, B> {
    forward: F,
    backward: B,
}

impl<F, B> CustomOp<f64> for Rule<F, B>
where
    F: Fn(&[Tensor<f64>]) -> Tensor<f64> + Send,
    B: Fn(&[Tensor<f64>], &Tensor<f64>) -> Vec<Option<Tensor<f64>>> + Send,
{
    fn name(&self) -> &str {
        "rule"
    }

    fn forward(&self, f: &mut Forward<'_, f64>) {
        let x: Vec<_> = (0..f.arity()).map(|k| tensor(f.input(k))).collect();
        let y = (self.forward)(&x);
        f.output(y.shape()).host().assign(&y.view().host());
    }

    fn backward(&self, b: &mut Backward<'_, f64>) {
        let x: Vec<_> = (0..b.arity()).map(|k| tensor(b.input(k))).collect();
        for (k, gradient) in (self.backward)(&x, &tensor(b.dy())).into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            if let Some(dx) = b.grad(k) {
                let mut dx = dx.host();
                dx += &gradient.view().host();
            }
        }
    }
}

fn tensor(view: View<f64>) -> Tensor<f64> {
    Tensor::new(view.shape(), view.host().iter().copied().collect())
}

/// The values of inputs, without their names.
pub(super) fn values(inputs: &[Input]) -> Vec<Tensor<f64>> {
    inputs.iter().map(|input| input.value.clone()).collect()
}

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
