//! Helpers that several benchmarks share.
#![forbid(unsafe_code)]
