//! Graphs: recorded launches that the driver replays.
#![allow(unsafe_code)] // what may be sent to another thread

use cudarc::driver::CudaGraph;
use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};

use super::error::CudaError;
use super::gpu::Gpu;
use super::launch::{Launch, Queue};

/// A graph of recorded launches.
pub struct Graph {
    gpu: &'static Gpu,
    graph: CudaGraph,
}

// SAFETY: the driver wants a graph to be used by one thread at a time, whichever that is: it is launched by whoever has it
// mutably, and dropped by its owner. `CudaGraph` makes its context the thread's own before it calls the driver.
unsafe impl Send for Graph {}
// SAFETY: nothing can be done with a graph that is shared.
unsafe impl Sync for Graph {}

impl Graph {
    /// Records the launches without running them. Until the record ends, this thread makes no other call of the driver: it does not
    /// allocate, free or wait. Other threads may.
    ///
    /// # Errors
    /// If the driver refuses them.
    pub fn record(queue: &Queue, launches: &[Launch]) -> Result<Self, CudaError> {
        const RECORDING: &str = "recording kernels";
        let (gpu, stream) = (queue.gpu(), queue.stream());
        launches.iter().try_for_each(Launch::load)?;
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        gpu.asked(RECORDING, || stream.begin_capture(mode))?;
        let launched = launches.iter().try_for_each(|launch| launch.run(queue));
        let ended = gpu.asked(RECORDING, || stream.end_capture(CUgraphInstantiate_flags(0))); // however that went
        launched?;
        let nothing = || CudaError::Failed { doing: RECORDING.into(), said: "there is no record".into() };
        ended?.map(|graph| Self { gpu, graph }).ok_or_else(nothing)
    }

    /// Replays the graph on the queue on which it was recorded.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn replay(&mut self) -> Result<(), CudaError> {
        self.gpu.asked("replaying the recorded kernels", || self.graph.launch())
    }
}
