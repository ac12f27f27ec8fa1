//! Mistakes of kernels and their callers: the report names the mistake, the kernel and the place.

use super::{Outcome, Sanitizer, plain, sanitized};

const ADDRESS: &str = "CUDA_ERROR_ILLEGAL_ADDRESS";
const FAILED: &str = "CUDA_ERROR_LAUNCH_FAILED";
const VALUE: &str = "CUDA_ERROR_INVALID_VALUE";

/// Asserts that a script fails with this error, and that the message contains all of these parts.
fn assert_fails(script: &str, error: &str, message: &[&str]) {
    let Some(outcome) = plain(&format!("module wrong_float; {script}"), &[]) else { return };
    assert_reports(&outcome, error, message);
    let fault: Vec<_> = outcome.log.iter().filter(|line| line.starts_with("fault ")).collect();
    assert!(!fault.is_empty(), "the log has it too: {:?}", outcome.log);
}

fn assert_reports(outcome: &Outcome, error: &str, message: &[&str]) {
    assert!(outcome.stdout.contains(error), "{error}: {outcome}");
    for part in message {
        assert!(outcome.stderr.contains(part), "{part}: {outcome}");
    }
}

#[test]
fn barrier_some_threads_skip_is_reported() {
    assert_fails(
        "alloc y 256; launch half_at_a_barrier 2 32 0 y",
        "launch half_at_a_barrier: CUDA_ERROR_LAUNCH_FAILED",
        &[
            "half_at_a_barrier, block (0, 0, 0): threads wait for others that will not come",
            "at the barrier of kernels/wrong.cu:4: threads 0-15",
            "ended: threads 16-31",
        ],
    );
    assert_fails(
        "alloc y 256; launch two_barriers 1 4 0 y",
        FAILED,
        &["wrong.cu:10: threads 0, 2", "wrong.cu:12: threads 1, 3"],
    );
}

#[test]
fn shuffle_some_lanes_skip_is_reported() {
    assert_fails(
        "alloc y 256; launch half_a_warp 1 32 0 y",
        FAILED,
        &["mask 0xffffffff of kernels/wrong.cu:18: threads 0-15", "barrier of kernels/wrong.cu:19: threads 16-31"],
    );
    assert_fails(
        "alloc y 256; launch not_in_the_mask 1 32 0 y",
        FAILED,
        &["not_in_the_mask, block (0, 0, 0), thread (16, 0, 0)", "lane 16 calls with mask 0x0000ffff"],
    );
}

#[test]
fn error_repeats_for_every_later_call() {
    let script = "module wrong_float; alloc y 256; launch half_at_a_barrier 1 32 0 y; zero y 4; sync";
    let Some(outcome) = plain(script, &[]) else { return };
    let errors: Vec<_> = outcome.stdout.lines().collect();
    assert_eq!(errors.len(), 3, "{outcome}");
    assert!(errors.iter().all(|line| line.ends_with(": CUDA_ERROR_LAUNCH_FAILED")), "{outcome}");
}

#[test]
fn shared_memory_unwritten_is_nan() {
    let Some(outcome) = plain("module wrong_float; alloc y 16; launch unwritten 1 4 0 y; show y floats 4", &[]) else {
        return;
    };
    assert_eq!(outcome.stdout.trim(), "1 -nan -nan -nan");
    let script = "module wrong_float; alloc y 12; launch left_by_the_last_block 3 1 0 y; show y floats 3";
    assert_eq!(plain(script, &[]).expect("a compiler").stdout.trim(), "7 -nan -nan");
}

#[test]
fn device_memory_unwritten_is_nan() {
    let Some(outcome) = plain("alloc x 16; show x floats 2; show x doubles 1; show x words 1", &[]) else { return };
    assert_eq!(outcome.stdout, "-nan -nan \n-nan \n-1 \n");
}

#[test]
fn write_out_of_bounds_is_reported() {
    let past = "past_the_end: a write at byte 40 of allocation 1, which has 40";
    assert_fails(
        "alloc y 40; launch past_the_end 1 1 0 y i:10",
        "launch past_the_end: CUDA_ERROR_ILLEGAL_ADDRESS",
        &[past],
    );
    let before = "a write at byte -4 of allocation 1";
    assert_fails("alloc y 40; launch past_the_end 1 1 0 y i:-1", ADDRESS, &[before]);
    // The last float of a size that is not a multiple of four.
    assert_fails("alloc y 41; launch past_the_end 1 1 0 y i:10", ADDRESS, &["a write at byte 41 of"]);
    assert_fails("alloc y 4; launch nowhere 1 1 0 y", ADDRESS, &["unmapped memory (address 0x10)"]);
    assert_fails("alloc y 8; zero y 8; launch divides 1 1 0 y", ADDRESS, &["an integer division by zero"]);
}

