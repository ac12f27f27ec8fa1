//! Schedules: a number, such as the learning rate, as a function of the step.

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
