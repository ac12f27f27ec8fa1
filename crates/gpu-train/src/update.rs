//! An update on a GPU, as a trait, and how one is made.

use rl::train::Done;
use tensor::{CudaError, Device, Real};

use crate::description::Description;
use crate::results::Played;

/// Makes an update on a GPU: allocates its memory, compiles the kernels for these sizes, and records their launches. Parameters,
/// moments, counters and the episodes of each stage are not set yet.
///
/// # Errors
/// If the GPU has too little memory, which is found before any is allocated; if it cannot compute with `T`; or if it fails.
///
/// # Panics
/// If the description does not fit together, or the device is the host.
#[track_caller]
pub(crate) fn on<T: Real>(device: Device, what: &Description) -> Result<Box<dyn Update<T>>, CudaError> {
    match device {
        Device::Host => panic!("on the host an update is not one call, of {:?}", what.sizes),
        #[cfg(feature = "cuda")]
        Device::Cuda(gpu) => Ok(Box::new(crate::running::Running::new(gpu, what)?)),
        _ => Err(CudaError::NotBuilt),
    }
}

/// An update on a GPU, with all its memory.
///
/// Its launches run in a queue of their own, beside the other work of the GPU. They go on until [`wait`](Self::wait), or until a
/// method reads or writes.
pub trait Update<T: Real>: Send + Sync {
    /// Sets parameters, moments, the number of the next update, and the number of steps that the optimiser has taken.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the number of parameters or moments is another.
    fn set(&mut self, values: [&[T]; 3], update: u32, step: u32) -> Result<(), CudaError>;

    /// Divides the batch: the episodes of each stage, from the next update on.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If these are not the batch, or not of each stage.
    fn divide(&mut self, counts: &[usize]) -> Result<(), CudaError>;

    /// Chooses between replaying the recorded graph, the default, and launching each kernel. Both do the same.
    fn replay(&mut self, replay: bool);

    /// Starts updates, and does not wait for them. [`set`](Self::set) and [`divide`](Self::divide) come first.
    ///
    /// # Errors
    /// If the GPU fails: the error says in which update.
    fn launch(&mut self, updates: u32) -> Result<(), CudaError>;

    /// Waits until all updates that were started are done.
    ///
    /// # Errors
    /// If some of it failed: the error says among which updates.
    fn wait(&mut self) -> Result<(), CudaError>;

    /// Makes updates, and returns their metrics. There are fewer if the loss or the norm of an update was not finite: then the
    /// parameters are as they were before it, and stay so until [`set`](Self::set) is called.
    ///
    /// # Errors
    /// If the GPU fails: the error says in which update, or among which.
    ///
    /// # Panics
    /// If there are more updates than metrics are kept for.
    fn advance(&mut self, updates: u32) -> Result<Vec<Done>, CudaError>;

    /// The parameters, and Adam's moments of them.
    ///
    /// # Errors
    /// If the GPU fails.
    fn state(&mut self) -> Result<[Vec<T>; 3], CudaError>;

    /// The gradients of the last update, clipped; of one that was not finite, as they were.
    ///
    /// # Errors
    /// If the GPU fails.
    fn gradients(&mut self) -> Result<Vec<T>, CudaError>;

    /// The episodes of the last update.
    ///
    /// # Errors
    /// If the GPU fails.
    fn played(&mut self) -> Result<Played, CudaError>;

    /// Plays a trial with the present parameters: greedily, `counts` episodes of each stage, from the streams of the trial's purpose and
    /// of the next update. Where log-probabilities are NaN, the action is [`Played::UNDECIDED`].
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If these are not all episodes that a trial has, or not of each stage.
    fn play(&mut self, counts: &[usize]) -> Result<Played, CudaError>;
}
