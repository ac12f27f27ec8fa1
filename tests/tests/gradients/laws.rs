//! What holds for every tape, whatever is on it.

use autograd::{Tape, Var};
use gradus_tests::Draw;
use gradus_tests::golden::assert_close;
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

#[test]
fn the_backward_pass_is_linear_in_what_comes_in() {
    let mut d = Draw::new(7);
    let (a, b) = (d.normal([4, 10]), d.normal([4, 10]));
    let both = &(&a * &Tensor::scalar(2.0)) - &(&b * &Tensor::scalar(0.75));
    let (da, db, got) = (gradients(&a), gradients(&b), gradients(&both));
    for k in 0..3 {
        let want: Vec<f64> = da[k].iter().zip(&db[k]).map(|(a, b)| 2.0 * a - 0.75 * b).collect();
        assert_close("gradient", &got[k], &want, 1e-13);
    }
    assert_eq!(gradients(&Tensor::zeros([4, 10])), da.map(|dx| vec![0.0; dx.len()]));
}

#[test]
fn a_variable_collects_from_all_its_uses() {
    let [x, w, v] = inputs();
    let dy = Draw::new(8).normal([4, 10]);
    let tape = Tape::new();
    let (a, b) = (tape.input(x.clone()), tape.input(x.clone()));
    let (w1, v1) = (tape.constant(w), tape.constant(v));
    let shared = tape.input(x);
    let separate = model(a, w1, v1) * model(b, w1, v1);
    let together = model(shared, w1, v1) * model(shared, w1, v1);
    separate.backward_from(&dy).expect("no parameters");
    let sum = &a.grad().expect("reached") + &b.grad().expect("reached");
    together.backward_from(&dy).expect("no parameters");
    assert_close("x", &shared.grad().expect("reached").to_vec(), &sum.to_vec(), 1e-14);
}

#[test]
fn constants_get_no_gradient_and_change_no_other() {
    let dy = Draw::new(9).normal([4, 10]);
    let all = gradients(&dy);
    for k in 0..3 {
        let tape = Tape::new();
        let mut inputs = inputs().into_iter().enumerate();
        let x = [(); 3]
            .map(|()| inputs.next().expect("three"))
            .map(|(j, x)| if j == k { tape.constant(x) } else { tape.input(x) });
        model(x[0], x[1], x[2]).backward_from(&dy).expect("no parameters");
        for j in 0..3 {
            assert_eq!(x[j].grad().map(|dx| dx.to_vec()), (j != k).then(|| all[j].clone()), "input {j}, constant {k}");
        }
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
