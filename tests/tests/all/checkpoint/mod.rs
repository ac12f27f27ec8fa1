//! Checkpoints: there and back to the bit, and everything that can be wrong with a file.

mod damaged;
mod given;
mod hostile;
mod reading;
mod replacing;
mod saving;
