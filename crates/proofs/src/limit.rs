//! The detection limit: the smallest factor on a whole gradient that the checker detects.
//!
//! Every input passes through an identity whose backward has a wrong factor 1 + d, and the dual check runs. This tests
//! the checker: the gradient of every input must arrive, be compared, and be held to the tolerance. So the limit is
//! close to the tolerance. It does not test the rules, because the factor applies before all of them. `docs/teeth.md`
//! lists the limits for a factor within each rule, and a test compares that page with them.

use autograd::gradcheck::{DynFunction, Report, duals};
use autograd::{Backward, CustomOp, Forward, Tape, Var};
use tensor::{Dual, Map};

use crate::Case;

/// The largest acceptable [`detection_limit`].
pub const MAX_LIMIT: f64 = 1e-12;

/// The exponents of 1/2 of the largest d, of the first d to try, and of the smallest d: one part in a million, just above
/// the tolerance, and the last digit.
const EXPONENTS: [i32; 3] = [20, 43, 52];

/// Returns the smallest power of two d for which the dual check detects a factor 1 + d on the whole gradient of *each*
/// input. `None` if it does not even detect one part in a million. Larger factors are detected, too.
pub fn detection_limit(case: &Case) -> Option<f64> {
    let [largest, first, smallest] = EXPONENTS;
    let is_detected = |power: &i32| is_detected(case, 2_f64.powi(-power));
    let power = match is_detected(&first) {
        true => (first..=smallest).take_while(|power| *power == first || is_detected(power)).last(),
        false => (largest..first).rev().find(is_detected),
    };
    power.map(|power| 2_f64.powi(-power))
}

/// Returns true if the check reports the gradient of every input as wrong.
fn is_detected(case: &Case, d: f64) -> bool {
    let scaled = OverrideF64::new(&*case.f, |tape, x| {
        let x: Vec<_> = x.iter().map(|&x| tape.custom(ScaleGradient(1.0 + d), &[x])).collect();
        case.f.call_f64(tape, &x)
    });
    let report: Report = duals(&scaled, &case.inputs);
    let wrong = report.compared.iter().filter(|compared| compared.error > report.tolerance);
    wrong.count() == case.inputs.len()
}

/// A function with another implementation for `f64`, for which gradients are computed.
pub struct OverrideF64<'a, F> {
    base: &'a dyn DynFunction,
    f: F,
}

impl<'a, F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> OverrideF64<'a, F> {
    /// Uses `f` for `f64`, and `base` for all other scalar types.
    pub fn new(base: &'a dyn DynFunction, f: F) -> Self {
        Self { base, f }
    }
}

impl<F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>> DynFunction for OverrideF64<'_, F> {
    fn call_f32<'t>(&self, tape: &'t Tape<f32>, x: &[Var<'t, f32>]) -> Var<'t, f32> {
        self.base.call_f32(tape, x)
    }

    fn call_f64<'t>(&self, tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
        (self.f)(tape, x)
    }

    fn call_dual<'t>(&self, tape: &'t Tape<Dual<f64>>, x: &[Var<'t, Dual<f64>>]) -> Var<'t, Dual<f64>> {
        self.base.call_dual(tape, x)
    }

    fn call_nested_dual<'t>(
        &self,
        tape: &'t Tape<Dual<Dual<f64>>>,
        x: &[Var<'t, Dual<Dual<f64>>>],
    ) -> Var<'t, Dual<Dual<f64>>> {
        self.base.call_nested_dual(tape, x)
    }
}

/// The operation y = x with the backward dx += factor·dy.
struct ScaleGradient(f64);

impl CustomOp<f64> for ScaleGradient {
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
    use crate::{Target, operation_cases};

    #[test]
    fn detection_limit_is_about_the_tolerance() {
        for case in operation_cases(Kind::MatMul).iter().chain(&operation_cases(Kind::Softmax)) {
            let limit = detection_limit(case).expect("there is one");
            assert!((5e-14..1e-12).contains(&limit), "{case} {limit:e}");
            assert!(is_detected(case, 8.0 * limit) && !is_detected(case, limit / 8.0), "{case} {limit:e}");
        }
    }

    /// An input whose gradient never arrives has no limit, because no factor changes the result.
    #[test]
    fn detection_limit_unused_input_has_none() {
        let inputs = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 5.0])];
        let f = function!(|x| x[0].square() + x[1].scale(T::zero()));
        let case = Case::new(Target::Operation(Kind::Add), "half", inputs, f);
        assert_eq!(detection_limit(&case), None);
    }
}
