//! How the same numbers may lie in memory.

use tensor::{Shape, Tensor};

/// Where the elements of a tensor lie. What stands between them, and is not the tensor's, is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One after the other, the last axis fastest.
    Contiguous,
    /// The first axis fastest.
    Transposed,
    /// Every second place; with four axes, rows with gaps between them.
    Strided,
    /// All backwards.
    Reversed,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 4] = [Self::Contiguous, Self::Transposed, Self::Strided, Self::Reversed];

    /// The same tensor in this layout.
    pub fn of(self, x: &Tensor<f64>) -> Tensor<f64> {
        let (shape, rank) = (x.shape(), x.shape().rank());
        match self {
            Self::Contiguous => Tensor::new(shape, x.to_vec()),
            Self::Transposed => {
                let backwards: Vec<usize> = (0..rank).rev().collect();
                let turned = x.permute(&backwards);
                Tensor::new(turned.shape(), turned.to_vec()).permute(&backwards)
            }
            Self::Strided if rank < 4 => {
                let twice = Shape::new(&[&shape[..], &[2]].concat());
                with_gaps(x, twice, 1).select(rank, 0)
            }
            Self::Strided => with_gaps(x, shape.with(3, 2 * shape[3]), shape[3]).slice(3, 0..shape[3]),
            Self::Reversed => {
                let flip = |x: Tensor<f64>| (0..rank).fold(x, |x, axis| x.flip(axis));
                let flipped = flip(x.clone());
                flip(Tensor::new(shape, flipped.to_vec()))
            }
        }
    }
}

/// Runs of `run` elements of x, each followed by as many NaNs.
fn with_gaps(x: &Tensor<f64>, shape: Shape, run: usize) -> Tensor<f64> {
    let x = x.to_vec();
    let at = |i: usize| if (i / run).is_multiple_of(2) { x[i / (2 * run) * run + i % run] } else { f64::NAN };
    Tensor::from_fn(shape, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_places_change() {
        for shape in [&[][..], &[5], &[3, 4], &[2, 3, 4], &[2, 3, 4, 5], &[0, 3], &[2, 3, 1, 0]] {
            let x = Tensor::from_fn(Shape::new(shape), |i| i as f64);
            for layout in Layout::ALL {
                let y = layout.of(&x);
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
