//! Two exhibits from one source: the derivation in the vignette of a package, and the code of the package.

mod cell;
mod package;
mod vignette;

pub(super) use package::EXHIBIT as PACKAGE;
pub(super) use vignette::EXHIBIT as VIGNETTE;
