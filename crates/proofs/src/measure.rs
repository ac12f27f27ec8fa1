//! Measurements of a case: the report of every checker method, the detection limit, and the time.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use autograd::gradcheck::{Report, central_differences, dot_products, duals, richardson, second_order};

use crate::Case;
use crate::limit::{MAX_LIMIT, detection_limit};

/// A method to check a gradient; see the [table of checks](autograd::gradcheck#choosing-a-check).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Compares every entry with dual numbers.
    Duals,
    /// Compares every entry with extrapolated differences.
    Richardson,
    /// Compares every entry with central differences at one step.
    CentralDifferences,
    /// Compares derivatives along directions with dual numbers.
    DotProducts,
    /// Compares derivatives of the gradient with nested dual numbers.
    SecondOrder,
}

impl Method {
    /// Every method; the decisive one is first.
    pub const ALL: [Self; 5] =
        [Self::Duals, Self::Richardson, Self::CentralDifferences, Self::DotProducts, Self::SecondOrder];

    /// Returns the name of its function in [`autograd::gradcheck`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Duals => "duals",
            Self::Richardson => "richardson",
            Self::CentralDifferences => "central_differences",
            Self::DotProducts => "dot_products",
            Self::SecondOrder => "second_order",
        }
    }

    /// Checks a case.
    pub fn check(self, case: &Case) -> Report {
        let (f, inputs) = (&*case.f, &case.inputs[..]);
        match self {
            Self::Duals => duals(f, inputs),
            Self::Richardson => richardson(|tape, x| f.call_f64(tape, x), inputs),
            Self::CentralDifferences => central_differences(|tape, x| f.call_f64(tape, x), inputs),
            Self::DotProducts => dot_products(f, inputs),
            Self::SecondOrder => second_order(f, inputs),
        }
    }
}

/// The results of all methods on one case.
pub struct Measurement<'a> {
    /// The case.
    pub case: &'a Case,
    /// The report of each method, in the order of [`Method::ALL`].
    pub reports: [Report; Method::ALL.len()],
    /// The [detection limit](crate::limit), if the duals agree and detect a factor.
    pub limit: Option<f64>,
    /// The time of all methods, on one thread, while other threads may measure other cases.
    pub time: Duration,
}

impl<'a> Measurement<'a> {
    /// Runs every method on a case.
    pub fn run(case: &'a Case) -> Self {
        let begin = Instant::now();
        let reports = Method::ALL.map(|method| method.check(case));
        let limit = if reports[0].is_ok() { detection_limit(case) } else { None };
        Self { case, reports, limit, time: begin.elapsed() }
    }

    /// Runs every method on many cases, on all available threads. The results are in the order of the cases.
    pub fn run_all(cases: &'a [Case]) -> Vec<Self> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(cases.len())));
        let work = || {
            while let Some((number, case)) = nth_from_the_end(cases, next.fetch_add(1, Ordering::Relaxed)) {
                let measured = Self::run(case);
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

    /// Returns the report of one method.
    pub fn report(&self, method: Method) -> &Report {
        &self.reports[Method::ALL.iter().position(|&other| other == method).expect("ALL has every method")]
    }

    /// Returns true if all methods agree with the gradient and would have detected a small factor.
    pub fn is_ok(&self) -> bool {
        self.reports.iter().all(Report::is_ok) && self.is_sensitive()
    }

    /// Returns true if the [limit](Self::limit) is at most [`MAX_LIMIT`]. If the duals do not agree, there is no limit
    /// and none is needed.
    pub fn is_sensitive(&self) -> bool {
        !self.report(Method::Duals).is_ok() || self.limit.is_some_and(|limit| limit <= MAX_LIMIT)
    }
}

/// Returns case number `turn`, counted from the last, with its index. Layers, and the GRU among the operations, take
/// longest and are last in the tables, so they start first.
fn nth_from_the_end(cases: &[Case], turn: usize) -> Option<(usize, &Case)> {
    let number = cases.len().checked_sub(1 + turn)?;
    Some((number, &cases[number]))
}

#[cfg(test)]
mod tests {
    use autograd::ops::Kind;
    use autograd::{Backward, CustomOp, Forward, function};
    use tensor::{Map, Real, Tensor};

    use super::*;
    use crate::{Target, operation_cases};

    #[test]
    fn run_all_keeps_the_order_of_the_cases() {
        let cases: Vec<_> = [Kind::MatMul, Kind::Tanh].into_iter().flat_map(operation_cases).collect();
        let measured = Measurement::run_all(&cases);
        assert!(measured.iter().map(|m| &m.case.name).eq(cases.iter().map(|case| &case.name)));
        assert!(measured.iter().all(Measurement::is_ok));
        assert!(Measurement::run_all(&[]).is_empty());
    }

    /// All methods may agree because they detect nothing.
    #[test]
    fn measurement_with_a_large_limit_is_not_ok() {
        let case = &operation_cases(Kind::Tanh)[0];
        let with_limit = |limit| Measurement { limit, ..Measurement::run(case) };
        assert!(Measurement::run(case).is_ok() && with_limit(Some(MAX_LIMIT)).is_ok());
        for limit in [Some(1.1 * MAX_LIMIT), Some(1e-6), None] {
            let measured = with_limit(limit);
            assert!(measured.reports.iter().all(Report::is_ok) && !measured.is_sensitive() && !measured.is_ok());
        }
    }

    /// tanh with a backward that lacks the square: dx += (1 − y)·dy.
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
            let (y, dy) = (b.output().as_ndarray(), b.dy().as_ndarray());
            let Some(dx) = b.grad(0) else { return };
            for ((dx, &y), &dy) in dx.into_ndarray().iter_mut().zip(&y).zip(&dy) {
                *dx += (T::one() - y) * dy;
            }
        }
    }

    /// Each method detects the mistake by itself. If the duals detect it, there is no limit.
    #[test]
    fn every_method_detects_a_wrong_gradient() {
        let f = function!(|tape, x| tape.custom(WrongTanh, &[x[0]]));
        let case = Case::new(Target::Operation(Kind::Tanh), "wrong", [Tensor::from([0.3, -1.2])], f);
        let measured = Measurement::run(&case);
        for method in Method::ALL {
            let report = measured.report(method);
            assert!(!report.is_ok() && !report.compared.is_empty(), "{}: {report}", method.name());
        }
        assert!(!measured.is_ok());
        assert_eq!(measured.limit, None);
        assert!(measured.is_sensitive(), "only the gradient is wrong");
    }
}
