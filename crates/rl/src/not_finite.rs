//! The error of training that diverged: it names the update and a parameter.

use alloc::string::String;
use core::fmt;

use nn::{Grads, Param, Params};
use tensor::{Real, Tensor};

use crate::rollout::Undecided;

/// The error that a loss, the norm of its gradient, or a log-probability is infinite or NaN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFinite {
    /// The number of the update, from 1.
    pub update: u32,
    /// The parameter that shows the cause.
    pub parameter: String,
    /// The reason why this parameter is named.
    pub cause: Cause,
}

/// The reason why a parameter is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is the first parameter with a value that is not finite.
    Value,
    /// It is the first parameter with a gradient that is not finite.
    Gradient,
    /// All values and gradients are finite, but the loss or the norm overflows. The parameter has the largest gradient.
    Largest,
    /// All parameters are finite, but this decision has a NaN. The parameter has the largest value.
    Decision(Undecided),
}

impl NotFinite {
    /// Finds the parameter to name, if the loss or a gradient of an update is not finite. `update` is the number of the
    /// update in its random streams, from 0.
    pub fn find<T: Real>(update: u32, params: &Params<T>, grads: &Grads<T>) -> Self {
        let by_value = params.first_not_finite().map(|name| (String::from(name), Cause::Value));
        let by_gradient = || grads.first_not_finite(params).map(|name| (name, Cause::Gradient));
        let (parameter, cause) = by_value
            .or_else(by_gradient)
            .unwrap_or_else(|| (parameter_with_largest_gradient(params, grads), Cause::Largest));
        Self { update: update + 1, parameter, cause }
    }

    /// Finds the parameter to name, if a decision has a NaN. `update` is the number of the update, from 1, that makes the
    /// decision or that the decision follows.
    pub fn from_undecided<T: Real>(update: u32, params: &Params<T>, decision: Undecided) -> Self {
        let by_value = params.first_not_finite().map(|name| (String::from(name), Cause::Value));
        let (parameter, cause) = by_value
            .unwrap_or_else(|| (parameter_with_largest(params, |param| params.get(param)), Cause::Decision(decision)));
        Self { update, parameter, cause }
    }
}

/// Returns the name of the parameter with the largest absolute entry of the gradient.
fn parameter_with_largest_gradient<T: Real>(params: &Params<T>, grads: &Grads<T>) -> String {
    parameter_with_largest(params, |param| grads.get(params, param))
}

/// Returns the name of the parameter with the largest absolute entry, for the `entries` of each parameter.
fn parameter_with_largest<T: Real>(params: &Params<T>, entries: impl Fn(Param) -> Tensor<T>) -> String {
    let size = |param| entries(param).to_vec().iter().fold(0.0, |max, x| f64::max(max, x.value().abs()));
    let largest = params.handles().max_by(|&a, &b| f64::total_cmp(&size(a), &size(b)));
    largest.map_or_else(String::new, |param| String::from(params.name(param)))
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { update, parameter, cause } = self;
        write!(f, "update {update}: the loss or its gradient is no longer a finite number; ")?;
        match cause {
            Cause::Value => write!(f, "first in the value of parameter {parameter}")?,
            Cause::Gradient => write!(f, "first in the gradient of parameter {parameter}")?,
            Cause::Decision(Undecided { stage, episode, step, action }) => write!(
                f,
                "first in the log-probability of action {action} at step {step} of episode {episode}, stage {stage}; \
                 parameter {parameter} has the largest value"
            )?,
            Cause::Largest => write!(f, "it overflows; parameter {parameter} has the largest gradient")?,
        }
        write!(f, ". Lower rates, rewards or loss weights may help")
    }
}

impl core::error::Error for NotFinite {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use nn::{Optimizer, UpdateRule};

    use super::*;
    use crate::a2c::{Learner, Update};
    use crate::env::Task;
    use crate::error::TrainError;
    use crate::evaluate::validate;
    use crate::policy::{Architecture, Policy};
    use crate::rollout::RolloutError;
    use crate::tasks::CalculatorStages;

    /// A learner whose weights of the last logit are all `weight`.
    fn learner(weight: f32) -> Learner<f32> {
        let mut params = Params::new();
        let policy = Policy::new(&mut params, &CalculatorStages::default().spec(), Architecture::gru(4), 1);
        let mut value = params.get(policy.pi.weight);
        (0..4).for_each(|i| value.view_mut().set(&[5, i], weight));
        params.set(policy.pi.weight, &value);
        let optimizer = Optimizer::new(UpdateRule::adam(), &params);
        Learner::new(policy, params, optimizer)
    }

