//! The same kernels on CPU and GPU: products at the network's sizes and in squares, the gates of a GRU, log-softmax, Adam; and
//! the GPU's ladder of products (`docs/cuda-ladder.md`), rung by rung.
//!
//! Operands are on the kernels' device. The work is submitted to the GPU repeatedly, with one wait at the end. Without a GPU,
//! this prints what is missing. Under the emulator (`kernels/host`) `-- --test` verifies at small sizes; nothing is timed
//! there.
#![forbid(unsafe_code)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::gpu::{Adam, BenchGpu, Gates, LogSoftmax, Product, cpu_and_gpu};
use gradus_benches::{Contest, Outcome, criterion, matmul_f64};
use tensor::{Form, Naive};

/// (M, K, N) of the network: the recurrent product of a batch, its weights' gradient, and the heads.
const NETWORK: [[usize; 3]; 4] = [[192, 96, 288], [8192, 96, 288], [288, 8192, 96], [8192, 96, 7]];
const SQUARES: [usize; 5] = [256, 512, 1024, 2048, 4096];
/// Sizes around the ladder's tiles, for the emulator.
const SMALL: [[usize; 3]; 3] = [[17, 33, 15], [129, 9, 65], [64, 16, 64]];
/// Above this number of flops the CPU is not timed, and its fastest `f32` kernels give the reference.
const LARGE: u64 = 2 * 1024 * 1024 * 1024;

const FORMS: [(Form, &str); 3] = [(Form::NN, "nn"), (Form::NT, "nt"), (Form::TN, "tn")];

/// The tolerance relative to the largest entry: roundings of sums of up to 8192 terms of both signs.
const TOLERANCE: f64 = 1e-5;
/// The tolerance for tf32: with factors rounded to 10 mantissa bits, the relative error of a product is up to 2⁻¹⁰.
const IN_TF32: f64 = 1e-3;
/// The tolerance of functions: a few ulps of f32.
const FUNCTIONS: f64 = 1e-6;

fn gpu(c: &mut Criterion) {
    let gpu = match BenchGpu::open(0) {
        Ok(gpu) => gpu,
        Err(missing) => return println!("gpu: nothing is compared: {missing}"),
    };
    let has_flag = |word: &str| std::env::args().any(|argument| argument == word);
    if gpu.emulated && has_flag("--bench") && !has_flag("--test") {
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

/// Returns the reference: in `f64`, or for large products by the CPU's fastest kernels, which the benchmark `matmul` verifies.
fn reference(product: &Product, form: Form) -> Vec<f64> {
    let [a, b] = product.operands();
    if product.flops() <= LARGE {
        return matmul_f64(form, a, b);
    }
    product.runner::<f32>(tensor::Device::Host.kernels().expect("the host has all numbers"))().numbers()
}

fn products(c: &mut Criterion, gpu: BenchGpu) {
    let squares = SQUARES.map(|side| [side; 3]);
    let sizes = if gpu.emulated { SMALL.to_vec() } else { [&NETWORK[..], &squares].concat() };
    for [m, k, n] in sizes {
        for (form, name) in FORMS {
            let product = Product::new(form, [m, k, n]);
            let work = Throughput::Elements(product.flops());
            let name = format!("gpu/matmul/{name}/{m}x{k}x{n}");
            let mut contest = Contest::new(c, name, work, TOLERANCE, || reference(&product, form));
            for (name, kernels) in cpu_and_gpu(gpu) {
                match kernels.device().is_host() {
                    true if product.flops() > LARGE => {}
                    true => contest.bench(&name, product.runner(kernels)),
                    false => contest.bench_async(&name, product.runner(kernels), || gpu.synchronize()),
                }
            }
        }
    }
}

fn ladder(c: &mut Criterion, gpu: BenchGpu) {
    let sizes = if gpu.emulated { SMALL.to_vec() } else { SQUARES.map(|side| [side; 3]).to_vec() };
    for [m, k, n] in sizes {
        let product = Product::new(Form::NN, [m, k, n]);
        let work = Throughput::Elements(product.flops());
        let name = format!("gpu/sgemm/{m}x{k}x{n}");
        let mut contest = Contest::new(c, name, work, TOLERANCE, || reference(&product, Form::NN));
        for rung in tensor::Sgemm::ALL {
            contest.set_tolerance(if rung == tensor::Sgemm::Tf32 { IN_TF32 } else { TOLERANCE });
            contest.bench_async(rung.name(), product.rung_runner(rung, gpu), || gpu.synchronize());
        }
        contest.set_tolerance(TOLERANCE);
        contest.bench_async(&format!("matmul, {}", gpu.name()), product.runner(gpu.kernels()), || gpu.synchronize());
    }
}

fn gates(c: &mut Criterion, gpu: BenchGpu) {
    let sizes: &[[usize; 2]] = if gpu.emulated { &[[5, 33]] } else { &[[192, 96], [8192, 96]] };
    for &[batch, hidden_size] in sizes {
        let gates = Gates::new(batch, hidden_size);
        let (name, work) = (format!("gpu/gru_gates/{batch}x{hidden_size}"), Throughput::Elements(gates.states()));
        let mut contest = Contest::new(c, name, work, FUNCTIONS, || gates.runner::<f64>(&Naive)().numbers());
        for (name, kernels) in cpu_and_gpu(gpu) {
            contest.bench_async(&name, gates.runner(kernels), || gpu.synchronize());
        }
    }
}

fn log_softmax(c: &mut Criterion, gpu: BenchGpu) {
    let sizes: &[[usize; 2]] = if gpu.emulated { &[[5, 18]] } else { &[[192 * 7, 6], [8192 * 7, 6], [8192, 1024]] };
    for &[rows, length] in sizes {
        let rows_of = LogSoftmax::new(rows, length);
        let (name, work) = (format!("gpu/log_softmax/{rows}x{length}"), Throughput::Elements(rows_of.elements()));
        let mut contest = Contest::new(c, name, work, FUNCTIONS, || rows_of.runner::<f64>(&Naive)().numbers());
        for (name, kernels) in cpu_and_gpu(gpu) {
            contest.bench_async(&name, rows_of.runner(kernels), || gpu.synchronize());
        }
    }
}

fn adam(c: &mut Criterion, gpu: BenchGpu) {
    let sizes: &[usize] = if gpu.emulated { &[1000] } else { &[60_000, 1 << 22] };
    for &parameters in sizes {
        let adam = Adam::new(parameters);
        let (name, work) = (format!("gpu/adam/{parameters}"), Throughput::Elements(adam.parameters()));
        let mut contest = Contest::new(c, name, work, FUNCTIONS, || adam.runner::<f64>(&Naive)().numbers());
        for (name, kernels) in cpu_and_gpu(gpu) {
            contest.bench_async(&name, adam.runner(kernels), || gpu.synchronize());
        }
    }
}

criterion_group! { name = benches; config = criterion(); targets = gpu }
criterion_main!(benches);
