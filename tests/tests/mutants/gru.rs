//! The backward of the fused GRU in plain loops, with the mistakes that people make in it.
//!
//! Without a slip it is `ops/gru.rs` of `autograd` again, line by line: (B1) to (B12) are its equations.

use autograd::mutants::{Number, Seen, Sent};
use tensor::{Real, Shape, Tensor};

use crate::slips::{ONE, ZERO};

/// The lines of the derivation, for factors.
pub(crate) const LINES: [&str; 12] = [
    "dn = dh·(1 − z)",
    "dz = dh·(h₋ − n)",
    "dh₋ = dh·z",
    "da_n = dn·(1 − n²)",
    "da_z = dz·z·(1 − z)",
    "dr = da_n·gh_n",
    "da_r = dr·r·(1 − r)",
    "dgx = (da_r, da_z, da_n)",
    "dgh = (da_r, da_z, da_n·r)",
    "dh₋ += dgh·W",
    "dW = Σ dghᵀ·h₋",
    "db = Σ dgh",
];

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Slip {
    None,
    /// The `k`th of [`LINES`], from 1, times a factor.
    Line(usize, f64),
    WeightSeesStateAfter,
    UpdateSeesStateAfter,
    BiasOutsideReset,
    ResetWithoutBias,
    UpdateInverted,
    DirectPathInverted,
    LastStepLeftOut,
    FirstStepLeftOut,
    NotCarried,
    DirectPathForgotten,
    ResetSeesInput,
    ResetForgotten,
    GatesSwapped,
    CandidateFirst,
    WeightStored,
    WeightTransposed,
    TanhWithoutSquare,
    SigmoidSlopeForgotten,
    InitialStateEarly,
    InitialStateNotSent,
    BiasOfOneRow,
    BatchAveraged,
    FirstStateMissingFromBatchesOfThree,
    TailUnitsLost,
    NotCleared,
    TimeReversed,
    ResetPathCut,
    DetachedAfterSteps(usize),
}

/// A rule with this slip.
pub(crate) fn rule(slip: Slip) -> impl Fn(&Seen) -> Vec<Sent> + Clone {
    move |seen| Loops::new(seen, slip).run().into_iter().map(Sent::Added).collect()
}

/// An array of up to three axes, its last two and its first.
#[derive(Clone)]
struct Array {
    shape: [usize; 3],
    data: Vec<Number>,
}

impl Array {
    fn zeros(shape: [usize; 3]) -> Self {
        Self { shape, data: vec![ZERO; shape.iter().product()] }
    }

    fn of(x: &Tensor<Number>) -> Self {
        let mut shape = [1; 3];
        shape[3 - x.shape().rank()..].copy_from_slice(&x.shape());
        Self { shape, data: x.to_vec() }
    }

    fn at(&mut self, [t, b, j]: [usize; 3]) -> &mut Number {
        &mut self.data[(t * self.shape[1] + b) * self.shape[2] + j]
    }

    fn get(&self, [t, b, j]: [usize; 3]) -> Number {
        self.data[(t * self.shape[1] + b) * self.shape[2] + j]
    }
}

/// What the loops read and write. Sizes are T, B, H; gates lie side by side in the order r, z, n.
struct Loops {
    slip: Slip,
    sizes: [usize; 3],
    /// gx, h₀, W and b; the states; dy.
    given: [Array; 6],
    /// Where gx is a table: which of its rows are read, \[T,B\].
    rows: Option<Tensor<u32>>,
    shapes: Vec<Shape>,
    dgx: Array,
    dw: Array,
    db: Array,
    /// What has come back to the state so far.
    dh: Array,
}

/// One unit of one example at one step.
struct Unit {
    r: Number,
    z: Number,
    n: Number,
    gx_n: Number,
    gh_n: Number,
    before: Number,
    after: Number,
    bias: Number,
}

