//! The record of an update: a graph that the driver replays.
#![allow(unsafe_code)] // what may be sent to another thread

use alloc::sync::Arc;

use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};
use cudarc::driver::{CudaGraph, CudaStream};

use super::launches::Launch;
use crate::cuda::card::Card;
use crate::cuda::error::CudaError;

/// What was recorded. Whoever holds it sees to it that the memory in it stays.
pub(super) struct Graph(CudaGraph);

// SAFETY: the driver wants a graph to be used by one thread at a time, whichever that is: it is launched by whoever has it
// mutably, and dropped by its owner. `CudaGraph` makes its context the thread's own before it calls the driver.
unsafe impl Send for Graph {}
// SAFETY: nothing can be done with a graph that is shared.
unsafe impl Sync for Graph {}

impl Graph {
    /// Replays it, on the stream on which it was recorded.
    ///
    /// # Errors
    /// If the card fails.
    pub(super) fn launch(&mut self, card: &Card) -> Result<(), CudaError> {
        card.asked("replaying the recorded kernels", || self.0.launch())
    }
}

/// Records the calls, and runs none of them. Until the record ends this thread asks the driver for nothing else, and allocates,
/// frees and waits for nothing; what other threads do is theirs.
///
/// # Errors
/// If the driver does not take them.
pub(super) fn record(card: &Card, stream: &Arc<CudaStream>, launches: &[Launch]) -> Result<Graph, CudaError> {
    const RECORDING: &str = "recording an update";
    let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
    card.asked(RECORDING, || stream.begin_capture(mode))?;
    let launched = launches.iter().try_for_each(|launch| launch.run(card, stream));
    let ended = card.asked(RECORDING, || stream.end_capture(CUgraphInstantiate_flags(0))); // however that went
    launched?;
    let nothing = || CudaError::Failed { doing: RECORDING.into(), said: "there is no record".into() };
    ended?.map(Graph).ok_or_else(nothing)
}
