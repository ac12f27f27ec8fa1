//! The trait of an update on a GPU, and its constructor.

use rl::train::UpdateResult;
use tensor::{CudaError, Device, Real};

use crate::episode_record::EpisodeRecord;
use crate::spec::UpdateSpec;

/// Creates an update on a GPU: allocates its memory, compiles the kernels for these sizes, and records their launches.
/// Parameters, moments, counters and the episodes of each stage are not set yet.
///
/// # Errors
/// If the GPU has too little memory (checked before any is allocated), if it cannot compute with `T`, or if it fails.
///
/// # Panics
/// If the specification is inconsistent, or the device is the host.
#[track_caller]
pub(crate) fn create_update<T: Real>(device: Device, spec: &UpdateSpec) -> Result<Box<dyn Update<T>>, CudaError> {
    match device {
        Device::Host => panic!("the host has no fused update, as of {:?}", spec.sizes),
        #[cfg(feature = "cuda")]
        Device::Cuda(gpu) => Ok(Box::new(crate::gpu_update::GpuUpdate::new(gpu, spec)?)),
        _ => Err(CudaError::NotBuilt),
    }
}

/// An update on a GPU, with all its memory.
///
/// Its launches run asynchronously on a stream of their own, in parallel to the other work of the GPU.
/// [`synchronize`](Self::synchronize) and all methods that read or write wait for them.
pub trait Update<T: Real>: Send + Sync {
    /// Sets parameters, moments, the number of the next update, and the number of steps that the optimiser has taken.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the number of parameters or moments is wrong.
    fn set_state(&mut self, values: [&[T]; 3], update: u32, step: u32) -> Result<(), CudaError>;

    /// Sets the number of episodes of each stage, from the next update on.
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the counts do not sum to the batch, or there is not one for each stage.
    fn set_stage_counts(&mut self, counts: &[usize]) -> Result<(), CudaError>;

    /// Chooses between replaying the recorded graph, which is the default, and launching each kernel. Both do the same.
    fn set_graph_replay(&mut self, replay: bool);

    /// Starts updates without waiting for them. [`set_state`](Self::set_state) and [`set_stage_counts`](Self::set_stage_counts)
    /// come first.
    ///
    /// # Errors
    /// If the GPU fails; the error names the update.
    fn launch(&mut self, updates: u32) -> Result<(), CudaError>;

    /// Waits until all started updates are done.
    ///
    /// # Errors
    /// If some of the work failed; the error names the range of updates.
    fn synchronize(&mut self) -> Result<(), CudaError>;

    /// Runs updates and returns their metrics. If the loss or the norm of an update was not finite, fewer are returned. Then
    /// the parameters stay as they were before that update until [`set_state`](Self::set_state) is called.
    ///
    /// # Errors
    /// If the GPU fails; the error names the update, or the range of updates.
    ///
    /// # Panics
    /// If `updates` exceeds the number of updates whose metrics are kept.
    fn advance(&mut self, updates: u32) -> Result<Vec<UpdateResult>, CudaError>;

    /// Returns the parameters and Adam's two moments.
    ///
    /// # Errors
    /// If the GPU fails.
    fn read_state(&mut self) -> Result<[Vec<T>; 3], CudaError>;

    /// Returns the gradients of the last update. They are clipped, unless that update was not finite.
    ///
    /// # Errors
    /// If the GPU fails.
    fn read_gradients(&mut self) -> Result<Vec<T>, CudaError>;

    /// Returns the episodes of the last update.
    ///
    /// # Errors
    /// If the GPU fails.
    fn read_episodes(&mut self) -> Result<EpisodeRecord, CudaError>;

    /// Runs a greedy evaluation with the current parameters, of `counts` episodes of each stage. The random streams have the
    /// evaluation's purpose and the number of the next update. If log-probabilities are NaN, the action is
    /// [`EpisodeRecord::UNDECIDED`].
    ///
    /// # Errors
    /// If the GPU fails.
    ///
    /// # Panics
    /// If the counts do not sum to the episodes of an evaluation, or there is not one for each stage.
    fn evaluate(&mut self, counts: &[usize]) -> Result<EpisodeRecord, CudaError>;
}
