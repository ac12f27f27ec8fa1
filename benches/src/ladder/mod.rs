//! The ladder: the same work again and again, each time with one more idea.
//!
//! Rungs are numbered and named by their idea, one file each; read a file beside the one before it, and the difference is
//! the lesson. The lowest is the definition, and the reference of all others. Everything is safe Rust on row-major slices,
//! for `f32`; the top of the ladder, with vector instructions written by hand, is in `tensor` ([`kernels`](crate::kernels)).
//!
//! What each gains is measured by the benchmarks `matmul` and `gru`, and told in `docs/ladder.md`.

pub mod gru;
pub mod matmul;
