//! Tests that each missing or failing part of CUDA gives an error of its own, and no panic:
//! - The driver is missing, lacks a function, does not start, is too old, or finds no GPU.
//! - The GPU does not exist, is too old, does not open, has too little memory, or fails.
//! - NVRTC is missing, lacks a function, or does not compile a kernel.
//!
//! A process loads the libraries only once. So each case runs in a child process, with a folder of fake libraries, which the
//! machine's C compiler builds from `fake.c`. Without a C compiler, the tests print this and pass.
#![cfg(unix)]
#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tensor::{CudaError, Device, Map, Tensor, catch_cuda_error};

/// The environment variable that names what a child process does.
const ROLE: &str = "GRADUS_TEST_ROLE";

/// The body of the child processes. It prints its result.
#[test]
fn child() {
    match env::var(ROLE).as_deref() {
        Ok("open") => print_result(Device::cuda(0).map(|device| device.to_string())),
        Ok("open 7") => print_result(Device::cuda(7).map(|device| device.to_string())),
        Ok("choose") => println!("\nRESULT {}", tensor::choose_kernels("cuda").expect_err("the driver is missing")),
        Ok("move") => print_result(copy_there_and_back()),
        Ok("read") => {
            let there = Tensor::from([1.0_f32]).to(gpu()).expect("the GPU has enough memory");
            print_result(there.to(Device::Host).map(|x| x.to_string()));
        }
        Ok("too much") => print_result(Tensor::<f64>::zeros_on(gpu(), [3 << 27]).map(|_| "room".into())),
        Ok("duals") => print_result(gpu().kernels::<tensor::Dual<f64>>().map(|_| "duals".into())),
        Ok("launch") => launch(),
        _ => {}
    }
}

fn print_result(result: Result<String, CudaError>) {
    let text = match result {
        Ok(text) => format!("ok: {text}"),
        Err(error) => format!("{error:?}\nMESSAGE {error}"),
    };
    println!("\nRESULT {text}");
}

fn gpu() -> Device {
    Device::cuda(0).expect("the fake driver has a GPU")
}

/// Copies tensors to the GPU and back, in several layouts.
fn copy_there_and_back() -> Result<String, CudaError> {
    let x = Tensor::from_fn([2, 3], |i| i as f32);
    let y = x.to(gpu())?;
    assert_eq!((y.device(), y.to_vec()), (gpu(), x.to_vec()));
    assert_eq!(y.transpose().flip(0).to_vec(), x.transpose().flip(0).to_vec());
    assert_eq!((y.get(&[1, 2]), y.view().as_slice()), (5.0, None));
    let mut z = y.clone();
    z.view_mut().set(&[0, 0], 9.0);
    assert_eq!((z.get(&[0, 0]), y.get(&[0, 0])), (9.0, 0.0));
    let (before, _) = z.view_mut().split_at(1);
    before.slice(1, 1..3).fill(0.0);
    assert_eq!(z.to_vec(), [9.0, 0.0, 0.0, 3.0, 4.0, 5.0]);
    z.resize([4]);
    assert_eq!((z.to_vec(), z.device()), (vec![9.0, 0.0, 0.0, 3.0], gpu()));
    z.resize([9]);
    assert_eq!(z.to_vec()[..4], [9.0, 0.0, 0.0, 3.0]);
    let mut first = y.clone(); // shares the buffer of y
    first.resize([2]);
    assert_eq!((first.to_vec(), y.to_vec()), (vec![0.0, 1.0], x.to_vec()));
    assert!(Tensor::<u32>::zeros_on(gpu(), [3])? == Tensor::from([0, 0, 0]) && y == x);
    let host = catch_unwind(AssertUnwindSafe(|| y.view().as_ndarray().len())).expect_err("the tensor is on the GPU");
    Ok(host.downcast_ref::<String>().expect("a message").clone())
}

fn launch() {
    let kernels = gpu().kernels::<f32>().expect("a GPU has kernels for f32");
    let x = Tensor::from([1.0]).to(gpu()).expect("the GPU has enough memory");
    let mut y = x.clone();
    print_result(catch_cuda_error(|| kernels.map(Map::Neg, x.view(), y.view_mut())).map(|()| "nothing".into()));
}

