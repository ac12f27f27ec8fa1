//! Checkpoints: there and back to the bit, and everything that can be wrong with a file.
#![forbid(unsafe_code)]

mod damaged;
mod given;
mod hostile;
mod reading;
mod replacing;
mod saving;
