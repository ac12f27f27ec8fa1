//! The macro and the loop that make tests of a generic body.

use crate::Draw;

pub(crate) const CASES: u32 = 40;

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

/// Returns the number that `GRADUS_TEST_CASES` asks for.
fn asked() -> Option<u32> {
    std::env::var("GRADUS_TEST_CASES").ok().and_then(|text| text.parse().ok())
}

/// Numbers all sizes, and keeps as many as `GRADUS_TEST_CASES` says, evenly spread over the list.
pub(crate) fn numbered<S>(sizes: impl IntoIterator<Item = S>) -> impl Iterator<Item = (u32, S)> {
    let sizes: Vec<S> = sizes.into_iter().collect();
    let step = asked().map_or(1, |asked| sizes.len().div_ceil(asked as usize));
    (0..).zip(sizes).step_by(step)
}

/// Runs all cases, or as many as `GRADUS_TEST_CASES` says, for slow machines. The last number printed is the case that failed.
pub(crate) fn run(body: impl Fn(&mut Draw)) {
    run_up_to(CASES, body);
}

/// Runs `most` cases, or as many as `GRADUS_TEST_CASES` says if that is fewer.
pub(crate) fn run_up_to(most: u32, body: impl Fn(&mut Draw)) {
    for case in 0..asked().unwrap_or(most).min(most) {
        println!("case {case}");
        body(&mut Draw::new(case));
    }
}
