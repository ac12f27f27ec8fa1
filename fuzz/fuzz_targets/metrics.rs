//! Parses arbitrary text as `metrics.jsonl` and as a line of `episodes.jsonl`. The result is an error that names the line,
//! or lines that stay equal when they are serialized and parsed again.
#![no_main]

use gradus::fuzzing::{parse_episodes_line, parse_metrics};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match parse_metrics(text) {
        Err(error) => assert!(error.starts_with("line "), "{error}"),
        Ok(lines) => {
            let again: String = lines.iter().map(|line| format!("{line}\n")).collect();
            assert_eq!(parse_metrics(&again).as_ref(), Ok(&lines));
        }
    }
    if let Ok(line) = parse_episodes_line(text) {
        assert_eq!(parse_episodes_line(&line), Ok(line));
    }
});
