//! Panics that are caught on purpose and not printed.

use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread_local;

use super::error::CudaError;
use super::gpu::find_failure;

thread_local! {
    /// True while this thread's panics are caught as messages.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The number of calls that currently catch GPU failures. Such a failure may come from any thread.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Runs `f` and returns its result, or the message of its panic, which is not printed.
///
/// `cudarc` panics if a library or one of its functions is missing. State that `f` left behind is never used again, because `f`
/// returns all that it created.
pub(super) fn catch_panic<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    install_hook();
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    result.map_err(|payload| words(&*payload).map_or_else(|| "it panicked".into(), String::from))
}

/// Runs `f` and returns its result, or the GPU failure that it panicked with. The caller discards the partial work of `f`.
pub(super) fn catch_failure<R>(f: impl FnOnce() -> R) -> Result<R, CudaError> {
    install_hook();
    WAITING.fetch_add(1, Ordering::Relaxed);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    WAITING.fetch_sub(1, Ordering::Relaxed);
    result.map_err(|payload| match find_failure(words(&*payload)) {
        Some(failure) => failure,
        None => panic::resume_unwind(payload),
    })
}

/// Installs a panic hook that hides panics caught on purpose and forwards the rest to the previous hook.
fn install_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_awaited = || WAITING.load(Ordering::Relaxed) > 0 && find_failure(words(info.payload())).is_some();
            if !QUIET.get() && !is_awaited() {
                previous(info);
            }
        }));
    });
}

fn words(payload: &(dyn Any + Send)) -> Option<&str> {
    let words = payload.downcast_ref::<String>().map(String::as_str);
    words.or_else(|| payload.downcast_ref::<&str>().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::gpu::expect_driver;

    #[test]
    fn catch_panic_returns_the_message() {
        assert_eq!(catch_panic(|| 7), Ok(7));
        assert_eq!(catch_panic(|| panic!("Missing symbol {}", "cuInit")), Err::<(), _>("Missing symbol cuInit".into()));
        assert_eq!(catch_panic(|| panic!("as it is")), Err::<(), _>("as it is".into()));
        assert!(!QUIET.get());
    }

    #[test]
    fn catch_failure_returns_gpu_failures_and_passes_on_other_panics() {
        assert_eq!(catch_failure(|| expect_driver(Err::<(), _>(CudaError::NoDevice))), Err(CudaError::NoDevice));
        let on_another_thread = || std::thread::spawn(|| expect_driver(Err::<(), _>(CudaError::NotBuilt))).join();
        let joined = catch_failure(|| on_another_thread().unwrap_or_else(|payload| panic::resume_unwind(payload)));
        assert_eq!(joined, Err(CudaError::NotBuilt));
        assert_eq!(
            catch_panic(|| catch_failure(|| panic!("something else"))),
            Err::<Result<(), _>, _>("something else".into())
        );
    }
}
