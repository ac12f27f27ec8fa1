//! The update as layers and tape do it, with the GPU's kernels: whole updates of a run, against the record of the same updates
//! in `f64` on the processor, and against themselves.

use gradus_benches::gpu::{Gpu, choosing};
use gradus_benches::trajectory::{SETTINGS, Setting};
use rl::a2c::Metrics;
use tensor::Real;

use crate::found::Found;

/// Of the largest loss, in `f64`: roundings in another order.
pub(crate) const IN_F64: f64 = 1e-10;

/// The size: the default one; on an emulated GPU the smallest.
pub(crate) fn setting(gpu: Gpu) -> Setting {
    if gpu.emulated { SETTINGS[1] } else { SETTINGS[0] }
}

/// Losses against the record, which was computed in `f64`.
pub(crate) fn recorded<T: Real>(gpu: Gpu, ordinal: usize, tolerance: f64) -> Found {
    let setting = setting(gpu);
    against(setting, &played::<T>(setting, ordinal), tolerance)
}

/// Holds the first updates of a run against their record.
pub(crate) fn against(setting: Setting, metrics: &[Metrics], tolerance: f64) -> Found {
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

/// All metrics of the same updates twice.
pub(crate) fn twice(gpu: Gpu, ordinal: usize) -> Found {
    let setting = setting(gpu);
    let [first, second] = [0, 1].map(|_| format!("{:?}", played::<f32>(setting, ordinal)));
    if first == second { Ok(format!("{}: the same", setting.name())) } else { Err(format!("{first}\n{second}")) }
}

/// The metrics of the first updates of a run on the GPU.
fn played<T: Real>(setting: Setting, ordinal: usize) -> Vec<Metrics> {
    choosing(ordinal, || setting.trajectory::<T>()())
}
