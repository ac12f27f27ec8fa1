//! Tests of the GRU, fused and composed from small operations, for one step and for several.

use autograd::derivatives::jvp;
use autograd::gradcheck::duals;
use autograd::ops::Kind;
use autograd::{GruStepper, Tape, Var, function};
use gradus_tests::composed;
use gradus_tests::golden::assert_close;
use proofs::levels::check_batch_rows;
use proofs::{Case, RandomTensors, Target};
use tensor::{Real, Tensor};

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
        let composed = Var::stack(&composed::gru(y[0], y[1], y[2], y[3]));
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

/// A loss that reads the even steps, and the first and the last state twice.
fn loss_of_states<'t, T: Real>(h: &[Var<'t, T>]) -> Var<'t, T> {
    let (first, last) = (h[0], h[h.len() - 1]);
    let even = h.iter().step_by(2).map(|h| h.scale(T::from_f64(0.5)).tanh().sum());
    even.fold((first * last).sum() + last.square().sum(), |loss, term| loss + term)
}

/// Returns gx of tokens\[T,B\], as a table and as its rows.
fn table_and_tokens(gx: &Tensor<f64>) -> (Tensor<f64>, Tensor<u32>) {
    let (steps, batch, width) = (gx.shape()[0], gx.shape()[1], gx.shape()[2]);
    (gx.reshape([steps * batch, width]), Tensor::from_fn([steps, batch], |i| i as u32))
}

#[test]
fn gru_state_grads_equal_the_gradients_of_the_composed_states() {
    for steps in [1, 2, 7] {
        let [gx, h0, w_hh, b_hh] = inputs(steps, 3, 5);
        let (table, tokens) = table_and_tokens(&gx);
        let tape = Tape::new();
        let [h0, w_hh, b_hh] = [h0, w_hh, b_hh].map(|x| tape.input(x));
        let (gx, table) = (tape.input(gx), tape.input(table));
        let mut stepper = GruStepper::default();
        stepper.load(tape.kernels(), w_hh.value().view(), b_hh.value().view());
        stepper.begin(tape.kernels(), h0.value().view());
        (0..steps).for_each(|t| stepper.step(tape.kernels(), table.value().view(), tokens.view().select(0, t)));
        let fused = [
            gx.gru(h0, w_hh, b_hh),
            table.embedding_gru(&tokens, h0, w_hh, b_hh),
            table.embedding_gru_from_steps(&tokens, h0, w_hh, b_hh, &mut stepper),
        ];
        let composed = composed::gru(gx, h0, w_hh, b_hh);
        loss_of_states(&composed).backward().expect("no parameters");
        let want: Vec<f64> = composed.iter().flat_map(|h| h.grad().expect("reached").to_vec()).collect();
        for hs in fused {
            let h: Vec<_> = (0..steps).map(|t| hs.select(0, t)).collect();
            loss_of_states(&h).backward().expect("no parameters");
            let grads = || [hs, h0, w_hh, b_hh].map(|x| x.grad().expect("reached").to_vec());
            let before = grads();
            let total = hs.gru_state_grads().expect("reached");
            assert_eq!(total.shape(), hs.shape());
            assert_close("dh", &total.to_vec(), &want, 1e-12);
            assert_eq!(grads(), before, "the call changes no gradient");
            let last = |x: Tensor<f64>| x.select(0, steps - 1).to_vec();
            assert_eq!(last(total), last(hs.grad().expect("reached")), "no later state depends on the last one");
        }
    }
}

/// Adds δ to each state, of a GRU that is composed of operations on duals: dL/dδ_t at δ = 0 is the total gradient of h_t. No
/// backward rule takes part.
#[test]
fn gru_state_grads_equal_the_derivatives_by_added_states() {
    for steps in [1, 7] {
        let (batch, hidden_size) = (2, 3);
        let inputs = inputs(steps, batch, hidden_size);
        let tape = Tape::new();
        let [gx, h0, w_hh, b_hh] = inputs.each_ref().map(|x| tape.constant(x.clone()));
        let w_hh_used = tape.input(w_hh.value()); // the only input that needs a gradient
        let hs = gx.gru(h0, w_hh_used, b_hh);
        let h: Vec<_> = (0..steps).map(|t| hs.select(0, t)).collect();
        loss_of_states(&h).backward().expect("no parameters");
        let total = hs.gru_state_grads().expect("reached").to_vec();
        let f = function!([inputs: [Tensor<f64>; 4]] |tape, x| {
            let [gx, mut h, w_hh, b_hh] = inputs.each_ref().map(|x| tape.constant(x.cast()));
            let states: Vec<_> = (0..gx.shape()[0])
                .map(|t| {
                    h = composed::gru_step(gx.select(0, t), h, w_hh, b_hh) + x[0].select(0, t);
                    h
                })
                .collect();
            loss_of_states(&states)
        });
        let delta = Tensor::zeros([steps, batch, hidden_size]);
        let derivative = |i| {
            let direction = Tensor::from_fn(delta.shape(), |k| f64::from(k == i));
            jvp(&f, std::slice::from_ref(&delta), &[direction]).1.item()
        };
        assert_close("dh", &total, &(0..delta.size()).map(derivative).collect::<Vec<_>>(), 1e-12);
    }
}

#[test]
fn gru_state_grads_without_a_backward_pass_are_none() {
    let mut tape = Tape::new();
    for has_backward in [true, false] {
        let [gx, h0, w_hh, b_hh] = inputs(3, 2, 4).map(|x| tape.input(x));
        let hs = gx.gru(h0, w_hh, b_hh);
        if has_backward {
            hs.sum().backward().expect("no parameters");
        }
        assert_eq!(hs.gru_state_grads().is_some(), has_backward);
        tape.clear();
    }
}

#[test]
#[should_panic(expected = "gru_state_grads: reshape is not the states of a fused GRU")]
fn gru_state_grads_of_one_state_panic() {
    let tape = Tape::new();
    let [gx, h0, w_hh, b_hh] = inputs(3, 2, 4).map(|x| tape.input(x));
    gx.gru(h0, w_hh, b_hh).select(0, 1).gru_state_grads();
}
