//! Any text as a configuration file: an error with line and column, or settings that are in their ranges.
#![no_main]

use gradus::fuzzing::config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match config(text) {
        Err(error) => assert!(error.starts_with("run.toml, line "), "{error}"),
        Ok(verdict) => assert!(verdict.starts_with("right: task "), "{verdict}"),
    }
});