/// Builds the folders with fake libraries once; `None` without a compiler.
fn build_folders() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cuda_errors-{}", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cuda_errors/fake.c");
        let empty = folder.join("empty.c");
        fs::create_dir_all(&folder).expect("the folder can be made");
        fs::write(&empty, "").expect("it can be written");
        let library = |place: &str, name: &str, source: &Path, defined: &[&str]| {
            fs::create_dir_all(folder.join(place)).expect("the folder can be made");
            let mut cc = Command::new(env::var_os("CC").unwrap_or("cc".into()));
            cc.args(["-shared", "-fPIC", "-w", "-o"]).arg(folder.join(place).join(name)).arg(source).args(defined);
            cc.status().ok().filter(|status| status.success()).map(drop)
        };
        let (driver, compiler) = ("libcuda.so", "libnvrtc.so");
        library("whole", driver, &source, &["-DDRIVER"])?;
        library("whole", compiler, &source, &["-DCOMPILER"])?;
        library("no compiler", driver, &source, &["-DDRIVER"])?;
        library("strange compiler", driver, &source, &["-DDRIVER"])?;
        library("strange compiler", compiler, &empty, &[])?;
        library("strange", driver, &empty, &[])?;
        library("old", driver, &source, &["-DDRIVER", "-DWITHOUT_LAUNCH"])?;
        fs::create_dir_all(folder.join("nothing")).expect("the folder can be made");
        Some(folder)
    });
    if made.is_none() {
        println!("not tested: the fake libraries need a C compiler; install cc, or name a compiler in CC");
    }
    made.as_deref()
}

/// Runs a child process with these libraries and environment variables, and returns the result that it prints; `None` without a
/// compiler.
fn run_child(role: &str, libraries: &str, variables: &[(&str, &str)]) -> Option<String> {
    let folder = build_folders()?;
    let mut child = Command::new(env::current_exe().expect("this test runs"));
    child.args(["--exact", "child", "--nocapture"]).env(ROLE, role).env("GRADUS_CACHE", "");
    child.env("LD_LIBRARY_PATH", folder.join(libraries)).envs(variables.iter().copied());
    let done = child.output().expect("the child runs");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");
    if role != "move" {
        assert!(!err.contains("panicked"), "a panic was printed:\n{err}");
    }
    let (_, result) =
        out.split_once("\nRESULT ").unwrap_or_else(|| panic!("the child printed no result:\n{out}\n{err}"));
    let result = result.split("\ntest ").next().expect("a split has a first part").trim_end();
    Some(result.to_owned())
}

/// Asserts that a child process gets this error, and that the message contains `expected` and suggests the CPU.
#[track_caller]
fn assert_error(role: &str, libraries: &str, variables: &[(&str, &str)], variant: &str, expected: &str) {
    let Some(result) = run_child(role, libraries, variables) else { return };
    let (debug, message) = result.split_once("\nMESSAGE ").unwrap_or_else(|| panic!("no error: {result}"));
    assert!(debug.starts_with(variant), "{debug}");
    assert!(message.contains(expected), "{message}\ndoes not contain: {expected}");
    assert!(message.contains("the CPU"), "{message}");
}

#[test]
fn open_without_a_driver_gives_no_driver() {
    let Some(result) = run_child("open", "nothing", &[]) else { return };
    if result.starts_with("NoDriver") {
        assert_error("open", "nothing", &[], "NoDriver", "there is no CUDA driver: looked for libcuda.so, ");
    } else {
        println!("not tested: the system has a driver: {result}");
    }
}

#[test]
fn open_driver_without_a_function_gives_missing_symbol() {
    let expected = "the CUDA driver has no function cuInit: it is too old, or not NVIDIA's";
    assert_error("open", "strange", &[], "MissingSymbol", expected);
    assert_error("open", "old", &[], "MissingSymbol", "has no function cuLaunchKernel");
}

#[test]
fn open_driver_that_does_not_start_gives_not_started() {
    assert_error("open", "whole", &[("FAKE_INIT", "999")], "NotStarted", "a driver message (CUDA_ERROR_UNKNOWN)");
}

