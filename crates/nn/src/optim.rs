//! Optimisers, which update parameters from gradients, and schedules for their learning rates.
//!
//! Parameters, gradients and moments are flat buffers with one layout. Therefore a step is one kernel call for each
//! contiguous run of trainable parameters. The kernels document the equations: [`adam`](tensor::Kernels::adam),
//! [`momentum`](tensor::Kernels::momentum) and [`rmsprop`](tensor::Kernels::rmsprop).
//!
//! ```
//! use nn::{Grads, Optimizer, Params, Schedule, UpdateRule};
//! use tensor::Tensor;
//!
//! let mut params = Params::<f64>::new();
//! params.add("w", &Tensor::from([1.0, -1.0]));
//! let mut grads = Grads::zeros(&params);
//! *grads.flat_mut() = Tensor::from([0.5, -2.0]);
//!
//! let rate = Schedule::Cosine { from: 0.1, to: 0.0, over: 100 };
//! let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
//! optimizer.step(rate.value_at(optimizer.steps()), &mut params, &grads);
//! assert!((params.flat().get(&[0]) - 0.9).abs() < 1e-8); // Adam's first step is the rate times the gradient's sign
//! ```

use alloc::vec::Vec;

use tensor::{AdamStep, Real, Tensor};

use crate::params::{Grads, Params};
use crate::settings::{SettingRange, check_setting};

/// The algorithm of an optimiser and its hyper-parameters. The learning rate is an argument of each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpdateRule {
    /// Adam, or AdamW if `decoupled`. Moments m and v.
    Adam {
        /// β₁, the decay of the mean gradient m.
        beta1: f64,
        /// β₂, the decay of the mean square gradient v.
        beta2: f64,
        /// ε, added to the root of v.
        epsilon: f64,
        /// λ, the weight decay.
        decay: f64,
        /// True: λ shrinks the parameters (AdamW). False: λ times the parameters is added to the gradient.
        decoupled: bool,
    },
    /// Gradient descent with momentum. Moment m.
    Sgd {
        /// μ, the fraction of the last velocity that is kept; 0 is plain gradient descent.
        momentum: f64,
    },
    /// RMSprop. Moment v.
    RmsProp {
        /// α, the decay of the mean square gradient v.
        alpha: f64,
        /// ε, added to the root of v.
        epsilon: f64,
    },
}

impl UpdateRule {
    /// Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no decay: the defaults of the paper and of PyTorch.
    pub const fn adam() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0, decoupled: false }
    }

    /// AdamW with this λ, otherwise as [`adam`](Self::adam). PyTorch's default λ is 0.01.
    pub const fn adamw(decay: f64) -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay, decoupled: true }
    }

    /// RMSprop with α = 0.99, ε = 1e-8: PyTorch's defaults.
    pub const fn rmsprop() -> Self {
        Self::RmsProp { alpha: 0.99, epsilon: 1e-8 }
    }

    /// The name of the algorithm, without its hyper-parameters: `adam`, `adamw`, `sgd` or `rmsprop`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adam { decoupled: false, .. } => "adam",
            Self::Adam { decoupled: true, .. } => "adamw",
            Self::Sgd { .. } => "sgd",
            Self::RmsProp { .. } => "rmsprop",
        }
    }

    /// Checks the hyper-parameters, rounded to the scalar type. Adam computes 1 − β in double precision. But a β that
    /// rounds to 1 in the scalar would never let its moment decay.
    #[track_caller]
    fn check<T: Real>(&self) {
        let check = check_setting::<T>;
        match *self {
            Self::Adam { beta1, beta2, epsilon, decay, .. } => {
                check(self.name(), "beta1", beta1, SettingRange::BELOW_ONE);
                check(self.name(), "beta2", beta2, SettingRange::BELOW_ONE);
                check(self.name(), "epsilon", epsilon, SettingRange::POSITIVE);
                check(self.name(), "decay", decay, SettingRange::NOT_NEGATIVE);
            }
            Self::Sgd { momentum } => check(self.name(), "momentum", momentum, SettingRange::BELOW_ONE),
            Self::RmsProp { alpha, epsilon } => {
                check(self.name(), "alpha", alpha, SettingRange::BELOW_ONE);
                check(self.name(), "epsilon", epsilon, SettingRange::POSITIVE);
            }
        }
    }

    /// The names of the moments, in the kernel's order of arguments.
    const fn moment_names(&self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } => &["m", "v"],
            Self::Sgd { .. } => &["m"],
            Self::RmsProp { .. } => &["v"],
        }
    }
}

