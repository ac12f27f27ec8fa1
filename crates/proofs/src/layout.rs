//! Memory layouts of a tensor.

use tensor::{Shape, Tensor};

/// The memory layout of a tensor's elements. Memory between them, which is not part of the tensor, holds NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Row-major: contiguous, the last axis fastest.
    Contiguous,
    /// Column-major: contiguous, the first axis fastest.
    Transposed,
    /// Every second position; with four axes, rows with gaps between them.
    Strided,
    /// Reversed along every axis.
    Reversed,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 4] = [Self::Contiguous, Self::Transposed, Self::Strided, Self::Reversed];

    /// Returns the same tensor in this layout.
    pub fn apply(self, x: &Tensor<f64>) -> Tensor<f64> {
        let (shape, rank) = (x.shape(), x.shape().rank());
        match self {
            Self::Contiguous => Tensor::new(shape, x.to_vec()),
            Self::Transposed => {
                let reversed_axes: Vec<usize> = (0..rank).rev().collect();
                let transposed = x.permute(&reversed_axes);
                Tensor::new(transposed.shape(), transposed.to_vec()).permute(&reversed_axes)
            }
            Self::Strided if rank < 4 => {
                let with_pairs = Shape::new(&[&shape[..], &[2]].concat());
                with_gaps(x, with_pairs, 1).select(rank, 0)
            }
            Self::Strided => with_gaps(x, shape.with_extent(3, 2 * shape[3]), shape[3]).slice(3, 0..shape[3]),
            Self::Reversed => {
                let flip = |x: Tensor<f64>| (0..rank).fold(x, |x, axis| x.flip(axis));
                let flipped = flip(x.clone());
                flip(Tensor::new(shape, flipped.to_vec()))
            }
        }
    }
}

/// Returns a tensor of `shape` with the elements of x in runs of `run` elements, each followed by as many NaNs.
fn with_gaps(x: &Tensor<f64>, shape: Shape, run: usize) -> Tensor<f64> {
    let x = x.to_vec();
    let at = |i: usize| if (i / run).is_multiple_of(2) { x[i / (2 * run) * run + i % run] } else { f64::NAN };
    Tensor::from_fn(shape, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_apply_keeps_values_and_changes_positions() {
        for shape in [&[][..], &[5], &[3, 4], &[2, 3, 4], &[2, 3, 4, 5], &[0, 3], &[2, 3, 1, 0]] {
            let x = Tensor::from_fn(Shape::new(shape), |i| i as f64);
            for layout in Layout::ALL {
                let y = layout.apply(&x);
                assert_eq!(y, x, "{layout:?}");
                let moved = layout != Layout::Contiguous && shape.len() > 1 && x.size() > 0;
                assert_eq!(
                    y.view().as_slice().is_none(),
                    moved || is_reversed_row(layout, shape),
                    "{layout:?} {shape:?}"
                );
            }
        }
    }

    fn is_reversed_row(layout: Layout, shape: &[usize]) -> bool {
        shape.len() == 1 && matches!(layout, Layout::Strided | Layout::Reversed)
    }
}
