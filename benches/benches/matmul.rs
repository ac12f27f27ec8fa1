//! Matrix products: the naive kernel, the fast one, and ndarray's `dot` (which allocates its result), in the three forms
//! that forward and backward passes need. The network's sizes come first. One element is one flop.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, matmul_flops, uniform};
use ndarray::{Array2, Ix2};
use tensor::{Fast, Form, Kernels, Naive, Real, Tensor};

/// (M, K, N), for a width of 96.
const NETWORK: [(usize, usize, usize); 4] = [
    (48, 96, 288),  // the recurrent product of one chunk
    (192, 96, 288), // of a whole batch
    (192, 96, 6),   // the logits
    (1, 96, 288),   // one episode
];
const SQUARES: [(usize, usize, usize); 3] = [(64, 64, 64), (128, 128, 128), (256, 256, 256)];
/// Above this many flops the naive kernel is not timed; it stays the reference.
const NAIVE_UP_TO: u64 = 2 * 192 * 96 * 288;

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
    let reference = || product(&Naive, form, &a.cast::<f64>(), &b.cast(), [m, n])().numbers();
    let mut contest = Contest::new(c, name, Throughput::Elements(flops), TOLERANCE, reference);
    if flops <= NAIVE_UP_TO {
        contest.enter("naive", product(&Naive, form, &a, &b, [m, n]));
    }
    contest.enter("fast", product(&Fast, form, &a, &b, [m, n]));
    let (a, b) = (matrix(&a), matrix(&b));
    contest.enter("ndarray", || match form {
        Form::NN => a.dot(&b),
        Form::NT => a.dot(&b.t()),
        Form::TN => a.t().dot(&b),
    });
}

fn product<T: Real>(
    kernels: &dyn Kernels<T>,
    form: Form,
    a: &Tensor<T>,
    b: &Tensor<T>,
    shape: [usize; 2],
) -> impl FnMut() -> Tensor<T> {
    let mut y = Tensor::full(shape, T::of(f64::NAN));
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