/// Upper limit for the steps of a restored optimiser. Another 2⁶³ steps do not overflow the counter.
pub(crate) const MAX_STEPS: u64 = 1 << 63;

/// An update rule with its moments and the number of steps taken.
#[derive(Clone, Debug)]
pub struct Optimizer<T: Real = f32> {
    rule: UpdateRule,
    moments: Vec<Tensor<T>>,
    steps: u64,
}

impl<T: Real> Optimizer<T> {
    /// Creates an optimiser with zero moments for these parameters.
    ///
    /// # Panics
    /// If a hyper-parameter is not finite or out of its range, before or after rounding to `T`. The decays of moments
    /// and the momentum take numbers from 0, below 1; ε takes numbers above 0; the weight decay takes numbers from 0.
    #[track_caller]
    pub fn new(rule: UpdateRule, params: &Params<T>) -> Self {
        rule.check::<T>();
        let moments = rule.moment_names().iter().map(|_| params.zeros()).collect();
        Self { rule, moments, steps: 0 }
    }

    /// Updates the parameters once.
    ///
    /// A frozen parameter and its moments never change: neither its gradient nor weight decay applies. Adam's bias
    /// correction counts all steps, also for a parameter that was frozen in some of them.
    ///
    /// The step allocates nothing if the tape that the parameters were bound to has been cleared. A tape that still holds them
    /// forces a copy on write.
    ///
    /// # Panics
    /// If parameters, gradients and moments differ in size; or if the rate is negative, not finite, or rounds to zero
    /// or ∞ as a `T`.
    #[track_caller]
    pub fn step(&mut self, rate: f64, params: &mut Params<T>, grads: &Grads<T>) {
        let (p, g, m) = (params.size(), grads.flat().size(), self.moments[0].size());
        assert!(
            p == g && p == m,
            "optimiser: {p} parameters, {g} gradients and moments for {m}: the three numbers must agree"
        );
        check_setting::<T>("optimiser", "rate", rate, SettingRange::NOT_NEGATIVE);
        let Self { rule, moments, steps } = self;
        *steps += 1;
        let kernels = params.flat().kernels();
        params.for_each_trainable(|range, p| {
            let g = grads.flat().view().slice(0, range.clone());
            let mut views = moments.iter_mut().map(|moment| moment.view_mut().slice(0, range.clone()));
            let mut moment = || views.next().expect("as many moments as the rule names");
            let scalar = T::from_f64;
            match *rule {
                UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled } => {
                    let step = AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step: *steps };
                    kernels.adam(step, g, moment(), moment(), p);
                }
                UpdateRule::Sgd { momentum } => kernels.momentum(scalar(rate), scalar(momentum), g, moment(), p),
                UpdateRule::RmsProp { alpha, epsilon } => {
                    kernels.rmsprop(scalar(rate), scalar(alpha), scalar(epsilon), g, moment(), p)
                }
            }
        });
    }

    /// The update rule with its hyper-parameters.
    pub fn rule(&self) -> UpdateRule {
        self.rule
    }

    /// The number of steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments with their names. Each is as long as all parameters together.
    pub fn moments(&self) -> impl Iterator<Item = (&'static str, &Tensor<T>)> {
        self.rule.moment_names().iter().copied().zip(&self.moments)
    }

    /// Restores the state of another optimiser: its number of steps and its moments, in the order of
    /// [`moments`](Self::moments).
    ///
    /// # Panics
    /// If the number or sizes of the moments do not match this rule, or the steps are 2⁶³ or more.
    #[track_caller]
    pub fn restore(&mut self, steps: u64, moments: Vec<Tensor<T>>) {
        assert!(steps < MAX_STEPS, "restore: {steps} steps, expected fewer than 2^63");
        let shapes = |moments: &[Tensor<T>]| moments.iter().map(Tensor::shape).collect::<Vec<_>>();
        let (old, new) = (shapes(&self.moments), shapes(&moments));
        assert!(old == new, "restore: the moments must have the shapes {old:?} of this rule, not {new:?}");
        let here = moments.iter().zip(&self.moments).map(|(new, old)| new.to_device(old.device())).collect();
        (self.steps, self.moments) = (steps, here);
    }
}

