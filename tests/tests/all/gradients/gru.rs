//! The GRU, fused and composed from small operations, in one step and in several.

use autograd::gradcheck::duals;
use autograd::ops::Kind;
use autograd::{Tape, function};
use gradus_tests::composed;
use gradus_tests::golden::assert_close;
use proofs::levels::adds_up_over_rows;
use proofs::{Case, Draw, Of};
use tensor::Tensor;

/// gx\[T,B,3H\], h0\[B,H\], w\[3H,H\], b\[3H\].
fn inputs(steps: usize, batch: usize, hidden: usize) -> [Tensor<f64>; 4] {
    let mut d = Draw::new(2);
    let (gx, h0) = (d.normal([steps, batch, 3 * hidden]), d.normal([batch, hidden]));
    [gx, h0, &d.normal([3 * hidden, hidden]) * &Tensor::scalar(0.6), d.normal([3 * hidden])]
}

const NAMES: [&str; 4] = ["gx", "h0", "w", "b"];

#[test]
fn fused_and_composed_agree() {
    for (steps, batch, hidden) in [(1, 2, 3), (2, 3, 5), (7, 3, 4), (50, 2, 9)] {
        let inputs = inputs(steps, batch, hidden);
        let dy = Draw::new(3).normal([steps, batch, hidden]);
        let tape = Tape::new();
        let [x, y] = [(); 2].map(|()| inputs.each_ref().map(|x| tape.input(x.clone())));
        let fused = x[0].gru(x[1], x[2], x[3]);
        let small = autograd::Var::stack(&composed::gru(y[0], y[1], y[2], y[3]));
        assert_close("states", &fused.value().to_vec(), &small.value().to_vec(), 1e-12);
        (fused.backward_from(&dy)).expect("no parameters");
        let dx = x.map(|x| x.grad().expect("reached").to_vec());
        (small.backward_from(&dy)).expect("no parameters");
        for k in 0..4 {
            assert_close(NAMES[k], &dx[k], &y[k].grad().expect("reached").to_vec(), 1e-12);
        }
    }
}

/// The last state of one node over T steps is that of T nodes over one step each.
#[test]
fn steps_together_equal_steps_one_by_one() {
    for steps in [1, 2, 7, 50] {
        let inputs = inputs(steps, 3, 5);
        let dy = Draw::new(4).normal([3, 5]);
        let tape = Tape::new();
        let [x, y] = [(); 2].map(|()| inputs.each_ref().map(|x| tape.input(x.clone())));
        let together = x[0].gru(x[1], x[2], x[3]).select(0, steps - 1);
        let mut single = y[1];
        for t in 0..steps {
            single = y[0].slice(0, t..t + 1).gru(single, y[2], y[3]).select(0, 0);
        }
        assert_eq!(together.value(), single.value());
        together.backward_from(&dy).expect("no parameters");
        let dx = x.map(|x| x.grad().expect("reached").to_vec());
        single.backward_from(&dy).expect("no parameters");
        for k in 0..4 {
            assert_close(NAMES[k], &dx[k], &y[k].grad().expect("reached").to_vec(), 1e-13);
        }
    }
}

/// Rows of a batch do not see each other, and a shared weight collects from all.
#[test]
fn a_batch_is_the_sum_of_its_rows() {
    let f = function!(|x| x[0].gru(x[1], x[2], x[3]));
    let case = Case::new(Of::Operation(Kind::Gru), "more steps and states", inputs(7, 3, 5), f);
    adds_up_over_rows(&case.by_rows(&[Some(1), Some(0), None, None], 1)).expect("it does");
}

/// Every entry of every gradient by duals, over more steps and more examples than 64. The inputs' part is a small table, which
/// keeps the number of entries low.
#[test]
fn gru_more_than_64_steps_and_examples_has_exact_gradients() {
    let (steps, batch, hidden) = (66, 67, 2);
    let index = Tensor::from_fn([steps, batch], |k| (k * k % 5) as u32);
    let mut d = Draw::new(7);
    let (table, h0) = (d.normal([5, 3 * hidden]), d.normal([batch, hidden]));
    let (w, b) = (&d.normal([3 * hidden, hidden]) * &Tensor::scalar(0.6), d.normal([3 * hidden]));
    let f = function!([index: Tensor<u32>] |x| x[0].embedding(index).gru(x[1], x[2], x[3]));
    duals(&f, &[table, h0, w, b]).assert_ok();
}
