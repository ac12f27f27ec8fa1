//! Training on a GPU: whole updates and the greedy validation run there, without the host.
//!
//! After every few updates, parameters, moments and counters are copied to the host. So checkpoints, tests and resuming do not
//! depend on the device, and a run may continue on another device. Both devices use the same random numbers, and their results
//! differ only by rounding. A run on a GPU is reproducible to the bit. It takes the same actions as a run on the host
//! until a rounding difference changes one of them.
//!
//! `kernels/README.md` describes the kernels: the token table, the rollout, the advantages, the loss, backpropagation through
//! time, the norm, clipping, and the step of Adam. All state that changes from update to update is in the GPU's memory: the
//! update's number, the rates that follow from it, and the episodes of each stage. So the launches of all updates are the same.
//! They are recorded once, as a graph, and replayed.
//!
//! Reading order: `learner` (the learner of a run), `spec` (sizes, tables and settings of an update), `checks` (their
//! consistency), `update` (an update, as a trait), `kernels` (the kernels by name), `buffers` (the GPU memory of an update),
//! `operands` (the structs that kernels share with the host), `launches` (the launches of all kernels, the only unsafe code),
//! `gpu_update` (the update on a GPU), `episode_record` (the episodes of an update), `readback` (copies of results to the
//! host), and `episodes` (the calculator's episodes alone).
//!
//! ```no_run
//! use gpu_train::GpuLearner;
//! use rl::config::Config;
//! use tensor::Device;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let gpu = Device::cuda(0)?;
//!     let mut run = GpuLearner::<f32>::run(&Config::default(), 0, gpu)?;
//!     while run.stop_reason().is_none() {
//!         run.advance_up_to(10)?; // at most ten updates, up to the next validation
//!     }
//!     println!("{:?}", run.test()?);
//!     Ok(())
//! }
//! ```
#![deny(unsafe_code)] // only `launches` allows it

mod episode_record;
mod error;
mod learner;
#[cfg_attr(not(feature = "cuda"), allow(dead_code))]
mod spec;
mod update;

#[cfg(feature = "cuda")]
mod buffers;
#[cfg(feature = "cuda")]
mod checks;
#[cfg(feature = "cuda")]
mod episodes;
#[cfg(feature = "cuda")]
mod gpu_update;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
mod launches;
#[cfg(feature = "cuda")]
mod operands;
#[cfg(feature = "cuda")]
mod readback;

use rl::config::Config;
use rl::train::Learn;
use tensor::{Device, Real};

pub use episode_record::EpisodeRecord;
#[cfg(feature = "cuda")]
pub use episodes::{GpuEpisodes, GpuStep};
pub use error::GpuTrainError;
pub use learner::GpuLearner;
pub use update::Update;

/// A run whose learner depends on the device and is chosen at run time.
pub type Run<T> = rl::train::Run<T, Box<dyn Learn<T>>>;

/// Creates a run on a device, before the first update. On a GPU, whole updates and validations run there.
///
/// # Errors
/// If the GPU does not support a setting, the batch does not fit there, or the GPU fails.
///
/// # Panics
/// As [`rl::train::Run::new`].
pub fn run<T: Real>(config: &Config, seed: u64, device: Device) -> Result<Run<T>, GpuTrainError> {
    rl::train::Run::new(config, seed).with_learner(|task, learner| -> Result<Box<dyn Learn<T>>, GpuTrainError> {
        match device {
            Device::Host => Ok(Box::new(learner)),
            gpu => Ok(Box::new(GpuLearner::new(gpu, config, task, learner, seed)?)),
        }
    })
}
