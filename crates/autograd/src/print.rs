//! Prints tapes and variables as text.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use tensor::{Real, Tensor};

use crate::arena::Arena;
use crate::op::{Leaf, Op};
use crate::tape::Tape;
use crate::var::Var;

/// Prints one line per node: its number, operation, inputs, arguments and shape. A `·` marks a node that needs no gradient.
///
/// `{:#}` adds the values, and the gradients that the last backward pass reached. A precision applies to them: `{:#.3}` prints
/// 1e-20 as 0.000. The gradient shown for states of a fused GRU is the direct one; [`Var::gru_state_grads`] returns the total.
///
/// ```
/// # use autograd::Tape;
/// # use tensor::Tensor;
/// let tape = Tape::<f32>::new();
/// let w = tape.param("w", Tensor::from([[0.5, -0.5]]));
/// let x = tape.constant(Tensor::from([[1.0], [3.0]]));
/// let loss = x.matmul(w).slice(1, 0..1).sum();
/// assert_eq!(
///     tape.to_string(),
///     "%0 = param w [1, 2]\n\
///      %1 = constant [2, 1] ·\n\
///      %2 = matmul(%1, %0, form=NN) [2, 2]\n\
///      %3 = slice(%2, axis=1, range=0..1) [2, 1]\n\
///      %4 = sum(%3) []"
/// );
/// loss.backward()?;
/// let printed = format!("{tape:#.1}");
/// assert!(printed.starts_with("%0 = param w [1, 2]\n    value [[ 0.5, -0.5]]\n    grad  [[4.0, 0.0]]\n"), "{printed}");
/// # Ok::<(), autograd::Unreached>(())
/// ```
impl<T: Real> fmt::Display for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arena = self.arena.borrow();
        for (id, node) in arena.nodes[..arena.len].iter().enumerate() {
            f.write_str(if id > 0 { "\n" } else { "" })?;
            write_node(f, &arena, id)?;
            let value = arena.value(id as u32);
            write!(f, " {}{}", value.shape(), if node.needs_grad { "" } else { " ·" })?;
            if f.alternate() {
                write_elements(f, "    value ", value)?;
                let grad = arena.grads.get(id).filter(|grad| grad.reached);
                grad.map_or(Ok(()), |grad| write_elements(f, "    grad  ", &grad.sum))?;
            }
        }
        Ok(())
    }
}

/// Prints the number of nodes, the kernels, and whether gradients are recorded. `Display` prints the nodes.
impl<T: Real> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Tape");
        fields.field("nodes", &self.len()).field("kernels", &self.kernels.name());
        fields.field("is_recording", &self.is_recording()).finish()
    }
}

/// Prints the value, as [`Tensor`] does.
impl<T: Real> fmt::Display for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// Prints the node as the tape does, and its value: `%1 = tanh(%0) Tensor<f64>[2] [0.0, 1.0]`.
impl<T: Real> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_node(f, &self.tape.arena.borrow(), self.index())?;
        f.write_str(" ")?;
        fmt::Debug::fmt(&self.value(), f)
    }
}

/// Writes the number, operation, inputs and arguments of a node.
fn write_node<T: Real>(f: &mut fmt::Formatter<'_>, arena: &Arena<T>, id: usize) -> fmt::Result {
    let op = &arena.nodes[id].op;
    write!(f, "%{id} = {}{}", if matches!(op, Op::Leaf(Leaf::Param(_))) { "param " } else { "" }, op.name())?;
    if matches!(op, Op::Leaf(_)) {
        return Ok(());
    }
    let inputs = arena.inputs_of(id).iter().map(|input| format!("%{input}"));
    let operands: Vec<_> = inputs.chain(Some(op.arguments()).filter(|arguments| !arguments.is_empty())).collect();
    write!(f, "({})", operands.join(", "))
}

