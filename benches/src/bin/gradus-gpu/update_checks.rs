//! Checks of whole updates by operations, with layers and a tape, on the GPU's kernels. They must match a record of the same
//! updates, computed in `f64` on the CPU, and a second run.

use gradus_benches::gpu::{BenchGpu, with_gpu_kernels};
use gradus_benches::trajectory::{SETTINGS, Setting};
use rl::a2c::Metrics;
use tensor::Real;

use crate::check_result::CheckResult;

/// The tolerance in `f64` relative to the largest loss. It covers another order of roundings.
pub(crate) const IN_F64: f64 = 1e-10;

/// Returns the default setting; on an emulated GPU the smallest.
pub(crate) fn setting(gpu: BenchGpu) -> Setting {
    if gpu.emulated { SETTINGS[1] } else { SETTINGS[0] }
}

/// Compares losses with the record, which was computed in `f64`.
pub(crate) fn check_against_record<T: Real>(gpu: BenchGpu, ordinal: usize, tolerance: f64) -> CheckResult {
    let setting = setting(gpu);
    compare_with_record(setting, &play_updates::<T>(setting, ordinal), tolerance)
}

/// Compares the first updates of a run with their record.
pub(crate) fn compare_with_record(setting: Setting, metrics: &[Metrics], tolerance: f64) -> CheckResult {
    let (steps, recorded) = setting.recorded();
    let played: usize = metrics.iter().map(|metrics| metrics.steps).sum();
    if played as u64 != steps {
        return Err(format!("{played} steps, where the record has {steps}: another action was drawn"));
    }
    let scale = recorded.iter().fold(0.0_f64, |scale, loss| scale.max(loss.abs()));
    let errors = metrics.iter().zip(&recorded).map(|(metrics, loss)| (metrics.loss - loss).abs() / scale);
    let error = errors.fold(0.0, |a: f64, b| if b > a || b.is_nan() { b } else { a });
    let words = format!("{}: off by {error:.1e} of the largest loss", setting.name());
    if error <= tolerance { Ok(words) } else { Err(format!("{words}, where {tolerance:e} is allowed")) }
}

/// Compares all metrics of two runs of the same updates.
pub(crate) fn check_repeatable(gpu: BenchGpu, ordinal: usize) -> CheckResult {
    let setting = setting(gpu);
    let [first, second] = [0, 1].map(|_| format!("{:?}", play_updates::<f32>(setting, ordinal)));
    if first == second { Ok(format!("{}: the same", setting.name())) } else { Err(format!("{first}\n{second}")) }
}

/// Runs the first updates on the GPU and returns their metrics.
fn play_updates<T: Real>(setting: Setting, ordinal: usize) -> Vec<Metrics> {
    with_gpu_kernels(ordinal, || setting.trajectory::<T>()())
}
