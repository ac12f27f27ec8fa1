//! The ladder: several versions of the same computation. Each version adds one idea.
//!
//! The versions are called rungs. They are numbered and named after their idea, one file each. The difference between two
//! neighbouring files is the lesson. The lowest rung is the definition and the reference for all others. All rungs are
//! safe Rust for `f32` on row-major slices. `tensor` has the kernels with hand-written vector instructions
//! ([`kernels`](crate::kernels)); the top rung of the matrix products calls them.
//!
//! The benchmarks `matmul` and `gru` measure the gain of each rung, and `docs/ladder.md` explains it.

pub mod gru;
pub mod matmul;
