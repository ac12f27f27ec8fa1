//! Races under ThreadSanitizer: two unordered accesses are reported in every order of the threads.

use super::{Sanitizer, sanitized};

fn has_race(script: &str) -> Option<bool> {
    let outcome = sanitized(Sanitizer::Thread, &format!("module wrong_float; {script}"))?;
    let seen = outcome.stderr.contains("WARNING: ThreadSanitizer: data race");
    assert_eq!(seen, outcome.code == Some(66), "{outcome}");
    assert!(!seen || outcome.stderr.contains("kernels/wrong.cu:"), "the line is named: {outcome}");
    Some(seen)
}

#[test]
fn lost_update_is_a_race() {
    // In `warm`, earlier launches had threads with the same indices, which are ordered before the race.
    let warm = "launch syncwarp 1 32 0 y; launch syncwarp 1 32 0 y; launch lost_between_blocks 2 32 0 c";
    let apart = "launch barriers_between_blocks 2 32 0 c";
    for grid in
        ["launch lost_update 1 2 0 c", "launch lost_update 2 1 0 c", "launch lost_between_blocks 3 32 0 c", warm, apart]
    {
        let Some(seen) = has_race(&format!("alloc y 256; alloc c 4; zero c 4; {grid}")) else { return };
        assert!(seen, "{grid}");
    }
}

#[test]
fn missing_barrier_is_a_race() {
    for (kernel, threads, wrong) in [("no_barrier", 64, true), ("no_syncwarp", 32, true), ("syncwarp", 32, false)] {
        let Some(seen) = has_race(&format!("alloc y 256; launch {kernel} 1 {threads} 0 y")) else { return };
        assert_eq!(seen, wrong, "{kernel}");
    }
}

#[test]
fn ordered_accesses_are_no_race() {
    // One thread; one launch after the other; blocks that use the same shared memory, here one after the other; more threads
    // than the emulator keeps.
    for script in [
        "alloc c 4; zero c 4; launch lost_update 1 1 0 c; launch lost_update 1 1 0 c; show c words 1",
        "module right_float; alloc x 1024; alloc y 64; launch sum 16 16 0 x y; launch sum 16 16 0 x y",
        "module right_float; alloc x 1024; alloc y 64; launch sum_dynamic 16 16 64 x y; launch sum_dynamic 16 16 64 x y",
        "module right_float; alloc x 6144; alloc y 24; launch sum 6 256 0 x y; launch sum 6 256 0 x y; show y floats 1",
    ] {
        let Some(seen) = has_race(script) else { return };
        assert!(!seen, "{script}");
    }
}
