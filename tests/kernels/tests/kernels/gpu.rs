//! The GPU of these tests, if they run on one.
//!
//! In `cargo test --workspace`, `tests/lab` runs this program again under an emulated driver. On a machine with a GPU,
//! `GRADUS_TEST_GPU=1 cargo test -p gradus-kernels` runs these tests on the GPU.

use std::env;

use tensor::Device;

/// True if the tests of this process run on a GPU.
pub(crate) fn is_on_gpu() -> bool {
    ["GRADUS_EMULATOR", "GRADUS_TEST_GPU"].iter().any(|name| env::var_os(name).is_some())
}

/// The GPU, for tests of features that the host lacks; `None` if the tests run on the host.
pub(crate) fn device() -> Option<Device> {
    is_on_gpu().then(|| Device::cuda(0).unwrap_or_else(|error| panic!("these tests need a GPU: {error}")))
}
