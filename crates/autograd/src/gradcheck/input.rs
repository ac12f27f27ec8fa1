//! The inputs of a check, with names for them and their parts.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use tensor::Tensor;

/// An input of the checked function. A plain tensor converts to one. With a name and gates, the report says
/// `w_hh at [7, 2] (gate n, row 1)` instead of `input 2 at [7, 2]`.
///
/// ```
/// use autograd::gradcheck::{Input, duals};
/// use autograd::function;
/// use tensor::Tensor;
///
/// let inputs = [
///     Input::from(Tensor::full([2, 3, 12], 0.5)).named("gx").gates(2, &["r", "z", "n"]),
///     Input::from(Tensor::full([3, 4], 0.1)).named("h0"),
///     Input::from(Tensor::full([12, 4], -0.2)).named("w_hh").gates(0, &["r", "z", "n"]),
///     Input::from(Tensor::full([12], 0.3)).named("b_hh").gates(0, &["r", "z", "n"]),
/// ];
/// duals(&function!(|x| x[0].gru(x[1], x[2], x[3])), &inputs).assert_ok();
/// ```
#[derive(Clone, Debug)]
pub struct Input {
    /// The value.
    pub value: Tensor<f64>,
    name: Option<String>,
    /// The axis that the gates divide into equal blocks, and their names.
    pub(super) gates: Option<(usize, Vec<String>)>,
}

impl From<Tensor<f64>> for Input {
    fn from(value: Tensor<f64>) -> Self {
        Self { value, name: None, gates: None }
    }
}

impl Input {
    /// Sets the name.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Names the gates: equal blocks along `axis`.
    ///
    /// # Panics
    /// If there is no such axis, or if its extent is not a multiple of the number of names.
    #[must_use]
    #[track_caller]
    pub fn gates(self, axis: usize, names: &[&str]) -> Self {
        let shape = self.value.shape();
        let fits = axis < shape.rank() && !names.is_empty() && shape[axis].is_multiple_of(names.len());
        assert!(fits, "gates: axis {axis} of {shape} does not divide into {} equal parts", names.len());
        Self { gates: Some((axis, names.iter().map(|&name| name.into()).collect())), ..self }
    }

    /// Returns its name, or `input k` without one.
    pub(super) fn name(&self, k: usize) -> String {
        self.name.clone().unwrap_or_else(|| format!("input {k}"))
    }

    /// Describes the place of the `i`th element.
    pub(super) fn place(&self, i: usize) -> String {
        let index = self.index(i);
        let Some((axis, names)) = &self.gates else { return format!("{index:?}") };
        let extent = self.value.shape()[*axis] / names.len();
        let (gate, within) = (&names[index[*axis] / extent], index[*axis] % extent);
        let kind = if *axis == 0 { "row" } else { "column" };
        format!("{index:?} (gate {gate}, {kind} {within})")
    }

    /// Returns the index of the `i`th element on each axis.
    pub(super) fn index(&self, mut i: usize) -> Vec<usize> {
        let mut index = self.value.shape().to_vec();
        for at in index.iter_mut().rev() {
            (i, *at) = (i / *at, i % *at);
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_places_have_gate_names() {
        let plain = Input::from(Tensor::zeros([6, 2]));
        assert_eq!((plain.name(3), plain.place(9)), ("input 3".into(), "[4, 1]".into()));
        let rows = plain.clone().named("w").gates(0, &["r", "z", "n"]);
        assert_eq!((rows.name(3), rows.place(7)), ("w".into(), "[3, 1] (gate z, row 1)".into()));
        assert_eq!(plain.gates(1, &["a", "b"]).place(9), "[4, 1] (gate b, column 0)");
    }

    #[test]
    #[should_panic(expected = "gates: axis 0 of [4, 6] does not divide into 3 equal parts")]
    fn gates_unequal_parts_panic() {
        let _ = Input::from(Tensor::zeros([4, 6])).gates(0, &["r", "z", "n"]);
    }
}
