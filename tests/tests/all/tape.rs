//! The arena: a second pass of the same shape allocates nothing on the tape.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use autograd::{Tape, Var};
use gradus_tests::{Draw, composed};
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

/// T = 5 steps of B = 4 rows, E = 6, H = 7, A = 3.
fn data<T: Real>() -> Data<T> {
    let mut d = Draw::new(11);
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

/// Records and runs back every operation, the GRU fused and composed, as an actor-critic would.
fn pass<T: Real>(tape: &Tape<T>, data: &Data<T>) {
    let [table, w_ih, bias, head] = [&data.table, &data.w_ih, &data.bias, &data.head].map(|x| tape.input(x.clone()));
    let [h0, row] = [&data.h0, &data.row].map(|x| tape.input(x.clone()));
    let w_hh = tape.param(data.name.clone(), data.w_hh.clone());
    let embedded = table.embedding(&data.tokens).reshape([20, 6]);
    let gx = (embedded.matmul_nt(w_ih) + bias).reshape([5, 4, 21]);
    let states = gx.gru(h0, w_hh, bias).reshape([20, 7]);
    let step = composed::gru_step(gx.select(0, 0), h0, w_hh, bias);
    let hidden = Var::concat(&[states, step], 0).slice(0, 2..22).hook(|_| {});
    let normed = hidden.layer_norm(row, row, T::of(1e-5)).relu() / row.sqrt().exp() - row.log().broadcast_to([20, 7]);
    let logits = normed.matmul(head);
    let chosen = logits.log_softmax().gather(&data.actions);
    let values = logits.transpose().sum_axis(0).scale(T::of(0.5)).reshape([20, 1]);
    let advantage = (logits.logsumexp().reshape([20, 1]) - values).detach();
    let entropy = logits.log_softmax().entropy().mean() - (logits.softmax() * logits.log_softmax()).sum_axis(1).mean();
    let gram = hidden.matmul_tn(hidden).permute(&[1, 0]).reshape([49]).slice(0, 3..45).mean().tanh().sum();
    let loss = -(chosen * advantage).mean() + values.square().mean() + entropy + gram;
    loss.backward().expect("no parameters");
}

fn allocations<T: Real>(tape: &mut Tape<T>, data: &Data<T>) -> AllocationInfo {
    measure(|| {
        tape.clear();
        pass(tape, data);
    })
}

/// Matrix products of a pass: four of nodes forward and eight backward; of the GRU five, and seven.
const PRODUCTS: u64 = 24;

/// Without the buffers in which `matrixmultiply` packs the operands of a product, one each: they are the kernel's.
fn only_the_first_pass_allocates<T: Real>(packing: u64) {
    let (mut tape, data) = (Tape::new(), data::<T>());
    assert!(allocations(&mut tape, &data).count_total > PRODUCTS, "the counter counts");
    let words = tape.to_string();
    let absent =
        autograd::ops::Kind::ALL.iter().map(|kind| kind.name()).filter(|name| !words.contains(&format!(" {name}(")));
    assert_eq!(absent.collect::<Vec<_>>(), Vec::<&str>::new(), "operations that the pass lacks");
    for again in 2..=10 {
        let count = allocations(&mut tape, &data).count_total;
        assert!(count <= packing, "pass {again} made {count} allocations, {packing} of them for packing");
    }
}

/// On duals, whose products are plain loops, nothing at all.
#[test]
fn only_the_first_pass_allocates_on_duals() {
    only_the_first_pass_allocates::<Dual<f64>>(0);
}

#[test]
fn only_the_first_pass_allocates_in_f32_and_f64() {
    only_the_first_pass_allocates::<f32>(PRODUCTS);
    only_the_first_pass_allocates::<f64>(PRODUCTS);
}

/// A shorter pass in between throws nothing away.
#[test]
fn a_shorter_pass_in_between_keeps_the_buffers() {
    let (mut tape, data) = (Tape::new(), data::<Dual<f64>>());
    pass(&tape, &data);
    tape.clear();
    tape.input(data.row.clone()).tanh().sum().backward().expect("no parameters");
    assert_eq!(allocations(&mut tape, &data).count_total, 0);
}
