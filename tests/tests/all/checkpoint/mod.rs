//! Tests of checkpoints: bit-exact round trips, and everything that can be wrong with a file.

mod damaged;
mod fixtures;
mod hostile;
mod reading;
mod replacing;
mod saving;
