//! The whole update as one recorded graph on the GPU (`kernels/README.md`, "The whole update"): its checks, and what is timed.

use gpu_train::GpuLearner;
use gradus_benches::gpu::Gpu;
use gradus_benches::trajectory::{SEED, Setting, UPDATES};
use rl::a2c::{Learner, Metrics};
use rl::config::Config;
use tensor::Real;

use crate::found::Found;
use crate::update::{against, setting};

/// Updates that are asked for together, and whose metrics are read once.
const TOGETHER: u32 = 64;

/// Losses against the record of the update by operations on a processor, which was computed in `f64`.
pub(crate) fn recorded<T: Real>(gpu: Gpu, tolerance: f64) -> Found {
    let setting = setting(gpu);
    against(setting, &run::<T>(gpu, setting, true)?.0, tolerance)
}

/// What replaying the graph leaves, against what launching each kernel leaves: metrics, parameters and moments.
pub(crate) fn replayed(gpu: Gpu) -> Found {
    same(gpu, [true, false])
}

/// The graph against itself, in another run.
pub(crate) fn twice(gpu: Gpu) -> Found {
    same(gpu, [true, true])
}

fn same(gpu: Gpu, replays: [bool; 2]) -> Found {
    let setting = setting(gpu);
    let [first, second] = replays.map(|replay| run::<f32>(gpu, setting, replay));
    let (first, second) = (first?, second?);
    let bits = |numbers: &[Vec<f32>]| numbers.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    if format!("{:?}", first.0) != format!("{:?}", second.0) {
        return Err(format!("other metrics:\n{:?}\n{:?}", first.0, second.0));
    }
    let (first, second) = (bits(&first.1), bits(&second.1));
    let other = first.iter().zip(&second).filter(|(a, b)| a != b).count();
    match other {
        0 => Ok(format!("{}: all {} parameters and moments are the same", setting.name(), first.len())),
        _ => Err(format!("{other} of {} parameters and moments differ", first.len())),
    }
}

/// The metrics of the first updates, and parameters and moments after them.
fn run<T: Real>(gpu: Gpu, setting: Setting, replay: bool) -> Result<(Vec<Metrics>, Vec<Vec<T>>), String> {
    let mut run = GpuLearner::<T>::run(&setting.config(), SEED, gpu.device).map_err(|refused| refused.to_string())?;
    run.learner.inside().replay(replay);
    let mut metrics = Vec::new();
    for _ in 0..UPDATES {
        metrics.push(run.advance().map_err(|error| error.to_string())?.metrics);
    }
    let Learner { params, optimizer, .. } = &run.learner.host;
    let moments = optimizer.moments().map(|(_, moment)| moment.to_vec());
    Ok((metrics, [params.flat().to_vec()].into_iter().chain(moments).collect()))
}

/// Updates of a run, some at each call, which says how many steps they took: asked for together, and then their metrics are read.
///
/// # Errors
/// If the batch does not fit on the GPU.
pub(crate) fn updater(gpu: Gpu, config: &Config) -> Result<impl FnMut() -> u64, String> {
    let mut run = GpuLearner::<f32>::run(config, SEED, gpu.device).map_err(|refused| refused.to_string())?;
    run.advance().map_err(|error| error.to_string())?; // parameters and episodes are there afterwards
    Ok(move || {
        let update = run.learner.inside();
        let done = update.advance(TOGETHER).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(done.len(), TOGETHER as usize, "an update was not finite");
        done.iter().map(|done| done.metrics.steps as u64).sum()
    })
}
