//! GPU failures in functions without a `Result`: raised as a panic, caught as an error.

use super::error::CudaError;

/// Runs `f` and returns its result, or the GPU failure that ended it. Kernels return nothing, so they report a failure by a
/// panic whose message is the error. That panic is not printed, whichever thread it came from. Any other panic is passed on.
///
/// # Errors
/// If a GPU failed.
///
/// ```
/// assert_eq!(tensor::catch_cuda_error(|| 1 + 1), Ok(2));
/// ```
#[cfg(feature = "std")]
pub fn catch_cuda_error<R>(f: impl FnOnce() -> R) -> Result<R, CudaError> {
    #[cfg(not(feature = "cuda"))]
    return Ok(f());
    #[cfg(feature = "cuda")]
    super::panics::catch_failure(f)
}

/// Raises a GPU failure as a panic, in functions without a `Result`. [`catch_cuda_error`] turns it into an error again.
///
/// # Panics
/// Always, with the error's text as the message.
#[track_caller]
pub fn raise_cuda_error(error: CudaError) -> ! {
    #[cfg(not(feature = "cuda"))]
    panic!("{error}");
    #[cfg(feature = "cuda")]
    match super::gpu::expect_driver(Err::<core::convert::Infallible, _>(error)) {}
}
