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
    /// The function's value is empty: there is nothing to differentiate.
    NoOutput,
    /// The function's value is infinite or not a number somewhere.
    ValueNotFinite,
    /// The function, or its backward, panicked with these words. (Without the feature `std` the panic goes on.)
    Panicked(String),
    /// A second run gave other bits: random numbers, or state that outlives a call.
    NotDeterministic,
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
    /// The gradient of this input, or its reference, is infinite or not a number somewhere.
    NotFinite(String),
    /// The function does not depend on this input: there is no gradient, or none but zeros, and there should be no other.
    NoInfluence(String),
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
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInputs => write!(f, "there are no inputs: nothing was checked"),
            Self::EmptyInput(input) => write!(f, "{input} has no elements: there is nothing to check"),
            Self::NoOutput => write!(f, "the function's value has no elements: nothing was checked"),
            Self::ValueNotFinite => write!(f, "the function's value is infinite or not a number: nothing was checked"),
            Self::Panicked(words) => write!(f, "panicked: {words}"),
            Self::NotDeterministic => write!(
                f,
                "not a function: a second run gave other bits; draw random numbers and build modules outside of it"
            ),
            Self::ShapeVaries => write!(f, "the shape of the function's value depends on the values of its inputs"),
            Self::WrongCount { found, expected } => write!(f, "{found} gradients came back for {expected} inputs"),
            Self::WrongShape { input, value, gradient } => {
                write!(f, "{input} is {value:?} and its gradient {gradient:?}")
            }
            Self::NotFinite(input) => write!(f, "{input}: a gradient is infinite or not a number"),
            Self::NoInfluence(input) => write!(f, "{input} has no influence: leave it out, or use it"),
            Self::Severed(input) => write!(f, "no gradient reached {input}, though the function depends on it"),
            Self::Unreached(names) => write!(f, "no gradient reached the parameters {}", names.join(", ")),
            Self::Inconclusive { input, place, estimate } => write!(
                f,
                "inconclusive: at {place} of {input} the reference itself is uncertain by {estimate:.1e}; scale the \
                 inputs, or use another method"
            ),
            Self::Kink { input, place, left, right, gradient } => write!(
                f,
                "a kink at {place} of {input}: slope {left:.6} to the left, {right:.6} to the right, and {gradient:.6} \
                 came back"
            ),
        }
    }
}
