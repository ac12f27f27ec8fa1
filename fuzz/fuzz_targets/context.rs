//! Parses arbitrary text as a context. The result is an error message, or exactly the requested number of digits.
#![no_main]

use gradus::fuzzing::parse_context;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let (operands, text) = (usize::from(input.0 % 8), input.1);
    match parse_context(text, operands) {
        Err(error) => assert!(error.to_string().len() < 200),
        Ok(digits) => assert!(digits.len() == operands && digits.iter().all(|&digit| digit < 10)),
    }
});
