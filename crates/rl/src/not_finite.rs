//! Training that ran away, and where.

use alloc::string::String;
use core::fmt;

use nn::{Grads, Params};
use tensor::Real;

/// A loss, or the norm of its gradients, is infinite or NaN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// The number of the update, from 1, as people count.
    pub update: u32,
    /// The parameter to look at.
    pub parameter: String,
    /// What it has to do with it.
    pub cause: Cause,
}

/// Why a parameter is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is the first that holds a number that is not finite.
    Value,
    /// It is the first with a gradient that is not finite.
    Gradient,
    /// All are finite, but loss or norm overflow; its gradient is the largest.
    Largest,
}

impl NotFinite {
    /// Looks for the parameter to name, after the update that has the number `update` in its streams, from 0.
    pub fn find<T: Real>(update: u32, params: &Params<T>, grads: &Grads<T>) -> Self {
        let by_value = params.first_not_finite().map(|name| (String::from(name), Cause::Value));
        let by_gradient = || grads.first_not_finite(params).map(|name| (name, Cause::Gradient));
        let (parameter, cause) =
            by_value.or_else(by_gradient).unwrap_or_else(|| (largest(params, grads), Cause::Largest));
        Self { update: update + 1, parameter, cause }
    }
}

/// The name of the parameter with the largest entry of the gradient.
fn largest<T: Real>(params: &Params<T>, grads: &Grads<T>) -> String {
    let size = |param| grads.get(params, param).to_vec().iter().fold(0.0, |max, g| f64::max(max, g.value().abs()));
    let largest = params.all().max_by(|&a, &b| f64::total_cmp(&size(a), &size(b)));
    largest.map_or_else(String::new, |param| String::from(params.name(param)))
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { update, parameter, cause } = self;
        write!(f, "update {update}: the loss or its gradient is no longer a finite number; ")?;
        match cause {
            Cause::Value => write!(f, "first in the value of parameter {parameter}")?,
            Cause::Gradient => write!(f, "first in the gradient of parameter {parameter}")?,
            Cause::Largest => write!(f, "it overflows, and parameter {parameter} has the largest gradient")?,
        }
        write!(f, ". Lower rates, rewards or weights of the loss may help")
    }
}

impl core::error::Error for NotFinite {}
