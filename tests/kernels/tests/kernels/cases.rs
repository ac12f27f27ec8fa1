//! The macro and the loop that make tests of a generic body.

use crate::Draw;
use crate::draw::OPERANDS;

/// The number of cases whose operands have gaps by chance.
pub(crate) const CASES: u32 = 40;
/// The number of cases in which one operand alone has gaps.
const CASES_WITH_GAPS: u32 = 16 * OPERANDS as u32;

/// Makes one test for each body and scalar type.
macro_rules! agree {
    ($($body:ident)*) => {$(
        mod $body {
            #[test]
            fn f32() {
                crate::cases::run(super::$body::<f32>);
            }
            #[test]
            fn f64() {
                crate::cases::run(super::$body::<f64>);
            }
            #[test]
            fn dual() {
                crate::cases::run(super::$body::<tensor::Dual<f64>>);
            }
        }
    )*};
}

/// Reads the number of cases in `GRADUS_TEST_CASES`, if it is set.
fn read_case_limit() -> Option<u32> {
    let text = std::env::var("GRADUS_TEST_CASES").ok()?;
    let limit = text.parse().ok().filter(|&limit| limit > 0);
    Some(limit.unwrap_or_else(|| panic!("GRADUS_TEST_CASES is {text}, expected a whole number from 1")))
}

/// Numbers all sizes, and keeps as many as `GRADUS_TEST_CASES` says, evenly spread over the list.
pub(crate) fn select_sizes<S>(sizes: impl IntoIterator<Item = S>) -> impl Iterator<Item = (u32, S)> {
    let sizes: Vec<S> = sizes.into_iter().collect();
    let step = read_case_limit().map_or(1, |limit| sizes.len().div_ceil(limit as usize));
    (0..).zip(sizes).step_by(step)
}

/// Runs all cases, or as many as `GRADUS_TEST_CASES` says, for slow machines. The last number printed is the case that failed.
pub(crate) fn run(body: impl Fn(&mut Draw)) {
    run_up_to(CASES + CASES_WITH_GAPS, body);
}

/// Runs `most` cases, or as many as `GRADUS_TEST_CASES` says if that is fewer.
pub(crate) fn run_up_to(most: u32, body: impl Fn(&mut Draw)) {
    for case in 0..read_case_limit().unwrap_or(most).min(most) {
        println!("case {case}");
        body(&mut Draw::new(case));
    }
}
