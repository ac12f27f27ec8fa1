//! A GPU that failed in the middle of something: what a panic has told, as an error again.

use super::error::CudaError;

/// What `f` gives, or the failure of a GPU that ended it. Kernels have no results, so they tell a failure by a panic with the
/// words of the error; that panic is not printed, on whatever thread it was. Any other panic goes on.
///
/// # Errors
/// If a GPU failed.
///
/// ```
/// assert_eq!(tensor::catch_cuda(|| 1 + 1), Ok(2));
/// ```
#[cfg(feature = "std")]
pub fn catch_cuda<R>(f: impl FnOnce() -> R) -> Result<R, CudaError> {
    #[cfg(not(feature = "cuda"))]
    return Ok(f());
    #[cfg(feature = "cuda")]
    super::quiet::told(f)
}

/// Ends what is being done by a GPU's failure, where there is no result to tell it by: a panic that `catch_cuda` answers.
///
/// # Panics
/// Always, with the words of the error.
#[track_caller]
pub fn cuda_failed(error: CudaError) -> ! {
    #[cfg(not(feature = "cuda"))]
    panic!("{error}");
    #[cfg(feature = "cuda")]
    match super::gpu::done(Err::<core::convert::Infallible, _>(error)) {}
}
