//! Parameters, layers, optimisers and checkpoints.
//!
//! ```
//! use autograd::Tape;
//! use nn::{Activation, Builder, Mlp, Params};
//! use tensor::Tensor;
//!
//! let mut params = Params::<f32>::new();
//! let mlp = Mlp::new(&mut Builder::new(&mut params, 42), &[2, 8, 1], Activation::Tanh);
//! let tape = Tape::new();
//! let y = mlp.forward(params.bind(&tape), tape.constant(Tensor::zeros([5, 2])));
//! assert_eq!(y.shape()[..], [5, 1]);
//! ```
//!
//! In the order in which to read: [`Params`] (one flat buffer, handles with names), [`Init`] and [`Builder`], the
//! layers, [`clip_global_norm`], [`Optimizer`] and [`Schedule`], [`derivatives`] of any model, and, with the feature `std`, the checkpoints and
//! the [`files`] that survive faults.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod bytes;
#[cfg(feature = "std")]
mod checkpoint;
mod clip;
pub mod derivatives;
mod embedding;
#[cfg(feature = "std")]
pub mod files;
mod gru;
mod init;
mod layer_norm;
mod linear;
mod mlp;
mod optim;
mod params;
mod setting;

pub use bytes::{BytesError, Stored};
#[cfg(feature = "std")]
pub use checkpoint::{Checkpoint, CheckpointError, Problem, encode, save};
pub use clip::{NotFinite, clip_global_norm};
pub use embedding::Embedding;
pub use gru::{Gates, Gru, GruCell, Variant};
pub use init::{Builder, Init};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use mlp::{Activation, Mlp};
pub use optim::{Optimizer, Rule, Schedule};
pub use params::{Grads, Param, Params, Weights};
pub use setting::{Range, Unfit, check_setting, round_setting};
