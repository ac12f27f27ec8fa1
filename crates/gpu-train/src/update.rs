//! An update on a GPU, as a trait, and how one is made.

use rl::train::Done;
use tensor::{CudaError, Device, Real};

use crate::description::Description;
use crate::results::Played;

/// An update on a card: takes memory, compiles the kernels for these sizes, and records it. Parameters, moments, counters and
/// the episodes of each stage are yet to be set.
///
/// # Errors
/// If the card has too little memory, which is seen before any is taken; if it does not have such numbers; or if it fails.
///
/// # Panics
/// If the description does not fit together, or the device is the host.
#[track_caller]
pub(crate) fn on<T: Real>(device: Device, what: &Description) -> Result<Box<dyn Update<T>>, CudaError> {
    match device {
        Device::Host => panic!("on the host an update is not one call, of {:?}", what.sizes),
        #[cfg(feature = "cuda")]
        Device::Cuda(card) => Ok(Box::new(crate::running::Running::new(card, what)?)),
        _ => Err(CudaError::NotBuilt),
    }
}

/// An update that is ready on a card, with all the memory it needs.
///
/// Its work is done in an order of its own, beside that of the card's other work. What has been asked for goes on until
/// [`wait`](Self::wait), or until something is read or written here.
pub trait Update<T: Real>: Send + Sync {
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
    fn advance(&mut self, updates: u32) -> Result<Vec<Done>, CudaError>;

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
