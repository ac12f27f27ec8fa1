//! What holds for every tape, whatever is on it.

use autograd::{Tape, Var, function};
use proofs::levels::{accumulates, ignores_constants, is_linear};
use proofs::{Case, Draw, Of};
use tensor::{Real, Tensor};

/// Most operations, over x\[4,3\], w\[3,5\], v\[5\].
fn model<'t, T: Real>(x: Var<'t, T>, w: Var<'t, T>, v: Var<'t, T>) -> Var<'t, T> {
    let index = Tensor::from([[1, 4], [0, 0], [2, 3], [4, 1]]);
    let hidden = (x.matmul(w) + v).tanh().layer_norm(v, v, T::of(1e-5));
    let mix = hidden.softmax() * v.exp() - hidden.log_softmax() / v.square().shift(T::one()).sqrt();
    Var::concat(&[mix.gather(&index), mix.slice(1, 1..4).sigmoid(), mix.relu()], 1)
}

fn inputs() -> [Tensor<f64>; 3] {
    let mut d = Draw::new(6);
    [d.normal([4, 3]), d.normal([3, 5]), d.nonzero([5])]
}

fn gradients(dy: &Tensor<f64>) -> [Vec<f64>; 3] {
    let tape = Tape::new();
    let x = inputs().map(|x| tape.input(x));
    model(x[0], x[1], x[2]).backward_from(dy).expect("no parameters");
    x.map(|x| x.grad().expect("reached").to_vec())
}

/// The backward is linear in the cotangent, a variable collects from all its uses, and constants get no gradient and change no other.
#[test]
fn the_backward_pass_of_most_operations_at_once_is_as_that_of_each() {
    let case = Case::new(Of::Layer("most operations"), "at once", inputs(), function!(|x| model(x[0], x[1], x[2])));
    for law in [is_linear, accumulates, ignores_constants] {
        law(&case).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Neither gradients nor scratch buffers of one backward pass leak into the next, on a tape that is cleared or not.
#[test]
fn a_second_backward_pass_gives_the_same_bits() {
    let mut d = Draw::new(10);
    let (dy, other) = (d.normal([4, 10]), d.normal([4, 10]));
    let want = gradients(&dy);
    let mut tape = Tape::new();
    for _ in 0..3 {
        let x = inputs().map(|x| tape.input(x));
        let y = model(x[0], x[1], x[2]);
        for from in [&dy, &other, &dy] {
            y.backward_from(from).expect("no parameters");
        }
        assert_eq!(x.map(|x| x.grad().expect("reached").to_vec()), want);
        tape.clear();
        let x = tape.input(Tensor::full([2, 3], f64::NAN)); // dirt in the kept buffers
        x.square().sum().backward().expect("no parameters");
        tape.clear();
    }
}

#[test]
fn a_gradient_from_an_earlier_root_is_gone() {
    let tape = Tape::<f64>::new();
    let (a, b) = (tape.input(Tensor::scalar(2.0)), tape.input(Tensor::scalar(3.0)));
    (a * b).backward().expect("no parameters");
    a.square().backward().expect("no parameters");
    assert_eq!((a.grad().map(|da| da.item()), b.grad()), (Some(4.0), None));
}

#[test]
fn parameters_that_were_not_reached_are_named_and_frozen_ones_are_not() {
    let tape = Tape::<f64>::new();
    let number = || Tensor::scalar(1.0);
    let used = tape.param("used", number());
    let detached = tape.param("detached", number());
    let _frozen = tape.constant(number());
    let _input = tape.input(number());
    let idle = tape.param("idle", number());
    let _ = idle.tanh();
    let error = (used * detached.detach()).backward().expect_err("two parameters are cut off");
    assert_eq!(error.names, ["detached", "idle"]);
    assert_eq!(used.grad().map(|g| g.item()), Some(1.0));
    assert_eq!((used * detached * idle).backward(), Ok(()));
}

#[test]
fn without_recording_values_are_the_same_and_nothing_needs_a_gradient() {
    let value = |tape: &Tape<f64>| {
        let x = inputs().map(|x| tape.input(x));
        model(x[0], x[1], x[2]).value()
    };
    let evaluating = Tape::evaluating();
    assert_eq!(value(&evaluating), value(&Tape::new()));
    assert!(evaluating.to_string().lines().all(|line| line.ends_with('·')));
}
