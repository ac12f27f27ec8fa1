//! Stream capture, and replaying the captured graphs.

use super::{Outcome, plain};

const BEFORE: &str = "module right_float; alloc x 8; stream; floats x 1 2; ";

fn script(rest: &str) -> Option<Outcome> {
    plain(&format!("{BEFORE}{rest}"), &[])
}

#[test]
fn replay_runs_exactly_the_captured_calls() {
    let captured = "begin global; floats x 1 2; launch scale 1 2 0 f:3 x i:2; launch scale 1 2 0 f:2 x i:1; end; ";
    let Some(outcome) = script(&format!(
        "{captured} show x floats 2; replay; show x floats 2; zero x 8; replay; sync; show x floats 2"
    )) else {
        return;
    };
    assert_eq!(outcome.stdout, "1 2 \n6 6 \n6 6 \n", "nothing runs during the capture: {outcome}");
    let begin = outcome.log.iter().position(|line| line.starts_with("capture begins")).expect("it is logged");
    let with_prefix = |prefix: &str| -> Vec<String> {
        outcome.log[begin..].iter().filter_map(|line| line.strip_prefix(prefix)).map(String::from).collect()
    };
    let captured: Vec<_> = with_prefix("capture ").into_iter().filter(|line| !line.starts_with(['b', 'e'])).collect();
    let replayed = with_prefix("replay ");
    assert_eq!(captured.len(), 3, "{:?}", outcome.log);
    assert!(captured[1].starts_with("launch scale grid 1 1 1 block 2 1 1 shared 0 arguments "), "{captured:?}");
    assert_ne!(captured[1], captured[2], "the log shows that the arguments differ");
    assert_eq!(replayed, [captured.clone(), captured].concat());
    assert!(with_prefix("alloc ").is_empty() && with_prefix("free ").is_empty());
}

#[test]
fn forbidden_call_during_capture_invalidates_it() {
    for mode in ["global", "local"] {
        for (what, error) in [
            ("alloc y 4", "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
            ("free x", "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
            ("sync", "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
            ("module right_float", "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"),
        ] {
            let Some(outcome) = script(&format!("begin {mode}; launch scale 1 2 0 f:3 x i:2; {what}; end")) else {
                return;
            };
            let lines: Vec<_> = outcome.stdout.lines().collect();
            assert!(lines[0].ends_with(error), "{mode}, {what}: {outcome}");
            assert_eq!(lines[1..], ["end: CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"], "{mode}, {what}: {outcome}");
            assert!(outcome.stderr.contains("the capture is lost"), "{outcome}");
        }
    }
}

#[test]
fn default_stream_launch_during_capture_fails() {
    let Some(outcome) = script("begin global; default; launch scale 1 2 0 f:3 x i:2") else { return };
    assert_eq!(outcome.stdout.trim(), "launch scale: CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "{outcome}");
    let relaxed = script("begin relaxed; default; launch scale 1 2 0 f:3 x i:2; show x floats 2").expect("a compiler");
    assert_eq!(relaxed.stdout.trim(), "3 6", "{relaxed}");
}

#[test]
fn capture_of_the_default_stream_fails() {
    let Some(outcome) = script("default; begin global") else { return };
    assert_eq!(outcome.stdout.trim(), "begin global: CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED");
}

#[test]
fn replay_after_free_is_reported() {
    let Some(outcome) = script("begin global; launch scale 1 2 0 f:3 x i:2; end; free x; replay") else { return };
    assert_eq!(outcome.stdout.trim(), "replay: CUDA_ERROR_ILLEGAL_ADDRESS");
    assert!(
        outcome.stderr.contains("scale: argument 1 points into allocation 1 of 8 bytes, which was freed"),
        "{outcome}"
    );
    let copies = script("begin global; floats x 1; end; free x; replay").expect("a compiler");
    assert!(copies.stderr.contains("a replayed copy of memory that was freed"), "{copies}");
}

#[test]
fn replay_after_unload_is_reported() {
    let Some(outcome) = script("begin global; launch scale 1 2 0 f:3 x i:2; end; unload; replay") else { return };
    assert!(outcome.stderr.contains("scale: its module was unloaded"), "{outcome}");
}
