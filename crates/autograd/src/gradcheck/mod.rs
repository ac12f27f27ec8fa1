//! The gradient checker: compares gradients with independently computed derivatives.
//!
//! The example finds a real mistake. The GRU's candidate has two biases. In PyTorch's variant the reset gate multiplies the
//! second one, n = tanh(gx_n + r·gh_n) with gh_n = h_prev·W_hnᵀ + b_hn, so r is a factor of its gradient. It is easy to forget
//! this r. If r is near one, a test with one digit of precision does not notice:
//!
//! ```
//! use autograd::gradcheck::{Diagnosis, Input, by_hand};
//! use tensor::{Real, Tensor};
//!
//! // n = tanh(gx + r·(h·w + b)), for numbers gx, r, h, w and a vector b
//! let value = |x: &[Tensor<f64>]| {
//!     let [gx, r, h, w] = [0, 1, 2, 3].map(|k| x[k].item());
//!     Tensor::new([2], x[4].to_vec().iter().map(|b| (gx + r * (h * w + b)).tanh()).collect())
//! };
//! let gradients = |x: &[Tensor<f64>], dn: &Tensor<f64>| {
//!     let [_, r, h, w] = [0, 1, 2, 3].map(|k| x[k].item());
//!     let (n, b) = (value(x).to_vec(), x[4].to_vec());
//!     let da: Vec<f64> = n.iter().zip(dn.to_vec()).map(|(n, dn)| dn * (1.0 - n * n)).collect();
//!     let sum: f64 = da.iter().sum();
//!     let dr = da.iter().zip(&b).map(|(da, b)| da * (h * w + b)).sum();
//!     let db = Tensor::new([2], da); // wrong: it should be r·da
//!     [sum, dr, sum * r * w, sum * r * h].map(Tensor::scalar).into_iter().chain([db]).collect()
//! };
//! let x = [0.2, 0.995, 0.7, -0.4].map(Tensor::scalar).into_iter().chain([Tensor::from([0.1, -0.3])]);
//! let inputs: Vec<_> = x.zip(["gx", "r", "h", "w", "b"]).map(|(x, name)| Input::from(x).named(name)).collect();
//!
//! let report = by_hand(value, gradients, &inputs);
//! assert!(report.clone().with_tolerance(1e-2).is_ok(), "two digits are not enough");
//! assert!(!report.is_ok());
//! let (input, Diagnosis::Scaled(factor)) = report.diagnoses().next().unwrap() else { panic!("{report}") };
//! assert_eq!((input, format!("{factor:.4}")), ("b", "1.0050".into())); // 1/r
//! ```
//!
//! # Choosing a check
//!
//! All checks contract the value y, of any shape, with a fixed gradient dy whose entries all differ. A plain sum would hide
//! errors of softmax, whose rows sum to one, and of a transpose. All checks compare every entry of every input, except
//! `dot_products`.
//!
//! | check | takes | independent of | tolerance | cost |
//! |---|---|---|---|---|
//! | [`duals`] | a [`Function`], over any scalar | the backward rules | 1e-13 | 1 run per entry |
//! | [`richardson`] | any closure on a tape | the backward rules and duals | 1e-10, with an estimate of its own error | 40 runs per entry |
//! | [`central_differences`] | any closure on a tape | the backward rules and duals | 1e-7 | 2 runs per entry |
//! | [`dot_products`] | a [`Function`] | the backward rules | 1e-12 along a direction | 2 runs per input of any size |
//! | [`second_order`] | a [`Function`] | the backward rules | 1e-12 in their derivatives | 1 run per entry |
//! | [`by_hand`] | a value and gradients on plain tensors; no tape | the gradients | 1e-10 | 40 runs per entry |
//!
//! ```
//! use autograd::{function, gradcheck};
//! use tensor::Tensor;
//!
//! let inputs = [Tensor::from([[0.5, -1.0, 2.0]]), Tensor::from([[0.1], [0.2], [0.3]])];
//! gradcheck::richardson(|_, x| x[0].matmul(x[1]).tanh(), &inputs).assert_ok();
//! gradcheck::duals(&function!(|x| x[0].matmul(x[1]).tanh()), &inputs).assert_ok();
//! ```
//!
//! All checks run the same forward as the tape, so a wrong *value* needs another test.
//!
//! # Findings, and errors that pass
//!
//! Each of these is a [`Finding`]: a second run gives different bits, a panic, a NaN, no inputs, an empty input, an input
//! without influence, and a wrong number or shape of gradients. A wrong gradient is reported by input, gate and place, with its
//! error in ulps. A known kind of error has a [`Diagnosis`]: twice, N times, another gate's block, the transpose, another
//! function's gradient. [`Report`] prints all of this. With the feature `serde` it can be serialised.
//!
//! Remedies for a finding:
//! - *inconclusive* or *no reference*: use [`duals`], or inputs of another magnitude;
//! - *no influence* or *only rounding*: check at another point;
//! - *kink*: move away from it, and test the convention separately ([`Report::allow_kinks`]);
//! - *not a function*: draw random numbers outside the function.
//!
//! Errors are relative to the largest entry of an input's gradient. An error in entries that are smaller by the tolerance
//! passes: split an input whose entries have different magnitudes into several inputs. Differences detect a bend or a wave only
//! if it is wider than their smallest step, 1e-5. Two errors pass every check: a backward that drops gradients below a
//! threshold, and a value that is wrong together with its derivative.

mod check;
mod diagnosis;
mod differences;
mod dot_products;
mod duals;
mod finding;
mod input;
mod pass;
mod report;
mod richardson;
mod second_order;
#[cfg(test)]
mod stationary_tests;
mod stencil;
#[cfg(test)]
mod tests;

pub use diagnosis::Diagnosis;
pub use differences::{STEP, central_differences, central_differences_with_step};
pub use dot_products::dot_products;
pub use duals::duals;
pub use finding::Finding;
pub use input::Input;
pub use pass::{Pass, draw_cotangent, has_same_bits};
pub use report::{Comparison, Report};
pub use richardson::{by_hand, richardson};
pub use second_order::second_order;

#[doc(hidden)]
pub use crate::Real;
pub use crate::function::{DynFunction, Function};
