//! The emulator as `cudarc` sees it, in child processes of these tests. Launches are unsafe there, and tested by [`scripts`](super::scripts).

use std::panic;
use std::path::Path;

use cudarc::driver::sys::{CUgraphInstantiate_flags as Flags, CUresult, CUstreamCaptureMode as Mode};
use cudarc::driver::{CudaContext, DriverError};
use cudarc::nvrtc::{CompileError, CompileOptions, Ptx, compile_ptx_with_opts};
use emulator::{Emulator, Options, Outcome, inside};

fn options() -> Options {
    let kernels = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kernels");
    Options { kernels, modules: Some(vec!["right".into()]), ..Options::default() }
}

/// Starts a test again under an emulator; nothing where none can be built.
fn under(options: &Options, test: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    let outcome = Emulator::at_hand(options)?.rerun(&format!("through_cudarc::{test}"), environment);
    assert!(outcome.success, "{outcome}");
    Some(outcome)
}

fn error<T>(result: Result<T, DriverError>) -> CUresult {
    match result {
        Ok(_) => CUresult::CUDA_SUCCESS,
        Err(DriverError(code)) => code,
    }
}

#[test]
fn a_gpu_with_memory() -> Result<(), DriverError> {
    if !inside() {
        under(&options(), "a_gpu_with_memory", &[]);
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

fn compiled(scalar: &str) -> Result<Ptx, CompileError> {
    let options = vec![format!("-DREAL={scalar}")];
    compile_ptx_with_opts("", CompileOptions { name: Some("kernels/right.cu".into()), options, ..Default::default() })
}

#[test]
fn modules_and_functions() -> Result<(), DriverError> {
    if !inside() {
        let Some(outcome) = under(&options(), "modules_and_functions", &[]) else { return Ok(()) };
        assert!(outcome.log.iter().any(|line| line == "compile kernels/right.cu -DREAL=double"), "{:?}", outcome.log);
        assert!(outcome.log.iter().any(|line| line == "module right_double"), "{:?}", outcome.log);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let image = compiled("double").expect("a text");
    // As a cache gives it back: with a line before it.
    let cached = Ptx::from_src(format!("// something else\n{}", image.to_src()));
    for ptx in [image, cached] {
        let module = gpu.load_module(ptx)?;
        let sum = module.load_function("sum")?;
        assert_eq!(sum.max_threads_per_block()?, 256);
        assert_eq!(sum.occupancy_max_active_blocks_per_multiprocessor(256, 0, None)?, 8);
        assert_eq!(error(module.load_function("product")), CUresult::CUDA_ERROR_NOT_FOUND);
    }
    assert_eq!(error(gpu.load_module("real PTX".into())), CUresult::CUDA_ERROR_INVALID_PTX);
    let wrong = compiled("half").expect_err("no such kernels");
    assert!(wrong.to_string().contains("not for half"), "{wrong}");
    Ok(())
}

#[test]
fn events() -> Result<(), DriverError> {
    if !inside() {
        under(&options(), "events", &[]);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let stream = gpu.new_stream()?;
    let timed = Some(cudarc::driver::sys::CUevent_flags::CU_EVENT_DEFAULT);
    let (before, after) = (stream.record_event(timed)?, stream.record_event(timed)?);
    assert!(before.elapsed_ms(&after)? >= 0.0);
    assert!(after.is_complete());
    let untimed = stream.record_event(None)?;
    assert_eq!(error(before.elapsed_ms(&untimed)), CUresult::CUDA_ERROR_INVALID_HANDLE);
    Ok(())
}

#[test]
fn a_capture_is_replayed() -> Result<(), DriverError> {
    if !inside() {
        under(&options(), "a_capture_is_replayed", &[]);
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
    assert_eq!(error(stream.alloc_zeros::<f32>(1)), CUresult::CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    assert_eq!(format!("{:?}", stream.capture_status()?), "CU_STREAM_CAPTURE_STATUS_INVALIDATED");
    assert_eq!(error(stream.end_capture(Flags(0))), CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);

    // What is forked must be joined again.
    stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_GLOBAL)?;
    other.join(&stream)?;
    assert_eq!(error(stream.end_capture(Flags(0))), CUresult::CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    Ok(())
}

/// Why event tracking has to be off: what a buffer waits for was recorded before the capture.
#[test]
fn a_captured_stream_waits_for_nothing_outside() -> Result<(), DriverError> {
    if !inside() {
        under(&options(), "a_captured_stream_waits_for_nothing_outside", &[]);
        return Ok(());
    }
    let gpu = CudaContext::new(0)?;
    let stream = gpu.new_stream()?;
    let mut x = stream.clone_htod(&[1.0f32])?;
    stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_GLOBAL)?;
    let refused = error(stream.memset_zeros(&mut x));
    // cudarc waits where it cannot say what went wrong, and says it at the next call.
    let later = error(stream.end_capture(Flags(0)));
    assert!([refused, later].contains(&CUresult::CUDA_ERROR_STREAM_CAPTURE_ISOLATION), "{refused:?}, {later:?}");
    assert_eq!(error(stream.end_capture(Flags(0))), CUresult::CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    Ok(())
}

#[test]
fn no_device() {
    if !inside() {
        under(&options(), "no_device", &[("GRADUS_EMULATOR_DEVICES", "0")]);
        return;
    }
    let failed = CudaContext::new(0).expect_err("there is none");
    assert_eq!(failed.0, CUresult::CUDA_ERROR_NO_DEVICE);
    assert!(failed.to_string().contains("no CUDA-capable device is detected"), "{failed}");
}

#[test]
fn no_memory() -> Result<(), DriverError> {
    if !inside() {
        under(&options(), "no_memory", &[("GRADUS_EMULATOR_MEMORY", "1000000")]);
        return Ok(());
    }
    let stream = CudaContext::new(0)?.default_stream();
    assert_eq!(error(stream.alloc_zeros::<u8>(1_000_000)), CUresult::CUDA_ERROR_OUT_OF_MEMORY);
    stream.alloc_zeros::<u8>(999_936).map(drop)
}

#[test]
fn a_source_that_does_not_compile() {
    if !inside() {
        let log = "map.cu(3): error: expected a \";\"";
        under(&options(), "a_source_that_does_not_compile", &[("GRADUS_EMULATOR_NVRTC_FAILS", log)]);
        return;
    }
    let Err(CompileError::CompileError { log, .. }) = compiled("float") else { panic!("it compiles") };
    assert_eq!(log.to_str(), Ok("map.cu(3): error: expected a \";\""));
}

/// `cudarc` panics where a library or a symbol is not there.
fn message(call: impl FnOnce() + panic::UnwindSafe) -> String {
    let thrown = panic::catch_unwind(call).expect_err("it panics");
    thrown.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn no_nvrtc() {
    if !inside() {
        under(&Options { nvrtc: false, ..options() }, "no_nvrtc", &[]);
        return;
    }
    assert!(CudaContext::new(0).is_ok(), "the driver is there");
    let said = message(|| drop(compiled("float")));
    assert!(said.starts_with("Unable to dynamically load the \"nvrtc\" shared library"), "{said}");
}

#[test]
fn no_symbol() {
    if !inside() {
        let without = Some("cuDevicePrimaryCtxRetain".to_string());
        under(&Options { without, ..options() }, "no_symbol", &[]);
        return;
    }
    assert_eq!(CudaContext::device_count(), Ok(1), "the others are there");
    let said = message(|| drop(CudaContext::new(0)));
    assert!(said.starts_with("Missing symbol cuDevicePrimaryCtxRetain"), "{said}");
}
