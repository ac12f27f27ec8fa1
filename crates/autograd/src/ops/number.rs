//! Arithmetic of a variable and a number, by [`shift`](super::shift), [`scale`](super::scale), [`neg`](super::neg) and
//! [`div`](super::div). The number is a constant.

use core::ops::{Add, Div, Mul, Sub};

use tensor::{Dual, Real, Tensor};

use crate::var::Var;

/// Computes y = x + c elementwise, by [`shift`](Var::shift).
impl<T: Real> Add<T> for Var<'_, T> {
    type Output = Self;
    fn add(self, c: T) -> Self {
        self.shift(c)
    }
}

/// Computes y = x − c elementwise, by [`shift`](Var::shift).
impl<T: Real> Sub<T> for Var<'_, T> {
    type Output = Self;
    fn sub(self, c: T) -> Self {
        self.shift(-c)
    }
}

/// Computes y = c·x elementwise, by [`scale`](Var::scale).
impl<T: Real> Mul<T> for Var<'_, T> {
    type Output = Self;
    fn mul(self, c: T) -> Self {
        self.scale(c)
    }
}

/// Computes y = x / c elementwise. It divides by a recorded constant, since multiplication by 1 / c would round twice.
impl<T: Real> Div<T> for Var<'_, T> {
    type Output = Self;
    fn div(self, c: T) -> Self {
        self / self.tape.constant(Tensor::scalar(c))
    }
}

/// Implements the operators with a number on the left. A generic implementation is not allowed for a foreign type.
macro_rules! number_on_the_left {
    ($($number:ty $(where $t:ident)?;)*) => {$(
        /// Computes y = c + x elementwise, by [`shift`](Var::shift).
        impl<'t, $($t: Real)?> Add<Var<'t, $number>> for $number {
            type Output = Var<'t, $number>;
            fn add(self, x: Var<'t, $number>) -> Self::Output {
                x.shift(self)
            }
        }

        /// Computes y = c − x elementwise, by a negation and a [`shift`](Var::shift).
        impl<'t, $($t: Real)?> Sub<Var<'t, $number>> for $number {
            type Output = Var<'t, $number>;
            fn sub(self, x: Var<'t, $number>) -> Self::Output {
                (-x).shift(self)
            }
        }

        /// Computes y = c·x elementwise, by [`scale`](Var::scale).
        impl<'t, $($t: Real)?> Mul<Var<'t, $number>> for $number {
            type Output = Var<'t, $number>;
            fn mul(self, x: Var<'t, $number>) -> Self::Output {
                x.scale(self)
            }
        }

        /// Computes y = c / x elementwise, with a recorded constant c.
        impl<'t, $($t: Real)?> Div<Var<'t, $number>> for $number {
            type Output = Var<'t, $number>;
            fn div(self, x: Var<'t, $number>) -> Self::Output {
                x.tape.constant(Tensor::scalar(self)) / x
            }
        }
    )*};
}
number_on_the_left! {
    f32;
    f64;
    Dual<T> where T;
}

#[cfg(test)]
mod tests {
    use tensor::{Dual, Real, Tensor};

    use crate::testing::check_unary;
    use crate::{Tape, Var};

    #[test]
    fn arithmetic_with_a_number_on_either_side_matches_its_formulas() {
        let xs = [1.0, -2.0, 0.7];
        check_unary(&xs, |x| x + 3.0, |x| x + 3.0, |_| 1.0);
        check_unary(&xs, |x| 3.0 + x, |x| 3.0 + x, |_| 1.0);
        check_unary(&xs, |x| x - 3.0, |x| x - 3.0, |_| 1.0);
        check_unary(&xs, |x| 3.0 - x, |x| 3.0 - x, |_| -1.0);
        check_unary(&xs, |x| x * 3.0, |x| x * 3.0, |_| 3.0);
        check_unary(&xs, |x| 3.0 * x, |x| 3.0 * x, |_| 3.0);
        check_unary(&xs, |x| x / 3.0, |x| x / 3.0, |_| 1.0 / 3.0);
        check_unary(&xs, |x| 3.0 / x, |x| 3.0 / x, |x| -3.0 / (x * x));
    }

    /// The same function for every scalar type, with the number on the right.
    fn generic<T: Real>(x: Var<'_, T>, c: T) -> Var<'_, T> {
        (x * c + c - c) / c
    }

    #[test]
    fn arithmetic_in_f32_and_on_duals_matches_the_scalars() {
        let tape = Tape::<f32>::new();
        let x = tape.input(Tensor::scalar(0.7));
        assert_eq!((1.0 - 2.0 / x + 3.0 * (4.0 + x)).value().item(), 1.0 - 2.0 / 0.7 + 3.0 * (4.0 + 0.7));
        assert_eq!(
            (generic(x, 0.1).value().item(), (x / 3.0).value().item()),
            ((0.7 * 0.1 + 0.1 - 0.1) / 0.1, 0.7 / 3.0)
        );
        let (tape, c) = (Tape::new(), Dual::constant(3.0_f64));
        let y = c - c / (c * (c + tape.input(Tensor::scalar(Dual::variable(0.7)))));
        let x = Dual::variable(0.7);
        let want = c - c / (c * (c + x));
        let y = y.value().item();
        assert_eq!((y.value, y.tangent), (want.value, want.tangent));
    }
}
