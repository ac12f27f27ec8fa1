//! The emulator through `cudarc`, in child processes of these tests. Launches are unsafe there; [`scripts`](super::scripts)
//! tests them.

use std::panic;
use std::path::Path;

use cudarc::driver::sys::{CUgraphInstantiate_flags as Flags, CUresult, CUstreamCaptureMode as Mode};
use cudarc::driver::{CudaContext, DriverError};
use cudarc::nvrtc::{CompileError, CompileOptions, Ptx, compile_ptx_with_opts};
use emulator::{Emulator, Options, Outcome, is_emulated};

fn options() -> Options {
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernels");
    Options { kernels, modules: Some(vec!["right".into()]), ..Options::default() }
}

/// Reruns a test under an emulator; does nothing if none can be built.
fn rerun_emulated(options: &Options, test: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    let outcome = Emulator::build_or_skip(options)?.rerun(&format!("through_cudarc::{test}"), environment);
    assert!(outcome.success, "{outcome}");
    Some(outcome)
}

fn error_code<T>(result: Result<T, DriverError>) -> CUresult {
    match result {
        Ok(_) => CUresult::CUDA_SUCCESS,
        Err(DriverError(code)) => code,
    }
}

#[test]
fn context_memory_copies_and_frees() -> Result<(), DriverError> {
    if !is_emulated() {
        rerun_emulated(&options(), "context_memory_copies_and_frees", &[]);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    assert_eq!(CudaContext::device_count()?, 1);
    assert_eq!(gpu.name()?, "gradus emulator");
    assert_eq!(gpu.compute_capability()?, (9, 0));
    let (free, total) = gpu.mem_get_info()?;
    assert_eq!((free, total), (gpu.total_mem()?, 4 << 30));
    for stream in [gpu.default_stream(), gpu.new_stream()?] {
        let mut x = stream.clone_htod(&[1.0f32, 2.0, 3.0])?;
        let mut y = stream.alloc_zeros::<f32>(3)?;
        assert_eq!(gpu.mem_get_info()?.0, free - 2 * 512);
        assert_eq!(stream.clone_dtoh(&y)?, [0.0; 3]);
        stream.memcpy_dtod(&x, &mut y)?;
        stream.memset_zeros(&mut x)?;
        stream.synchronize()?;
        assert_eq!((stream.clone_dtoh(&x)?, stream.clone_dtoh(&y)?), (vec![0.0; 3], vec![1.0, 2.0, 3.0]));
    }
    gpu.synchronize()?;
    assert_eq!(gpu.mem_get_info()?.0, free, "all was freed");
    Ok(())
}

fn compile(scalar: &str) -> Result<Ptx, CompileError> {
    let options = vec![format!("-DREAL={scalar}")];
    compile_ptx_with_opts("", CompileOptions { name: Some("kernels/right.cu".into()), options, ..Default::default() })
}

#[test]
fn modules_load_and_find_functions() -> Result<(), DriverError> {
    if !is_emulated() {
        let Some(outcome) = rerun_emulated(&options(), "modules_load_and_find_functions", &[]) else { return Ok(()) };
        assert!(outcome.log.iter().any(|line| line == "compile kernels/right.cu -DREAL=double"), "{:?}", outcome.log);
        assert!(outcome.log.iter().any(|line| line == "module right_double"), "{:?}", outcome.log);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let image = compile("double").expect("a text");
    // A cache returns the text with a line before it.
    let cached = Ptx::from_src(format!("// something else\n{}", image.to_src()));
    for ptx in [image, cached] {
        let module = gpu.load_module(ptx)?;
        let sum = module.load_function("sum")?;
        assert_eq!(sum.max_threads_per_block()?, 256);
        assert_eq!(sum.occupancy_max_active_blocks_per_multiprocessor(256, 0, None)?, 8);
        assert_eq!(error_code(module.load_function("product")), CUresult::CUDA_ERROR_NOT_FOUND);
    }
    assert_eq!(error_code(gpu.load_module("real PTX".into())), CUresult::CUDA_ERROR_INVALID_PTX);
    let wrong = compile("half").expect_err("no such kernels");
    assert!(wrong.to_string().contains("not for half"), "{wrong}");
    Ok(())
}

#[test]
fn events_measure_elapsed_time() -> Result<(), DriverError> {
    if !is_emulated() {
        rerun_emulated(&options(), "events_measure_elapsed_time", &[]);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let stream = gpu.new_stream()?;
    let timed = Some(cudarc::driver::sys::CUevent_flags::CU_EVENT_DEFAULT);
    let (before, after) = (stream.record_event(timed)?, stream.record_event(timed)?);
    assert!(before.elapsed_ms(&after)? >= 0.0);
    assert!(after.is_complete());
    let untimed = stream.record_event(None)?;
    assert_eq!(error_code(before.elapsed_ms(&untimed)), CUresult::CUDA_ERROR_INVALID_HANDLE);
    Ok(())
}

#[test]
fn capture_join_and_replay_follow_cuda() -> Result<(), DriverError> {
    if !is_emulated() {
        rerun_emulated(&options(), "capture_join_and_replay_follow_cuda", &[]);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let stream = gpu.new_stream()?;
    let other = stream.fork()?;
    stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_GLOBAL)?;
    other.join(&stream)?;
    assert_eq!(format!("{:?}", other.capture_status()?), "CU_STREAM_CAPTURE_STATUS_ACTIVE");
    stream.join(&other)?;
    let graph = stream.end_capture(Flags(0))?.expect("a graph");
    graph.upload()?;
    graph.launch()?;

    stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_GLOBAL)?;
    assert_eq!(error_code(stream.alloc_zeros::<f32>(1)), CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    assert_eq!(format!("{:?}", stream.capture_status()?), "CU_STREAM_CAPTURE_STATUS_INVALIDATED");
    assert_eq!(error_code(stream.end_capture(Flags(0))), CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

    // A forked stream must be joined again.
    stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_GLOBAL)?;
    other.join(&stream)?;
    assert_eq!(error_code(stream.end_capture(Flags(0))), CUresult::CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    Ok(())
}

/// Event tracking has to be off, because the event of a buffer was recorded before the capture.
#[test]
fn captured_stream_waiting_outside_fails() -> Result<(), DriverError> {
    if !is_emulated() {
        rerun_emulated(&options(), "captured_stream_waiting_outside_fails", &[]);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let stream = gpu.new_stream()?;
    let mut x = stream.clone_htod(&[1.0f32])?;
    stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_GLOBAL)?;
    let refused = error_code(stream.memset_zeros(&mut x));
    // cudarc defers an error that it cannot return, and returns it at the next call.
    let later = error_code(stream.end_capture(Flags(0)));
    assert!([refused, later].contains(&CUresult::CUDA_ERROR_STREAM_CAPTURE_ISOLATION), "{refused:?}, {later:?}");
    assert_eq!(error_code(stream.end_capture(Flags(0))), CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    Ok(())
}

#[test]
fn no_device_returns_its_error() {
    if !is_emulated() {
        rerun_emulated(&options(), "no_device_returns_its_error", &[("GRADUS_EMULATOR_DEVICES", "0")]);
        return;
    }
    let failed = CudaContext::new(0).expect_err("there is none");
    assert_eq!(failed.0, CUresult::CUDA_ERROR_NO_DEVICE);
    assert!(failed.to_string().contains("no CUDA-capable device is detected"), "{failed}");
}

#[test]
fn out_of_memory_returns_its_error() -> Result<(), DriverError> {
    if !is_emulated() {
        rerun_emulated(&options(), "out_of_memory_returns_its_error", &[("GRADUS_EMULATOR_MEMORY", "1000000")]);
        return Ok(());
    }
    let stream = CudaContext::new(0)?.default_stream();
    assert_eq!(error_code(stream.alloc_zeros::<u8>(1_000_000)), CUresult::CUDA_ERROR_OUT_OF_MEMORY);
    stream.alloc_zeros::<u8>(999_936).map(drop)
}

#[test]
fn nvrtc_failure_returns_the_log() {
    if !is_emulated() {
        let log = "map.cu(3): error: expected a \";\"";
        rerun_emulated(&options(), "nvrtc_failure_returns_the_log", &[("GRADUS_EMULATOR_NVRTC_FAILS", log)]);
        return;
    }
    let Err(CompileError::CompileError { log, .. }) = compile("float") else { panic!("it compiles") };
    assert_eq!(log.to_str(), Ok("map.cu(3): error: expected a \";\""));
}

/// Returns the message of the panic with which `cudarc` reports a missing library or symbol.
fn catch_message(call: impl FnOnce() + panic::UnwindSafe) -> String {
    let thrown = panic::catch_unwind(call).expect_err("it panics");
    thrown.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn missing_nvrtc_panics_with_its_name() {
    if !is_emulated() {
        rerun_emulated(&Options { nvrtc: false, ..options() }, "missing_nvrtc_panics_with_its_name", &[]);
        return;
    }
    assert!(CudaContext::new(0).is_ok(), "the driver is there");
    let output = catch_message(|| drop(compile("float")));
    assert!(output.starts_with("Unable to dynamically load the \"nvrtc\" shared library"), "{output}");
}

#[test]
fn missing_symbol_panics_with_its_name() {
    if !is_emulated() {
        let without = Some("cuDevicePrimaryCtxRetain".to_string());
        rerun_emulated(&Options { without, ..options() }, "missing_symbol_panics_with_its_name", &[]);
        return;
    }
    assert_eq!(CudaContext::device_count(), Ok(1), "the others are there");
    let output = catch_message(|| drop(CudaContext::new(0)));
    assert!(output.starts_with("Missing symbol cuDevicePrimaryCtxRetain"), "{output}");
}