#[test]
fn open_old_driver_gives_driver_or_compiler_version_error() {
    let expected = "the CUDA driver has version 11.8, and 12.0 is needed at least";
    assert_error("open", "whole", &[("FAKE_VERSION", "11080")], "DriverTooOld", expected);
    let expected = "NVRTC has version 13.0, and its output is too new for the driver, which has version 12.4";
    assert_error("open", "whole", &[("FAKE_VERSION", "12040"), ("FAKE_LOAD", "222")], "CompilerTooNew", expected);
}

#[test]
fn open_driver_without_a_gpu_gives_no_device() {
    for variable in [("FAKE_INIT", "100"), ("FAKE_COUNT", "0")] {
        assert_error("open", "whole", &[variable], "NoDevice", "the CUDA driver finds no GPU");
    }
}

#[test]
fn open_number_without_a_gpu_gives_no_such_device() {
    assert_error("open 7", "whole", &[], "NoSuchDevice", "there is no GPU 7: there is one, which has number 0");
    let expected = "there is no GPU 7: there are 3, with the numbers 0 to 2";
    assert_error("open 7", "whole", &[("FAKE_COUNT", "3")], "NoSuchDevice", expected);
}

#[test]
fn open_old_gpu_gives_gpu_too_old() {
    let expected = "a fake GPU has compute capability 7.5, and 8.0 is needed at least";
    assert_error("open", "whole", &[("FAKE_MAJOR", "7"), ("FAKE_MINOR", "5")], "GpuTooOld", expected);
}

#[test]
fn open_gpu_without_a_context_gives_failed() {
    let expected = "opening GPU 0, a fake GPU: a driver message (CUDA_ERROR_DEVICE_UNAVAILABLE)";
    assert_error("open", "whole", &[("FAKE_CONTEXT", "46")], "Failed", expected);
}

#[test]
fn open_without_nvrtc_gives_no_nvrtc_or_missing_symbol() {
    let Some(result) = run_child("open", "no compiler", &[]) else { return };
    if result.starts_with("ok") {
        println!("not tested: the system has NVRTC");
    } else {
        assert_error(
            "open",
            "no compiler",
            &[],
            "NoNvrtc",
            "there is no NVRTC, which compiles the kernels for the GPU",
        );
    }
    let expected = "NVRTC has no function nvrtcVersion";
    assert_error("open", "strange compiler", &[], "MissingSymbol", expected);
}

#[test]
fn open_kernel_that_does_not_compile_gives_the_compiler_message() {
    let expected = "NVRTC does not compile map.cu for float; ";
    assert_error("open", "whole", &[("FAKE_COMPILE", "6")], "Compile", expected);
    assert_error("open", "whole", &[("FAKE_COMPILE", "6")], "Compile", "map.cu(3): error: a compiler message");
}

#[test]
fn zeros_on_without_enough_memory_gives_the_free_memory() {
    let expected = "3.0 GiB were asked for, and 1.0 GiB of 2.0 GiB are free";
    assert_error("too much", "whole", &[], "OutOfMemory", expected);
}

#[test]
fn kernels_for_duals_give_a_scalar_error() {
    let expected = "numbers of type tensor::dual::Dual<f64> were asked for on a GPU";
    assert_error("duals", "whole", &[], "Scalar", expected);
}

#[test]
fn launch_and_read_on_a_failing_gpu_give_failed() {
    let expected = "the GPU failed: running the kernel map: unspecified launch failure (CUDA_ERROR_LAUNCH_FAILED)";
    assert_error("launch", "whole", &[("FAKE_LAUNCH", "719")], "Failed", expected);
    assert_error("read", "whole", &[("FAKE_READ", "700")], "Failed", "copying from the GPU: a driver message");
}

#[test]
fn tensor_copied_to_the_gpu_and_back_is_unchanged() {
    let Some(result) = run_child("move", "whole", &[]) else { return };
    assert_eq!(
        result,
        "ok: 6 elements on GPU 0 (a fake GPU) were accessed from the host: call .to(Device::Host) first, or \
         compute with that GPU's kernels"
    );
}

#[test]
fn choose_kernels_cuda_without_a_function_gives_the_driver_error() {
    let Some(result) = run_child("choose", "strange", &[]) else { return };
    assert!(result.starts_with("there are no kernels 'cuda': the CUDA driver has no function cuInit"), "{result}");
}
