//! CUDA graphs: recorded launches that the driver replays.
#![allow(unsafe_code)] // `Send` and `Sync`

use cudarc::driver::CudaGraph;
use cudarc::driver::sys::{CUgraphInstantiate_flags, CUstreamCaptureMode};

use super::error::CudaError;
use super::gpu::Gpu;
use super::launch::{GpuStream, Launch};

/// A graph of recorded launches.
pub struct Graph {
    gpu: &'static Gpu,
    graph: CudaGraph,
}

// SAFETY: the driver allows a graph on any thread, but on one at a time. Launching needs `&mut self`, and dropping needs the
// owner. `CudaGraph` binds its context to the current thread before it calls the driver.
unsafe impl Send for Graph {}
// SAFETY: a shared reference to a graph has no methods.
unsafe impl Sync for Graph {}

impl Graph {
    /// Records the launches without running them. During the recording this thread makes no other driver call: it does not
    /// allocate, free or wait. Other threads may.
    ///
    /// # Errors
    /// If the driver rejects a launch.
    pub fn record(stream: &GpuStream, launches: &[Launch]) -> Result<Self, CudaError> {
        const RECORDING: &str = "recording kernels";
        let (gpu, cuda_stream) = (stream.gpu(), stream.stream());
        launches.iter().try_for_each(Launch::load)?;
        let mode = CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        gpu.call_driver(RECORDING, || cuda_stream.begin_capture(mode))?;
        let launched = launches.iter().try_for_each(|launch| launch.run(stream));
        let ended = gpu.call_driver(RECORDING, || cuda_stream.end_capture(CUgraphInstantiate_flags(0))); // even after a failure
        launched?;
        let nothing = || CudaError::Failed { doing: RECORDING.into(), message: "nothing was recorded".into() };
        ended?.map(|graph| Self { gpu, graph }).ok_or_else(nothing)
    }

    /// Replays the graph on the stream on which it was recorded.
    ///
    /// # Errors
    /// If the GPU fails.
    pub fn replay(&mut self) -> Result<(), CudaError> {
        self.gpu.call_driver("replaying the recorded kernels", || self.graph.launch())
    }
}
