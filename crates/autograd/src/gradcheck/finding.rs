//! Reasons why a gradient could not be compared, or a comparison is not reliable.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A reason why gradients could not be compared, or only in part. Inputs are identified by name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Finding {
    /// The function has no inputs.
    NoInputs,
    /// This input has no elements.
    EmptyInput(String),
    /// This input has an element that is infinite or NaN.
    InputNotFinite(String),
    /// The function's value has no elements.
    NoOutput,
    /// The function's value has an element that is infinite or NaN.
    ValueNotFinite,
    /// The function or its backward panicked with this message. Without the feature `std` the panic is not caught.
    Panicked(String),
    /// A second run gave different bits: the function uses random numbers, or keeps state between calls.
    NotDeterministic,
    /// The gradient of this input is not linear in dy: −2·dy does not give −2 times the gradient. A term is not multiplied by
    /// dy, is left over from another pass, or depends on a sign.
    NotLinear(String),
    /// The shape of the function's value depends on the values of its inputs.
    ShapeVaries,
    /// The backward returned a wrong number of gradients.
    WrongCount {
        /// Number of gradients.
        found: usize,
        /// Number of inputs.
        expected: usize,
    },
    /// The shape of a gradient differs from the shape of its input.
    WrongShape {
        /// Name of the input.
        input: String,
        /// Extents of the input.
        value: Vec<usize>,
        /// Extents of the gradient.
        gradient: Vec<usize>,
    },
    /// The gradient of this input has an element that is infinite or NaN.
    NotFinite(String),
    /// The method has no reference for this input: near it, the function's value or slope is infinite or NaN.
    NoReference(String),
    /// The gradient of this input is missing or zero, and that is right: at this point the function does not depend on it.
    NoInfluence(String),
    /// The gradient of this input consists of rounding errors: its terms cancel, or are too small next to the value.
    OnlyRounding(String),
    /// No gradient reached this input, though the function depends on it.
    Severed(String),
    /// No gradient reached these parameters, which the function records itself.
    Unreached(Vec<String>),
    /// The estimated error of the method is too close to the tolerance to decide whether the gradient is right.
    Inconclusive {
        /// Name of the input.
        input: String,
        /// Place of the entry.
        place: String,
        /// The estimated error of the reference, relative to the gradient's largest entry.
        estimate: f64,
    },
    /// The slopes to the left and to the right differ at every step size. There is no derivative; the gradient is a convention.
    Kink {
        /// Name of the input.
        input: String,
        /// Place of the entry.
        place: String,
        /// The slope to the left.
        left: f64,
        /// The slope to the right.
        right: f64,
        /// The gradient: by convention a number between the two slopes.
        gradient: f64,
    },
    /// The value jumps: there is no slope.
    Jump {
        /// Name of the input.
        input: String,
        /// Place of the entry.
        place: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInputs => write!(f, "there are no inputs: nothing was checked"),
            Self::EmptyInput(input) => write!(f, "{input} has no elements: nothing was checked"),
            Self::InputNotFinite(input) => write!(f, "{input} has an infinite or NaN element: nothing was checked"),
            Self::NoOutput => write!(f, "the function's value has no elements: nothing was checked"),
            Self::ValueNotFinite => {
                write!(f, "the function's value has an infinite or NaN element: nothing was checked")
            }
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::NotDeterministic => write!(
                f,
                "not a function: a second run gave different bits; draw random numbers and build modules outside of it"
            ),
            Self::NotLinear(input) => {
                write!(f, "the gradient of {input} is not linear in dy: a term of it is not multiplied by dy")
            }
            Self::ShapeVaries => write!(f, "the shape of the function's value depends on the values of its inputs"),
            Self::WrongCount { found, expected } => write!(f, "{expected} inputs have {found} gradients"),
            Self::WrongShape { input, value, gradient } => {
                let transposed = value.len() > 1 && value.iter().eq(gradient.iter().rev());
                let transposed = if transposed { ", the shape of its transpose" } else { "" };
                write!(f, "{input} has shape {value:?}, its gradient {gradient:?}{transposed}")
            }
            Self::NotFinite(input) => write!(f, "the gradient of {input} has an infinite or NaN element"),
            Self::NoReference(input) => {
                write!(f, "no reference for {input}: near it the function's value or slope is infinite or NaN")
            }
            Self::NoInfluence(input) => {
                write!(f, "{input} has no influence here: use it, leave it out, or check at another point")
            }
            Self::OnlyRounding(input) => write!(
                f,
                "the gradient of {input} consists of rounding errors: check at another point, or leave it out"
            ),
            Self::Severed(input) => write!(f, "no gradient reached {input}, though the function depends on it"),
            Self::Unreached(names) => write!(f, "no gradient reached the parameters {}", names.join(", ")),
            Self::Inconclusive { input, place, estimate } => write!(
                f,
                "inconclusive: at {place} of {input} the reference has an estimated error of {estimate:.1e}; scale the \
                 inputs, or use another method"
            ),
            Self::Kink { input, place, left, right, gradient } => write!(
                f,
                "a kink at {place} of {input}: slope {left:.3e} to the left, {right:.3e} to the right, \
                 gradient {gradient:.3e}"
            ),
            Self::Jump { input, place } => write!(f, "a jump at {place} of {input}: there is no slope"),
        }
    }
}
