//! The optimisers, which move parameters by gradients, and the schedules of their rates.
//!
//! Parameters, gradients and moments are flat buffers laid out alike, so a step is one kernel over each stretch of
//! trainable parameters; the equations are with the kernels, [`adam`](tensor::Kernels::adam),
//! [`momentum`](tensor::Kernels::momentum) and [`rmsprop`](tensor::Kernels::rmsprop).
//!
//! ```
//! use nn::{Grads, Optimizer, Params, Rule, Schedule};
//! use tensor::Tensor;
//!
//! let mut params = Params::<f64>::new();
//! params.add("w", &Tensor::from([1.0, -1.0]));
//! let mut grads = Grads::zeros(&params);
//! *grads.flat_mut() = Tensor::from([0.5, -2.0]);
//!
//! let rate = Schedule::Cosine { from: 0.1, to: 0.0, over: 100 };
//! let mut optimizer = Optimizer::new(Rule::adam(), &params);
//! optimizer.step(rate.at(optimizer.steps()), &mut params, &grads);
//! assert!((params.flat().at(&[0]) - 0.9).abs() < 1e-8); // Adam's first step is the rate times the gradient's sign
//! ```

use alloc::vec::Vec;

use tensor::{AdamStep, Real, Tensor};

use crate::params::{Grads, Params};
use crate::setting::{Range, check_setting};

/// What a step does with a gradient, and its hyper-parameters. The learning rate is given at each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
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
        /// Whether λ shrinks the parameters (AdamW) instead of adding to the gradient.
        decoupled: bool,
    },
    /// Gradient descent with momentum. Moment m.
    Sgd {
        /// μ, how much of the last velocity stays; 0 is plain descent.
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

impl Rule {
    /// Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no decay: the paper's and PyTorch's defaults.
    pub const fn adam() -> Self {
        Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0, decoupled: false }
    }

    /// AdamW with this λ, otherwise as [`adam`](Self::adam); PyTorch's default λ is 0.01.
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

    /// Checks the hyper-parameters as the scalar holds them. Adam computes 1 − β in double, but a β that is 1 as a scalar would
    /// never let its moment forget.
    #[track_caller]
    fn check<T: Real>(&self) {
        let check = check_setting::<T>;
        match *self {
            Self::Adam { beta1, beta2, epsilon, decay, .. } => {
                check(self.name(), "beta1", beta1, Range::BELOW_ONE);
                check(self.name(), "beta2", beta2, Range::BELOW_ONE);
                check(self.name(), "epsilon", epsilon, Range::POSITIVE);
                check(self.name(), "decay", decay, Range::NOT_NEGATIVE);
            }
            Self::Sgd { momentum } => check(self.name(), "momentum", momentum, Range::BELOW_ONE),
            Self::RmsProp { alpha, epsilon } => {
                check(self.name(), "alpha", alpha, Range::BELOW_ONE);
                check(self.name(), "epsilon", epsilon, Range::POSITIVE);
            }
        }
    }

    /// The names of the moments, in the order in which the kernel takes them.
    const fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Adam { .. } => &["m", "v"],
            Self::Sgd { .. } => &["m"],
            Self::RmsProp { .. } => &["v"],
        }
    }
}

/// An optimiser has taken fewer steps than this when it is restored: as many again do not overflow.
pub(crate) const MAX_STEPS: u64 = 1 << 63;

/// A rule with its moments and the number of steps taken.
#[derive(Clone, Debug)]
pub struct Optimizer<T: Real = f32> {
    rule: Rule,
    moments: Vec<Tensor<T>>,
    steps: u64,
}

impl<T: Real> Optimizer<T> {
    /// Moments of zero for these parameters.
    ///
    /// # Panics
    /// If a hyper-parameter is not finite or out of its range, as it is or once it is rounded to `T`: the decays of moments and
    /// the momentum take numbers from 0, below 1, ε numbers above 0, the weight decay numbers from 0.
    #[track_caller]
    pub fn new(rule: Rule, params: &Params<T>) -> Self {
        rule.check::<T>();
        let moments = rule.moments().iter().map(|_| params.zeros()).collect();
        Self { rule, moments, steps: 0 }
    }

