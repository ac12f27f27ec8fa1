//! The elementwise functions of one argument, as values of an enum that the kernels of every device understand.

use core::cmp::Ordering;

use crate::real::Real;

/// A function of one argument that a kernel applies to each element.
///
/// The second group holds derivatives. Each is a function of the input x or of the output y, whichever is cheaper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Map<T> {
    /// x
    Identity,
    /// −x
    Neg,
    /// eˣ
    Exp,
    /// ln x
    Log,
    /// √x
    Sqrt,
    /// tanh x
    Tanh,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// max(x, 0); NaN stays NaN
    Relu,
    /// x²
    Square,
    /// c·x
    Scale(T),
    /// x + c
    Shift(T),
    /// x; of a dual number, its value with tangent 0
    Primal,
    /// −x·eˣ, and 0 at −∞: the entropy term of an action with log-probability x
    EntropyTerm,
    /// |x|; NaN stays NaN
    Abs,
    /// sin x, with x in radians
    Sin,
    /// cos x, with x in radians
    Cos,
    /// xⁿ, by multiplication; 1 / x⁻ⁿ for n < 0, and 1 for n = 0
    Powi(i32),
    /// lo where x < lo, hi where x > hi, else x; for lo ≤ hi. NaN stays NaN.
    Clamp(T, T),

    /// c for every x: the slope of `Identity`, `Neg`, `Scale` and `Shift`
    Constant(T),
    /// 1/x: the slope of `Log`
    Recip,
    /// 1/(2y): the slope of `Sqrt`
    HalfRecip,
    /// 1 − y²: the slope of `Tanh`
    OneMinusSquare,
    /// y·(1 − y): the slope of `Sigmoid`
    SigmoidSlope,
    /// 1 where y > 0, else 0: the slope of `Relu`, with 0 at the kink
    Step,
    /// −(1 + x)·eˣ, and 0 at −∞: the slope of `EntropyTerm`
    EntropySlope,
    /// −1 where x < 0, 1 where x > 0, else 0; NaN stays NaN: the slope of `Abs`, with 0 at the kink
    Sign,
    /// 1 where lo ≤ x ≤ hi, else 0: the slope of `Clamp`, with 1 at the kinks
    InRange(T, T),
}

impl<T: Real> Map<T> {
    /// Every function, for tests and benchmarks. Functions with a constant get `c`, functions with a range get \[c, −c\], and
    /// the power is −3.
    pub fn all(c: T) -> [Self; 27] {
        /// Does not compile if a function is missing.
        macro_rules! every {
            ($($f:ident $(($($c:ident),+))?)*) => {{
                let _exhaustive = |f: Self| match f {
                    $(Self::$f $(($($c),+))? => { $(let _ = ($($c),+);)? })*
                };
                [$(Self::$f $(($($c),+))?),*]
            }};
        }
        let (d, n) = (-c, -3);
        every!(Identity Neg Exp Log Sqrt Tanh Sigmoid Relu Square Scale(c) Shift(c) Primal
            Constant(c) Recip HalfRecip OneMinusSquare SigmoidSlope Step EntropyTerm EntropySlope
            Abs Sin Cos Powi(n) Clamp(c, d) Sign InRange(c, d))
    }

    /// Applies the function to `x`.
    #[inline(always)]
    pub fn apply(self, x: T) -> T {
        let one = T::one();
        match self {
            Self::Identity => x,
            Self::Neg => -x,
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => x.sigmoid(),
            Self::Relu if x <= T::zero() => T::zero(),
            Self::Relu => x,
            Self::Square => x * x,
            Self::Scale(c) => c * x,
            Self::Shift(c) => x + c,
            Self::Primal => T::from_f64(x.value()),
            Self::Constant(c) => c,
            Self::Recip => one / x,
            Self::HalfRecip => one / (x + x),
            Self::OneMinusSquare => one - x * x,
            Self::SigmoidSlope => x * (one - x),
            Self::Step if x > T::zero() => one,
            Self::Step => T::zero(),
            Self::EntropyTerm | Self::EntropySlope if x.value() == f64::NEG_INFINITY => T::zero(),
            Self::EntropyTerm => -x * x.exp(),
            Self::EntropySlope => -(one + x) * x.exp(),
            Self::Abs => match x.partial_cmp(&T::zero()) {
                Some(Ordering::Less) => -x,
                Some(Ordering::Equal) => T::zero(),
                _ => x,
            },
            Self::Sign => match x.partial_cmp(&T::zero()) {
                Some(Ordering::Less) => -one,
                Some(Ordering::Equal) => T::zero(),
                Some(Ordering::Greater) => one,
                None => x,
            },
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Powi(n) => x.powi(n),
            Self::Clamp(lo, _) if x < lo => lo,
            Self::Clamp(_, hi) if x > hi => hi,
            Self::Clamp(..) => x,
            Self::InRange(lo, hi) if lo <= x && x <= hi => one,
            Self::InRange(..) => T::zero(),
        }
    }
}

