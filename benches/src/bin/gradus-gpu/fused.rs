//! The whole update as one recorded graph on the GPU (`kernels/README.md`, "The whole update"): its checks and its timing.

use gpu_train::GpuLearner;
use gradus_benches::gpu::BenchGpu;
use gradus_benches::trajectory::{SEED, Setting, UPDATES};
use rl::a2c::{Learner, Metrics};
use rl::config::Config;
use tensor::Real;

use crate::check_result::CheckResult;
use crate::update_checks::{compare_with_record, setting};

/// The number of updates that run together before their metrics are read.
const TOGETHER: u32 = 64;

/// Compares the losses with the record, which an update by operations on a CPU computed in `f64`.
pub(crate) fn check_against_record<T: Real>(gpu: BenchGpu, tolerance: f64) -> CheckResult {
    let setting = setting(gpu);
    compare_with_record(setting, &run::<T>(gpu, setting, true)?.0, tolerance)
}

/// Compares metrics, parameters and moments of replaying the graph with those of launching each kernel.
pub(crate) fn check_replay(gpu: BenchGpu) -> CheckResult {
    same(gpu, [true, false])
}

/// Compares two runs of the graph.
pub(crate) fn check_repeatable(gpu: BenchGpu) -> CheckResult {
    same(gpu, [true, true])
}

fn same(gpu: BenchGpu, replays: [bool; 2]) -> CheckResult {
    let setting = setting(gpu);
    let [first, second] = replays.map(|replay| run::<f32>(gpu, setting, replay));
    let (first, second) = (first?, second?);
    let bits = |numbers: &[Vec<f32>]| numbers.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    if format!("{:?}", first.0) != format!("{:?}", second.0) {
        return Err(format!("the metrics differ:\n{:?}\n{:?}", first.0, second.0));
    }
    let (first, second) = (bits(&first.1), bits(&second.1));
    let other = first.iter().zip(&second).filter(|(a, b)| a != b).count();
    match other {
        0 => Ok(format!("{}: all {} parameters and moments are the same", setting.name(), first.len())),
        _ => Err(format!("{other} of {} parameters and moments differ", first.len())),
    }
}

/// Runs the first updates. Returns their metrics, and the parameters and moments after them.
fn run<T: Real>(gpu: BenchGpu, setting: Setting, replay: bool) -> Result<(Vec<Metrics>, Vec<Vec<T>>), String> {
    let mut run = GpuLearner::<T>::run(&setting.config(), SEED, gpu.device).map_err(|refused| refused.to_string())?;
    run.learner.update_mut().set_graph_replay(replay);
    let mut metrics = Vec::new();
    for _ in 0..UPDATES {
        metrics.push(run.advance().map_err(|error| error.to_string())?.metrics);
    }
    let Learner { params, optimizer, .. } = &run.learner.host;
    let moments = optimizer.moments().map(|(_, moment)| moment.to_vec());
    Ok((metrics, [params.flat().to_vec()].into_iter().chain(moments).collect()))
}

/// Returns a closure that runs updates together, reads their metrics, and returns the number of their steps.
///
/// # Errors
/// If the batch does not fit on the GPU.
pub(crate) fn make_updater(gpu: BenchGpu, config: &Config) -> Result<impl FnMut() -> u64, String> {
    let mut run = GpuLearner::<f32>::run(config, SEED, gpu.device).map_err(|refused| refused.to_string())?;
    run.advance().map_err(|error| error.to_string())?; // copies parameters and episodes to the GPU
    Ok(move || {
        let update = run.learner.update_mut();
        let done = update.advance(TOGETHER).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(done.len(), TOGETHER as usize, "an update was not finite");
        done.iter().map(|done| done.metrics.steps as u64).sum()
    })
}
