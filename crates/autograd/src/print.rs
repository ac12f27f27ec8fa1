//! Prints a tape as text.

use core::fmt;

use tensor::Real;

use crate::tape::Tape;

/// Prints one line per node: its number, operation, inputs and shape. A `·` marks a node that needs no gradient.
///
/// ```
/// # use autograd::Tape;
/// # use tensor::Tensor;
/// let tape = Tape::<f32>::new();
/// let w = tape.param("w", Tensor::zeros([3, 2]));
/// let x = tape.constant(Tensor::zeros([5, 3]));
/// x.matmul(w).tanh();
/// assert_eq!(
///     tape.to_string(),
///     "%0 = param w [3, 2]\n\
///      %1 = constant [5, 3] ·\n\
///      %2 = matmul(%1, %0) [5, 2]\n\
///      %3 = tanh(%2) [5, 2]\n"
/// );
/// ```
impl<T: Real> fmt::Display for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arena = self.arena.borrow();
        for (id, node) in arena.nodes[..arena.len].iter().enumerate() {
            let kind = if node.parameter_name().is_some() { "param " } else { "" };
            write!(f, "%{id} = {kind}{}", node.op.name())?;
            for (k, input) in arena.inputs_of(id).iter().enumerate() {
                write!(f, "{}%{input}", if k == 0 { "(" } else { ", " })?;
            }
            let close = if arena.inputs_of(id).is_empty() { "" } else { ")" };
            let mark = if node.needs_grad { "" } else { " ·" };
            writeln!(f, "{close} {}{mark}", arena.value(id as u32).shape())?;
        }
        Ok(())
    }
}
