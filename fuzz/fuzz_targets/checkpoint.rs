//! Decodes arbitrary bytes as a checkpoint. The result is an error message, or tensors that load. Memory is limited by
//! libFuzzer, see `.ci/fuzz`.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nn::{Builder, Checkpoint, Linear, Optimizer, Params, UpdateRule};

fuzz_target!(|bytes: &[u8]| {
    match Checkpoint::decode(Path::new("fuzzed"), bytes.to_vec()) {
        Err(error) => assert!(error.to_string().len() > 20),
        Ok(checkpoint) => {
            let mut params = Params::<f32>::new();
            Linear::new(&mut Builder::new(&mut params, 1), 3, 2);
            let mut optimizer = Optimizer::new(UpdateRule::adam(), &params);
            let loaded = checkpoint.load_params(&mut params);
            assert!(params.first_not_finite().is_none());
            let restored = checkpoint.load_optimizer(&mut optimizer);
            for error in loaded.err().into_iter().chain(restored.err()) {
                assert!(error.to_string().contains("checkpoint fuzzed: "));
            }
        }
    }
});
