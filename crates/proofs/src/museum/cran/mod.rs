//! Two exhibits from one source: a derivation in a package's vignette, and the code that the package ships.

mod cell;
mod package;
mod vignette;

pub(super) use package::EXHIBIT as PACKAGE;
pub(super) use vignette::EXHIBIT as VIGNETTE;
