//! What a check finds.

/// How well something agrees, or what does not.
pub(crate) type Found = Result<String, String>;
