//! Matrix products: the rungs of the ladder, ndarray's `dot` (which allocates its result), matrixmultiply with nothing
//! around it but ndarray's checks (its own interface is unsafe), and `tensor`'s kernels for each instruction set; in the
//! three forms that forward and backward passes need. The network's sizes come first. One element is one flop.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::ladder::matmul::{Matmul, RUNGS};
use gradus_benches::{Contest, criterion, kernels, matmul_flops, product_in_f64, uniform};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, Ix2};
use tensor::{Form, Kernels, Tensor};

/// (M, K, N), for a width of 96.
const NETWORK: [(usize, usize, usize); 7] = [
    (192, 96, 288), // the recurrent product of a whole batch
    (48, 96, 288),  // of one chunk
    (288, 288, 96), // the gradient of its weights, over six steps of one chunk
    (1, 96, 288),   // one episode
    (192, 96, 19),  // logits of all tokens, and the value
    (192, 96, 6),   // logits of the tools
    (18, 96, 288),  // the table of tokens
];
const SQUARES: [(usize, usize, usize); 5] =
    [(64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024)];
/// Above this many flops what is as slow as the definition is not timed.
const SLOW_UP_TO: u64 = 2 * 256 * 256 * 256;
const SLOW: [&str; 3] = ["m0_naive", "naive", "reference"];

const FORMS: [(Form, &str); 3] = [(Form::NN, "nn"), (Form::NT, "nt"), (Form::TN, "tn")];

/// The worst rounding of a sum of K terms is K/2 ulps of the largest; 1e-5 is that at K = 168, and far above the mean.
const TOLERANCE: f64 = 1e-5;

fn matmul(c: &mut Criterion) {
    for (m, k, n) in NETWORK.into_iter().chain(SQUARES) {
        for (form, name) in FORMS {
            contest(c, form, &format!("matmul/{name}/{m}x{k}x{n}"), (m, k, n));
        }
    }
}

fn contest(c: &mut Criterion, form: Form, name: &str, (m, k, n): (usize, usize, usize)) {
    let a = uniform(if form == Form::TN { [k, m] } else { [m, k] }, 0);
    let b = uniform(if form == Form::NT { [n, k] } else { [k, n] }, 1);
    let flops = matmul_flops(m, k, n);
    let timed = |name: &str| flops <= SLOW_UP_TO || !SLOW.contains(&name);
    let reference = || product_in_f64(form, &a, &b);
    let mut contest = Contest::new(c, name, Throughput::Elements(flops), TOLERANCE, reference);
    if form == Form::NN {
        for (name, rung) in RUNGS.into_iter().filter(|rung| timed(rung.0)) {
            contest.enter_slice(name, m * n, by_rung(rung, [m, k, n], a.to_vec(), b.to_vec()));
        }
    }
    let (of_a, of_b) = (matrix(&a), matrix(&b));
    let (a_view, b_view) = match form {
        Form::NN => (of_a.view(), of_b.view()),
        Form::NT => (of_a.view(), of_b.t()),
        Form::TN => (of_a.t(), of_b.view()),
    };
    contest.enter("ndarray", || a_view.dot(&b_view));
    contest.enter_slice("matrixmultiply", m * n, |y| {
        let mut y = ndarray::ArrayViewMut2::from_shape([m, n], y).expect("as many");
        general_mat_mul(1.0, &a_view, &b_view, 0.0, &mut y);
    });
    for kernels in kernels().into_iter().filter(|kernels| timed(kernels.name())) {
        contest.enter(kernels.name(), by_kernel(kernels, form, &a, &b, [m, n]));
    }
}

fn by_rung(rung: Matmul, sizes: [usize; 3], a: Vec<f32>, b: Vec<f32>) -> impl FnMut(&mut [f32]) {
    move |y| rung(sizes, &a, &b, y)
}

fn by_kernel(
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

fn matrix(x: &Tensor<f32>) -> Array2<f32> {
    x.view().host().into_dimensionality::<Ix2>().expect("a matrix").to_owned()
}

criterion_group! { name = benches; config = criterion(); targets = matmul }
criterion_main!(benches);
