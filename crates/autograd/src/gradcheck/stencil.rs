//! The slope of a function between two points, and whether it has one slope there or two.

use alloc::vec::Vec;

use tensor::Tensor;

use super::finding::Finding;
use super::pass::{Pass, replaced};

/// How much nearer a second look is taken where there seem to be two slopes, so that a narrow bend is not taken for a kink.
const NEARER: f64 = 1e-3;
/// Distances between points at which the noise of a value is measured, 2⁻³⁰ and 2⁻²², relative to the power of two below
/// max(1, |x|): so near that only rounding bends the function, and far enough that each value is rounded in its own way.
const NOISE_STEPS: [f64; 2] = [4_194_304.0 * f64::EPSILON, 1_073_741_824.0 * f64::EPSILON];
/// Points of [`noise`] at each step and side, for a first look.
pub(super) const FEW_POINTS: u32 = 5;
/// The same before a gradient is called wrong.
pub(super) const MANY_POINTS: u32 = 40;
/// The noise of one value as a share of a third difference, whose weights 1, 3, 3, 1 add up to 8.
const SHARE: f64 = 0.125;

/// A function along one entry of one input, contracted with the gradient that was sent in.
pub(super) struct Line<'a> {
    pub(super) f: &'a mut dyn FnMut(&[Tensor<f64>]) -> Tensor<f64>,
    pub(super) pass: &'a Pass,
    pub(super) inputs: &'a [Tensor<f64>],
    /// Which input, and which entry of it.
    pub(super) at: (usize, usize),
    /// How far the value is off by rounding inside `f`, as measured; 0 until then.
    pub(super) noise: f64,
}

/// The slopes around a point: between the points at distance h to either side, and from it to each of them.
#[derive(Clone, Copy)]
pub(super) struct Slopes {
    pub(super) central: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    /// What one rounding of each number in the value, and of the argument, adds to the central one.
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

    /// The slopes of ⟨dy, f⟩ over x − h, x and x + h. The points are rounded, so that x is not quite in the middle; the central
    /// slope is corrected for that.
    pub(super) fn slopes(&mut self, h: f64) -> Result<Slopes, Finding> {
        let x = self.x();
        let [(before, lost_before), (after, lost_after)] = [-h, h].map(|h| sum_and_rest(x, h));
        let (y, dy) = (self.pass.y.to_vec(), self.pass.dy.to_vec());
        let (before_y, after_y) = (self.at(before)?, self.at(after)?);
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

    /// Measures the noise, as [`noise`] does.
    pub(super) fn measure_noise(&mut self, points: u32) -> Result<(), Finding> {
        let (x, dy) = (self.x(), self.pass.dy.to_vec());
        self.noise = noise(x, points, |x| Ok(self.at(x)?.into_iter().zip(&dy).map(|(y, dy)| dy * y).collect()))?;
        Ok(())
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

/// The noise that rounding leaves in the sum of what `f` gives at `x`: third differences of values very near x, in which a
/// parabola vanishes. The points lie to one side at a time, so that a kink or a jump at x is not taken for noise. More `points`
/// find more of the noise.
pub(super) fn noise(x: f64, points: u32, mut f: impl FnMut(f64) -> Result<Vec<f64>, Finding>) -> Result<f64, Finding> {
    let unit = f64::from_bits(x.abs().max(1.0).to_bits() & f64::INFINITY.to_bits()); // its power of two
    let mut noise: f64 = 0.0;
    for step in NOISE_STEPS.iter().flat_map(|step| [-step * unit, step * unit]) {
        let y = (1..=points).map(|i| f(x + f64::from(i) * step)).collect::<Result<Vec<_>, _>>()?;
        for at in y.windows(4) {
            let bend = |i: usize| ((at[3][i] - at[0][i]) - 3.0 * (at[2][i] - at[1][i])).abs();
            noise = noise.max(SHARE * (0..at[0].len()).map(bend).sum::<f64>());
        }
    }
    Ok(noise)
}

/// a + b rounded, and what rounding took away.
///
/// Reference: D. Knuth, *The Art of Computer Programming*, volume 2, section 4.2.2, theorem B.
fn sum_and_rest(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let added = sum - a;
    (sum, (a - (sum - added)) + (b - added))
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
