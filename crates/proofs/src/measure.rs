//! What every method of the checker says of a case, whether it would have seen a small factor, and how long that took.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use autograd::gradcheck::{Report, central_differences, dot_products, duals, richardson, second_order};

use crate::Case;
use crate::limit::{ENOUGH, limit};

/// A way to check a gradient; see the [table of checks](autograd::gradcheck#which-check).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Entry by entry against dual numbers.
    Duals,
    /// Entry by entry against extrapolated differences.
    Richardson,
    /// Entry by entry against central differences at one step.
    CentralDifferences,
    /// Along directions, against dual numbers.
    DotProducts,
    /// Derivatives of the gradient, against duals of duals.
    SecondOrder,
}

impl Method {
    /// Every method, the one that judges first.
    pub const ALL: [Self; 5] =
        [Self::Duals, Self::Richardson, Self::CentralDifferences, Self::DotProducts, Self::SecondOrder];

    /// Its name, as the function of [`autograd::gradcheck`] is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Duals => "duals",
            Self::Richardson => "richardson",
            Self::CentralDifferences => "central_differences",
            Self::DotProducts => "dot_products",
            Self::SecondOrder => "second_order",
        }
    }

    /// What it says of a case.
    pub fn check(self, case: &Case) -> Report {
        let (f, inputs) = (&*case.f, &case.inputs[..]);
        match self {
            Self::Duals => duals(f, inputs),
            Self::Richardson => richardson(|tape, x| f.on_numbers(tape, x), inputs),
            Self::CentralDifferences => central_differences(|tape, x| f.on_numbers(tape, x), inputs),
            Self::DotProducts => dot_products(f, inputs),
            Self::SecondOrder => second_order(f, inputs),
        }
    }
}

/// What is known about a case when all methods have looked at it.
pub struct Measured<'a> {
    /// The case.
    pub case: &'a Case,
    /// What each method says, in the order of [`Method::ALL`].
    pub reports: [Report; Method::ALL.len()],
    /// The smallest factor on a whole gradient that is [seen](crate::limit), if the duals agree and see one.
    pub limit: Option<f64>,
    /// How long all that took, on one thread, while other threads may look at other cases.
    pub time: Duration,
}

impl<'a> Measured<'a> {
    /// Lets every method look at a case.
    pub fn of(case: &'a Case) -> Self {
        let begin = Instant::now();
        let reports = Method::ALL.map(|method| method.check(case));
        let limit = if reports[0].is_ok() { limit(case) } else { None };
        Self { case, reports, limit, time: begin.elapsed() }
    }

    /// The same for many, in their order, on all threads that there are.
    pub fn all(cases: &'a [Case]) -> Vec<Self> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(cases.len())));
        let work = || {
            while let Some((number, case)) = from_the_end(cases, next.fetch_add(1, Ordering::Relaxed)) {
                let measured = Self::of(case);
                done.lock().expect("no holder of the lock panics").push((number, measured));
            }
        };
        thread::scope(|scope| {
            let threads = thread::available_parallelism().map_or(1, NonZero::get).min(cases.len());
            (0..threads).for_each(|_| drop(scope.spawn(work)));
        });
        let mut done = done.into_inner().expect("no holder of the lock panics");
        done.sort_by_key(|(number, _)| *number);
        done.into_iter().map(|(_, measured)| measured).collect()
    }

    /// What one method says.
    pub fn report(&self, method: Method) -> &Report {
        &self.reports[Method::ALL.iter().position(|&other| other == method).expect("ALL has every method")]
    }

    /// Whether all methods agree with what came back, and would not have if it were off by a small factor.
    pub fn is_ok(&self) -> bool {
        self.reports.iter().all(Report::is_ok) && self.sees_enough()
    }

    /// Whether the [limit](Self::limit) is small [enough](ENOUGH). Where duals do not agree there is none, nor a need of one.
    pub fn sees_enough(&self) -> bool {
        !self.report(Method::Duals).is_ok() || self.limit.is_some_and(|limit| limit <= ENOUGH)
    }
}

/// The last case first: layers, and among operations the GRU, take longest, and nothing should wait for them in the end.
fn from_the_end(cases: &[Case], turn: usize) -> Option<(usize, &Case)> {
    let number = cases.len().checked_sub(1 + turn)?;
    Some((number, &cases[number]))
}

#[cfg(test)]
mod tests {
    use autograd::ops::Kind;
    use autograd::{Backward, CustomOp, Forward, function};
    use tensor::{Map, Real, Tensor};

    use super::*;
    use crate::{Of, operations};

    #[test]
    fn cases_come_back_in_their_order() {
        let cases: Vec<_> = [Kind::MatMul, Kind::Tanh].into_iter().flat_map(operations).collect();
        let measured = Measured::all(&cases);
        assert!(measured.iter().map(|m| &m.case.name).eq(cases.iter().map(|case| &case.name)));
        assert!(measured.iter().all(Measured::is_ok));
        assert!(Measured::all(&[]).is_empty());
    }

    /// All methods may agree because they see nothing.
    #[test]
    fn a_check_that_sees_too_little_is_a_failure() {
        let case = &operations(Kind::Tanh)[0];
        let with = |limit| Measured { limit, ..Measured::of(case) };
        assert!(Measured::of(case).is_ok() && with(Some(ENOUGH)).is_ok());
        for limit in [Some(1.1 * ENOUGH), Some(1e-6), None] {
            let measured = with(limit);
            assert!(measured.reports.iter().all(Report::is_ok) && !measured.sees_enough() && !measured.is_ok());
        }
    }

    /// tanh, whose backward forgets the square: dx += (1 − y)·dy.
    struct WrongTanh;

    impl<T: Real> CustomOp<T> for WrongTanh {
        fn name(&self) -> &str {
            "wrong tanh"
        }

        fn forward(&self, f: &mut Forward<'_, T>) {
            let (kernels, x) = (f.kernels(), f.input(0));
            kernels.map(Map::Tanh, x, f.output(f.shape(0)));
        }

        fn backward(&self, b: &mut Backward<'_, T>) {
            let (y, dy) = (b.output().host(), b.dy().host());
            let Some(dx) = b.grad(0) else { return };
            for ((dx, &y), &dy) in dx.host().iter_mut().zip(&y).zip(&dy) {
                *dx += (T::one() - y) * dy;
            }
        }
    }

    /// Each method by itself sees what is wrong; and where duals see it there is no limit.
    #[test]
    fn every_method_sees_a_mistake() {
        let f = function!(|tape, x| tape.custom(WrongTanh, &[x[0]]));
        let case = Case::new(Of::Operation(Kind::Tanh), "wrong", [Tensor::from([0.3, -1.2])], f);
        let measured = Measured::of(&case);
        for method in Method::ALL {
            let report = measured.report(method);
            assert!(!report.is_ok() && !report.compared.is_empty(), "{}: {report}", method.name());
        }
        assert!(!measured.is_ok());
        assert_eq!(measured.limit, None);
        assert!(measured.sees_enough(), "nothing more is wrong than the gradient");
    }
}
