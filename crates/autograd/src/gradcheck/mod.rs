//! The gradient checker: whether what comes back is the derivative of what went in.
//!
//! Here it finds a real mistake. The GRU's candidate has two biases, and in PyTorch's variant the second stands inside
//! the reset gate, n = tanh(W·x + b_i + r·(U·h + b_h)), so that r multiplies its gradient. Leaving r out there is easy, and
//! no test at a single digit of precision will tell, where r is near one:
//!
//! ```
//! use autograd::gradcheck::{Diagnosis, Input, by_hand};
//! use tensor::{Real, Tensor};
//!
//! // n = tanh(a + r·(u·h + b)), for numbers a, r, u, h and a vector b
//! let value = |x: &[Tensor<f64>]| {
//!     let [a, r, u, h] = [0, 1, 2, 3].map(|k| x[k].item());
//!     Tensor::new([2], x[4].to_vec().iter().map(|b| (a + r * (u * h + b)).tanh()).collect())
//! };
//! let gradients = |x: &[Tensor<f64>], dn: &Tensor<f64>| {
//!     let [_, r, u, h] = [0, 1, 2, 3].map(|k| x[k].item());
//!     let (n, b) = (value(x).to_vec(), x[4].to_vec());
//!     let da: Vec<f64> = n.iter().zip(dn.to_vec()).map(|(n, dn)| dn * (1.0 - n * n)).collect();
//!     let sum: f64 = da.iter().sum();
//!     let dr = da.iter().zip(&b).map(|(da, b)| da * (u * h + b)).sum();
//!     let db = Tensor::new([2], da); // it should be r·da
//!     [sum, dr, sum * r * h, sum * r * u].map(Tensor::scalar).into_iter().chain([db]).collect()
//! };
//! let x = [0.2, 0.995, -0.4, 0.7].map(Tensor::scalar).into_iter().chain([Tensor::from([0.1, -0.3])]);
//! let inputs: Vec<_> = x.zip(["a", "r", "u", "h", "b"]).map(|(x, name)| Input::from(x).named(name)).collect();
//!
//! let report = by_hand(value, gradients, &inputs);
//! assert!(report.clone().within(1e-2).is_ok(), "two digits are not enough");
//! assert!(!report.is_ok());
//! let (input, Diagnosis::Scaled(factor)) = report.diagnoses().next().unwrap() else { panic!("{report}") };
//! assert_eq!((input, format!("{factor:.4}")), ("b", "1.0050".into())); // 1/r
//! ```
//!
//! # Which check
//!
//! All contract a result y of any shape with a fixed gradient dy that differs in every place (a plain sum would hide the
//! errors of softmax, whose rows sum to one, and of a transpose), and look at every entry of every input, but for
//! the one that is for any size.
//!
//! | | takes | independent of | sees | costs |
//! |---|---|---|---|---|
//! | [`duals`] | a [`Function`], over any scalar | the backward rules | 1e-13 | a run an entry |
//! | [`richardson`] | any closure on a tape | the backward rules and duals | 1e-10, with an estimate of its own error | 20 runs an entry |
//! | [`central_differences`] | any closure on a tape | the same | 1e-7 | 2 runs an entry |
//! | [`dot_products`] | a [`Function`] | the backward rules | 1e-12 along a direction | 2 runs an input, of any size |
//! | [`second_order`] | a [`Function`] | the backward rules | 1e-12 in their derivatives | a run an entry |
//! | [`by_hand`] | a value and gradients on plain tensors; no tape | the gradients | 1e-10 | 20 runs an entry |
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
//! All run the same forward, so a wrong *value* needs another witness.
//!
//! # What is refused, and what is not seen
//!
//! What is not a function (a second run gives other bits), panics, gives NaN, has no inputs or
//! empty ones, an input without influence, as many gradients as it should not have, or of other shapes: each is a
//! [`Finding`]. A gradient that is wrong is named by input, gate and place, with the gap in ulps, and where the error has
//! a known signature (twice, N times, another gate's block, the transpose, another function's gradient) with a
//! [`Diagnosis`]. [`Report`] prints all that, and with the feature `serde` serialises.
//!
//! What to do at a finding: *inconclusive* or *no reference*: use [`duals`], or inputs of another size; *no influence* or
//! *only rounding*: check at another point; *kink*: move away from it, and test the convention by itself
//! ([`Report::allowing_kinks`]); *not a function*: draw random numbers outside.
//!
//! Errors are relative to the largest entry of an input's gradient, so that a mistake in entries that are a tolerance
//! smaller than it is not seen: scale inputs of different size apart, into inputs of their own. Differences see a bend or a
//! wave only if it is wider than their smallest step, 1e-5. A backward that forgets gradients below a threshold, and a value
//! that is wrong together with its derivative, pass.

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
pub use pass::{Pass, cotangent, same_bits};
pub use report::{Compared, Report};
pub use richardson::{by_hand, richardson};
pub use second_order::second_order;

#[doc(hidden)]
pub use crate::Real;
pub use crate::function::{Function, Overloaded};
