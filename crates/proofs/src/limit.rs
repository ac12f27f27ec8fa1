//! The smallest factor on a whole gradient that the checker sees.
//!
//! Every input goes through an identity whose backward is off by a factor 1 + d, and the dual check is run. This tests the checker:
//! the gradient of every input arrives, is compared, and is held to the tolerance, so that the result is about the tolerance.
//! It does not test the rules, because the factor stands before them all. `docs/teeth.md` has the limits for a factor within each
//! rule, and a test holds that page to them.

use autograd::gradcheck::{Overloaded, Report, duals};
use autograd::{Backward, CustomOp, Forward, Tape, Var};
use tensor::{Dual, Map};

use crate::Case;

/// The largest [`limit`] that will do.
pub const ENOUGH: f64 = 1e-12;

/// The largest d that is tried, the first, and the smallest, as powers of two: from one part in a million over what is just
/// above the tolerance to the last digit.
const POWERS: [i32; 3] = [20, 43, 52];

/// The smallest power of two d for which the dual check sees a factor 1 + d on the whole gradient of *each* input; `None` if
/// it does not even see one in a million. A larger one is seen, too.
pub fn limit(case: &Case) -> Option<f64> {
    let [largest, first, smallest] = POWERS;
    let is_seen = |power: &i32| is_seen(case, 2_f64.powi(-power));
    let power = match is_seen(&first) {
        true => (first..=smallest).take_while(|power| *power == first || is_seen(power)).last(),
        false => (largest..first).rev().find(is_seen),
    };
    power.map(|power| 2_f64.powi(-power))
}

/// Whether the check finds the gradient of every input too far off.
fn is_seen(case: &Case, d: f64) -> bool {
    let off = OnNumbers::new(&*case.f, |tape, x| {
        let x: Vec<_> = x.iter().map(|&x| tape.custom(Factor(1.0 + d), &[x])).collect();
        case.f.on_numbers(tape, &x)
    });
    let report: Report = duals(&off, &case.inputs);
    let wrong = report.compared.iter().filter(|compared| compared.error > report.tolerance);
    wrong.count() == case.inputs.len()
}

/// A function with another body on plain numbers, on which gradients are computed.
pub struct OnNumbers<'a, F> {
    otherwise: &'a dyn Overloaded,
    f: F,
}

impl<'a, F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> OnNumbers<'a, F> {
    /// Takes `f` on numbers, and `otherwise` on all other scalars.
    pub fn new(otherwise: &'a dyn Overloaded, f: F) -> Self {
        Self { otherwise, f }
    }
}

impl<F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> Overloaded for OnNumbers<'_, F> {
    fn on_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32> {
        self.otherwise.on_f32(tape, x)
    }

    fn on_numbers<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        (self.f)(tape, x)
    }

    fn on_duals<'t>(&self, tape: &'t Tape<Dual<f64>>, x: &[Var<'t, Dual<f64>>]) -> Var<'t, Dual<f64>> {
        self.otherwise.on_duals(tape, x)
    }

    fn on_duals_of_duals<'t>(
        &self,
        tape: &'t Tape<Dual<Dual<f64>>>,
        x: &[Var<'t, Dual<Dual<f64>>>],
    ) -> Var<'t, Dual<Dual<f64>>> {
        self.otherwise.on_duals_of_duals(tape, x)
    }
}

/// y = x, and dx += factor·dy.
struct Factor(f64);

impl CustomOp<f64> for Factor {
    fn name(&self) -> &str {
        "factor"
    }

    fn forward(&self, f: &mut Forward<'_, f64>) {
        let (kernels, x) = (f.kernels(), f.input(0));
        kernels.map(Map::Identity, x, f.output(f.shape(0)));
    }

    fn backward(&self, b: &mut Backward<'_, f64>) {
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(self.0, dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use autograd::function;
    use autograd::ops::Kind;
    use tensor::Tensor;

    use super::*;
    use crate::{Of, operations};

    #[test]
    fn a_mistake_is_seen_from_the_tolerance_on() {
        for case in operations(Kind::MatMul).iter().chain(&operations(Kind::Softmax)) {
            let limit = limit(case).expect("there is one");
            assert!((5e-14..1e-12).contains(&limit), "{case} {limit:e}");
            assert!(is_seen(case, 8.0 * limit) && !is_seen(case, limit / 8.0), "{case} {limit:e}");
        }
    }

    /// An input whose gradient never arrives has no limit: no factor shows in it.
    #[test]
    fn every_input_counts() {
        let inputs = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 5.0])];
        let f = function!(|x| x[0].square() + x[1].scale(T::zero()));
        let case = Case::new(Of::Operation(Kind::Add), "half", inputs, f);
        assert_eq!(limit(&case), None);
    }
}
