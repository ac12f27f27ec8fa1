//! Tests of the laws of the tape, which hold for any operations on it.

use autograd::{Tape, Var, function};
use proofs::levels::{check_accumulation, check_constants, check_linearity};
use proofs::{Case, RandomTensors, Target};
use tensor::{Real, Tensor};

/// A function of x\[4,3\], w\[3,5\] and v\[5\] that uses most operations.
fn model<'t, T: Real>(x: Var<'t, T>, w: Var<'t, T>, v: Var<'t, T>) -> Var<'t, T> {
    let index = Tensor::from([[1, 4], [0, 0], [2, 3], [4, 1]]);
    let normed = (x.matmul(w) + v).tanh().layer_norm(v, v, T::from_f64(1e-5));
    let mix = normed.softmax() * v.exp() - normed.log_softmax() / v.square().shift(T::one()).sqrt();
    Var::concat(&[mix.gather(&index), mix.slice(1, 1..4).sigmoid(), mix.relu()], 1)
}

fn inputs() -> [Tensor<f64>; 3] {
    let mut d = RandomTensors::new(6);
    [d.normal([4, 3]), d.normal([3, 5]), d.nonzero([5])]
}

fn compute_gradients(dy: &Tensor<f64>) -> [Vec<f64>; 3] {
    let tape = Tape::new();
    let x = inputs().map(|x| tape.input(x));
    model(x[0], x[1], x[2]).backward_from(dy).expect("no parameters");
    x.map(|x| x.grad().expect("reached").to_vec())
}

/// The backward pass is linear in the cotangent. A variable sums the gradients of all its uses. Constants get no gradient and
/// change no other gradient.
#[test]
fn backward_most_operations_together_obeys_the_laws() {
    let case = Case::new(Target::Layer("most operations"), "at once", inputs(), function!(|x| model(x[0], x[1], x[2])));
    for law in [check_linearity, check_accumulation, check_constants] {
        law(&case).unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Gradients and scratch buffers of one backward pass do not leak into the next, with or without clearing the tape.
#[test]
fn backward_repeated_gives_the_same_bits() {
    let mut d = RandomTensors::new(10);
    let (dy, other) = (d.normal([4, 10]), d.normal([4, 10]));
    let want = compute_gradients(&dy);
    let mut tape = Tape::new();
    for _ in 0..3 {
        let x = inputs().map(|x| tape.input(x));
        let y = model(x[0], x[1], x[2]);
        for from in [&dy, &other, &dy] {
            y.backward_from(from).expect("no parameters");
        }
        assert_eq!(x.map(|x| x.grad().expect("reached").to_vec()), want);
        tape.clear();
        let x = tape.input(Tensor::full([2, 3], f64::NAN)); // leaves NaN in the reused buffers
        x.square().sum().backward().expect("no parameters");
        tape.clear();
    }
}

#[test]
fn backward_new_root_clears_earlier_gradients() {
    let tape = Tape::<f64>::new();
    let (a, b) = (tape.input(Tensor::scalar(2.0)), tape.input(Tensor::scalar(3.0)));
    (a * b).backward().expect("no parameters");
    a.square().backward().expect("no parameters");
    assert_eq!((a.grad().map(|da| da.item()), b.grad()), (Some(4.0), None));
}

#[test]
fn backward_unreached_parameters_are_named_except_frozen() {
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
fn tape_evaluating_gives_the_same_values_without_gradients() {
    let value = |tape: &Tape<f64>| {
        let x = inputs().map(|x| tape.input(x));
        model(x[0], x[1], x[2]).value()
    };
    let evaluating = Tape::no_grad();
    assert_eq!(value(&evaluating), value(&Tape::new()));
    assert!(evaluating.to_string().lines().all(|line| line.ends_with('·')));
}
