//! Every operation's gradients: one table, checked exactly and by differences; and the laws of the tape itself.
#![forbid(unsafe_code)]

mod gru;
mod laws;
mod operations;
