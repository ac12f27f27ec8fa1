//! The table that compares the ladder of products (`docs/cuda-ladder.md`) with cuBLAS, called through PyTorch.

use gradus_benches::gpu::{BenchGpu, Product, median_seconds};
use gradus_benches::{Outcome, verify};
use tensor::{Form, Sgemm, Tensor};

use crate::table::{self, rate, share};
use crate::torch::Torch;

/// M, K and N: the network's recurrent product, for two batches, and squares.
const SIZES: [[usize; 3]; 8] = [
    [192, 96, 288],
    [8192, 96, 288],
    [256, 256, 256],
    [512, 512, 512],
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [4096, 4096, 4096],
    [8192, 8192, 8192],
];
/// The same tolerances as in the benchmark `gpu`.
const TOLERANCE: f64 = 1e-5;
const IN_TF32: f64 = 1e-3;

/// Builds the table: one row for each size, with rates in flop/s. Each rung is verified against the GPU's `matmul` before it is
/// timed; the checks verify `matmul` against the reference.
pub(crate) fn table(gpu: BenchGpu, torch: Option<&Torch>) -> String {
    let rivals = torch.map(|torch| torch.products(&SIZES)).unwrap_or_default();
    let rows: Vec<Vec<String>> = SIZES.iter().map(|&sizes| row(gpu, sizes, &rivals)).collect();
    let names = Sgemm::ALL.map(Sgemm::name);
    let head = ["M × K × N"].into_iter().chain(names).chain(["matmul", "of the limit", "cuBLAS", "cuBLAS, tf32"]);
    let limit = gpu.flops().map_or_else(String::new, |limit| {
        format!(
            "The limit is f32 without tensor cores, {}flop/s by cores and highest clock; the share is that of our best \
             such product. ",
            rate(limit)
        )
    });
    let absent =
        if rivals.is_empty() { "cuBLAS was not measured: no Python with PyTorch for a GPU was found. " } else { "" };
    let table = table::table(&head.collect::<Vec<_>>(), &rows);
    format!("\n**Matrix products**, in flop/s. {limit}{absent}\n\n{table}")
}

fn row(gpu: BenchGpu, sizes: [usize; 3], rivals: &[(String, [f64; 2])]) -> Vec<String> {
    let [m, k, n] = sizes;
    let name = format!("{m} × {k} × {n}");
    eprintln!("products of {name}");
    let product = Product::new(Form::NN, sizes);
    let flops = product.flops() as f64;
    let timed = |mut run: Box<dyn FnMut() -> Tensor<f32>>| flops / median_seconds(|| drop(run()), || gpu.synchronize());
    let want = product.runner(gpu.kernels())().numbers();
    let rungs = Sgemm::ALL.map(|rung| {
        let mut run = product.rung_runner(rung, gpu);
        let tolerance = if rung == Sgemm::Tf32 { IN_TF32 } else { TOLERANCE };
        verify(rung.name(), &run().numbers(), &want, tolerance);
        timed(Box::new(run))
    });
    let matmul = timed(Box::new(product.runner(gpu.kernels())));
    let best = rungs[..4].iter().copied().fold(matmul, f64::max);
    let of_limit = share(gpu.flops().map(|limit| best / limit));
    let rival = rivals.iter().find(|(size, _)| *size == format!("{m}x{k}x{n}"));
    let rival = rival.map_or_else(Default::default, |(_, rates)| rates.map(rate));
    let ours = rungs.into_iter().chain([matmul]).map(rate);
    [name].into_iter().chain(ours).chain([of_limit]).chain(rival).collect()
}
