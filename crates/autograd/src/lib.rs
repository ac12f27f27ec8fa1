//! The reverse-mode tape, one file per operation, and the gradient checker.
//!
//! ```
//! use autograd::Tape;
//! use tensor::Tensor;
//!
//! let tape = Tape::<f64>::new();
//! let x = tape.constant(Tensor::from([[0.5, -1.0]]));
//! let w = tape.param("w", Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
//! let loss = x.matmul(w).tanh().square().sum();
//! loss.backward()?;
//! println!("{}", w.grad().unwrap());
//! # Ok::<(), autograd::Unreached>(())
//! ```
//!
//! Reading order: [`Tape`] and its arena, [`Var`], the list of operations (`ops/mod.rs`), any file of
//! [`ops`] (each derives its own backward), the backward pass (`backward.rs`), [`CustomOp`], [`derivatives`]
//! (forward mode, Hessian-vector products), and [`gradcheck`].
//!
//! `cargo run --release -p autograd --example tape` trains and checks a small network with this
//! crate and [`tensor`] alone.
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
mod op;
pub mod ops;
mod print;
mod scan;
mod tape;
#[cfg(test)]
mod testing;
mod var;
mod wrap;

pub use backward::{Backward, Unreached};
pub use custom::CustomOp;
pub use forward::Forward;
pub use function::{Function, Overloaded};
pub use ops::gru::assert_gru_shapes;
pub use scan::Scan;
pub use tape::Tape;
#[doc(hidden)] // for `function!`, whose user may not have named `tensor`
pub use tensor::Real;
pub use var::Var;
pub use wrap::Recorded;