/// Expands its body once for each function, so that the compiler specialises the loop in the body for each function.
macro_rules! for_map {
    ($map:expr, |$f:ident| $body:expr) => {
        for_map!(@ $map, $f, $body,
            [Identity Neg Exp Log Sqrt Tanh Sigmoid Relu Square Primal EntropyTerm
             Recip HalfRecip OneMinusSquare SigmoidSlope Step EntropySlope Abs Sin Cos Sign]
            [Scale Shift Constant Powi] [Clamp InRange])
    };
    (@ $map:expr, $f:ident, $body:expr, [$($plain:ident)*] [$($with:ident)*] [$($between:ident)*]) => {
        match $map {
            $(Map::$plain => { let $f = |x| Map::$plain.apply(x); $body })*
            $(Map::$with(c) => { let $f = |x| Map::$with(c).apply(x); $body })*
            $(Map::$between(lo, hi) => { let $f = |x| Map::$between(lo, hi).apply(x); $body })*
        }
    };
}
pub(crate) use for_map;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dual;

    /// Each function with its slope, and true if the slope is a function of y. The tangent of a dual number is the reference.
    #[test]
    fn map_every_slope_is_the_derivative() {
        use Map::*;
        let c = Dual::constant(-3.0);
        for (f, slope, of_y) in [
            (Identity, Constant(1.0), false),
            (Neg, Constant(-1.0), false),
            (Exp, Identity, true),
            (Log, Recip, false),
            (Sqrt, HalfRecip, true),
            (Tanh, OneMinusSquare, true),
            (Sigmoid, SigmoidSlope, true),
            (Relu, Step, true),
            (Square, Scale(2.0), false),
            (Scale(c), Constant(-3.0), false),
            (Shift(c), Constant(1.0), false),
            (Abs, Sign, false),
            (Sin, Cos, false),
            (Clamp(c, -c), InRange(-3.0, 3.0), false),
            (Clamp(Dual::constant(1.0), -c), InRange(1.0, 3.0), false),
        ] {
            for x in [0.3_f64, 1.7] {
                let y = f.apply(Dual::variable(x));
                let got = slope.apply(if of_y { y.value } else { x });
                assert!((got - y.tangent).abs() < 1e-15, "{f:?} at {x}: {got} is not {}", y.tangent);
            }
        }
    }

    /// Tested at log-probabilities, which are at most 0.
    #[test]
    fn entropy_slope_is_the_derivative() {
        for x in [0.0_f64, -0.3, -1.0, -1.7, -40.0] {
            let (y, got) = (Map::EntropyTerm.apply(Dual::variable(x)), Map::EntropySlope.apply(x));
            assert!((got - y.tangent).abs() < 1e-15, "at {x}: {got} is not {}", y.tangent);
        }
    }

    #[test]
    fn entropy_term_of_probability_zero_is_zero_and_flat() {
        let x = Dual { value: f64::NEG_INFINITY, tangent: 1.0 };
        let y = Map::EntropyTerm.apply(x);
        assert_eq!((y.value, y.tangent, Map::EntropySlope.apply(x).value), (0.0, 0.0, 0.0));
        assert_eq!([Map::EntropyTerm, Map::EntropySlope].map(|f| f.apply(-f32::MAX)), [0.0; 2]);
        assert!([Map::EntropyTerm, Map::EntropySlope].iter().all(|f| f.apply(f64::NAN).is_nan()));
    }

    #[test]
    fn shift_and_scale_of_two_give_the_sum_and_the_product() {
        assert_eq!([Map::Shift(-3.0), Map::Scale(-3.0)].map(|f| f.apply(2.0_f64)), [-1.0, -6.0]);
    }

    /// Values, and slopes in forward mode, at the kinks and on both sides of them.
    #[test]
    fn abs_and_clamp_at_their_kinks_have_the_slopes_of_the_maps() {
        let parts = |f: Map<Dual<f64>>, x| {
            let y = f.apply(Dual::variable(x));
            (y.value, y.tangent)
        };
        for (x, abs, sign) in [(2.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-0.0, 0.0, 0.0), (-2.0, 2.0, -1.0)] {
            assert_eq!((parts(Map::Abs, x), Map::Sign.apply(x)), ((abs, sign), sign), "{x}");
        }
        assert!(Map::Abs.apply(-0.0_f64).is_sign_positive());
        let [lo, hi] = [-1.0, 2.0].map(Dual::constant);
        for (x, y, slope) in [(-1.5, -1.0, 0.0), (-1.0, -1.0, 1.0), (0.5, 0.5, 1.0), (2.0, 2.0, 1.0), (2.5, 2.0, 0.0)] {
            let slope_of_map = Map::InRange(-1.0, 2.0).apply(x);
            assert_eq!((parts(Map::Clamp(lo, hi), x), slope_of_map), ((y, slope), slope), "{x}");
        }
        assert!([Map::Abs, Map::Sign, Map::Clamp(-1.0, 2.0)].iter().all(|f| f.apply(f64::NAN).is_nan()));
        assert_eq!(Map::InRange(-1.0, 2.0).apply(f64::NAN), 0.0);
    }

    #[test]
    fn powi_of_any_sign_multiplies_and_divides() {
        let at = |n| Map::Powi(n).apply(-2.0_f64);
        assert_eq!([0, 1, 2, 3, 10, -1, -2, -3].map(at), [1.0, -2.0, 4.0, -8.0, 1024.0, -0.5, 0.25, -0.125]);
        assert_eq!([0, 2, -2].map(|n| Map::Powi(n).apply(0.0_f64)), [1.0, 0.0, f64::INFINITY]);
    }

    #[test]
    fn relu_at_and_below_zero_has_value_and_slope_zero() {
        for x in [0.0, -0.0, -1.0] {
            let y = Map::Relu.apply(Dual::variable(x));
            assert_eq!((y.value, y.tangent, Map::Step.apply(y.value)), (0.0, 0.0, 0.0));
        }
        assert!(Map::Relu.apply(f64::NAN).is_nan());
    }
}
