//! Work shared among threads, with the same result at any number of them.

#[cfg(feature = "rayon")]
use core::{error::Error, fmt};

#[cfg(feature = "rayon")]
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
#[cfg(feature = "rayon")]
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

/// Calls `f(i, &mut items[i])` for every item, on the threads of the current pool where the feature `rayon` is on.
///
/// Items do not see one another, so the result does not depend on how they are shared out.
pub fn for_each<I: Send>(items: &mut [I], f: impl Fn(usize, &mut I) + Sync + Send) {
    #[cfg(feature = "rayon")]
    items.par_iter_mut().enumerate().for_each(|(i, item)| f(i, item));
    #[cfg(not(feature = "rayon"))]
    items.iter_mut().enumerate().for_each(|(i, item)| f(i, item));
}

/// Runs `f` with a pool of `threads` threads; zero means as many as the machine has.
///
/// # Errors
/// If the threads cannot be started.
#[cfg(feature = "rayon")]
pub fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> Result<R, ThreadsError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    Ok(pool.map_err(|cause| ThreadsError { threads, cause })?.install(f))
}

/// Threads that could not be started.
#[cfg(feature = "rayon")]
#[derive(Debug)]
pub struct ThreadsError {
    threads: usize,
    cause: ThreadPoolBuildError,
}

#[cfg(feature = "rayon")]
impl fmt::Display for ThreadsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start a pool of {} threads: {}; ask for fewer", self.threads, self.cause)
    }
}

#[cfg(feature = "rayon")]
impl Error for ThreadsError {}

#[cfg(all(test, feature = "rayon"))]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn the_result_does_not_depend_on_the_number_of_threads() {
        let run = |threads| {
            let mut items: Vec<f64> = (0..1000).map(f64::from).collect();
            with_threads(threads, || {
                assert_eq!(rayon::current_num_threads(), threads);
                for_each(&mut items, |i, x| *x = (*x + 0.1).sin() / (i as f64 + 1.0));
            })
            .expect("a few threads can be started");
            items.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        };
        let want = run(1);
        assert_eq!(f64::from_bits(want[2]), 2.1_f64.sin() / 3.0);
        assert!([2, 4].map(run).iter().all(|got| *got == want));
    }

    #[test]
    fn an_error_says_what_was_asked_and_why_it_failed() {
        let full = ThreadPoolBuilder::new().spawn_handler(|_| Err(std::io::Error::other("no room"))).build();
        let error = ThreadsError { threads: 7, cause: full.expect_err("the handler refuses") };
        assert_eq!(error.to_string(), "cannot start a pool of 7 threads: no room; ask for fewer");
        let _: &dyn Error = &error;
    }
}
