//! L0: a gradient is a function. Every input has a gradient of its shape, and repeated runs give the same bits, with
//! any number of threads.

use crate::Case;
use tensor::par;

use super::Verdict;
use super::pass::{check_shapes, run_case};

const THREADS: [usize; 5] = [1, 2, 3, 4, 5];

/// Checks that forward and backward give the same bits in repeated runs. For pools of one to five threads, the check runs
/// four of them at once.
///
/// # Errors
/// If the bits differ, or a gradient is missing or has another shape.
pub fn check_repeatability(case: &Case) -> Verdict {
    let first = run_case(case, 0);
    check_shapes(&first, &case.values())?;
    for threads in THREADS {
        let mut passes = [const { None }; 4];
        let run_four = || par::for_each(&mut passes, |_, slot| *slot = Some(run_case(case, 0)));
        par::with_threads(threads, run_four).map_err(|error| error.to_string())?;
        if !passes.iter().all(|pass| pass.as_ref().is_some_and(|pass| pass.has_same_bits(&first))) {
            return Err(format!("a repeated run with {threads} threads gave different bits"));
        }
    }
    Ok(())
}
