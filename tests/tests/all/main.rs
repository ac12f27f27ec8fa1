//! What crosses the crates, in one program: linking one takes seconds. In programs of their own are what scripts build alone
//! (`a2c_gradients`, `golden_a2c`, `gradients`, `precision`), and what prints a page (`gru_ways`, `mutants`).
#![forbid(unsafe_code)]

mod agent;
mod calculator;
mod checkpoint;
mod determinism;
mod faults;
mod golden_ops;
mod golden_optim;
mod layering;
mod layers;
mod optimizers;
mod shapes;
mod tape;
mod trace;
mod training;
mod tutorial_env;
mod tutorial_flaws;
mod tutorial_update_flaws;