    /// Moves the parameters once. A frozen parameter and its moments stay as they are, whatever its gradient and the
    /// weight decay. Adam's bias correction counts all steps, also for a parameter that was frozen in some of them.
    ///
    /// Allocates nothing, if the tape that the parameters were bound to has been cleared: as long as it holds them,
    /// writing copies them.
    ///
    /// # Panics
    /// If parameters, gradients and moments are not of one size, or the rate is negative, not finite, or rounded to zero or ∞
    /// as a `T`.
    #[track_caller]
    pub fn step(&mut self, rate: f64, params: &mut Params<T>, grads: &Grads<T>) {
        let (p, g, m) = (params.size(), grads.flat().size(), self.moments[0].size());
        assert!(p == g && p == m, "optimiser: {p} parameters, {g} gradients and moments for {m} do not fit together");
        check_setting::<T>("optimiser", "rate", rate, Range::NOT_NEGATIVE);
        let Self { rule, moments, steps } = self;
        *steps += 1;
        let kernels = params.flat().kernels();
        params.for_each_trainable(|range, p| {
            let g = grads.flat().view().slice(0, range.clone());
            let mut views = moments.iter_mut().map(|moment| moment.view_mut().slice(0, range.clone()));
            let mut moment = || views.next().expect("as many moments as the rule names");
            let of = T::of;
            match *rule {
                Rule::Adam { beta1, beta2, epsilon, decay, decoupled } => {
                    let with = AdamStep { rate, beta1, beta2, epsilon, decay, decoupled, step: *steps };
                    kernels.adam(with, g, moment(), moment(), p);
                }
                Rule::Sgd { momentum } => kernels.momentum(of(rate), of(momentum), g, moment(), p),
                Rule::RmsProp { alpha, epsilon } => kernels.rmsprop(of(rate), of(alpha), of(epsilon), g, moment(), p),
            }
        });
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// How many steps have been taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The moments with their names, each as long as all parameters together.
    pub fn moments(&self) -> impl Iterator<Item = (&'static str, &Tensor<T>)> {
        self.rule.moments().iter().copied().zip(&self.moments)
    }

    /// Goes on where another optimiser stopped: its number of steps and, in the order of [`moments`](Self::moments),
    /// its moments.
    ///
    /// # Panics
    /// If these are not as many moments as this rule has, or of another size, or the steps are 2⁶³ or more.
    #[track_caller]
    pub fn restore(&mut self, steps: u64, moments: Vec<Tensor<T>>) {
        assert!(steps < MAX_STEPS, "restore: {steps} steps, expected fewer than 2^63");
        let shapes = |moments: &[Tensor<T>]| moments.iter().map(Tensor::shape).collect::<Vec<_>>();
        let (old, new) = (shapes(&self.moments), shapes(&moments));
        assert_eq!(old, new, "restore: the rule has moments of the left shapes, not the right");
        let here = moments.iter().zip(&self.moments).map(|(new, old)| new.to_device(old.device())).collect();
        (self.steps, self.moments) = (steps, here);
    }
}

/// How a number changes from step to step. After `over` steps it stays at `to`.
///
/// ```
/// use nn::Schedule;
///
/// let rate = Schedule::Linear { from: 1.0, to: 0.2, over: 4 };
/// assert_eq!([0, 1, 2, 4, 9].map(|step| rate.at(step)), [1.0, 0.8, 0.6, 0.2, 0.2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// Always the same.
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
    /// The value at a step, the first of which is 0.
    pub fn at(self, step: u64) -> f64 {
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

    const RULES: [Rule; 4] = [Rule::adam(), Rule::adamw(0.1), Rule::Sgd { momentum: 0.9 }, Rule::rmsprop()];

    fn setup(rule: Rule) -> (Params<f64>, Grads<f64>, Optimizer<f64>) {
        let mut params = Params::new();
        for name in ["a", "b", "c"] {
            params.add(name, &Tensor::from([1.0, 2.0]));
        }
        let mut grads = Grads::zeros(&params);
        grads.flat_mut().view_mut().fill(0.5);
        let optimizer = Optimizer::new(rule, &params);
        (params, grads, optimizer)
    }

    /// Written from the papers, with α = 0.1 and g = 0.5 at p = 1.
    #[test]
    fn first_steps_by_hand() {
        let adam = 1.0 - 0.1 * 0.5 / (0.5 + 1e-8);
        let adamw = adam - 0.1 * 0.1;
        let rmsprop = 1.0 - 0.1 * 0.5 / ((0.01_f64 * 0.25).sqrt() + 1e-8);
        for (rule, want) in RULES.into_iter().zip([adam, adamw, 1.0 - 0.1 * 0.5, rmsprop]) {
            let (mut params, grads, mut optimizer) = setup(rule);
            optimizer.step(0.1, &mut params, &grads);
            let got = params.flat().at(&[0]);
            assert!((got - want).abs() < 1e-15, "{rule:?}: {got}, by hand {want}");
        }
    }

    #[test]
    fn frozen_parameters_and_their_moments_stay_and_the_others_do_not_notice() {
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
    fn nothing_moves_to_another_buffer() {
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
    fn a_restored_optimiser_goes_on_as_the_first() {
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
    #[should_panic(expected = "6 parameters, 0 gradients and moments for 6 do not fit together")]
    fn gradients_of_other_parameters_are_refused() {
        let (mut params, _, mut optimizer) = setup(Rule::adam());
        optimizer.step(0.1, &mut params, &Grads::zeros(&Params::new()));
    }

    #[test]
    #[should_panic(expected = "restore")]
    fn moments_of_another_rule_are_refused() {
        let (.., mut optimizer) = setup(Rule::adam());
        optimizer.restore(1, alloc::vec![Tensor::zeros([6])]);
    }

    /// Each hyper-parameter out of its range, and as far in it as f64 holds and f32 does not.
    #[test]
    fn optimizer_of_settings_that_the_scalar_does_not_hold_panics() {
        extern crate std;
        use std::panic::catch_unwind;
        let adam = |beta1, beta2, epsilon, decay| Rule::Adam { beta1, beta2, epsilon, decay, decoupled: false };
        let near_one = 1.0 - 1e-9;
        let rounded = [
            adam(near_one, 0.9, 1e-8, 0.0),
            adam(0.9, near_one, 1e-8, 0.0),
            adam(0.9, 0.9, 1e-50, 0.0),
            adam(0.9, 0.9, 1e-8, 1e-50),
            adam(0.9, 0.9, 1e-8, 1e39),
            Rule::Sgd { momentum: near_one },
            Rule::RmsProp { alpha: near_one, epsilon: 1e-8 },
            Rule::RmsProp { alpha: 0.9, epsilon: 1e-50 },
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
                Rule::Sgd { momentum: bad },
                Rule::RmsProp { alpha: bad, epsilon: 1e-8 },
                Rule::RmsProp { alpha: 0.9, epsilon: bad },
            ] {
                assert!(catch_unwind(|| Optimizer::new(rule, &Params::<f64>::new())).is_err(), "{rule:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "optimiser: rate = NaN is out of range; it takes numbers from 0")]
    fn step_of_rate_nan_panics() {
        let (mut params, grads, mut optimizer) = setup(Rule::adam());
        optimizer.step(f64::NAN, &mut params, &grads);
    }

    #[test]
    fn ends_are_exact_and_last() {
        for schedule in
            [Schedule::Linear { from: 0.3, to: 0.1, over: 7 }, Schedule::Cosine { from: 0.3, to: 0.1, over: 7 }]
        {
            assert!((schedule.at(0) - 0.3).abs() < 1e-16);
            assert_eq!([schedule.at(7), schedule.at(8), schedule.at(u64::MAX)], [0.1; 3]);
        }
    }

    /// cos 60° = 1/2, cos 90° = 0, cos 120° = −1/2.
    #[test]
    fn the_cosine_at_known_angles() {
        let schedule = Schedule::Cosine { from: 1.0, to: 0.0, over: 6 };
        for (step, want) in [(2, 0.75), (3, 0.5), (4, 0.25)] {
            assert!((schedule.at(step) - want).abs() < 1e-15, "{step}");
        }
    }

    #[test]
    fn over_no_steps_is_the_end_at_once() {
        assert_eq!(Schedule::Linear { from: 1.0, to: 0.5, over: 0 }.at(0), 0.5);
        assert_eq!(Schedule::Cosine { from: 1.0, to: 0.5, over: 0 }.at(0), 0.5);
        assert_eq!(Schedule::Constant(2.0).at(5), 2.0);
    }
}
