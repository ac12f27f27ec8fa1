//! Training on a GPU: whole updates, and the greedy validation, without the host.
//!
//! What a run has come to lies on the host whenever somebody may look at it: parameters, moments and counters are brought there
//! after every few updates, so that checkpoints, tests and resuming do not care who computed. A run may go on on another device
//! than it began on. The numbers of both agree but for rounding, and random numbers are the same; so a run on a GPU repeats to
//! the bit there, and takes the same actions as one on the host until a rounding tips one of them.
//!
//! The kernels are those of `kernels/README.md`: a table of tokens, the rollout, returns, the loss, the pass back through time, the norm,
//! clipping, and the step of Adam. Everything that moves from update to update lies in the GPU's memory: its number, the rates that
//! follow from it, the episodes of each stage. So what is asked for is the same each time. It is recorded once, as a graph, and
//! replayed.
//!
//! In the order in which to read: `learner` (what learns), `description` (what an update is about), `checks` (whether it fits together),
//! `update` (an update that is ready), `kernels` (what runs there), `buffers` (the memory that it needs), `operands` (the structs that
//! kernels share with the host), `launches` (a call of each kernel, and all that is unsafe), `running` (an update that runs), `results`
//! (what episodes did) and `reading` (what comes back, from where); and `episodes`, the calculator's alone.
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
pub use episodes::{CardEpisodes, CardStep};
pub use learner::GpuLearner;
pub use refused::Refused;
pub use results::Played;
pub use update::Update;

/// A run whose learner was chosen while the program runs.
pub type Run<T> = rl::train::Run<T, Box<dyn Learn<T>>>;

/// A run on a device, before the first update. On a GPU, whole updates and validations are computed there.
///
/// # Errors
/// If the settings are not those that a GPU has kernels for, the batch does not fit there, or the GPU fails.
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
