//! L0: a gradient is a function. Every input has one, of its shape, and the bits are the same again, at any number of
//! threads.

use crate::Case;
use tensor::par;

use super::Verdict;
use super::pass::{pass, shapes};

const THREADS: [usize; 5] = [1, 2, 3, 4, 5];

/// Forward and backward give the same bits twice, and four times at once in pools of one to five threads.
///
/// # Errors
/// If not, or if a gradient is missing or of another shape.
pub fn repeats(case: &Case) -> Verdict {
    let first = pass(case, 0);
    shapes(&first, &case.values())?;
    for threads in THREADS {
        let mut passes = [const { None }; 4];
        let go = || par::for_each(&mut passes, |_, slot| *slot = Some(pass(case, 0)));
        par::with_threads(threads, go).map_err(|error| error.to_string())?;
        if !passes.iter().all(|pass| pass.as_ref().is_some_and(|pass| pass.has_the_bits_of(&first))) {
            return Err(format!("another run among {threads} threads gave other bits"));
        }
    }
    Ok(())
}
