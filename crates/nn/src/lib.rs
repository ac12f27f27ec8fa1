//! Parameters, layers, optimisers and checkpoints.
//!
//! This program trains a network on y = x². One step of training is: [`differentiate`] computes the loss in a closure and
//! writes the gradients, [`clip_global_norm`] bounds their length, and the [`Optimizer`] updates the parameters.
//!
//! ```
//! use autograd::Tape;
//! use nn::{Builder, Grads, Linear, Optimizer, Params, UpdateRule, clip_global_norm, differentiate};
//! use tensor::Tensor;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let mut params = Params::<f32>::new();
//!     let mut builder = Builder::new(&mut params, 42); // 42 is the seed of the initial values
//!     let hidden = Linear::new(&mut builder.scope("hidden"), 1, 16);
//!     let output = Linear::new(&mut builder.scope("output"), 16, 1);
//!     let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
//!     let (mut tape, mut grads) = (Tape::new(), Grads::zeros(&params));
//!
//!     let inputs = Tensor::from([[-1.0], [-0.5], [0.0], [0.5], [1.0]]);
//!     let mut last_loss = f32::INFINITY;
//!     for _ in 0..300 {
//!         last_loss = differentiate(&params, &mut tape, &mut grads, |tape, weights| {
//!             let x = tape.constant(inputs.clone());
//!             let y = output.forward(weights, hidden.forward(weights, x).tanh());
//!             y.mse(x.square())
//!         })?;
//!         clip_global_norm(&params, &mut grads, 1.0)?;
//!         optimizer.step(0.01, &mut params, &grads);
//!     }
//!     assert!(last_loss < 0.001, "{last_loss}");
//!
//!     let tape = Tape::no_grad(); // for predictions
//!     let (weights, x) = (params.bind(&tape), tape.constant(Tensor::from([[0.25]])));
//!     let y = output.forward(weights, hidden.forward(weights, x).tanh());
//!     println!("0.25² is about {:.3}", y.value().item());
//!     Ok(())
//! }
//! ```
//!
//! Three programs of at most 80 lines train a GRU; run them by `cargo run --release -p gradus-nn --example NAME`:
//! `characters` (a language model of characters), `oscillation` (regression) and `adding` (the adding problem).
//!
//! Reading order: [`Params`] (one flat buffer and named handles), [`Init`] and [`Builder`], the layers, [`differentiate`],
//! [`clip_global_norm`], [`Optimizer`] and [`Schedule`], and [`derivatives`] of any model. With the feature `std` there
//! are also checkpoints and the fault-tolerant [`files`].
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod attention;
mod bytes;
#[cfg(feature = "std")]
mod checkpoint;
mod clip;
pub mod derivatives;
mod differentiate;
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

pub use attention::{Attention, Keys};
pub use bytes::{BytesError, Storable};
#[cfg(feature = "std")]
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointProblem, encode_checkpoint, save_checkpoint};
pub use clip::{NonFiniteNorm, clip_global_norm};
pub use differentiate::differentiate;
pub use embedding::Embedding;
pub use gru::{Gru, GruCell, GruGates, Variant};
pub use init::{Builder, Init};
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use mlp::{Activation, Mlp};
pub use optim::{Optimizer, Schedule, UpdateRule};
pub use params::{BoundParams, Grads, Param, Params};
pub use settings::{SettingError, SettingRange, check_setting, round_setting};
