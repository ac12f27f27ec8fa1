//! Slopes of a function by differences, and the detection of kinks and jumps.

use alloc::vec::Vec;

use tensor::Tensor;

use super::finding::Finding;
use super::pass::{Pass, replace_entry};

/// Factor on the step that confirms a suspected kink, so that a narrow bend is not taken for a kink.
const NEARER: f64 = 1e-3;
/// Distances between the points at which noise is measured: 2⁻³⁰ and 2⁻²², relative to the power of two below max(1, |x|). They
/// are so small that only rounding bends the function, and large enough that each value has its own rounding error.
const NOISE_STEPS: [f64; 2] = [4_194_304.0 * f64::EPSILON, 1_073_741_824.0 * f64::EPSILON];
/// Number of points of [`rounding_noise`] per step and side, for a first estimate.
pub(super) const FEW_POINTS: u32 = 5;
/// Number of points of [`rounding_noise`] before a gradient is reported as wrong.
pub(super) const MANY_POINTS: u32 = 40;
/// The noise of one value as a share of a third difference, whose weights 1, 3, 3, 1 add up to 8.
const NOISE_SHARE: f64 = 0.125;

/// ⟨dy, f⟩ as a function of one entry of one input, with the dy of `pass`.
pub(super) struct Line<'a> {
    pub(super) f: &'a mut dyn FnMut(&[Tensor<f64>]) -> Tensor<f64>,
    pub(super) pass: &'a Pass,
    pub(super) inputs: &'a [Tensor<f64>],
    /// The number of the input, and the entry in it.
    pub(super) entry: (usize, usize),
    /// The measured rounding error of `f`; 0 before the measurement.
    pub(super) noise: f64,
}

/// The slopes around a point x: between x − h and x + h, from x − h to x, and from x to x + h.
#[derive(Clone, Copy)]
pub(super) struct Slopes {
    pub(super) central: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    /// Error of the central slope from one rounding of each number in the value, and of the argument.
    pub(super) rounding: f64,
}

impl Slopes {
    /// Returns the difference of the slopes to either side. It is about h·f″ where the function is smooth. At a kink it does
    /// not shrink with h.
    fn gap(self) -> f64 {
        (self.right - self.left).abs()
    }
}

impl Line<'_> {
    /// Returns the value of the entry.
    pub(super) fn x(&self) -> f64 {
        self.inputs[self.entry.0].to_vec()[self.entry.1]
    }

    /// Computes the slopes of ⟨dy, f⟩ from the points x − h, x and x + h. The points are rounded, so x is not exactly in the
    /// middle; the central slope is corrected for this.
    pub(super) fn slopes(&mut self, h: f64) -> Result<Slopes, Finding> {
        let x = self.x();
        let [(before, lost_before), (after, lost_after)] = [-h, h].map(|h| two_sum(x, h));
        let (y, dy) = (self.pass.y.to_vec(), self.pass.dy.to_vec());
        let (before_y, after_y) = (self.value_at(before)?, self.value_at(after)?);
        let (mut rises, mut magnitude, mut moved) = ([0.0; 3], 0.0, 0.0);
        for (((dy, y), l), r) in dy.iter().zip(&y).zip(&before_y).zip(&after_y) {
            let terms = [dy * (r - l), dy * (y - l), dy * (r - y)];
            rises = [0, 1, 2].map(|i| rises[i] + terms[i]);
            magnitude += dy.abs() * y.abs().max(l.abs()).max(r.abs());
            moved += terms[1].abs() + terms[2].abs();
        }
        let distance = after - before;
        let (left, right) = (rises[1] / (x - before), rises[2] / (after - x));
        let off_middle = -0.5 * (lost_before + lost_after);
        let from_argument = before.abs().max(after.abs()) * moved / distance;
        Ok(Slopes {
            rounding: (f64::EPSILON * (magnitude + from_argument) + self.noise) / distance,
            central: rises[0] / distance - off_middle * (2.0 * (right - left) / distance),
            left,
            right,
        })
    }

    /// Measures the noise by [`rounding_noise`].
    pub(super) fn measure_noise(&mut self, points: u32) -> Result<(), Finding> {
        let (x, dy) = (self.x(), self.pass.dy.to_vec());
        self.noise =
            rounding_noise(x, points, |x| Ok(self.value_at(x)?.into_iter().zip(&dy).map(|(y, dy)| dy * y).collect()))?;
        Ok(())
    }

    /// Computes the function's value with the entry set to `x`.
    fn value_at(&mut self, x: f64) -> Result<Vec<f64>, Finding> {
        let (k, i) = self.entry;
        let mut inputs = self.inputs.to_vec();
        inputs[k] = replace_entry(&inputs[k], i, x);
        let y = (self.f)(&inputs);
        if y.shape() == self.pass.y.shape() { Ok(y.to_vec()) } else { Err(Finding::ShapeVaries) }
    }

    /// Returns the corner at x, if the gaps do not shrink with the step. `slopes` are from decreasing steps, each `ratio` times
    /// the one before; the last step is `h`. A much smaller step confirms the corner.
    pub(super) fn find_corner(&mut self, slopes: &[Slopes], ratio: f64, h: f64) -> Result<Option<Corner>, Finding> {
        if !gaps_persist(slopes, ratio) {
            return Ok(None);
        }
        let (last, nearer) = (slopes[slopes.len() - 1], self.slopes(NEARER * h)?);
        Ok(match nearer.gap() / last.gap() {
            growth if growth > 0.1 / NEARER => Some(Corner::Jump),
            growth if growth > 0.5 => Some(Corner::Kink([nearer.left, nearer.right])),
            _ => None,
        })
    }
}