/// A value that depends on the step, such as a learning rate. From step `over` on it stays at `to`.
///
/// ```
/// use nn::Schedule;
///
/// let rate = Schedule::Linear { from: 1.0, to: 0.2, over: 4 };
/// assert_eq!([0, 1, 2, 4, 9].map(|step| rate.value_at(step)), [1.0, 0.8, 0.6, 0.2, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// The same value at every step.
    Constant(f64),
    /// from + (to − from)·t/T
    Linear {
        /// The value at step 0.
        from: f64,
        /// The value from step `over` on.
        to: f64,
        /// T, in steps.
        over: u64,
    },
    /// to + (from − to)·(1 + cos(π·t/T))/2
    ///
    /// Source: I. Loshchilov, F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017), equation 5,
    /// without restarts.
    Cosine {
        /// The value at step 0.
        from: f64,
        /// The value from step `over` on.
        to: f64,
        /// T, in steps.
        over: u64,
    },
}

impl Schedule {
    /// Returns the value at a step. The first step is 0.
    pub fn value_at(self, step: u64) -> f64 {
        match self {
            Self::Constant(value) => value,
            Self::Linear { to, over, .. } | Self::Cosine { to, over, .. } if step >= over => to,
            Self::Linear { from, to, over } => from + (to - from) * (step as f64 / over as f64),
            Self::Cosine { from, to, over } => {
                let angle = core::f64::consts::PI * (step as f64 / over as f64);
                to + (from - to) * (1.0 + num_traits::Float::cos(angle)) / 2.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [UpdateRule; 4] =
        [UpdateRule::adam(), UpdateRule::adamw(0.1), UpdateRule::Sgd { momentum: 0.9 }, UpdateRule::rmsprop()];

    fn setup(rule: UpdateRule) -> (Params<f64>, Grads<f64>, Optimizer<f64>) {
        let mut params = Params::new();
        for name in ["a", "b", "c"] {
            params.add(name, &Tensor::from([1.0, 2.0]));
        }
        let mut grads = Grads::zeros(&params);
        grads.flat_mut().view_mut().fill(0.5);
        let optimizer = Optimizer::new(rule, &params);
        (params, grads, optimizer)
    }

    /// The expected values follow from the papers, with α = 0.1 and g = 0.5 at p = 1.
    #[test]
    fn optimizer_first_step_matches_the_papers() {
        let adam = 1.0 - 0.1 * 0.5 / (0.5 + 1e-8);
        let adamw = adam - 0.1 * 0.1;
        let rmsprop = 1.0 - 0.1 * 0.5 / ((0.01_f64 * 0.25).sqrt() + 1e-8);
        for (rule, want) in RULES.into_iter().zip([adam, adamw, 1.0 - 0.1 * 0.5, rmsprop]) {
            let (mut params, grads, mut optimizer) = setup(rule);
            optimizer.step(0.1, &mut params, &grads);
            let got = params.flat().get(&[0]);
            assert!((got - want).abs() < 1e-15, "{rule:?}: {got}, by hand {want}");
        }
    }

    #[test]
    fn optimizer_frozen_parameter_and_its_moments_stay() {
        for rule in RULES {
            let (mut free, grads, mut reference) = setup(rule);
            reference.step(0.1, &mut free, &grads);
            let (mut params, grads, mut optimizer) = setup(rule);
            params.set_trainable(params.find("b").expect("added"), false);
            optimizer.step(0.1, &mut params, &grads);
            let free = free.flat().to_vec();
            assert_eq!(params.flat().to_vec(), [free[0], free[1], 1.0, 2.0, free[4], free[5]], "{rule:?}");
            for (name, moment) in optimizer.moments() {
                let nonzero: Vec<bool> = moment.to_vec().iter().map(|&x| x != 0.0).collect();
                assert_eq!(nonzero, [true, true, false, false, true, true], "{rule:?} {name}");
            }
        }
    }

    #[test]
    fn optimizer_step_updates_buffers_in_place() {
        if !f64::kernels().device().is_host() {
            return; // a GPU's memory has no address to look at
        }
        for rule in RULES {
            let (mut params, grads, mut optimizer) = setup(rule);
            let address = |x: &Tensor<f64>| x.view().as_slice().expect("flat").as_ptr();
            let addresses = |params: &Params<f64>, optimizer: &Optimizer<f64>| {
                let moments = optimizer.moments().map(|(_, moment)| address(moment));
                moments.chain([address(params.flat())]).collect::<Vec<_>>()
            };
            let before = addresses(&params, &optimizer);
            optimizer.step(0.1, &mut params, &grads);
            assert_eq!(addresses(&params, &optimizer), before, "{rule:?}");
        }
    }

    #[test]
    fn optimizer_restored_continues_as_the_original() {
        for rule in RULES {
            let (mut params, grads, mut optimizer) = setup(rule);
            optimizer.step(0.1, &mut params, &grads);
            let mut other = Optimizer::new(rule, &params);
            other.restore(optimizer.steps(), optimizer.moments().map(|(_, moment)| moment.clone()).collect());
            let mut copy = params.clone();
            optimizer.step(0.1, &mut params, &grads);
            other.step(0.1, &mut copy, &grads);
            assert_eq!(params.flat(), copy.flat(), "{rule:?}");
        }
    }

    #[test]
    #[should_panic(expected = "6 parameters, 0 gradients and moments for 6: the three numbers must agree")]
    fn optimizer_step_with_gradients_of_another_size_panics() {
        let (mut params, _, mut optimizer) = setup(UpdateRule::adam());
        optimizer.step(0.1, &mut params, &Grads::zeros(&Params::new()));
    }

    #[test]
    #[should_panic(expected = "restore: the moments must have the shapes [[6], [6]] of this rule, not [[6]]")]
    fn optimizer_restore_moments_of_another_rule_panics() {
        let (.., mut optimizer) = setup(UpdateRule::adam());
        optimizer.restore(1, alloc::vec![Tensor::zeros([6])]);
    }

    /// Tests each hyper-parameter outside its range, and at a value that f64 accepts and f32 rounds out of the range.
    #[test]
    fn optimizer_hyper_parameter_out_of_range_panics() {
        extern crate std;
        use std::panic::catch_unwind;
        let adam = |beta1, beta2, epsilon, decay| UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled: false };
        let near_one = 1.0 - 1e-9;
        let rounded = [
            adam(near_one, 0.9, 1e-8, 0.0),
            adam(0.9, near_one, 1e-8, 0.0),
            adam(0.9, 0.9, 1e-50, 0.0),
            adam(0.9, 0.9, 1e-8, 1e-50),
            adam(0.9, 0.9, 1e-8, 1e39),
            UpdateRule::Sgd { momentum: near_one },
            UpdateRule::RmsProp { alpha: near_one, epsilon: 1e-8 },
            UpdateRule::RmsProp { alpha: 0.9, epsilon: 1e-50 },
        ];
        for rule in rounded {
            assert!(catch_unwind(|| Optimizer::new(rule, &Params::<f32>::new())).is_err(), "{rule:?} in f32");
            assert!(catch_unwind(|| Optimizer::new(rule, &Params::<f64>::new())).is_ok(), "{rule:?} in f64");
        }
        for bad in [f64::NAN, f64::INFINITY, -0.1] {
            for rule in [
                adam(bad, 0.9, 1e-8, 0.0),
                adam(0.9, bad, 1e-8, 0.0),
                adam(0.9, 0.9, bad, 0.0),
                adam(0.9, 0.9, 1e-8, bad),
                UpdateRule::Sgd { momentum: bad },
                UpdateRule::RmsProp { alpha: bad, epsilon: 1e-8 },
                UpdateRule::RmsProp { alpha: 0.9, epsilon: bad },
            ] {
                assert!(catch_unwind(|| Optimizer::new(rule, &Params::<f64>::new())).is_err(), "{rule:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "optimiser: rate = NaN is out of range; it takes numbers from 0")]
    fn optimizer_step_with_nan_rate_panics() {
        let (mut params, grads, mut optimizer) = setup(UpdateRule::adam());
        optimizer.step(f64::NAN, &mut params, &grads);
    }

    #[test]
    fn schedule_start_and_end_are_exact_and_the_end_stays() {
        for schedule in
            [Schedule::Linear { from: 0.3, to: 0.1, over: 7 }, Schedule::Cosine { from: 0.3, to: 0.1, over: 7 }]
        {
            assert!((schedule.value_at(0) - 0.3).abs() < 1e-16);
            assert_eq!([schedule.value_at(7), schedule.value_at(8), schedule.value_at(u64::MAX)], [0.1; 3]);
        }
    }

    /// cos 60° = 1/2, cos 90° = 0, cos 120° = −1/2.
    #[test]
    fn schedule_cosine_matches_known_angles() {
        let schedule = Schedule::Cosine { from: 1.0, to: 0.0, over: 6 };
        for (step, want) in [(2, 0.75), (3, 0.5), (4, 0.25)] {
            assert!((schedule.value_at(step) - want).abs() < 1e-15, "{step}");
        }
    }

    #[test]
    fn schedule_over_zero_steps_is_the_final_value() {
        assert_eq!(Schedule::Linear { from: 1.0, to: 0.5, over: 0 }.value_at(0), 0.5);
        assert_eq!(Schedule::Cosine { from: 1.0, to: 0.5, over: 0 }.value_at(0), 0.5);
        assert_eq!(Schedule::Constant(2.0).value_at(5), 2.0);
    }
}
