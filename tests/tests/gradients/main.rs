//! Every operation's gradients: one table, checked exactly and by differences; and the laws of the tape itself.

mod gru;
mod laws;
mod operations;
