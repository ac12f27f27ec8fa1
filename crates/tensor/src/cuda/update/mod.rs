//! A whole update of an actor-critic on a card, without the host: the table of tokens, the rollout, returns, the loss, the pass
//! back through time, the norm, clipping, and the step of Adam.
//!
//! This knows sizes, tables and flat buffers; what they mean is the caller's to know. `kernels/README.md` has the kernels in
//! their order. Everything that moves from update to update lies in the card's memory: its number, the rates that follow from
//! it, the episodes of each stage. So what is asked for is the same each time. It is recorded once, as a graph, and replayed.
//!
//! In the order in which to read: `description` (what an update is about), `checks` (whether it fits together), `buffers` (what it
//! needs of the card's memory), `operands` (the structs that kernels share with the host), `launches` (a call of each kernel),
//! `graph` (their record), `running` (an update that is ready), `results` (what comes back) and `reading` (from where).

mod description;
mod results;

#[cfg(feature = "cuda")]
mod buffers;
#[cfg(feature = "cuda")]
mod checks;
#[cfg(feature = "cuda")]
mod graph;
#[cfg(feature = "cuda")]
mod launches;
#[cfg(feature = "cuda")]
mod operands;
#[cfg(feature = "cuda")]
mod reading;
#[cfg(feature = "cuda")]
mod running;

use alloc::boxed::Box;
use alloc::vec::Vec;

#[cfg(feature = "cuda")]
pub(super) use buffers::pairs;
#[cfg(feature = "cuda")]
pub(super) use operands::Task;

use super::error::CudaError;
use crate::device::Device;
use crate::real::Real;

pub use description::{AdamRule, Description, Judging, Offsets, Schedule, Sizes, Tables};
pub use results::{Metrics, Played};

/// An update on a card: takes memory, compiles the kernels for these sizes, and records it. Parameters, moments, counters and
/// the episodes of each stage are yet to be set.
///
/// # Errors
/// If the card has too little memory, which is seen before any is taken; if it does not have such numbers; or if it fails.
///
/// # Panics
/// If the description does not fit together, or the device is the host.
#[track_caller]
pub fn on<T: Real>(device: Device, what: &Description) -> Result<Box<dyn Update<T>>, CudaError> {
    match device {
        Device::Host => panic!("on the host an update is not one call, of {:?}", what.sizes),
        #[cfg(feature = "cuda")]
        Device::Cuda(card) => Ok(Box::new(running::Running::new(card, what)?)),
    }
}

/// An update that is ready on a card, with all the memory it needs.
///
/// Its work is done in an order of its own, beside that of the card's other work. What has been asked for goes on until
/// [`wait`](Self::wait), or until something is read or written here.
pub trait Update<T: Real>: Send + Sync {
    /// Its sizes.
    fn sizes(&self) -> Sizes;

    /// Sets parameters, moments, the number of the update that comes next, and how many steps the optimiser has taken.
    ///
    /// # Errors
    /// If the card fails.
    ///
    /// # Panics
    /// If there are more or fewer parameters or moments.
    fn set(&mut self, values: [&[T]; 3], update: u32, step: u32) -> Result<(), CudaError>;

    /// Divides the batch: the episodes of each stage, from the next update on.
    ///
    /// # Errors
    /// If the card fails.
    ///
    /// # Panics
    /// If these are not the batch, or not of each stage.
    fn divide(&mut self, counts: &[usize]) -> Result<(), CudaError>;

    /// Whether the record is replayed, as it is unless something else is said; otherwise each kernel is launched. Both do the same.
    fn replay(&mut self, replay: bool);

    /// Asks for updates, and does not wait for them. [`set`](Self::set) and [`divide`](Self::divide) come first.
    ///
    /// # Errors
    /// If the card fails: the error says in which update.
    fn launch(&mut self, updates: u32) -> Result<(), CudaError>;

    /// Waits until all is done that was asked for.
    ///
    /// # Errors
    /// If some of it failed: the error says among which updates.
    fn wait(&mut self) -> Result<(), CudaError>;

    /// Does as many updates, and returns their metrics: fewer, if the loss or the norm of an update was not finite. Then the
    /// parameters are as they were before that one, and nothing moves until [`set`](Self::set) is called.
    ///
    /// # Errors
    /// If the card fails: the error says in which update, or among which.
    ///
    /// # Panics
    /// If there are more of them than metrics are kept of.
    fn advance(&mut self, updates: u32) -> Result<Vec<Metrics>, CudaError>;

    /// The parameters, and Adam's moments of them.
    ///
    /// # Errors
    /// If the card fails.
    fn state(&mut self) -> Result<[Vec<T>; 3], CudaError>;

    /// The gradients of the last update, clipped; of one that was not finite, as they were.
    ///
    /// # Errors
    /// If the card fails.
    fn gradients(&mut self) -> Result<Vec<T>, CudaError>;

    /// What the episodes of the last update did.
    ///
    /// # Errors
    /// If the card fails.
    fn played(&mut self) -> Result<Played, CudaError>;

    /// Plays a trial with the parameters as they are: greedily, as many episodes of each stage, from the streams of the trial's
    /// purpose and of the update that comes next. Where log-probabilities are NaN, the action is [`Played::UNDECIDED`].
    ///
    /// # Errors
    /// If the card fails.
    ///
    /// # Panics
    /// If these are not all episodes that a trial has, or not of each stage.
    fn play(&mut self, counts: &[usize]) -> Result<Played, CudaError>;
}
