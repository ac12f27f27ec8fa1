//! The levels of the standard, as what a mutant has to fall by.

use std::fmt;

use autograd::Tape;
use autograd::ops::Kind;
use gradus_tests::levels::{CHECKS, Verdict, exact};
use proofs::{Case, Draw, operations, production};
use tensor::Tensor;

/// What a level looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Level {
    /// It is a function: repeatable, and gradients have their inputs' shapes.
    L0,
    /// Exact: reverse mode is forward mode.
    L1,
    /// Numeric: here the convention where a function has a kink.
    L2,
    /// Any size: dot products at production shapes.
    L3,
    /// Second order.
    L4,
    /// Algebra: gradients add up, are linear in dy, and are those of the definition written in plain loops.
    L5,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Level {
    pub(crate) const ALL: [Self; 6] = [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4, Self::L5];

    /// What this level says of an operation: of the first case that it refuses.
    pub(crate) fn judges(self, kind: Kind) -> Verdict {
        let cases = if self == Self::L3 { production() } else { operations(kind) };
        cases.iter().filter(|case| case.of.name() == kind.name()).try_for_each(|case| self.judges_case(case))
    }

    fn judges_case(self, case: &Case) -> Verdict {
        match self {
            Self::L0 => repeats(case),
            Self::L1 => exact(case), // quick, and enough
            _ => {
                CHECKS.iter().filter(|check| check.level == self.to_string()).try_for_each(|check| (check.check)(case))
            }
        }
    }
}

/// [`gradus_tests::levels::repeats`] on this thread alone: on others there is no mutant, which would be a difference, too.
fn repeats(case: &Case) -> Verdict {
    let gradients = || {
        let tape = Tape::new();
        let x: Vec<_> = case.values().into_iter().map(|x| tape.input(x)).collect();
        let y = case.f.on_numbers(&tape, &x);
        y.backward_from(&Draw::new(1).normal(y.shape())).expect("no parameters");
        x.iter().map(|x| x.grad()).collect::<Vec<_>>()
    };
    let (one, other) = (gradients(), gradients());
    let shapes = |of: &[Option<Tensor<f64>>]| of.iter().map(|dx| dx.as_ref().map(Tensor::shape)).collect::<Vec<_>>();
    let inputs: Vec<_> = case.values().into_iter().map(Some).collect();
    if shapes(&one) != shapes(&inputs) {
        return Err(format!("{case} the gradients have the shapes {:?}", shapes(&one)));
    }
    if one == other { Ok(()) } else { Err(format!("{case} the second run gives other gradients")) }
}
