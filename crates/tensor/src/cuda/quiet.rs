//! Panics that are answers: caught, and not printed.

use alloc::boxed::Box;
use alloc::string::String;
use core::any::Any;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread_local;

use super::error::CudaError;
use super::gpu::failure;

thread_local! {
    /// Whether this thread's panics are answers.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// How many wait for a GPU's failure: that is an answer on any thread.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// What `f` gives, or the words with which it panicked, which are not printed.
///
/// `cudarc` panics where a library is missing or lacks a function. What it left behind is not used again: `f` hands out all that
/// it made.
pub(super) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    listen();
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    result.map_err(|payload| words(&*payload).map_or_else(|| "it panicked".into(), String::from))
}

/// What `f` gives, or the failure that it panicked with. The caller sees to what `f` has left half done.
pub(super) fn told<R>(f: impl FnOnce() -> R) -> Result<R, CudaError> {
    listen();
    WAITING.fetch_add(1, Ordering::Relaxed);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    WAITING.fetch_sub(1, Ordering::Relaxed);
    result.map_err(|payload| match failure(words(&*payload)) {
        Some(failure) => failure,
        None => panic::resume_unwind(payload),
    })
}

/// Has panics printed by whoever printed them before, unless they are answers.
fn listen() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let awaited = || WAITING.load(Ordering::Relaxed) > 0 && failure(words(info.payload())).is_some();
            if !QUIET.get() && !awaited() {
                others(info);
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
    use crate::cuda::gpu::done;

    #[test]
    fn a_panic_is_its_words() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(caught(|| panic!("Missing symbol {}", "cuInit")), Err::<(), _>("Missing symbol cuInit".into()));
        assert_eq!(caught(|| panic!("as it is")), Err::<(), _>("as it is".into()));
        assert!(!QUIET.get());
    }

    #[test]
    fn a_gpus_failure_is_an_error_again_and_no_other_panic_is() {
        assert_eq!(told(|| done(Err::<(), _>(CudaError::NoDevice))), Err(CudaError::NoDevice));
        let on_another_thread = || std::thread::spawn(|| done(Err::<(), _>(CudaError::NotBuilt))).join();
        let joined = told(|| on_another_thread().unwrap_or_else(|payload| panic::resume_unwind(payload)));
        assert_eq!(joined, Err(CudaError::NotBuilt));
        assert_eq!(caught(|| told(|| panic!("something else"))), Err::<Result<(), _>, _>("something else".into()));
    }
}
