//! What gradients are proved on, as data: every operation and every layer, in many shapes and layouts.
//!
//! The tests hold each [`Case`] against every level of the standard, and so can anyone else:
//!
//! ```
//! use autograd::gradcheck::duals;
//! use autograd::ops::Kind;
//! use proofs::{Layout, operations};
//!
//! for case in operations(Kind::Softmax) {
//!     for case in Layout::ALL.map(|layout| case.laid_out(layout)) {
//!         duals(&*case.f, &case.inputs).assert_ok();
//!     }
//! }
//! ```
//!
//! In the order in which to read: [`Case`], the [table of operations](operations), one file a family; the
//! [table of layers](layers); the [`Layout`]s that go with all of them; the sizes of a [training run](production); and
//! the [museum], where nothing is right. What `gradus gradcheck` shows comes from [`measure`] (every method on a case),
//! [`limit`] (which factor on a gradient is seen) and [`curve`] (why not by differences alone); [`Rule`] is what is proved, in
//! a line.
#![forbid(unsafe_code)]

#[macro_use]
mod case;
pub mod curve;
mod draw;
mod generated;
mod layers;
mod layout;
pub mod levels;
pub mod limit;
pub mod measure;
pub mod museum;
mod operations;
mod production;
mod rules;

pub use case::{Batch, Case, Of};
pub use draw::Draw;
pub use generated::{Generated, generate};
pub use layers::layers;
pub use layout::Layout;
pub use operations::operations;
pub use production::production;
pub use rules::Rule;

/// Every case: of all operations, then of all layers.
pub fn all() -> Vec<Case> {
    autograd::ops::Kind::ALL.iter().flat_map(|&kind| operations(kind)).chain(layers()).collect()
}
