//! Tests of the gradients of all operations and layers at every level, and of the laws of the tape itself.

mod generated;
mod gru;
mod kinks;
mod laws;
mod levels;
mod museum;
mod table;
