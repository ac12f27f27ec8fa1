//! Cases of the elementwise operations of two arguments: every pair of shapes that broadcast, and one operand used twice.

use autograd::gradcheck::DynFunction;
use autograd::ops::Kind;
use autograd::{Var, function};
use tensor::{Real, Shape, Tensor};

use crate::{Case, RandomTensors, Target};

/// Defines the cases of each operation. Both operands are method names of [`RandomTensors`]: the second may be a divisor.
macro_rules! arithmetic {
    ($($name:ident: $kind:ident $first:ident $second:ident $($squared:literal)? |$a:ident, $b:ident| $f:expr;)*) => {$(
        pub(super) fn $name(d: &mut RandomTensors) -> Vec<Case> {
            let mut cases = pairs(d, Kind::$kind, [|d, shape| d.$first(shape), |d, shape| d.$second(shape)], || function!(|x| { let ($a, $b) = (x[0], x[1]); $f }));
            $(cases.extend(cases! { $kind: $squared, [d.$first([3, 2])]: |x| { let ($a, $b) = (x[0], x[0]); $f }; });)?
            cases.extend(cases! { $kind:
                "f(x, xᵀ)", [d.$second([3, 3])]: |x| { let ($a, $b) = (x[0], x[0].transpose()); $f };
                "views", [d.$first([5, 4]), d.$second([4, 7])]:
                    |x| { let ($a, $b) = (x[0].transpose(), x[1].slice(1, 1..6)); $f };
            });
            cases
        }
    )*};
}

arithmetic! {
    add: Add normal nonzero "f(x, x)" |a, b| a + b;
    sub: Sub normal nonzero |a, b| a - b;
    mul: Mul normal nonzero "f(x, x)" |a, b| a * b;
    div: Div normal nonzero |a, b| a / b;
    maximum: Maximum near_integers near_integers "f(x, x)" |a, b| a.maximum(shift_by_half(b)) + a * b;
    minimum: Minimum near_integers near_integers "f(x, x)" |a, b| a.minimum(shift_by_half(b)) + a * b;
}

/// Returns x + ½. For x from [`RandomTensors::near_integers`], the result is at least 0.2 from every other such number, and can be
/// larger or smaller than it. So no difference steps over the kink, and the order does not follow from a sign. The
/// product beside the maximum or minimum lets both operands matter in every case.
fn shift_by_half<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    x.shift(T::from_f64(0.5))
}

/// Returns cases for all pairs of shapes that broadcast to \[4, 5\], and some with more axes.
fn pairs<F: DynFunction + Send + Sync + 'static>(
    d: &mut RandomTensors,
    kind: Kind,
    [first, second]: [fn(&mut RandomTensors, Shape) -> Tensor<f64>; 2],
    f: impl Fn() -> F,
) -> Vec<Case> {
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
        Case::new(Target::Operation(kind), format!("{a} and {b}"), [first(d, a), second(d, b)], f())
    };
    let matrices = TO_A_MATRIX.into_iter().flat_map(|a| TO_A_MATRIX.map(|b| [a, b]));
    matrices.chain(MORE_AXES).map(&mut case).collect()
}
