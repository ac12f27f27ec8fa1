//! Prints a hash of the bits of every sum on a GPU, one line for each sum. `tests/lab` compares these lines between thread
//! orders and between grids. The numbers are thirds, so that another order of additions gives other roundings.

use std::io::{self, Write};

use tensor::{AdamStep, Form, Reduce, Tensor};

use crate::gpu::is_on_gpu;
use crate::{Draw, Scalar};

/// The start of each line.
const LINE: &str = "bits ";

/// Prints the hash of the results. It does not use `println!`, because the test harness hides that output of a passing test.
fn print_hash<T: Scalar>(what: &str, results: &[&Tensor<T>]) {
    let numbers = results.iter().flat_map(|x| x.to_vec());
    let hash = numbers.fold(0xcbf2_9ce4_8422_2325, |h: u64, x| (h ^ x.value().to_bits()).wrapping_mul(0x100_0000_01b3));
    let line = format!("\n{LINE}{what} of {}: {hash:016x}\n", size_of::<T>());
    io::stdout().write_all(line.as_bytes()).expect("it can be written");
}

fn every_sum<T: Scalar>() {
    let k = T::implementations()[0];
    let mut draw = Draw::new(3);
    let mut thirds = |extents: &[usize]| {
        let size = extents.iter().product();
        Tensor::new(extents, (0..size).map(|_| T::from_f64(draw.number() / 3.0)).collect())
    };
    let zeros = |extents: &[usize]| Tensor::<T>::zeros(extents);
    let (x, dy, w, b) = (thirds(&[37, 150]), thirds(&[37, 150]), thirds(&[150]), thirds(&[150]));

    let (mut row, mut column) = (zeros(&[150]), zeros(&[37, 1]));
    k.sum_to(T::from_f64(0.3), x.view(), row.view_mut());
    k.sum_to(T::from_f64(0.3), x.view(), column.view_mut());
    print_hash("sum_to", &[&row, &column]);
    k.sum_product_to(T::from_f64(0.3), x.view(), dy.view(), row.view_mut());
    print_hash("sum_product_to", &[&row]);
    let (mut row, mut column) = (zeros(&[150]), zeros(&[37]));
    k.reduce(Reduce::Sum, x.view(), 0, row.view_mut());
    k.reduce(Reduce::Sum, x.view(), 1, column.view_mut());
    print_hash("reduce", &[&row, &column]);
    print_hash("sum_of_squares", &[&Tensor::scalar(k.sum_of_squares(x.view()))]);

    let square = zeros(&[37, 37]);
    for (form, b) in [(Form::NT, &dy), (Form::NN, &thirds(&[150, 37]))] {
        let mut y = square.clone();
        k.matmul(form, x.view(), b.view(), false, y.view_mut());
        print_hash(&format!("matmul {form:?}"), &[&y]);
    }
    let mut y = zeros(&[150, 150]);
    k.matmul(Form::TN, x.view(), dy.view(), true, y.view_mut());
    print_hash("matmul TN", &[&y]);

    let [mut y, mut ln_y, mut dx, mut ln_dx, mut sum_dx] = [(); 5].map(|()| zeros(&[37, 150]));
    let mut sum = zeros(&[37]);
    k.softmax(x.view(), y.view_mut());
    k.log_softmax(x.view(), ln_y.view_mut());
    k.logsumexp(x.view(), sum.view_mut());
    k.softmax_backward(y.view(), dy.view(), dx.view_mut());
    k.log_softmax_backward(ln_y.view(), dy.view(), ln_dx.view_mut());
    k.logsumexp_backward(x.view(), sum.view(), sum.view(), sum_dx.view_mut());
    print_hash("softmax", &[&y, &ln_y, &sum, &dx, &ln_dx, &sum_dx]);

    let (mut y, mut stats, mut dx, mut dw) = (zeros(&[37, 150]), zeros(&[37, 2]), zeros(&[37, 150]), zeros(&[150]));
    k.layer_norm(x.view(), w.view(), b.view(), T::from_f64(1e-5), y.view_mut(), stats.view_mut());
    let [into_dx, into_dw] = [dx.view_mut(), dw.view_mut()].map(Some);
    k.layer_norm_backward(x.view(), w.view(), stats.view(), dy.view(), into_dx, into_dw);
    print_hash("layer_norm", &[&y, &stats, &dx, &dw]);

    let rows = Tensor::new([37], (0..37).map(|i| i * i % 5).collect::<Vec<u32>>());
    let mut dtable = zeros(&[5, 150]);
    k.scatter_add_rows(rows.view(), dy.view(), dtable.view_mut());
    let index = Tensor::new([37, 150], (0..37 * 150).map(|i| i * i % 11).collect::<Vec<u32>>());
    let mut dx = zeros(&[37, 11]);
    k.scatter_add(index.view(), dy.view(), dx.view_mut());
    print_hash("scatter_add", &[&dtable, &dx]);

    let (kept, h_prev, dh) = (thirds(&[37, 40]), thirds(&[37, 10]), thirds(&[37, 10]));
    let (mut dgx, mut dgh, mut dh_prev) = (zeros(&[5, 30]), zeros(&[37, 30]), zeros(&[37, 10]));
    let views = (dgx.view_mut(), dgh.view_mut(), dh_prev.view_mut());
    k.gru_gates_backward(kept.view(), h_prev.view(), dh.view(), Some(rows.view()), views.0, views.1, views.2);
    print_hash("gru_gates_backward", &[&dgx, &dgh, &dh_prev]);

    let config = AdamStep { rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.1, decoupled: true, step: 3 };
    let [mut m, mut v, mut p] = [(); 3].map(|()| zeros(&[150]));
    k.adam(config, w.view(), m.view_mut(), v.view_mut(), p.view_mut());
    print_hash("adam", &[&m, &v, &p]);
}

#[test]
fn sums_on_gpu_print_their_bits() {
    if is_on_gpu() {
        every_sum::<f32>();
        every_sum::<f64>();
    }
}