    /// The error of an update.
    fn update(learner: &mut Learner<f32>) -> NotFinite {
        match learner.update(&CalculatorStages::default(), &Update::default()) {
            Err(TrainError::NotFinite(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn update_nan_parameter_is_named_and_no_step_is_taken() {
        let mut learner = learner(f32::NAN);
        let before = learner.params.to_le_bytes();
        let error = update(&mut learner);
        assert_eq!((error.update, &*error.parameter, error.cause), (1, "pi.weight", Cause::Value));
        assert_eq!(learner.params.to_le_bytes(), before);
    }

    /// One logit overflows, so every log-probability of its row is NaN.
    #[test]
    fn update_overflowing_logit_names_the_decision_and_the_largest_parameter() {
        let mut learner = learner(f32::MAX);
        let mut bias = learner.params.get(learner.model.pi.bias);
        bias.view_mut().set(&[5], f32::MAX);
        learner.params.set(learner.model.pi.bias, &bias);
        let (_, memory) = learner.model.token_gru().expect("tokens and a GRU");
        learner.params.set(memory.rnn.bias_hh, &Tensor::full([12], 40.0));
        learner.params.set(memory.rnn.bias_ih, &Tensor::full([12], 40.0));
        learner.params.set(memory.stage.weight, &Tensor::full([3, 4], 40.0));
        let error = update(&mut learner);
        let decision = Undecided { stage: 0, episode: 0, step: 0, action: 0 };
        assert_eq!((error.update, error.cause), (1, Cause::Decision(decision)), "{error}");
        assert!(error.parameter.starts_with("pi."), "{error}");
        assert!(
            error.to_string().contains("in the log-probability of action 0 at step 0 of episode 0, stage 0"),
            "{error}"
        );
    }

    #[test]
    fn validate_nan_parameter_names_the_decision() {
        let error = validate(learner(f32::NAN).trained(), &CalculatorStages::default(), 1, (0, 200)).expect_err("NaN");
        assert_eq!(error, RolloutError::Undecided(Undecided { stage: 0, episode: 0, step: 0, action: 0 }));
    }

    /// Sets each number of an update to NaN, to a number that f32 rounds away, and to one out of range.
    #[test]
    fn update_setting_that_the_scalar_cannot_hold_panics() {
        extern crate std;
        use crate::returns::AdvantageEstimator;
        use std::panic::{AssertUnwindSafe, catch_unwind};

        let base = || Update { counts: alloc::vec![2], ..Update::default() };
        let mut bad = alloc::vec![];
        for x in [f64::NAN, f64::NEG_INFINITY, 1e-50, 1e39] {
            bad.push(("rate", Update { rate: x, ..base() }));
            bad.push(("value_coefficient", Update { value_coefficient: x, ..base() }));
            bad.push(("entropy", Update { entropy: x, ..base() }));
            bad.push(("imitation", Update { imitation: x, ..base() }));
            bad.push(("clip", Update { clip: x, ..base() }));
        }
        for x in [f64::NAN, -0.1, 1.1] {
            bad.push(("gamma", Update { gamma: x, ..base() }));
            bad.push(("lambda", Update { estimator: AdvantageEstimator::Gae(x), ..base() }));
        }
        bad.push(("returns with 0 steps", Update { estimator: AdvantageEstimator::NStep(0), ..base() }));
        for (name, update) in bad {
            let mut learner = learner(0.5);
            let before = learner.params.to_le_bytes();
            let caught = catch_unwind(AssertUnwindSafe(|| learner.update(&CalculatorStages::default(), &update)));
            let payload = caught.expect_err(name);
            let message = payload.downcast_ref::<String>().map_or("", |message| message);
            let message = payload.downcast_ref::<&str>().map_or(message, |message| message);
            assert!(message.starts_with("update: ") && message.contains(name), "{name}: {message}");
            assert_eq!(learner.params.to_le_bytes(), before, "{name}");
        }
        for update in [Update { clip: f64::INFINITY, ..base() }, Update { rate: 0.0, entropy: 0.0, ..base() }] {
            learner(0.5).update(&CalculatorStages::default(), &update).expect("finite");
        }
    }
}
