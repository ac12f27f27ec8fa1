//! The trait of an operation, and the enums that are made from the closed [list](crate::ops) of operations. An operation without a
//! rule does not compile.

use alloc::sync::Arc;

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;

pub(crate) use crate::ops::Op;

/// What every operation is: a forward rule, and the backward rule that belongs to it.
pub(crate) trait Operation<T: Real> {
    /// The name in errors and printed tapes.
    const NAME: &'static str;

    /// Whether the value is a view of an input's buffer.
    const SHARES: bool = false;

    /// Computes the value. Shapes have been checked.
    fn forward(&self, f: &mut Forward<'_, T>);

    /// Adds to the gradients of the inputs.
    fn backward(&self, b: &mut Backward<'_, T>);
}

/// Where a computation starts.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    Param(Arc<str>),
    Input,
    Constant,
}

/// Makes [`Kind`](crate::ops::Kind) and [`Op`] from the list, whose entries are modules with their operations.
macro_rules! operations {
    ($($file:ident::$op:ident $(<$t:ident>)?),* $(,)?) => {
        /// The operations by name, for tables that must have a row for each: a `match` without one does not compile.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(
                #[doc = concat!("The operation of [`ops`](crate::ops) called `", stringify!($op), "`.")]
                $op,
            )*
        }

        impl Kind {
            /// Every operation, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$op),*];

            /// The name in a printed tape.
            pub const fn name(self) -> &'static str {
                type T = f64;
                match self {
                    $(Self::$op => <$file::$op $(<$t>)? as Operation<T>>::NAME,)*
                }
            }

            /// The text of its file in `crates/autograd/src/ops/`, whose doc derives the rule.
            pub const fn source(self) -> &'static str {
                match self {
                    $(Self::$op => include_str!(concat!(stringify!($file), ".rs")),)*
                }
            }
        }

        /// A recorded operation.
        pub(crate) enum Op<T: Real> {
            Leaf(Leaf),
            $($op($file::$op $(<$t>)?),)*
            Custom(Box<dyn CustomOp<T>>),
        }

        impl<T: Real> Op<T> {
            pub(crate) fn name(&self) -> &str {
                match self {
                    Self::Leaf(Leaf::Param(name)) => name,
                    Self::Leaf(Leaf::Input) => "input",
                    Self::Leaf(Leaf::Constant) => "constant",
                    $(Self::$op(_) => <$file::$op $(<$t>)? as Operation<T>>::NAME,)*
                    Self::Custom(op) => op.name(),
                }
            }

            /// Whether the value belongs to somebody else: the caller, or another node.
            pub(crate) fn shares_its_value(&self) -> bool {
                match self {
                    Self::Leaf(_) => true,
                    $(Self::$op(_) => <$file::$op $(<$t>)? as Operation<T>>::SHARES,)*
                    Self::Custom(_) => false,
                }
            }

            pub(crate) fn forward(&self, f: &mut Forward<'_, T>) {
                match self {
                    Self::Leaf(_) => {}
                    $(Self::$op(op) => op.forward(f),)*
                    Self::Custom(op) => op.forward(f),
                }
            }

            pub(crate) fn backward(&self, b: &mut Backward<'_, T>) {
                match self {
                    Self::Leaf(_) => {}
                    $(Self::$op(op) => op.backward(b),)*
                    Self::Custom(op) => op.backward(b),
                }
            }
        }
    };
}
pub(crate) use operations;