/// Measures the rounding noise in the sum of the terms that `f` returns at `x`, by third differences of values very near x.
/// Third differences of a parabola are zero. The points lie on one side of x at a time, so that a kink or a jump at x is not
/// taken for noise. More `points` find more of the noise.
pub(super) fn rounding_noise(
    x: f64,
    points: u32,
    mut f: impl FnMut(f64) -> Result<Vec<f64>, Finding>,
) -> Result<f64, Finding> {
    let unit = f64::from_bits(x.abs().max(1.0).to_bits() & f64::INFINITY.to_bits()); // the power of two below max(1, |x|)
    let mut noise: f64 = 0.0;
    for step in NOISE_STEPS.iter().flat_map(|step| [-step * unit, step * unit]) {
        let y = (1..=points).map(|i| f(x + f64::from(i) * step)).collect::<Result<Vec<_>, _>>()?;
        for terms in y.windows(4) {
            let bend = |i: usize| ((terms[3][i] - terms[0][i]) - 3.0 * (terms[2][i] - terms[1][i])).abs();
            noise = noise.max(NOISE_SHARE * (0..terms[0].len()).map(bend).sum::<f64>());
        }
    }
    Ok(noise)
}

/// Returns a + b rounded, and its rounding error.
///
/// Reference: D. Knuth, *The Art of Computer Programming*, volume 2, section 4.2.2, theorem B.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let added = sum - a;
    (sum, (a - (sum - added)) + (b - added))
}

/// A point without a unique slope.
pub(super) enum Corner {
    /// The slopes to the left and to the right differ.
    Kink([f64; 2]),
    /// The value jumps: the difference does not shrink with the step.
    Jump,
}

/// Returns true if the gaps of the last three steps do not shrink and are larger than rounding. Each step is `ratio` times the
/// one before.
pub(super) fn gaps_persist(slopes: &[Slopes], ratio: f64) -> bool {
    let [.., a, b, c] = slopes else { return false };
    let stays = |from: &Slopes, to: &Slopes| to.gap() > 0.5 * (1.0 + ratio) * from.gap();
    let stands_out = c.gap() > (1e-4 * c.left.abs().max(c.right.abs())).max(1e3 * c.rounding);
    stands_out && stays(a, b) && stays(b, c)
}
