//! Cases of the four operations of two arguments: every pair of shapes that broadcast, and one operand used twice.

use autograd::function;
use autograd::gradcheck::DynFunction;
use autograd::ops::Kind;
use tensor::Shape;

use crate::{Case, RandomTensors, Target};

/// Defines the cases of each operation. The second operand is a method name of [`RandomTensors`], since it may be a
/// divisor.
macro_rules! arithmetic {
    ($($name:ident: $kind:ident $operator:tt $second:ident $($squared:literal)?;)*) => {$(
        pub(super) fn $name(d: &mut RandomTensors) -> Vec<Case> {
            let mut cases = pairs(d, Kind::$kind, || function!(|x| x[0] $operator x[1]));
            $(cases.extend(cases! { $kind: $squared, [d.normal([3, 2])]: |x| x[0] $operator x[0]; });)?
            cases.extend(cases! { $kind:
                "f(x, xᵀ)", [d.$second([3, 3])]: |x| x[0] $operator x[0].transpose();
                "views", [d.normal([5, 4]), d.$second([4, 7])]: |x| x[0].transpose() $operator x[1].slice(1, 1..6);
            });
            cases
        }
    )*};
}

arithmetic! {
    add: Add + normal "f(x, x)";
    sub: Sub - normal;
    mul: Mul * normal "f(x, x)";
    div: Div / nonzero;
}

/// Returns cases for all pairs of shapes that broadcast to \[4, 5\], and some with more axes. The second may be a
/// divisor.
fn pairs<F: DynFunction + Send + Sync + 'static>(d: &mut RandomTensors, kind: Kind, f: impl Fn() -> F) -> Vec<Case> {
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
        Case::new(Target::Operation(kind), format!("{a} and {b}"), [d.normal(a), d.nonzero(b)], f())
    };
    let matrices = TO_A_MATRIX.into_iter().flat_map(|a| TO_A_MATRIX.map(|b| [a, b]));
    matrices.chain(MORE_AXES).map(&mut case).collect()
}