impl Loops {
    fn new(seen: &Seen, slip: Slip) -> Self {
        let given = [&seen.inputs[0], &seen.inputs[1], &seen.inputs[2], &seen.inputs[3], &seen.output, &seen.dy];
        let &[steps, batch, hidden] = &seen.dy.shape()[..] else { panic!("states are [T,B,H]") };
        let given = given.map(Array::of);
        Self {
            slip,
            sizes: [steps, batch, hidden],
            rows: seen.rows.clone(),
            shapes: seen.inputs.iter().map(Tensor::shape).collect(),
            dgx: Array::zeros(given[0].shape),
            given,
            dw: Array::zeros([1, 3 * hidden, hidden]),
            db: Array::zeros([1, 1, 3 * hidden]),
            dh: Array::zeros([1, batch, hidden]),
        }
    }

    /// 1, or the factor that is injected into this line.
    fn line(&self, line: usize) -> Number {
        if let Slip::Line(k, factor) = self.slip
            && k == line
        {
            Number::of(factor)
        } else {
            ONE
        }
    }

    fn is(&self, slip: Slip) -> bool {
        self.slip == slip
    }

    fn run(mut self) -> [Tensor<Number>; 4] {
        let [steps, batch, hidden] = self.sizes;
        let (first, last) = (usize::from(self.is(Slip::FirstStepLeftOut)), usize::from(self.is(Slip::LastStepLeftOut)));
        let mut early = self.dh.clone();
        for t in (first..steps - last.min(steps)).rev() {
            early = self.dh.clone();
            let mut dgh = Array::zeros([1, batch, 3 * hidden]);
            let mut back = if self.is(Slip::NotCleared) { self.dh.clone() } else { Array::zeros([1, batch, hidden]) };
            for b in 0..batch {
                for j in 0..hidden {
                    self.unit(t, b, j, &mut dgh, &mut back);
                }
            }
            self.products(t, &dgh, &mut back);
            let cut = matches!(self.slip, Slip::DetachedAfterSteps(n) if (steps - t).is_multiple_of(n));
            self.dh = if self.is(Slip::NotCarried) || cut { Array::zeros(back.shape) } else { back };
        }
        let dh0 = match self.slip {
            Slip::InitialStateEarly => early,
            Slip::InitialStateNotSent => Array::zeros(early.shape),
            _ => self.dh.clone(),
        };
        let sent = [self.dgx, dh0, self.dw, self.db];
        std::array::from_fn(|k| Tensor::new(self.shapes[k], sent[k].data.clone()))
    }

    /// Where gx has the input part of an example at a step.
    fn place(&self, t: usize, b: usize) -> [usize; 2] {
        self.rows.as_ref().map_or([t, b], |rows| [0, rows.at(&[t, b]) as usize])
    }

    /// What the forward pass computed here, once more.
    fn forward(&self, t: usize, b: usize, j: usize) -> Unit {
        let (hidden, [gx, _, w, bias, hs, _]) = (self.sizes[2], &self.given);
        let row = |gate: usize| gate * hidden + j;
        let product =
            |gate| (0..hidden).map(|i| w.get([0, row(gate), i]) * self.before(t, b, i)).fold(ZERO, |sum, x| sum + x);
        let gh = |gate| bias.get([0, 0, row(gate)]) + product(gate);
        let sigmoid = |a: Number| ONE / (ONE + (-a).exp());
        let [x, y] = self.place(t, b);
        let [gx_r, gx_z, gx_n] = [0, 1, 2].map(|gate| gx.get([x, y, row(gate)]));
        let (r, z, gh_n) = (sigmoid(gx_r + gh(0)), sigmoid(gx_z + gh(1)), gh(2));
        let (before, after) = (self.before(t, b, j), hs.get([t, b, j]));
        Unit { r, z, n: (gx_n + r * gh_n).tanh(), gx_n, gh_n, before, after, bias: bias.get([0, 0, row(2)]) }
    }

    /// h₋: h₀, or the state that the last step left.
    fn before(&self, t: usize, b: usize, j: usize) -> Number {
        if t == 0 { self.given[1].get([0, b, j]) } else { self.given[4].get([t - 1, b, j]) }
    }

