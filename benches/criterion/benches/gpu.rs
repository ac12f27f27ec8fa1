//! The same kernels on the processor and on a graphics card: products at the network's sizes and in squares, the gates of a GRU,
//! log-softmax, Adam; and the GPU's ladder of products (`docs/cuda-ladder.md`), rung by rung.
//!
//! Operands lie where the kernels compute. The GPU is asked for the work again and again, and waited for at the end. Without a
//! GPU, this says what was looked for. Under the emulator (`kernels/host`) `-- --test` verifies at small sizes; there is nothing
//! to be timed.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::gpu::{Adam, Gates, Gpu, LogSoftmax, Product, both};
use gradus_benches::{Contest, Outcome, criterion, product_in_f64};
use tensor::{Form, Naive};

/// (M, K, N) of the network: the recurrent product of a batch, its weights' gradient, and the heads.
const NETWORK: [[usize; 3]; 4] = [[192, 96, 288], [8192, 96, 288], [288, 8192, 96], [8192, 96, 7]];
const SQUARES: [usize; 5] = [256, 512, 1024, 2048, 4096];
/// Around the tiles of the ladder, for the emulator.
const SMALL: [[usize; 3]; 3] = [[17, 33, 15], [129, 9, 65], [64, 16, 64]];
/// Above this many flops the processor is left out, and it is `f32`'s fastest kernels that the GPU is held to.
const LARGE: u64 = 2 * 1024 * 1024 * 1024;

const FORMS: [(Form, &str); 3] = [(Form::NN, "nn"), (Form::NT, "nt"), (Form::TN, "tn")];

/// Of the largest entry: roundings of sums of up to 8192 terms, which go up and down.
const TOLERANCE: f64 = 1e-5;
/// Factors that are rounded to the 10 bits behind the point of tf32 make each product off by up to 2⁻¹⁰.
const IN_TF32: f64 = 1e-3;
/// A few ulps of f32.
const FUNCTIONS: f64 = 1e-6;

fn gpu(c: &mut Criterion) {
    let gpu = match Gpu::open(0) {
        Ok(gpu) => gpu,
        Err(missing) => return println!("gpu: nothing is compared: {missing}"),
    };
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    if gpu.emulated && asked("--bench") && !asked("--test") {
        return println!(
            "gpu: this one is emulated, and its times mean nothing; `-- --test` verifies what would be timed"
        );
    }
    products(c, gpu);
    ladder(c, gpu);
    gates(c, gpu);
    log_softmax(c, gpu);
    adam(c, gpu);
}

/// What is right: in `f64`, or where that would take long, by the processor's fastest kernels, which `matmul` holds to `f64`.
fn right(product: &Product, form: Form) -> Vec<f64> {
    let [a, b] = product.operands();
    if product.flops() <= LARGE {
        return product_in_f64(form, a, b);
    }
    product.by::<f32>(tensor::Device::Host.kernels().expect("the host has all numbers"))().numbers()
}

fn products(c: &mut Criterion, gpu: Gpu) {
    let squares = SQUARES.map(|side| [side; 3]);
    let sizes = if gpu.emulated { SMALL.to_vec() } else { [&NETWORK[..], &squares].concat() };
    for [m, k, n] in sizes {
        for (form, name) in FORMS {
            let product = Product::new(form, [m, k, n]);
            let work = Throughput::Elements(product.flops());
            let name = format!("gpu/matmul/{name}/{m}x{k}x{n}");
            let mut contest = Contest::new(c, name, work, TOLERANCE, || right(&product, form));
            for (name, kernels) in both(gpu) {
                match kernels.device().is_host() {
                    true if product.flops() > LARGE => {}
                    true => contest.enter(&name, product.by(kernels)),
                    false => contest.enter_asking(&name, product.by(kernels), || gpu.wait()),
                }
            }
        }
    }
}

fn ladder(c: &mut Criterion, gpu: Gpu) {
    let sizes = if gpu.emulated { SMALL.to_vec() } else { SQUARES.map(|side| [side; 3]).to_vec() };
    for [m, k, n] in sizes {
        let product = Product::new(Form::NN, [m, k, n]);
        let work = Throughput::Elements(product.flops());
        let name = format!("gpu/sgemm/{m}x{k}x{n}");
        let mut contest = Contest::new(c, name, work, TOLERANCE, || right(&product, Form::NN));
        for rung in tensor::Sgemm::ALL {
            contest.allow(if rung == tensor::Sgemm::Tf32 { IN_TF32 } else { TOLERANCE });
            contest.enter_asking(rung.name(), product.by_rung(rung, gpu), || gpu.wait());
        }
        contest.allow(TOLERANCE);
        contest.enter_asking(&format!("matmul, {}", gpu.name()), product.by(gpu.kernels()), || gpu.wait());
    }
}

fn gates(c: &mut Criterion, gpu: Gpu) {
    let sizes: &[[usize; 2]] = if gpu.emulated { &[[5, 33]] } else { &[[192, 96], [8192, 96]] };
    for &[batch, width] in sizes {
        let gates = Gates::new(batch, width);
        let (name, work) = (format!("gpu/gru_gates/{batch}x{width}"), Throughput::Elements(gates.states()));
        let mut contest = Contest::new(c, name, work, FUNCTIONS, || gates.by::<f64>(&Naive)().numbers());
        for (name, kernels) in both(gpu) {
            contest.enter_asking(&name, gates.by(kernels), || gpu.wait());
        }
    }
}

fn log_softmax(c: &mut Criterion, gpu: Gpu) {
    let sizes: &[[usize; 2]] = if gpu.emulated { &[[5, 18]] } else { &[[192 * 7, 6], [8192 * 7, 6], [8192, 1024]] };
    for &[rows, length] in sizes {
        let rows_of = LogSoftmax::new(rows, length);
        let (name, work) = (format!("gpu/log_softmax/{rows}x{length}"), Throughput::Elements(rows_of.elements()));
        let mut contest = Contest::new(c, name, work, FUNCTIONS, || rows_of.by::<f64>(&Naive)().numbers());
        for (name, kernels) in both(gpu) {
            contest.enter_asking(&name, rows_of.by(kernels), || gpu.wait());
        }
    }
}

fn adam(c: &mut Criterion, gpu: Gpu) {
    let sizes: &[usize] = if gpu.emulated { &[1000] } else { &[60_000, 1 << 22] };
    for &parameters in sizes {
        let adam = Adam::new(parameters);
        let (name, work) = (format!("gpu/adam/{parameters}"), Throughput::Elements(adam.parameters()));
        let mut contest = Contest::new(c, name, work, FUNCTIONS, || adam.by::<f64>(&Naive)().numbers());
        for (name, kernels) in both(gpu) {
            contest.enter_asking(&name, adam.by(kernels), || gpu.wait());
        }
    }
}

criterion_group! { name = benches; config = criterion(); targets = gpu }
criterion_main!(benches);
