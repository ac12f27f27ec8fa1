//! Training on a GPU: whole updates, and the greedy validation, without the host.
//!
//! Parameters, moments and counters are copied to the host after every few updates, so that checkpoints, tests and resuming do not
//! depend on the device. A run may go on on another device than it began on. The numbers of both agree but for rounding, and random
//! numbers are the same. So a run on a GPU repeats to the bit there, and takes the same actions as one on the host until a rounding
//! changes one of them.
//!
//! The kernels are those of `kernels/README.md`: a table of tokens, the rollout, returns, the loss, the pass back through time, the norm,
//! clipping, and the step of Adam. Everything that changes from update to update lies in the GPU's memory: its number, the rates that
//! follow from it, the episodes of each stage. So the launches of all updates are the same. They are recorded once, as a graph, and
//! replayed.
//!
//! Reading order: `learner` (the learner of a run), `description` (sizes, tables and settings of an update), `checks` (their
//! consistency), `update` (an update, as a trait), `kernels` (the kernels by name), `buffers` (its memory), `operands` (the structs that
//! kernels share with the host), `launches` (a launch of each kernel, and all that is unsafe), `running` (the update on a GPU), `results`
//! (the episodes of an update), `reading` (copies of results to the host), and `episodes` (the calculator's episodes alone).
#![deny(unsafe_code)] // `launches` alone allows it

#[cfg_attr(not(feature = "cuda"), allow(dead_code))]
mod description;
mod learner;
mod refused;
mod results;
mod update;

#[cfg(feature = "cuda")]
mod buffers;
#[cfg(feature = "cuda")]
mod checks;
#[cfg(feature = "cuda")]
mod episodes;
#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
mod launches;
#[cfg(feature = "cuda")]
mod operands;
#[cfg(feature = "cuda")]
mod reading;
#[cfg(feature = "cuda")]
mod running;

use rl::config::Config;
use rl::train::Learn;
use tensor::{Device, Real};

#[cfg(feature = "cuda")]
pub use episodes::{GpuEpisodes, GpuStep};
pub use learner::GpuLearner;
pub use refused::Refused;
pub use results::Played;
pub use update::Update;

/// A run whose learner is chosen at run time.
pub type Run<T> = rl::train::Run<T, Box<dyn Learn<T>>>;

/// A run on a device, before the first update. On a GPU, whole updates and validations are computed there.
///
/// # Errors
/// If the GPU has no kernels for a setting, the batch does not fit there, or the GPU fails.
///
/// # Panics
/// As [`rl::train::Run::new`].
pub fn run<T: Real>(config: &Config, seed: u64, device: Device) -> Result<Run<T>, Refused> {
    rl::train::Run::new(config, seed).with_learner(|task, learner| -> Result<Box<dyn Learn<T>>, Refused> {
        match device {
            Device::Host => Ok(Box::new(learner)),
            gpu => Ok(Box::new(GpuLearner::new(gpu, config, task, learner, seed)?)),
        }
    })
}
