//! What can be wrong with backpropagation through a GRU.

use autograd::ops::Kind;

use crate::gru::{Slip, rule};
use crate::level::Level::{L1, L4};
use crate::mutant::Mutant;

const SLIPS: [(&str, Slip); 28] = [
    ("dW: h_t for h_{t−1}", Slip::WeightSeesStateAfter),
    ("dz: h_t for h_{t−1}", Slip::UpdateSeesStateAfter),
    ("db: the hidden bias outside the reset gate", Slip::BiasOutsideReset),
    ("dr: the hidden bias outside the reset gate", Slip::ResetWithoutBias),
    ("dn: z for 1 − z", Slip::UpdateInverted),
    ("dh₋: 1 − z for z", Slip::DirectPathInverted),
    ("an off-by-one T: the last step is left out", Slip::LastStepLeftOut),
    ("an off-by-one T: the first step is left out", Slip::FirstStepLeftOut),
    ("dh is not carried from step to step", Slip::NotCarried),
    ("dh is cut after every second step", Slip::DetachedAfterSteps(2)),
    ("the direct path dh·z is forgotten", Slip::DirectPathForgotten),
    ("dr: gx_n for gh_n", Slip::ResetSeesInput),
    ("dgh_n: the reset gate is forgotten", Slip::ResetForgotten),
    ("the gates in the order z, r, n", Slip::GatesSwapped),
    ("the gates in the order z, n, r", Slip::CandidateFirst),
    ("dW: = for += over the steps", Slip::WeightStored),
    ("dh₋: W for Wᵀ, gate by gate", Slip::WeightTransposed),
    ("tanh′ = 1 − n", Slip::TanhWithoutSquare),
    ("σ′ = 1", Slip::SigmoidSlopeForgotten),
    ("dh₀ is what reaches h₁", Slip::InitialStateEarly),
    ("dh₀ is not sent", Slip::InitialStateNotSent),
    ("db: one row of the batch", Slip::BiasOfOneRow),
    ("dW: a 1/B", Slip::BatchAveraged),
    ("dW: h₀ is left out in batches of three and more", Slip::FirstStateMissingFromBatchesOfThree),
    ("units beyond the last multiple of four get nothing", Slip::TailUnitsLost),
    ("the buffer of dh₋ is not cleared between steps", Slip::NotCleared),
    ("dgx: time runs the other way", Slip::TimeReversed),
    ("dh₋: nothing through the reset gate", Slip::ResetPathCut),
];

/// All of them.
pub(crate) fn mutants() -> Vec<Mutant> {
    SLIPS.iter().map(|&(wrong, slip)| Mutant::of(Kind::Gru, wrong, L1, rule(slip))).collect()
}

/// The loops are the rule that they replace.
#[test]
fn without_a_slip_the_loops_are_the_rule() {
    let judged = || L1.judges(Kind::Gru).and(L4.judges(Kind::Gru));
    autograd::mutants::with(Kind::Gru, rule(Slip::None), judged).expect("the loops are right");
}
