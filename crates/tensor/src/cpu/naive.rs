//! The reference kernels (placeholder while the fast ones are brought up).
/// The reference kernels.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naive;
