//! Work shared among threads, with the same result at any number of them.

#[cfg(feature = "rayon")]
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

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
pub fn with_threads<R: Send>(threads: usize, f: impl FnOnce() -> R + Send) -> Result<R, rayon::ThreadPoolBuildError> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?.install(f))
}
