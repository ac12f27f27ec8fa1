//! Tests of the tape's arena: a second pass of the same shapes allocates nothing on the tape.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use autograd::{Tape, Var};
use gradus_tests::{RandomTensors, composed};
use tensor::{Dual, Real, Tensor};

struct Data<T> {
    name: Arc<str>,
    table: Tensor<T>,
    w_ih: Tensor<T>,
    w_hh: Tensor<T>,
    bias: Tensor<T>,
    head: Tensor<T>,
    h0: Tensor<T>,
    row: Tensor<T>,
    tokens: Tensor<u32>,
    actions: Tensor<u32>,
}

/// Draws data with T = 5, B = 4, E = 6, H = 7 and A = 3.
fn draw_data<T: Real>() -> Data<T> {
    let mut d = RandomTensors::new(11);
    Data {
        name: "w_hh".into(),
        table: d.normal([9, 6]).cast(),
        w_ih: d.normal([21, 6]).cast(),
        w_hh: d.normal([21, 7]).cast(),
        bias: d.normal([21]).cast(),
        head: d.normal([7, 3]).cast(),
        h0: d.normal([4, 7]).cast(),
        row: d.positive([7]).cast(),
        tokens: Tensor::from_fn([5, 4], |i| (i * 7 % 9) as u32),
        actions: Tensor::from_fn([20, 1], |i| (i % 3) as u32),
    }
}

/// Runs forward and backward through every operation, with the GRU fused and composed, in the style of an actor-critic.
fn run_pass<T: Real>(tape: &Tape<T>, data: &Data<T>) {
    let [table, w_ih, bias, head] = [&data.table, &data.w_ih, &data.bias, &data.head].map(|x| tape.input(x.clone()));
    let [h0, row] = [&data.h0, &data.row].map(|x| tape.input(x.clone()));
    let w_hh = tape.param(data.name.clone(), data.w_hh.clone());
    let embedded = table.embedding(&data.tokens).reshape([20, 6]);
    let gx = (embedded.matmul_nt(w_ih) + bias).reshape([5, 4, 21]);
    let states = gx.gru(h0, w_hh, bias).reshape([20, 7]);
    let step = composed::gru_step(gx.select(0, 0), h0, w_hh, bias);
    let h = Var::concat(&[states, step], 0).slice(0, 2..22).hook(|_| {});
    let normed = h.layer_norm(row, row, T::from_f64(1e-5)).relu() / row.sqrt().exp() - row.log().broadcast_to([20, 7]);
    let logits = normed.matmul(head);
    let chosen = logits.log_softmax().gather(&data.actions);
    let values = logits.transpose().sum_axis(0).scale(T::from_f64(0.5)).reshape([20, 1]);
    let advantage = (logits.logsumexp().reshape([20, 1]) - values).detach();
    let entropy = logits.log_softmax().entropy().mean() - (logits.softmax() * logits.log_softmax()).sum_axis(1).mean();
    let gram = h.matmul_tn(h).permute(&[1, 0]).reshape([49]).slice(0, 3..45).mean().tanh().sum();
    let waves = row.abs().sin().maximum(row.cos()).minimum(row.powi(3)).clamp(T::zero(), T::one()).flip(0).mean();
    let loss = -(chosen * advantage).mean() + values.square().mean() + entropy + gram + waves;
    loss.backward().expect("no parameters");
}

fn count_allocations<T: Real>(tape: &mut Tape<T>, data: &Data<T>) -> AllocationInfo {
    measure(|| {
        tape.clear();
        run_pass(tape, data);
    })
}

/// The number of matrix products of a pass: in nodes, four forward and eight backward; in the GRU, five and seven.
const PRODUCTS: u64 = 24;

/// Asserts that later passes allocate at most `packing` times. `matrixmultiply` allocates one packing buffer per product; these
/// belong to the kernel.
fn assert_only_the_first_pass_allocates<T: Real>(packing: u64) {
    let (mut tape, data) = (Tape::new(), draw_data::<T>());
    assert!(count_allocations(&mut tape, &data).count_total > PRODUCTS, "the counter must count");
    let listing = tape.to_string();
    let absent =
        autograd::ops::Kind::ALL.iter().map(|kind| kind.name()).filter(|name| !listing.contains(&format!(" {name}(")));
    assert_eq!(absent.collect::<Vec<_>>(), Vec::<&str>::new(), "operations that the pass lacks");
    for pass in 2..=10 {
        let count = count_allocations(&mut tape, &data).count_total;
        assert!(count <= packing, "pass {pass} made {count} allocations; packing needs {packing}");
    }
}

/// The products of duals are plain loops, so nothing is allocated.
#[test]
fn tape_second_pass_on_duals_does_not_allocate() {
    assert_only_the_first_pass_allocates::<Dual<f64>>(0);
}

#[test]
fn tape_second_pass_in_f32_and_f64_allocates_only_for_packing() {
    assert_only_the_first_pass_allocates::<f32>(PRODUCTS);
    assert_only_the_first_pass_allocates::<f64>(PRODUCTS);
}

/// A shorter pass in between keeps all buffers.
#[test]
fn tape_shorter_pass_in_between_keeps_the_buffers() {
    let (mut tape, data) = (Tape::new(), draw_data::<Dual<f64>>());
    run_pass(&tape, &data);
    tape.clear();
    tape.input(data.row.clone()).tanh().sum().backward().expect("no parameters");
    assert_eq!(count_allocations(&mut tape, &data).count_total, 0);
}
