//! The functions of [`Map`], all of them.

use tensor::{Map, Real};

/// The functions that are named; one that is left out does not compile.
macro_rules! every {
    ($($f:ident $(($c:ident))?)*) => {{
        let _exhaustive = |f: Map<T>| match f {
            $(Map::$f $(($c))? => { $(let _ = $c;)? })*
        };
        vec![$(Map::$f $(($c))?),*]
    }};
}

/// Every function, those that take a constant with −1.5; all are defined on positive numbers.
pub fn maps<T: Real>() -> Vec<Map<T>> {
    let c = T::of(-1.5);
    every!(Identity Neg Exp Log Sqrt Tanh Sigmoid Relu Square Scale(c) Shift(c) Primal
        Constant(c) Recip HalfRecip OneMinusSquare Logistic Step)
}
