//! How a generic body becomes tests.

use crate::Draw;

const CASES: u32 = 40;

/// One test per body and scalar type.
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

/// The last number printed is the case that failed.
pub(crate) fn run(body: fn(&mut Draw)) {
    for case in 0..CASES {
        println!("case {case}");
        body(&mut Draw::new(case));
    }
}
