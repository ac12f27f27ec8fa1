//! L0: a gradient is a function. Every input has one, of its shape, and the bits are the same again, at any number of
//! threads.

use crate::Case;
use tensor::par;

use super::Verdict;
use super::pass::Pass;

const THREADS: [usize; 5] = [1, 2, 3, 4, 5];

/// Forward and backward give the same bits twice, and four times at once in pools of one to five threads.
///
/// # Errors
/// If not, or if a gradient is missing or of another shape.
pub fn repeats(case: &Case) -> Verdict {
    let first = Pass::of(case, 0);
    first.shapes(&case.values())?;
    let first = first.bits();
    for threads in THREADS {
        let mut passes = [const { None }; 4];
        let go = || par::for_each(&mut passes, |_, pass| *pass = Some(Pass::of(case, 0).bits()));
        par::with_threads(threads, go).map_err(|error| error.to_string())?;
        if passes.iter().any(|pass| pass.as_ref() != Some(&first)) {
            return Err(format!("another run among {threads} threads gave other bits"));
        }
    }
    Ok(())
}
