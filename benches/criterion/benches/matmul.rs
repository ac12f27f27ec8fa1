//! Benchmarks of matrix products, in the three forms that forward and backward passes need. One element is one flop.
//!
//! The contestants are the rungs of the ladder, ndarray's `dot` (which allocates its result), matrixmultiply, and `tensor`'s
//! kernels for each instruction set. matrixmultiply's own interface is unsafe, so it is called through ndarray, which adds
//! only shape checks. The sizes of the network come first, then squares.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::ladder::matmul::{Matmul, RUNGS};
use gradus_benches::{Contest, criterion, kernels, matmul_f64, matmul_flops, uniform};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Ix2};
use tensor::{Form, Kernels, Tensor};

/// (M, K, N) for a network of hidden size 96.
const NETWORK: [(usize, usize, usize); 7] = [
    (192, 96, 288), // the recurrent product of a whole batch
    (48, 96, 288),  // the same product for one chunk
    (288, 288, 96), // the gradient of the recurrent weights, over six steps of one chunk
    (1, 96, 288),   // the recurrent product of one episode
    (192, 96, 19),  // logits of all tokens and the value
    (192, 96, 6),   // logits of the tools
    (18, 96, 288),  // the input table of all tokens
];
const SQUARES: [(usize, usize, usize); 5] =
    [(64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024)];
/// Products with more flops are not timed for the contestants in [`SLOW`].
const SLOW_UP_TO: u64 = 2 * 256 * 256 * 256;
const SLOW: [&str; 3] = ["m0_naive", "naive", "reference"];

const FORMS: [(Form, &str); 3] = [(Form::NN, "nn"), (Form::NT, "nt"), (Form::TN, "tn")];

/// The tolerance. The worst rounding error of a sum of K terms is K/2 ulps of the largest number. That is 1e-5 at K = 168;
/// the mean error is far smaller.
const TOLERANCE: f64 = 1e-5;

fn matmul(c: &mut Criterion) {
    for (m, k, n) in NETWORK.into_iter().chain(SQUARES) {
        for (form, name) in FORMS {
            bench_size(c, form, &format!("matmul/{name}/{m}x{k}x{n}"), (m, k, n));
        }
    }
}

fn bench_size(c: &mut Criterion, form: Form, name: &str, (m, k, n): (usize, usize, usize)) {
    let a = uniform(if form == Form::TN { [k, m] } else { [m, k] }, 0);
    let b = uniform(if form == Form::NT { [n, k] } else { [k, n] }, 1);
    let flops = matmul_flops(m, k, n);
    let is_timed = |name: &str| flops <= SLOW_UP_TO || !SLOW.contains(&name);
    let reference = || matmul_f64(form, &a, &b);
    let mut contest = Contest::new(c, name, Throughput::Elements(flops), TOLERANCE, reference);
    if form == Form::NN {
        for (name, rung) in RUNGS.into_iter().filter(|rung| is_timed(rung.0)) {
            contest.bench_slice(name, m * n, run_rung(rung, [m, k, n], a.to_vec(), b.to_vec()));
        }
    }
    let (a_array, b_array) = (to_array(&a), to_array(&b));
    let (a_view, b_view) = match form {
        Form::NN => (a_array.view(), b_array.view()),
        Form::NT => (a_array.view(), b_array.t()),
        Form::TN => (a_array.t(), b_array.view()),
    };
    contest.bench("ndarray", || a_view.dot(&b_view));
    contest.bench_slice("matrixmultiply", m * n, |y| {
        let mut y = ndarray::ArrayViewMut2::from_shape([m, n], y).expect("y holds M·N numbers");
        general_mat_mul(1.0, &a_view, &b_view, 0.0, &mut y);
    });
    for kernels in kernels().into_iter().filter(|kernels| is_timed(kernels.name())) {
        contest.bench(kernels.name(), run_kernel(kernels, form, &a, &b, [m, n]));
    }
}

fn run_rung(rung: Matmul, sizes: [usize; 3], a: Vec<f32>, b: Vec<f32>) -> impl FnMut(&mut [f32]) {
    move |y| rung(sizes, &a, &b, y)
}

fn run_kernel(
    kernels: &dyn Kernels<f32>,
    form: Form,
    a: &Tensor<f32>,
    b: &Tensor<f32>,
    shape: [usize; 2],
) -> impl FnMut() -> Tensor<f32> {
    let mut y = Tensor::full(shape, f32::NAN);
    move || {
        kernels.matmul(form, a.view(), b.view(), false, y.view_mut());
        y.clone()
    }
}

fn to_array(x: &Tensor<f32>) -> Array2<f32> {
    x.view().as_ndarray().into_dimensionality::<Ix2>().expect("a matrix").to_owned()
}

criterion_group! { name = benches; config = criterion(); targets = matmul }
criterion_main!(benches);
