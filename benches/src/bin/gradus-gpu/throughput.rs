//! The table of whole updates per second at several batch sizes: on the CPU, on the GPU operation by operation and as one
//! graph, and in PyTorch.

use std::time::{Duration, Instant};

use gradus_benches::gpu::{BenchGpu, with_gpu_kernels};
use gradus_benches::matmul_flops;
use rl::config::Config;
use rl::train::Run;

use crate::fused;
use crate::table::{self, rate, share, times};
use crate::torch::Torch;

const BATCHES: [usize; 4] = [192, 1024, 8192, 65_536];
/// The largest batch that is measured on the CPU. It takes seconds.
const MAX_CPU_BATCH: usize = 8192;
const SEED: u64 = 42;
/// The minimum duration of the measurement, after the warm-up.
const MIN_DURATION: Duration = Duration::from_secs(2);
const WARM_UP: usize = 2;
const MIN_CALLS: usize = 3;

/// Builds the table: one row for each batch size.
pub(crate) fn table(gpu: BenchGpu, ordinal: usize, torch: Option<&Torch>) -> String {
    let rivals = torch.map(|torch| torch.updates(&BATCHES)).unwrap_or_default();
    let rows: Vec<_> = BATCHES.iter().map(|&batch| measure_row(gpu, ordinal, batch, &rivals)).collect();
    let head = [
        "batch",
        "CPU",
        "GPU, by operations",
        "GPU, one graph",
        "of the fp32 limit",
        "PyTorch, eager",
        "PyTorch, one graph",
        "ours / eager",
        "ours / one graph",
    ];
    let absent =
        if rivals.is_empty() { " PyTorch was not measured: no Python with PyTorch for a GPU was found." } else { "" };
    format!(
        "\n**Whole updates** of `calculator-stages` at width 96, in episode steps per second; PyTorch's take seven steps of the task in \
         benches/peers. An update of N steps counts as 3·2·N·H·(3H + A + 1) flops.{absent}\n\n{}",
        table::table(&head, &rows)
    )
}

fn config(batch: usize) -> Config {
    Config { batch, validate_every: usize::MAX, max_updates: usize::MAX, ..Config::default() }
}

/// Returns the flops of a step: the recurrent product and the heads. Backward counts twice as much as forward.
fn count_flops(config: &Config) -> f64 {
    let actions = config.action_set().tokens().len();
    3.0 * matmul_flops(1, config.width, 3 * config.width + actions + 1) as f64
}

fn measure_row(gpu: BenchGpu, ordinal: usize, batch: usize, rivals: &[(usize, [Option<f64>; 2])]) -> Vec<String> {
    eprintln!("updates of {batch} episodes");
    let config = config(batch);
    let cpu = (batch <= MAX_CPU_BATCH).then(|| measure_operations(&config));
    // One chunk for each stage, because a GPU needs few large kernels.
    let gpu_config = Config { chunk: batch, ..config.clone() };
    let operations = catch_failure(|| with_gpu_kernels(ordinal, || measure_operations(&gpu_config)));
    let fused = catch_failure(|| fused::make_updater(gpu, &config).map(steps_per_second)).and_then(|fused| fused);
    let ours = fused.clone().or(operations.clone()).ok();
    let of_limit = ours.zip(gpu.flops()).map(|(ours, limit)| ours * count_flops(&config) / limit);
    let [eager, graph] = rivals.iter().find(|rival| rival.0 == batch).map_or([None; 2], |rival| rival.1);
    let rate_or_message = |found: Result<f64, String>| found.map_or_else(|words| words, rate);
    let figure = |found: Option<f64>| found.map_or_else(String::new, rate);
    vec![
        batch.to_string(),
        figure(cpu),
        rate_or_message(operations),
        rate_or_message(fused),
        share(of_limit),
        figure(eager),
        figure(graph),
        times(ours.zip(eager).map(|(ours, theirs)| ours / theirs)),
        times(ours.zip(graph).map(|(ours, theirs)| ours / theirs)),
    ]
}

/// Runs `f` and returns its result, or the GPU's failure: one batch may be too large for it.
fn catch_failure<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    tensor::catch_cuda_error(f).map_err(|failure| failure.to_string())
}

/// Measures updates by operations with the default kernels.
fn measure_operations(config: &Config) -> f64 {
    let mut run = Run::<f32, _>::new(config.calculator_stages(), config, SEED);
    steps_per_second(move || run.advance().expect("finite numbers").metrics.steps as u64)
}

/// Measures the rate of `update`, which runs one or more updates, reads their results, and returns the number of steps.
fn steps_per_second(mut update: impl FnMut() -> u64) -> f64 {
    for _ in 0..WARM_UP {
        update();
    }
    let (start, mut calls, mut steps) = (Instant::now(), 0, 0);
    while calls < MIN_CALLS || start.elapsed() < MIN_DURATION {
        steps += update();
        calls += 1;
    }
    steps as f64 / start.elapsed().as_secs_f64()
}
