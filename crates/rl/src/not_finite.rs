//! Training that ran away, and which parameter went first.

use alloc::string::String;
use core::fmt;

use nn::{Grads, Params};
use tensor::Real;

/// A loss or a gradient that is infinite or NaN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// The number of the update, from 1, as people count.
    pub update: u32,
    /// The first parameter that is not finite, or whose gradient is not.
    pub parameter: String,
    /// Whether it is the parameter's value; its gradient otherwise.
    pub value: bool,
}

impl NotFinite {
    /// Looks for the first parameter whose value, or else whose gradient, is not finite, after the update that has
    /// the number `update` in its streams, from 0.
    pub fn find<T: Real>(update: u32, params: &Params<T>, grads: &Grads<T>) -> Self {
        let by_value = params.first_not_finite().map(String::from);
        let value = by_value.is_some();
        let parameter = by_value.or_else(|| grads.first_not_finite(params));
        Self { update: update + 1, parameter: parameter.unwrap_or_else(|| String::from("(none)")), value }
    }
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { update, parameter, value } = self;
        let what = if *value { "value" } else { "gradient" };
        write!(
            f,
            "update {update}: the loss is no longer a finite number; first in the {what} of parameter {parameter}. "
        )?;
        write!(f, "A lower rate or a lower clip may help")
    }
}

impl core::error::Error for NotFinite {}
