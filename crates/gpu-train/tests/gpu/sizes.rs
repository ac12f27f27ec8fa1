//! Networks of other sizes than that of the other tests: kernels are compiled for each, and not in the same way.
//!
//! A row of W_hh is in a thread's registers as long as it has 512 bytes; up to 800, a block owns eight episodes, and beyond, four;
//! and gradients of the table of tokens are summed in shared memory as long as they have 30,000.

use emulator::Options;
use rl::config::{Actions, Config, Curriculum};

use super::parity::{IN_F32, IN_F64, agree};
use super::{is_on_gpu, options, small, under};

/// A few episodes of all stages, more than a block owns at a time, and a validation.
fn few(width: usize, actions: Actions) -> Config {
    Config {
        width,
        actions,
        batch: 10,
        validate_every: 1,
        validation_episodes: 1,
        curriculum: Curriculum::Mix,
        ..small()
    }
}

const ONE_BLOCK: [(&str, &str); 1] = [("GRADUS_CUDA_BLOCKS", "1")];

/// The default network, and all 18 actions. In registers, and the table in shared memory, in `f32`; neither of them in `f64`.
#[test]
fn the_default_network() {
    const NAME: &str = "sizes::the_default_network";
    under(&options(96, 18), NAME, &ONE_BLOCK);
    if is_on_gpu() {
        agree::<f32>(&few(96, Actions::Tokens), 2, IN_F32);
        agree::<f64>(&few(96, Actions::Tokens), 2, IN_F64);
    }
}

/// Four episodes a block; 96 times four threads for a product of 768 rows.
#[test]
fn the_widest_network_in_f32() {
    let floats = Options { scalars: vec!["float"], ..options(256, 6) };
    under(&floats, "sizes::the_widest_network_in_f32", &ONE_BLOCK);
    if is_on_gpu() {
        agree::<f32>(&few(256, Actions::Tools), 2, IN_F32);
    }
}

/// Four episodes a block; as many threads as rows.
#[test]
fn the_widest_network_in_f64() {
    under(&options(128, 6), "sizes::the_widest_network_in_f64", &ONE_BLOCK);
    if is_on_gpu() {
        agree::<f64>(&few(128, Actions::Tools), 2, IN_F64);
    }
}
