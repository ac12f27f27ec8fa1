//! Any text as a context: an error in words, or as many digits as were asked for.
#![no_main]

use gradus::fuzzing::context;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let (operands, text) = (usize::from(input.0 % 8), input.1);
    match context(text, operands) {
        Err(error) => assert!(error.to_string().len() < 200),
        Ok(digits) => assert!(digits.len() == operands && digits.iter().all(|&digit| digit < 10)),
    }
});
