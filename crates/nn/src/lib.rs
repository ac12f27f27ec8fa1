//! Parameters, layers, optimisers and checkpoints.
//!
//! This example fits a small network to y = x². One training step is: build the loss on a tape, run the backward pass,
//! collect the gradients, and let the optimiser update the parameters.
//!
//! ```
//! use autograd::{Tape, Unreached};
//! use nn::{Activation, Builder, Grads, Mlp, Optimizer, Params, UpdateRule};
//! use tensor::Tensor;
//!
//! fn main() -> Result<(), Unreached> {
//!     let mut params = Params::<f32>::new();
//!     let mlp = Mlp::new(&mut Builder::new(&mut params, 42), &[1, 16, 1], Activation::Tanh);
//!     let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
//!     let mut grads = Grads::zeros(&params);
//!     let inputs = Tensor::from([[-1.0], [-0.5], [0.0], [0.5], [1.0]]);
//!     let mut last_loss = f32::INFINITY;
//!     for _ in 0..300 {
//!         let tape = Tape::new();
//!         let (weights, x) = (params.bind(&tape), tape.constant(inputs.clone()));
//!         let loss = (mlp.forward(weights, x) - x.square()).square().mean();
//!         loss.backward()?;
//!         grads.collect(&params, weights);
//!         last_loss = loss.value().item();
//!         drop(tape); // releases the parameters, so that the step updates them in place
//!         optimizer.step(0.01, &mut params, &grads);
//!     }
//!     assert!(last_loss < 0.01, "{last_loss}");
//!     Ok(())
//! }
//! ```
//!
//! Reading order: [`Params`] (one flat buffer and named handles), [`Init`] and [`Builder`], the layers,
//! [`clip_global_norm`], [`Optimizer`] and [`Schedule`], and [`derivatives`] of any model. With the feature `std` there
//! are also checkpoints and the fault-tolerant [`files`].
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
mod settings;

pub use bytes::{BytesError, Storable};
#[cfg(feature = "std")]
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointProblem, encode_checkpoint, save_checkpoint};
pub use clip::{NonFiniteNorm, clip_global_norm};
pub use embedding::Embedding;
pub use gru::{Gru, GruCell, GruGates, Variant};
pub use init::{Builder, Init};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use mlp::{Activation, Mlp};
pub use optim::{Optimizer, Schedule, UpdateRule};
pub use params::{BoundParams, Grads, Param, Params};
pub use settings::{SettingError, SettingRange, check_setting, round_setting};
