//! Why something could not be compared, or should not be believed.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A reason why nothing can be compared, or not all. Inputs are given by name.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub enum Finding {
    /// There is nothing to differentiate by.
    NoInputs,
    /// This input has no elements.
    EmptyInput(String),
    /// This input is infinite or not a number somewhere.
    InputNotFinite(String),
    /// The function's value is empty: there is nothing to differentiate.
    NoOutput,
    /// The function's value is infinite or not a number somewhere.
    ValueNotFinite,
    /// The function, or its backward, panicked with these words. (Without the feature `std` the panic goes on.)
    Panicked(String),
    /// A second run gave other bits: random numbers, or state that outlives a call.
    NotDeterministic,
    /// −2 times as much sent in does not bring back −2 times the gradient of this input: something is added that is not
    /// multiplied by what comes in, or is left from another pass, or depends on a sign.
    NotLinear(String),
    /// The shape of the value depends on the values of the inputs.
    ShapeVaries,
    /// As many gradients came back, for so many inputs.
    WrongCount {
        /// Gradients.
        found: usize,
        /// Inputs.
        expected: usize,
    },
    /// The gradient of this input has another shape than the input.
    WrongShape {
        /// Which input.
        input: String,
        /// Its extents.
        value: Vec<usize>,
        /// Its gradient's.
        gradient: Vec<usize>,
    },
    /// The gradient of this input is infinite or not a number somewhere.
    NotFinite(String),
    /// The method has no number for this input: near it, the function's value or slope is infinite or not a number.
    NoReference(String),
    /// There is no gradient of this input, or none but zeros, and there should be no other: the function does not depend
    /// on it, or not here.
    NoInfluence(String),
    /// All that is left of the gradient of this input is rounding: what it is made of cancels, or is lost in the value.
    OnlyRounding(String),
    /// No gradient was left for this input, though the function depends on it.
    Severed(String),
    /// Parameters that the function recorded itself and no gradient reached.
    Unreached(Vec<String>),
    /// The method's own error, as it estimates it, is not well under the tolerance: neither right nor wrong.
    Inconclusive {
        /// Which input.
        input: String,
        /// Where in it.
        place: String,
        /// The estimated error of the reference, relative to the gradient's largest entry.
        estimate: f64,
    },
    /// The slopes to the left and to the right differ, however near: there is no derivative, only a convention.
    Kink {
        /// Which input.
        input: String,
        /// Where in it.
        place: String,
        /// The slope to the left.
        left: f64,
        /// The slope to the right.
        right: f64,
        /// What came back: by convention a number between the two.
        gradient: f64,
    },
    /// The value jumps: there is no slope at all.
    Jump {
        /// In which input.
        input: String,
        /// Where in it.
        place: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInputs => write!(f, "there are no inputs: nothing was checked"),
            Self::EmptyInput(input) => write!(f, "{input} has no elements: there is nothing to check"),
            Self::InputNotFinite(input) => write!(f, "{input} is infinite or not a number: nothing was checked"),
            Self::NoOutput => write!(f, "the function's value has no elements: nothing was checked"),
            Self::ValueNotFinite => write!(f, "the function's value is infinite or not a number: nothing was checked"),
            Self::Panicked(words) => write!(f, "panicked: {words}"),
            Self::NotDeterministic => write!(
                f,
                "not a function: a second run gave other bits; draw random numbers and build modules outside of it"
            ),
            Self::NotLinear(input) => write!(
                f,
                "the gradient of {input} is not linear in what is sent in: something in it is not multiplied by that"
            ),
            Self::ShapeVaries => write!(f, "the shape of the function's value depends on the values of its inputs"),
            Self::WrongCount { found, expected } => write!(f, "{found} gradients came back for {expected} inputs"),
            Self::WrongShape { input, value, gradient } => {
                let transposed = value.len() > 1 && value.iter().eq(gradient.iter().rev());
                let transposed = if transposed { ", as its transpose is" } else { "" };
                write!(f, "{input} is {value:?} and its gradient {gradient:?}{transposed}")
            }
            Self::NotFinite(input) => write!(f, "{input}: a gradient is infinite or not a number"),
            Self::NoReference(input) => {
                write!(f, "no reference for {input}: near it the function's value or slope is infinite or not a number")
            }
            Self::NoInfluence(input) => {
                write!(f, "{input} has no influence here: use it, leave it out, or check at another point")
            }
            Self::OnlyRounding(input) => write!(
                f,
                "all that is left of the gradient of {input} is rounding: check at another point, or leave it out"
            ),
            Self::Severed(input) => write!(f, "no gradient reached {input}, though the function depends on it"),
            Self::Unreached(names) => write!(f, "no gradient reached the parameters {}", names.join(", ")),
            Self::Inconclusive { input, place, estimate } => write!(
                f,
                "inconclusive: at {place} of {input} the reference itself is uncertain by {estimate:.1e}; scale the \
                 inputs, or use another method"
            ),
            Self::Kink { input, place, left, right, gradient } => write!(
                f,
                "a kink at {place} of {input}: slope {left:.3e} to the left, {right:.3e} to the right, and \
                 {gradient:.3e} came back"
            ),
            Self::Jump { input, place } => write!(f, "a jump at {place} of {input}: there is no slope"),
        }
    }
}
