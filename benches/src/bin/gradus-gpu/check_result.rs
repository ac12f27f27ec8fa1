//! The result of a check.

/// The agreement of two results, or the part that disagrees.
pub(crate) type CheckResult = Result<String, String>;