    /// (B1) to (B7): what comes back to a_r, a_z and a_n, and along the direct path.
    fn slopes(&self, dh: Number, unit: &Unit) -> ([Number; 3], Number) {
        let &Unit { r, z, n, gx_n, gh_n, before, after, bias } = unit;
        let dn = self.line(1) * dh * if self.is(Slip::UpdateInverted) { z } else { ONE - z };
        let dz = self.line(2) * dh * (if self.is(Slip::UpdateSeesStateAfter) { after } else { before } - n);
        let kept = match self.slip {
            Slip::DirectPathForgotten => ZERO,
            Slip::DirectPathInverted => ONE - z,
            _ => z,
        };
        let da_n = self.line(4) * dn * (ONE - if self.is(Slip::TanhWithoutSquare) { n } else { n * n });
        let da_z = self.line(5) * dz * if self.is(Slip::SigmoidSlopeForgotten) { ONE } else { z * (ONE - z) };
        let gated = match self.slip {
            Slip::ResetSeesInput => gx_n,
            Slip::ResetWithoutBias => gh_n - bias,
            _ => gh_n,
        };
        let dr = self.line(6) * da_n * gated;
        let da_r = self.line(7) * dr * r * (ONE - r);
        ([da_r, da_z, da_n], self.line(3) * dh * kept)
    }

    /// One unit of one example at one step: (B1) to (B9), and (B12).
    fn unit(&mut self, t: usize, b: usize, j: usize, dgh: &mut Array, back: &mut Array) {
        let [steps, _, hidden] = self.sizes;
        let unit = self.forward(t, b, j);
        let lost = self.is(Slip::TailUnitsLost) && j >= hidden / 4 * 4 && hidden > 4;
        let dh = if lost { ZERO } else { self.given[5].get([t, b, j]) + self.dh.get([0, b, j]) };
        let ([da_r, da_z, da_n], direct) = self.slopes(dh, &unit);
        *back.at([0, b, j]) += direct;

        let [x_at, y_at] = self.place(if self.is(Slip::TimeReversed) { steps - 1 - t } else { t }, b);
        let order = match self.slip {
            Slip::GatesSwapped => [1, 0, 2],
            Slip::CandidateFirst => [2, 0, 1],
            _ => [0, 1, 2],
        };
        let da_n_r = if self.is(Slip::ResetForgotten) { da_n } else { da_n * unit.r };
        for (gate, (x, h)) in [(da_r, da_r), (da_z, da_z), (da_n, da_n_r)].into_iter().enumerate() {
            let row = order[gate] * hidden + j;
            let share = self.line(8) * x;
            *self.dgx.at([x_at, y_at, row]) += share;
            *dgh.at([0, b, row]) = self.line(9) * h;
            let outside = gate == 2 && self.is(Slip::BiasOutsideReset);
            if !self.is(Slip::BiasOfOneRow) || b == 0 {
                let share = self.line(12) * if outside { x } else { dgh.get([0, b, row]) };
                *self.db.at([0, 0, row]) += share;
            }
        }
    }

    /// (B10) and (B11).
    fn products(&mut self, t: usize, dgh: &Array, back: &mut Array) {
        let [_, batch, hidden] = self.sizes;
        let cut = if self.is(Slip::ResetPathCut) { hidden } else { 0 };
        let mut dw = Array::zeros(self.dw.shape);
        for b in 0..batch {
            let state = |i| match self.slip {
                Slip::WeightSeesStateAfter => self.given[4].get([t, b, i]),
                Slip::FirstStateMissingFromBatchesOfThree if t == 0 && batch >= 3 => ZERO,
                _ => self.before(t, b, i),
            };
            for row in 0..3 * hidden {
                for i in 0..hidden {
                    let weight = match self.slip {
                        Slip::WeightTransposed => [0, row / hidden * hidden + i, row % hidden],
                        _ => [0, row, i],
                    };
                    let dgh = dgh.get([0, b, row]);
                    *dw.at([0, row, i]) += self.line(11) * dgh * state(i);
                    if row >= cut {
                        *back.at([0, b, i]) += self.line(10) * dgh * self.given[2].get(weight);
                    }
                }
            }
        }
        let share = if self.is(Slip::BatchAveraged) { ONE / Number::of(batch as f64) } else { ONE };
        for (sum, step) in self.dw.data.iter_mut().zip(dw.data) {
            *sum = share * step + if self.slip == Slip::WeightStored { ZERO } else { *sum };
        }
    }
}
