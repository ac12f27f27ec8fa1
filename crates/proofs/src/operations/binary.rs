//! The four operations of two arguments: every pair of shapes that broadcast, and an operand that occurs twice.

use autograd::function;
use autograd::gradcheck::Overloaded;
use autograd::ops::Kind;
use tensor::Shape;

use crate::{Case, Draw, Of};

pub(super) fn add(d: &mut Draw) -> Vec<Case> {
    let mut cases = pairs(d, Kind::Add, || function!(|x| x[0] + x[1]));
    cases.extend(cases! { Add:
        "f(x, x)", [d.normal([3, 2])]: |x| x[0] + x[0];
        "f(x, xᵀ)", [d.normal([3, 3])]: |x| x[0] + x[0].transpose();
        "views", [d.normal([5, 4]), d.normal([4, 7])]: |x| x[0].transpose() + x[1].slice(1, 1..6);
    });
    cases
}

pub(super) fn sub(d: &mut Draw) -> Vec<Case> {
    let mut cases = pairs(d, Kind::Sub, || function!(|x| x[0] - x[1]));
    cases.extend(cases! { Sub:
        "f(x, xᵀ)", [d.normal([3, 3])]: |x| x[0] - x[0].transpose();
        "views", [d.normal([5, 4]), d.normal([4, 7])]: |x| x[0].transpose() - x[1].slice(1, 1..6);
    });
    cases
}

pub(super) fn mul(d: &mut Draw) -> Vec<Case> {
    let mut cases = pairs(d, Kind::Mul, || function!(|x| x[0] * x[1]));
    cases.extend(cases! { Mul:
        "f(x, x)", [d.normal([3, 2])]: |x| x[0] * x[0];
        "f(x, xᵀ)", [d.normal([3, 3])]: |x| x[0] * x[0].transpose();
        "views", [d.normal([5, 4]), d.normal([4, 7])]: |x| x[0].transpose() * x[1].slice(1, 1..6);
    });
    cases
}

pub(super) fn div(d: &mut Draw) -> Vec<Case> {
    let mut cases = pairs(d, Kind::Div, || function!(|x| x[0] / x[1]));
    cases.extend(cases! { Div:
        "f(x, xᵀ)", [d.nonzero([3, 3])]: |x| x[0] / x[0].transpose();
        "views", [d.normal([5, 4]), d.nonzero([4, 7])]: |x| x[0].transpose() / x[1].slice(1, 1..6);
    });
    cases
}

/// All shapes that broadcast to \[4, 5\], each with each, and some with more axes. The second may be a divisor.
fn pairs<F: Overloaded + Send + Sync + 'static>(d: &mut Draw, kind: Kind, f: impl Fn() -> F) -> Vec<Case> {
    const TO_A_MATRIX: [&[usize]; 7] = [&[], &[1], &[5], &[1, 1], &[1, 5], &[4, 1], &[4, 5]];
    const MORE_AXES: [[&[usize]; 2]; 5] = [
        [&[4, 1], &[3, 4, 5]],
        [&[3, 1, 5], &[4, 1]],
        [&[3, 4, 5], &[5]],
        [&[], &[2, 3, 4, 5]],
        [&[2, 1, 4, 1], &[3, 1, 5]],
    ];
    let mut case = |[a, b]: [&[usize]; 2]| {
        let (a, b) = (Shape::new(a), Shape::new(b));
        Case::new(Of::Operation(kind), format!("{a} and {b}"), [d.normal(a), d.nonzero(b)], f())
    };
    let matrices = TO_A_MATRIX.into_iter().flat_map(|a| TO_A_MATRIX.map(|b| [a, b]));
    matrices.chain(MORE_AXES).map(&mut case).collect()
}
