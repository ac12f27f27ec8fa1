//! Any text as `metrics.jsonl`, and any line as one of `episodes.jsonl`: an error that names the line, or lines that
//! mean the same when they are written and read again.
#![no_main]

use gradus::fuzzing::{episodes, metrics};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match metrics(text) {
        Err(error) => assert!(error.starts_with("line "), "{error}"),
        Ok(lines) => {
            let again: String = lines.iter().map(|line| format!("{line}\n")).collect();
            assert_eq!(metrics(&again).as_ref(), Ok(&lines));
        }
    }
    if let Ok(line) = episodes(text) {
        assert_eq!(episodes(&line), Ok(line));
    }
});
