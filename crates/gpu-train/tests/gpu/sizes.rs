//! Networks of other sizes, for which kernels are compiled differently.
//!
//! A row of W_hh stays in a thread's registers if it has at most 512 bytes. Up to 800 bytes a block owns eight episodes, beyond
//! that four. The gradient of the token table is summed in shared memory if it has at most 30,000 bytes.

use emulator::Options;
use rl::config::{Actions, Config, Curriculum};

use super::parity::{IN_F32, IN_F64, compare_updates};
use super::{is_on_gpu, options, rerun_with, small_config};

/// Settings for a few episodes of all stages, more than a block owns at a time, and a validation.
fn few(width: usize, actions: Actions) -> Config {
    Config {
        width,
        actions,
        batch: 10,
        validate_every: 1,
        validation_episodes: 1,
        curriculum: Curriculum::Mix,
        ..small_config()
    }
}

const ONE_BLOCK: [(&str, &str); 1] = [("GRADUS_CUDA_BLOCKS", "1")];

/// The default network with all 18 actions. In `f32`, rows are in registers and the table in shared memory; in `f64`, neither.
#[test]
fn update_default_network_matches_the_host() {
    const NAME: &str = "sizes::update_default_network_matches_the_host";
    rerun_with(&options(96, 18), NAME, &ONE_BLOCK);
    if is_on_gpu() {
        compare_updates::<f32>(&few(96, Actions::Tokens), 2, IN_F32);
        compare_updates::<f64>(&few(96, Actions::Tokens), 2, IN_F64);
    }
}

/// Four episodes per block, and 4·96 threads for a product of 768 rows.
#[test]
fn update_widest_network_f32_matches_the_host() {
    let floats = Options { scalars: vec!["float"], ..options(256, 6) };
    rerun_with(&floats, "sizes::update_widest_network_f32_matches_the_host", &ONE_BLOCK);
    if is_on_gpu() {
        compare_updates::<f32>(&few(256, Actions::Tools), 2, IN_F32);
    }
}

/// Four episodes per block, and as many threads as rows.
#[test]
fn update_widest_network_f64_matches_the_host() {
    rerun_with(&options(128, 6), "sizes::update_widest_network_f64_matches_the_host", &ONE_BLOCK);
    if is_on_gpu() {
        compare_updates::<f64>(&few(128, Actions::Tools), 2, IN_F64);
    }
}