/// Writes the elements of a tensor on a new line after `label`, with the rows below each other.
fn write_elements<T: Real>(f: &mut fmt::Formatter<'_>, label: &str, x: &Tensor<T>) -> fmt::Result {
    write!(f, "\n{label}")?;
    x.fmt_indented(f, label.len())
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::{Backward, CustomOp, Forward};

    #[test]
    fn tape_printed_shows_the_arguments_of_each_operation() {
        let tape = Tape::<f64>::new();
        let zeros = |shape: &[usize]| tape.input(Tensor::zeros(shape));
        let (x, row, index) = (zeros(&[3, 3]), zeros(&[3]), Tensor::from([[0, 1], [2, 0], [1, 1]]));
        let _ = (x.matmul(x), x.matmul_nt(x), x.matmul_tn(x));
        let _ = (x.scale(0.5), x.shift(-1.0), x.sum_axis(1), x.permute(&[1, 0]), x.slice(0, 1..3));
        let _ = (Var::concat(&[x, x], 1), x.embedding(&index), x.gather(&index), x.layer_norm(row, row, 1e-5));
        let _ = (x.clamp(-1.0, 0.5), x.powi(3), x.flip(1));
        let (h0, w_hh) = (zeros(&[2, 1]), zeros(&[3, 1]));
        let _ = (zeros(&[4, 2, 3]).gru(h0, w_hh, row), x.embedding_gru(&index, h0, w_hh, row));
        let want = "%2 = matmul(%0, %0, form=NN) [3, 3]\n\
                    %3 = matmul(%0, %0, form=NT) [3, 3]\n\
                    %4 = matmul(%0, %0, form=TN) [3, 3]\n\
                    %5 = scale(%0, c=0.5) [3, 3]\n\
                    %6 = shift(%0, c=-1) [3, 3]\n\
                    %7 = sum_axis(%0, axis=1) [3]\n\
                    %8 = permute(%0, axes=[1, 0]) [3, 3]\n\
                    %9 = slice(%0, axis=0, range=1..3) [2, 3]\n\
                    %10 = concat(%0, %0, axis=1) [3, 6]\n\
                    %11 = embedding(%0, index=u32[3, 2]) [3, 2, 3]\n\
                    %12 = gather(%0, index=u32[3, 2]) [3, 2]\n\
                    %13 = layer_norm(%0, %1, %1, epsilon=0.00001) [3, 3]\n\
                    %14 = clamp(%0, low=-1, high=0.5) [3, 3]\n\
                    %15 = powi(%0, n=3) [3, 3]\n\
                    %16 = flip(%0, axis=1) [3, 3]\n\
                    %17 = input [2, 1]\n\
                    %18 = input [3, 1]\n\
                    %19 = input [4, 2, 3]\n\
                    %20 = gru(%19, %17, %18, %1) [4, 2, 1]\n\
                    %21 = gru(%0, %17, %18, %1, tokens=u32[3, 2]) [3, 2, 1]";
        assert_eq!(tape.to_string(), ["%0 = input [3, 3]\n%1 = input [3]\n", want].concat());
    }

    #[test]
    fn tape_printed_with_values_aligns_rows_and_leaves_out_gradients_not_reached() {
        let tape = Tape::<f64>::new();
        let x = tape.input(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
        let y = x.scale(0.5);
        let unused = -y;
        assert!(!format!("{tape:#}").contains("grad"));
        y.backward_from(&Tensor::from([[1.0, 0.0], [0.0, 1.0]])).expect("no parameters");
        let want = "%0 = input [2, 2]\n    value [[1, 2],\n           [3, 4]]\n    grad  [[0.5, 0.0],\n           [0.0, 0.5]]\n\
                    %1 = scale(%0, c=0.5) [2, 2]\n    value [[0.5, 1.0],\n           [1.5, 2.0]]\n    grad  [[1, 0],\n           [0, 1]]\n\
                    %2 = neg(%1) [2, 2]\n    value [[-0.5, -1.0],\n           [-1.5, -2.0]]";
        assert_eq!(format!("{tape:#}"), want);
        assert_eq!(format!("{unused:.2}"), "[[-0.50, -1.00],\n [-1.50, -2.00]]");
        assert_eq!(format!("{unused:?}"), "%2 = neg(%1) Tensor<f64>[2, 2] [[-0.5, -1.0], [-1.5, -2.0]]");
        assert_eq!(format!("{x:.1?}"), "%0 = input Tensor<f64>[2, 2] [[1.0, 2.0], [3.0, 4.0]]");
        let name = tape.kernels().name();
        assert_eq!(format!("{tape:?}"), format!("Tape {{ nodes: 3, kernels: {name:?}, is_recording: true }}"));
    }

    #[test]
    fn tape_printed_with_values_has_lines_of_80_columns_without_trailing_spaces() {
        let tape = Tape::<f32>::new();
        tape.input(Tensor::from_fn([2, 2, 20], |i| 100.0 + i as f32));
        let text = format!("{tape:#.1}");
        assert!(text.lines().all(|line| line.len() <= 80 && line.trim_end() == line), "{text}");
        assert_eq!(
            text.lines().nth(2),
            Some("             109.0, 110.0, 111.0, 112.0, 113.0, 114.0, 115.0, 116.0, 117.0,")
        );
        assert_eq!(text.lines().filter(|line| line.is_empty()).count(), 1);
    }

    /// y = 1, without inputs.
    struct One(&'static str);

    impl CustomOp<f64> for One {
        fn name(&self) -> &str {
            "one"
        }

        fn arguments(&self) -> alloc::string::String {
            self.0.into()
        }

        fn forward(&self, f: &mut Forward<'_, f64>) {
            f.output([]).fill(1.0);
        }

        fn backward(&self, _: &mut Backward<'_, f64>) {}
    }

    #[test]
    fn custom_op_printed_shows_the_arguments_it_returns() {
        let tape = Tape::<f64>::new();
        let _ = (tape.custom(One("seed=7"), &[]), tape.custom(One(""), &[]));
        let x = tape.input(Tensor::scalar(2.0));
        tape.wrap(crate::ops::Kind::Scale, |op| op, || x.scale(0.5));
        assert_eq!(tape.to_string(), "%0 = one(seed=7) [] ·\n%1 = one() [] ·\n%2 = input []\n%3 = scale(%2, c=0.5) []");
    }
}
