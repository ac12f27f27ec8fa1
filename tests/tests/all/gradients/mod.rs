//! Every operation's and every layer's gradients: one table, held to every level; and the laws of the tape itself.

mod generated;
mod gru;
mod kinks;
mod laws;
mod levels;
mod museum;
mod table;
