//! Tests that cross the crates, in one program, since linking one takes seconds.
#![forbid(unsafe_code)]

mod a2c_gradients;
mod agent;
mod calculator;
mod checkpoint;
mod determinism;
mod expected_gradients;
mod faults;
mod golden_a2c;
mod golden_ops;
mod golden_optim;
mod gradients;
mod layering;
mod layers;
mod optimizers;
mod poison;
mod segment_memory;
mod shapes;
mod tape;
mod trace;
mod training;
mod tutorial_env;
mod tutorial_flaws;
mod tutorial_update_flaws;
mod update_allocations;
