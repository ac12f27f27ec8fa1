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

/// Runs all cases, or as many as `GRADUS_TEST_CASES` says, for slow machines. The last number printed is the case that failed.
pub(crate) fn run(body: impl Fn(&mut Draw)) {
    run_up_to(CASES, body);
}

/// Runs `most` cases, or as many as `GRADUS_TEST_CASES` says if that is fewer.
pub(crate) fn run_up_to(most: u32, body: impl Fn(&mut Draw)) {
    let asked = std::env::var("GRADUS_TEST_CASES").ok().and_then(|text| text.parse().ok());
    for case in 0..asked.unwrap_or(most).min(most) {
        println!("case {case}");
        body(&mut Draw::new(case));
    }
}
