//! Tests of the GRU, fused and composed from small operations, for one step and for several.

use autograd::gradcheck::duals;
use autograd::ops::Kind;
use autograd::{Tape, function};
use gradus_tests::composed;
use gradus_tests::golden::assert_close;
use proofs::levels::check_batch_rows;
use proofs::{Case, RandomTensors, Target};
use tensor::Tensor;

/// Draws gx\[T,B,3H\], h0\[B,H\], W_hh\[3H,H\] and b_hh\[3H\].
fn inputs(steps: usize, batch: usize, hidden_size: usize) -> [Tensor<f64>; 4] {
    let mut d = RandomTensors::new(2);
    let (gx, h0) = (d.normal([steps, batch, 3 * hidden_size]), d.normal([batch, hidden_size]));
    [gx, h0, &d.normal([3 * hidden_size, hidden_size]) * &Tensor::scalar(0.6), d.normal([3 * hidden_size])]
}

const NAMES: [&str; 4] = ["gx", "h0", "w_hh", "b_hh"];

#[test]
fn gru_fused_and_composed_nodes_agree() {
    for (steps, batch, hidden_size) in [(1, 2, 3), (2, 3, 5), (7, 3, 4), (50, 2, 9)] {
        let inputs = inputs(steps, batch, hidden_size);
        let dy = RandomTensors::new(3).normal([steps, batch, hidden_size]);
        let tape = Tape::new();
        let [x, y] = [(); 2].map(|()| inputs.each_ref().map(|x| tape.input(x.clone())));
        let fused = x[0].gru(x[1], x[2], x[3]);
        let composed = autograd::Var::stack(&composed::gru(y[0], y[1], y[2], y[3]));
        assert_close("states", &fused.value().to_vec(), &composed.value().to_vec(), 1e-12);
        (fused.backward_from(&dy)).expect("no parameters");
        let dx = x.map(|x| x.grad().expect("reached").to_vec());
        (composed.backward_from(&dy)).expect("no parameters");
        for k in 0..4 {
            assert_close(NAMES[k], &dx[k], &y[k].grad().expect("reached").to_vec(), 1e-12);
        }
    }
}

/// The last state of one node over T steps equals that of T nodes over one step each.
#[test]
fn gru_one_node_equals_one_node_per_step() {
    for steps in [1, 2, 7, 50] {
        let inputs = inputs(steps, 3, 5);
        let dy = RandomTensors::new(4).normal([3, 5]);
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

/// The rows of a batch are independent, and a shared weight sums the gradients of all rows.
#[test]
fn gru_batch_gradients_are_the_sum_of_its_rows() {
    let f = function!(|x| x[0].gru(x[1], x[2], x[3]));
    let case = Case::new(Target::Operation(Kind::Gru), "T=7 B=3 H=5", inputs(7, 3, 5), f);
    check_batch_rows(&case.with_batch(&[Some(1), Some(0), None, None], 1)).expect("the gradients add up over rows");
}

/// Compares every entry of every gradient with duals, over more than 64 steps and examples. The input part comes from a small
/// table, which keeps the number of entries low.
#[test]
fn gru_more_than_64_steps_and_examples_has_exact_gradients() {
    let (steps, batch, hidden_size) = (66, 67, 2);
    let index = Tensor::from_fn([steps, batch], |k| (k * k % 5) as u32);
    let mut d = RandomTensors::new(7);
    let (table, h0) = (d.normal([5, 3 * hidden_size]), d.normal([batch, hidden_size]));
    let (w_hh, b_hh) = (&d.normal([3 * hidden_size, hidden_size]) * &Tensor::scalar(0.6), d.normal([3 * hidden_size]));
    let f = function!([index: Tensor<u32>] |x| x[0].embedding(index).gru(x[1], x[2], x[3]));
    duals(&f, &[table, h0, w_hh, b_hh]).assert_ok();
}
