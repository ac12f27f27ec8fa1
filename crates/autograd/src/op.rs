//! The trait of operations, and the enums generated from the closed [list](crate::ops) of operations. An operation without a
//! rule does not compile.

use alloc::string::String;
use alloc::sync::Arc;

use tensor::Real;

use crate::backward::Backward;
use crate::forward::Forward;

pub(crate) use crate::ops::Op;

/// True if the table at the top of `ops/mod.rs` contains `row`.
pub(crate) const fn has_table_row(row: &str) -> bool {
    let (file, row) = (include_str!("ops/mod.rs").as_bytes(), row.as_bytes());
    let mut start = 0;
    while start + row.len() <= file.len() {
        let mut same = 0;
        while same < row.len() && file[start + same] == row[same] {
            same += 1;
        }
        if same == row.len() {
            return true;
        }
        start += 1;
    }
    false
}

/// An operation: a forward rule and its backward rule.
pub(crate) trait Operation<T: Real> {
    /// Name in errors and printed tapes.
    const NAME: &'static str;

    /// True if the value is a view of an input's buffer.
    const IS_VIEW: bool = false;

    /// Returns the arguments besides the inputs, for printed tapes: `axis=0, range=2..5`. A shape that is the value's is left out.
    fn arguments(&self) -> String {
        String::new()
    }

    /// Computes the value. The caller has checked the shapes.
    fn forward(&self, f: &mut Forward<'_, T>);

    /// Adds to the gradients of the inputs.
    fn backward(&self, b: &mut Backward<'_, T>);
}

/// A node without inputs: the start of a computation.
#[derive(Clone, Debug)]
pub(crate) enum Leaf {
    Param(Arc<str>),
    Input,
    Constant,
    /// A constant in a buffer of the tape.
    Copied,
}

/// Generates [`Kind`](crate::ops::Kind) and [`Op`] from a list of `module::Operation` entries.
macro_rules! operations {
    ($($file:ident::$op:ident $(<$t:ident>)?),* $(,)?) => {
        /// The operations by name. Code that needs a case for each operation matches on this enum, so a missing case does not compile.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind {
            $(
                #[doc = concat!("The operation of [`ops::", stringify!($file), "`](self::", stringify!($file), ").")]
                $op,
            )*
        }

        impl Kind {
            /// Every operation, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$op),*];

            /// Name in a printed tape.
            pub const fn name(self) -> &'static str {
                type T = f64;
                match self {
                    $(Self::$op => <$file::$op $(<$t>)? as Operation<T>>::NAME,)*
                }
            }

            /// Source text of its file in `crates/autograd/src/ops/`; the module docs in it derive the rule.
            pub const fn source(self) -> &'static str {
                match self {
                    $(Self::$op => include_str!(concat!(stringify!($file), ".rs")),)*
                }
            }
        }

        $(
            const _: () = assert!(
                has_table_row(concat!("| [", stringify!($file), "] |")),
                concat!("the table at the top of ops/mod.rs has no row for ", stringify!($file))
            );
        )*

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
                    Self::Leaf(Leaf::Constant | Leaf::Copied) => "constant",
                    $(Self::$op(_) => <$file::$op $(<$t>)? as Operation<T>>::NAME,)*
                    Self::Custom(op) => op.name(),
                }
            }

            pub(crate) fn arguments(&self) -> String {
                match self {
                    Self::Leaf(_) => String::new(),
                    $(Self::$op(op) => Operation::<T>::arguments(op),)*
                    Self::Custom(op) => op.arguments(),
                }
            }

            /// True if the value's buffer belongs to the caller or to another node.
            pub(crate) fn has_shared_value(&self) -> bool {
                match self {
                    Self::Leaf(leaf) => !matches!(leaf, Leaf::Copied),
                    $(Self::$op(_) => <$file::$op $(<$t>)? as Operation<T>>::IS_VIEW,)*
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
