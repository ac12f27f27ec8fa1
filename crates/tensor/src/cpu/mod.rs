//! Kernels for the host, twice: the reference and the fast ones.

mod fast;
mod naive;

pub use fast::Fast;
pub use naive::Naive;
