//! The slope of a function between two points, and whether it has one slope there or two.

use alloc::vec::Vec;

use tensor::Tensor;

use super::finding::Finding;
use super::pass::{Pass, replaced};

/// How much nearer a second look is taken where there seem to be two slopes, so that a narrow bend is not taken for a kink.
const NEARER: f64 = 1e-3;

/// A function along one entry of one input, contracted with the gradient that was sent in.
pub(super) struct Line<'a> {
    pub(super) f: &'a mut dyn FnMut(&[Tensor<f64>]) -> Tensor<f64>,
    pub(super) pass: &'a Pass,
    pub(super) inputs: &'a [Tensor<f64>],
    /// Which input, and which entry of it.
    pub(super) at: (usize, usize),
}

/// The slopes around a point: between the points at distance h to either side, and from it to each of them.
#[derive(Clone, Copy)]
pub(super) struct Slopes {
    pub(super) central: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    /// What one rounding of each number in the value adds to the central one.
    pub(super) rounding: f64,
}

impl Slopes {
    /// How far the slopes to either side differ: about h·f″ where there is one slope, and not less for less h where
    /// there are two.
    fn gap(self) -> f64 {
        (self.right - self.left).abs()
    }
}

impl Line<'_> {
    /// The entry's value.
    pub(super) fn x(&self) -> f64 {
        self.inputs[self.at.0].to_vec()[self.at.1]
    }

    /// The slopes of ⟨dy, f⟩ over x − h, x and x + h.
    pub(super) fn slopes(&mut self, h: f64) -> Result<Slopes, Finding> {
        let x = self.x();
        let (before, after) = (x - h, x + h); // their distance is exact, 2h is not
        let (y, left, right) = (self.pass.y.to_vec(), self.at(before)?, self.at(after)?);
        let rise = |from: &[f64], to: &[f64]| -> f64 {
            self.pass.dy.to_vec().iter().zip(to.iter().zip(from)).map(|(dy, (to, from))| dy * (to - from)).sum()
        };
        Ok(Slopes {
            rounding: f64::EPSILON * self.pass.magnitude() / (after - before),
            central: rise(&left, &right) / (after - before),
            left: rise(&left, &y) / (x - before),
            right: rise(&y, &right) / (after - x),
        })
    }

    /// The function's value with the entry moved to `x`.
    fn at(&mut self, x: f64) -> Result<Vec<f64>, Finding> {
        let (k, i) = self.at;
        let mut inputs = self.inputs.to_vec();
        inputs[k] = replaced(&inputs[k], i, x);
        let y = (self.f)(&inputs);
        if y.shape() == self.pass.y.shape() { Ok(y.to_vec()) } else { Err(Finding::ShapeVaries) }
    }

    /// Whether there is no single slope: if the gaps at ever smaller steps, each `ratio` times the one before and the last of
    /// them `h`, do not shrink with them, nor at a step that is much smaller.
    pub(super) fn corner(&mut self, slopes: &[Slopes], ratio: f64, h: f64) -> Result<Option<Corner>, Finding> {
        if !seems_sharp(slopes, ratio) {
            return Ok(None);
        }
        let (seen, nearer) = (slopes[slopes.len() - 1], self.slopes(NEARER * h)?);
        Ok(match nearer.gap() / seen.gap() {
            growth if growth > 0.1 / NEARER => Some(Corner::Jump),
            growth if growth > 0.5 => Some(Corner::Kink([nearer.left, nearer.right])),
            _ => None,
        })
    }
}

/// Where a function has no slope.
pub(super) enum Corner {
    /// It has two, to the left and to the right.
    Kink([f64; 2]),
    /// It has none: the difference stays, however small the step.
    Jump,
}

/// Whether the gaps of the last three steps, each `ratio` times the one before, stay as they are, and are not rounding.
pub(super) fn seems_sharp(slopes: &[Slopes], ratio: f64) -> bool {
    let [.., a, b, c] = slopes else { return false };
    let stays = |from: &Slopes, to: &Slopes| to.gap() > 0.5 * (1.0 + ratio) * from.gap();
    let stands_out = c.gap() > (1e-4 * c.left.abs().max(c.right.abs())).max(1e3 * c.rounding);
    stands_out && stays(a, b) && stays(b, c)
}
