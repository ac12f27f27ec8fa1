//! The gradient checker: whether what the tape sends back is the derivative of what it computed.
//!
//! ```
//! use autograd::{function, gradcheck};
//! use tensor::Tensor;
//!
//! let inputs = [Tensor::from([[0.5, -1.0, 2.0]]), Tensor::from([[0.1], [0.2], [0.3]])];
//! gradcheck::central_differences(|_, x| x[0].matmul(x[1]).tanh(), &inputs).assert_ok();
//! gradcheck::duals(&function!(|x| x[0].matmul(x[1]).tanh()), &inputs).assert_ok();
//! ```
//!
//! Two checks, of every entry of every input. Both contract a result y of any shape with a fixed gradient dy that differs
//! in every place (a plain sum would hide the errors of softmax, whose rows sum to one, and of a transpose):
//!
//! - [`central_differences`] knows nothing of the rules, and takes any closure; it sees errors of about 1e-7.
//! - [`duals`] runs the same function forward on [`tensor::Dual`], whose tangents are exact; it sees errors of 1e-13.
//!   It shares the forward code, so a wrong *value* needs another witness.
//!
//! Either refuses a function that is not one: that gives other bits when it is run again. What is found is in the
//! [`Report`].

mod check;
mod differences;
mod duals;
mod function;
mod report;
#[cfg(test)]
mod tests;

pub use differences::central_differences;
pub use duals::duals;
pub use function::{Function, Overloaded};
pub use report::{Finding, Report, Worst};
#[doc(hidden)] // for `function!`, whose user may not have named `tensor`
pub use tensor::Real;