#[test]
fn read_out_of_bounds_is_nan() {
    let script =
        "module wrong_float; alloc x 8; zero x 8; alloc y 4; launch reads_past_the_end 1 1 0 x y i:2; show y floats 1";
    let Some(outcome) = plain(script, &[]) else { return };
    assert_eq!(outcome.stdout.trim(), "nan");
}

#[test]
fn shared_memory_write_out_of_bounds_is_reported() {
    let past = "past_shared, block (0, 0, 0): a write past the end of first";
    assert_fails("alloc y 4; launch past_shared 1 8 0 y i:8", ADDRESS, &[past]);
    let past = "a write past the end of the dynamic shared memory";
    assert_fails("alloc y 4; launch past_dynamic 1 1 16 y i:4", ADDRESS, &[past]);
    assert_fails("alloc y 4; launch too_much_shared 1 1 0 y", FAILED, &["56000 bytes of static shared"]);
}

#[test]
fn use_after_free_is_reported() {
    let freed = "past_the_end: argument 0 points into allocation 1 of 40 bytes, which was freed";
    assert_fails("alloc y 40; free y; launch past_the_end 1 1 0 y i:0", ADDRESS, &[freed]);
    assert_fails("alloc y 40; free y; free y", "free y: CUDA_ERROR_INVALID_VALUE", &["freed already"]);
    assert_fails("alloc y 40; free y; floats y 1", VALUE, &["not within one allocation"]);
}

#[test]
fn copy_beyond_the_allocation_is_reported() {
    assert_fails(
        "alloc y 4; floats y 1 2",
        "floats y: CUDA_ERROR_INVALID_VALUE",
        &["8 bytes at", "not within one allocation"],
    );
    assert_fails("alloc y 4; show y floats 2", "show y: CUDA_ERROR_INVALID_VALUE", &["not within one allocation"]);
    assert_fails("alloc y 4; zero y 5", "zero y: CUDA_ERROR_INVALID_VALUE", &["not within one allocation"]);
}

#[test]
fn invalid_launch_is_refused() {
    assert_fails("alloc y 4; launch bounded 0 1 0 y", VALUE, &["bounded: an empty launch"]);
    assert_fails("alloc y 4; launch bounded 1 65 0 y", "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", &["__launch_bounds__"]);
    assert_fails("alloc y 4; launch past_dynamic 1 2048 0 y i:0", VALUE, &["too many threads"]);
    let much = "launch past_dynamic 1 1 50000 y i:0";
    assert_fails(&format!("alloc y 4; {much}"), VALUE, &["more shared memory than was requested"]);
    assert_fails(
        "alloc y 4; launch absent 1 1 0 y",
        "CUDA_ERROR_NOT_FOUND",
        &["module wrong_float has no kernel absent"],
    );
    assert_fails(
        "module absent_float",
        "module absent_float: CUDA_ERROR_FILE_NOT_FOUND",
        &["absent_float was not built"],
    );
    let queried = format!("module wrong_float; alloc y 4; shared past_dynamic 50000; {much}; show y floats 1");
    if let Some(outcome) = plain(&queried, &[]) {
        assert_eq!(outcome.stdout.trim(), "1");
    }
}

/// AddressSanitizer reports reads too, and names a source line.
#[test]
fn address_sanitizer_reports_every_access() {
    for (script, what) in [
        ("alloc y 40; launch past_the_end 1 1 0 y i:10", "heap-buffer-overflow"),
        ("alloc x 40; alloc y 4; launch reads_past_the_end 1 1 0 x y i:10", "heap-buffer-overflow"),
        ("alloc y 40; free y; launch past_the_end 1 1 0 y i:0", "heap-use-after-free"),
        ("alloc y 4; launch past_shared 1 8 0 y i:8", "index 8 out of bounds for type"),
        ("alloc y 4; launch past_dynamic 1 1 16 y i:4", "use-after-poison"),
        ("alloc y 8; zero y 8; launch divides 1 1 0 y", "division by zero"),
    ] {
        let Some(outcome) = sanitized(Sanitizer::Address, &format!("module wrong_float; {script}")) else { return };
        assert!(!outcome.success && outcome.stderr.contains(what), "{script}: {what}: {outcome}");
        assert!(outcome.stderr.contains("kernels/wrong.cu:"), "{script}: {outcome}");
    }
}
