//! Reverse-mode automatic differentiation: a tape, one file per operation, and a gradient checker.
//!
//! ```
//! use autograd::{Tape, Unreached};
//! use tensor::Tensor;
//!
//! fn main() -> Result<(), Unreached> {
//!     let tape = Tape::<f64>::new();
//!     let x = tape.constant(Tensor::from([[0.5, -1.0]]));
//!     let w = tape.param("w", Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
//!     let loss = x.matmul(w).tanh().square().sum();
//!     loss.backward()?;
//!     println!("loss {}\n{}", loss.value().item(), w.grad().expect("the loss depends on w"));
//!     Ok(())
//! }
//! ```
//!
//! [`ops`] lists every operation with its forward equation and its gradients; each row links to the derivation.
//!
//! Reading order: [`Tape`] and its arena, [`Var`], the list of operations (`ops/mod.rs`), any module of [`ops`], the backward
//! pass (`backward.rs`), [`CustomOp`], [`derivatives`] (forward mode, Hessian-vector products), and [`gradcheck`].
//!
//! `cargo run --release -p gradus-autograd --example tape` trains and checks a small network with this crate and [`tensor`] alone.
//! The example `vanishing_gradient` prints the gradient of each state of a GRU.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod arena;
mod backward;
mod custom;
pub mod derivatives;
mod forward;
mod function;
pub mod gradcheck;
mod gru_stepper;
mod losses;
mod op;
pub mod ops;
mod print;
mod tape;
#[cfg(test)]
mod testing;
mod var;
mod wrap;

pub use backward::{Backward, Unreached};
pub use custom::CustomOp;
pub use forward::Forward;
pub use function::{DynFunction, Function};
pub use gru_stepper::GruStepper;
#[doc(inline)]
pub use ops::gru::assert_gru_shapes;
pub use tape::Tape;
#[doc(hidden)] // `function!` uses this path, because its caller may not depend on `tensor`
pub use tensor::Real;
pub use var::Var;
pub use wrap::RecordedOp;
