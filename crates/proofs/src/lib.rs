//! Test cases for gradients, as data: every operation, every layer and the loss of A2C, in many shapes and layouts.
//!
//! The tests run every level of checks on each [`Case`]. Other programs can do the same:
//!
//! ```
//! use autograd::gradcheck::duals;
//! use autograd::ops::Kind;
//! use proofs::{Layout, operation_cases};
//!
//! for case in operation_cases(Kind::Softmax) {
//!     for case in Layout::ALL.map(|layout| case.with_layout(layout)) {
//!         duals(&*case.f, &case.inputs).assert_ok();
//!     }
//! }
//! ```
//!
//! Reading order: [`Case`], the [table of operations](operation_cases) (one file per family), the [table of
//! layers](layer_cases), the paths of the [policy gradient](policy_gradient_cases), the [`Layout`]s that apply to all cases, the sizes of a [training run](production_cases), and
//! the [museum] of wrong gradients. `gradus gradcheck` shows the results of [`measure`] (every method on a case),
//! [`limit`] (the smallest detected factor on a gradient) and [`curve`] (the error of central differences at each step
//! size). [`Rule`] is the tested rule in one line.
#![forbid(unsafe_code)]

#[macro_use]
mod case;
pub mod curve;
mod generated;
mod layers;
mod layout;
pub mod levels;
pub mod limit;
pub mod measure;
pub mod museum;
mod operations;
mod policy_gradient;
mod production;
mod random_tensors;
mod rules;

pub use case::{BatchAxes, Case, Target};
pub use generated::{GeneratedCase, generate_case};
pub use layers::layer_cases;
pub use layout::Layout;
pub use operations::operation_cases;
pub use policy_gradient::policy_gradient_cases;
pub use production::production_cases;
pub use random_tensors::RandomTensors;
pub use rules::Rule;

/// Returns every case: first of all operations, then of all layers, then of the policy gradient.
pub fn all_cases() -> Vec<Case> {
    let operations = autograd::ops::Kind::ALL.iter().flat_map(|&kind| operation_cases(kind));
    operations.chain(layer_cases()).chain(policy_gradient_cases()).collect()
}
