//! Parallel loops, whose results do not depend on the number of threads.

use alloc::vec::Vec;
#[cfg(feature = "rayon")]
use core::{error::Error, fmt};

#[cfg(feature = "rayon")]
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
#[cfg(feature = "rayon")]
use rayon::slice::ParallelSliceMut;
#[cfg(feature = "rayon")]
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

/// Calls `f(i, &mut items[i])` for every item. With the feature `rayon`, the threads of the current pool share the items.
///
/// Each call sees only its own item, so the result does not depend on which thread makes it.
pub fn for_each<I: Send>(items: &mut [I], f: impl Fn(usize, &mut I) + Sync + Send) {
    #[cfg(feature = "rayon")]
    items.par_iter_mut().enumerate().for_each(|(i, item)| f(i, item));
    #[cfg(not(feature = "rayon"))]
    items.iter_mut().enumerate().for_each(|(i, item)| f(i, item));
}

/// Calls `f` for each chunk of `size` items; the last may be shorter. With the feature `rayon`, the threads share the chunks.
pub fn for_each_chunk<I: Send>(items: &mut [I], size: usize, f: impl Fn(&mut [I]) + Sync + Send) {
    #[cfg(feature = "rayon")]
    items.par_chunks_mut(size).for_each(f);
    #[cfg(not(feature = "rayon"))]
    items.chunks_mut(size).for_each(f);
}

/// Calls `f(scratch, item)` for every item, the last item first. With the feature `rayon`, each thread of the current pool takes the
/// next item when it is done with one, which balances the threads better if later items take longer. A thread has an element of
/// `scratch` for itself, such as one that an earlier loop has left in the cache. `make` adds missing elements.
///
/// Each call sees only its own item and a scratch, so the result does not depend on which thread makes it.
pub fn for_each_with<S: Send, I>(
    items: impl DoubleEndedIterator<Item = I> + Send,
    scratch: &mut Vec<S>,
    make: impl Fn() -> S,
    f: impl Fn(&mut S, I) + Sync + Send,
) {
    #[cfg(feature = "rayon")]
    let threads = rayon::current_num_threads().clamp(1, items.size_hint().1.unwrap_or(usize::MAX).max(1));
    #[cfg(not(feature = "rayon"))]
    let threads = 1;
    scratch.resize_with(scratch.len().max(threads), make);
    let items = items.rev();
    #[cfg(feature = "rayon")]
    if threads > 1 {
        let rest = std::sync::Mutex::new(items);
        let next = || rest.lock().expect("no thread panics while it holds the lock").next();
        return for_each(&mut scratch[..threads], |_, own| {
            while let Some(item) = next() {
                f(own, item);
            }
        });
    }
    items.for_each(|item| f(&mut scratch[0], item));
}

/// Runs `f` in a pool of `threads` threads; 0 means one thread for each core of the machine.
///
/// # Errors
/// If the threads cannot be started.
#[cfg(feature = "rayon")]
pub fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> Result<R, ThreadsError> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    Ok(pool.map_err(|cause| ThreadsError { threads, cause })?.install(f))
}

/// The error of a thread pool that could not be started.
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
    fn for_each_any_number_of_threads_gives_the_same_result() {
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
    fn for_each_with_calls_every_item_once_with_few_scratches() {
        for threads in [1, 2, 5] {
            let (mut items, mut scratch) = (std::vec![0; 100], Vec::new());
            let count = |calls: &mut usize, item: &mut usize| (*item, *calls) = (*item + 1, *calls + 1);
            with_threads(threads, || for_each_with(items.iter_mut(), &mut scratch, || 0, count))
                .expect("a few threads");
            assert_eq!(items, [1; 100]);
            assert_eq!((scratch.len(), scratch.iter().sum()), (threads, 100));
        }
    }

    #[test]
    fn for_each_with_starts_with_the_last_item() {
        let mut scratch = std::vec![Vec::new()];
        with_threads(1, || for_each_with(0..4, &mut scratch, Vec::new, |order, i| order.push(i))).expect("a thread");
        assert_eq!(scratch, [[3, 2, 1, 0]]);
    }

    /// Each item adds 1 to a scratch counter and waits until all threads are inside: no two share a counter.
    #[test]
    fn for_each_with_simultaneous_calls_have_different_scratch() {
        with_threads(3, || {
            let (mut scratch, barrier) = (Vec::new(), std::sync::Barrier::new(3));
            for rounds in 1..=2 {
                for_each_with(
                    0..3,
                    &mut scratch,
                    || 0,
                    |count, _| {
                        barrier.wait();
                        *count += 1;
                    },
                );
                assert_eq!(scratch, [rounds; 3]);
            }
        })
        .expect("a few threads can be started");
    }

    #[test]
    fn threads_error_names_the_number_and_the_cause() {
        let full = ThreadPoolBuilder::new().spawn_handler(|_| Err(std::io::Error::other("no room"))).build();
        let error = ThreadsError { threads: 7, cause: full.expect_err("the handler refuses") };
        assert_eq!(error.to_string(), "cannot start a pool of 7 threads: no room; ask for fewer");
        let _: &dyn Error = &error;
    }
}
