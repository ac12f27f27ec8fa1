//! Failures of the driver that a program must handle.

use super::plain;

#[test]
fn init_failure_returns_its_error() {
    for (name, value, error) in [
        ("GRADUS_EMULATOR_DEVICES", "0", "CUDA_ERROR_NO_DEVICE"),
        ("GRADUS_EMULATOR_DRIVER_VERSION", "11000", "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
        ("GRADUS_EMULATOR_INIT", "999", "CUDA_ERROR_UNKNOWN"),
    ] {
        let Some(outcome) = plain("", &[(name, value)]) else { return };
        assert_eq!(outcome.stdout.trim(), format!("start: {error}"), "{name}");
    }
}

#[test]
fn alloc_beyond_free_memory_fails() {
    let memory = [("GRADUS_EMULATOR_MEMORY", "4096"), ("GRADUS_EMULATOR_MEMORY_FREE", "2048")];
    let script = "memory; alloc a 1024; memory; alloc b 1025; alloc c 1024; free a; alloc b 1024; memory";
    let Some(outcome) = plain(script, &memory) else { return };
    let want = "2048 of 4096\n1024 of 4096\nalloc b: CUDA_ERROR_OUT_OF_MEMORY\n0 of 4096\n";
    assert_eq!(outcome.stdout, want, "{outcome}");
}

#[test]
fn lost_device_fails_every_later_call() {
    let script = "module right_float; alloc x 4; zero x 4; launch scale 1 1 0 f:2 x i:1; launch scale 1 1 0 f:2 x i:1;
                  show x floats 1; free x; sync; release";
    let Some(outcome) = plain(script, &[("GRADUS_EMULATOR_FAIL_LAUNCH", "2")]) else { return };
    let want = ["launch scale", "show x", "free x", "sync", "release"];
    let want: Vec<_> = want.map(|what| format!("{what}: CUDA_ERROR_DEVICE_UNAVAILABLE")).into();
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), want, "{outcome}");
    let other = plain(script, &[("GRADUS_EMULATOR_FAIL_LAUNCH", "1:4")]).expect("a compiler");
    assert!(other.stdout.starts_with("launch scale: CUDA_ERROR_DEINITIALIZED\nlaunch scale:"), "{other}");
}
