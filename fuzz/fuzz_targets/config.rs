//! Parses arbitrary text as a configuration file. The result is an error with line and column, or settings in their ranges.
#![no_main]

use gradus::fuzzing::check_config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match check_config(text) {
        Err(error) => assert!(error.starts_with("run.toml, line "), "{error}"),
        Ok(verdict) => assert!(verdict.starts_with("valid: task "), "{verdict}"),
    }
});
