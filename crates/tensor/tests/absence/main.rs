//! Whatever is missing is an error of its own, and nothing panics: no driver, one that lacks a function, does not start, is too
//! old or sees no GPU; a number that no GPU has, a GPU that is too old; no NVRTC, or one that lacks a function or refuses a
//! kernel; too little memory; a GPU that fails.
//!
//! Libraries are looked for once a process. So each case is a process of its own, this one's child, with a folder of libraries
//! that pretend: `fake.c`, made by the machine's C compiler. Where there is none, the tests say so and pass.
#![cfg(unix)]
#![forbid(unsafe_code)]

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tensor::{CudaError, Device, Map, Tensor, catch_cuda};

/// Which function a child runs.
const ROLE: &str = "GRADUS_TEST_ROLE";

/// What the children do, and print.
#[test]
fn child() {
    match env::var(ROLE).as_deref() {
        Ok("open") => told(Device::cuda(0).map(|device| device.to_string())),
        Ok("open 7") => told(Device::cuda(7).map(|device| device.to_string())),
        Ok("choose") => println!("\nTOLD {}", tensor::choose_kernels("cuda").expect_err("there is none")),
        Ok("move") => told(moved()),
        Ok("read") => {
            let there = Tensor::from([1.0_f32]).to(gpu()).expect("there is room");
            told(there.to(Device::Host).map(|x| x.to_string()));
        }
        Ok("too much") => told(Tensor::<f64>::zeros_on(gpu(), [3 << 27]).map(|_| "room".into())),
        Ok("duals") => told(gpu().kernels::<tensor::Dual<f64>>().map(|_| "duals".into())),
        Ok("launch") => launched(),
        _ => {}
    }
}

fn told(result: Result<String, CudaError>) {
    let words = match result {
        Ok(words) => format!("well: {words}"),
        Err(error) => format!("{error:?}\nWORDS {error}"),
    };
    println!("\nTOLD {words}");
}

fn gpu() -> Device {
    Device::cuda(0).expect("all is there")
}

/// There and back, in several layouts.
fn moved() -> Result<String, CudaError> {
    let x = Tensor::from_fn([2, 3], |i| i as f32);
    let y = x.to(gpu())?;
    assert_eq!((y.device(), y.to_vec()), (gpu(), x.to_vec()));
    assert_eq!(y.transpose().flip(0).to_vec(), x.transpose().flip(0).to_vec());
    assert_eq!((y.at(&[1, 2]), y.view().as_slice()), (5.0, None));
    let mut z = y.clone();
    z.view_mut().set(&[0, 0], 9.0);
    assert_eq!((z.at(&[0, 0]), y.at(&[0, 0])), (9.0, 0.0));
    let (before, _) = z.view_mut().split_at(1);
    before.slice(1, 1..3).fill(0.0);
    assert_eq!(z.to_vec(), [9.0, 0.0, 0.0, 3.0, 4.0, 5.0]);
    z.resize([4]);
    assert_eq!((z.to_vec(), z.device()), (vec![9.0, 0.0, 0.0, 3.0], gpu()));
    z.resize([9]);
    assert_eq!(z.to_vec()[..4], [9.0, 0.0, 0.0, 3.0]);
    assert!(Tensor::<u32>::zeros_on(gpu(), [3])? == Tensor::from([0, 0, 0]) && y == x);
    let host = catch_unwind(AssertUnwindSafe(|| y.view().host().len())).expect_err("it is on the GPU");
    Ok(host.downcast_ref::<String>().expect("words").clone())
}

fn launched() {
    let kernels = gpu().kernels::<f32>().expect("a GPU has them");
    let x = Tensor::from([1.0]).to(gpu()).expect("there is room");
    let mut y = x.clone();
    told(catch_cuda(|| kernels.map(Map::Neg, x.view(), y.view_mut())).map(|()| "nothing".into()));
}

/// Folders with libraries, made once; `None` without a compiler.
fn folder() -> Option<&'static Path> {
    static MADE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("absence-{}", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/absence/fake.c");
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
        println!("this was not tested: there is no C compiler to make libraries with; install cc, or name one in CC");
    }
    made.as_deref()
}

/// What a child tells that finds these libraries, with this in its environment; `None` without a compiler.
fn child_tells(role: &str, libraries: &str, with: &[(&str, &str)]) -> Option<String> {
    let folder = folder()?;
    let mut child = Command::new(env::current_exe().expect("this test runs"));
    child.args(["--exact", "child", "--nocapture"]).env(ROLE, role).env("GRADUS_CACHE", "");
    child.env("LD_LIBRARY_PATH", folder.join(libraries)).envs(with.iter().copied());
    let done = child.output().expect("the child runs");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{err}");
    if role != "move" {
        assert!(!err.contains("panicked"), "a panic was printed:\n{err}");
    }
    let (_, told) = out.split_once("\nTOLD ").unwrap_or_else(|| panic!("nothing was told:\n{out}\n{err}"));
    let told = told.split("\ntest ").next().expect("there is a first part").trim_end();
    Some(told.to_owned())
}

/// Asserts that a child tells this error, with these words, and that the CPU would do.
#[track_caller]
fn missing(role: &str, libraries: &str, with: &[(&str, &str)], variant: &str, words: &str) {
    let Some(told) = child_tells(role, libraries, with) else { return };
    let (debug, said) = told.split_once("\nWORDS ").unwrap_or_else(|| panic!("no error: {told}"));
    assert!(debug.starts_with(variant), "{debug}");
    assert!(said.contains(words), "{said}\ndoes not say: {words}");
    assert!(said.contains("the CPU"), "{said}");
}

#[test]
fn no_driver() {
    let Some(told) = child_tells("open", "nothing", &[]) else { return };
    if told.starts_with("NoDriver") {
        missing("open", "nothing", &[], "NoDriver", "there is no CUDA driver: looked for libcuda.so, ");
    } else {
        println!("this was not tested: the system has a driver of its own: {told}");
    }
}

#[test]
fn a_driver_that_lacks_functions() {
    let words = "the CUDA driver has no function cuInit: it is too old, or none of NVIDIA's";
    missing("open", "strange", &[], "MissingSymbol", words);
    missing("open", "old", &[], "MissingSymbol", "has no function cuLaunchKernel");
}

#[test]
fn a_driver_that_does_not_start() {
    missing("open", "whole", &[("FAKE_INIT", "999")], "NotStarted", "words of the driver (CUDA_ERROR_UNKNOWN)");
}

#[test]
fn a_driver_that_is_too_old() {
    let words = "the CUDA driver has version 11.8, and 12.0 is needed at least";
    missing("open", "whole", &[("FAKE_VERSION", "11080")], "DriverTooOld", words);
    let words = "NVRTC has version 13.0, and what it writes is too new for the driver, which has version 12.4";
    missing("open", "whole", &[("FAKE_VERSION", "12040"), ("FAKE_LOAD", "222")], "CompilerTooNew", words);
}

#[test]
fn a_driver_without_a_gpu() {
    for with in [("FAKE_INIT", "100"), ("FAKE_COUNT", "0")] {
        missing("open", "whole", &[with], "NoDevice", "the CUDA driver finds no GPU");
    }
}

#[test]
fn a_number_that_no_gpu_has() {
    missing("open 7", "whole", &[], "NoSuchDevice", "there is no GPU 7: there is one, which has number 0");
    let words = "there is no GPU 7: there are 3, with the numbers 0 to 2";
    missing("open 7", "whole", &[("FAKE_COUNT", "3")], "NoSuchDevice", words);
}

#[test]
fn a_gpu_that_is_too_old() {
    let words = "a GPU that pretends has compute capability 7.5, and 8.0 is needed at least";
    missing("open", "whole", &[("FAKE_MAJOR", "7"), ("FAKE_MINOR", "5")], "GpuTooOld", words);
}

#[test]
fn a_gpu_that_does_not_open() {
    let words = "opening GPU 0, a GPU that pretends: words of the driver (CUDA_ERROR_DEVICE_UNAVAILABLE)";
    missing("open", "whole", &[("FAKE_CONTEXT", "46")], "Failed", words);
}

#[test]
fn no_compiler() {
    let Some(told) = child_tells("open", "no compiler", &[]) else { return };
    if told.starts_with("well") {
        println!("this was not tested: the system has an NVRTC of its own");
    } else {
        missing("open", "no compiler", &[], "NoNvrtc", "there is no NVRTC, which compiles the kernels for the GPU");
    }
    let words = "NVRTC has no function nvrtcVersion";
    missing("open", "strange compiler", &[], "MissingSymbol", words);
}

#[test]
fn a_kernel_that_does_not_compile() {
    let words = "NVRTC does not compile map.cu for float; ";
    missing("open", "whole", &[("FAKE_COMPILE", "6")], "Compile", words);
    missing("open", "whole", &[("FAKE_COMPILE", "6")], "Compile", "map.cu(3): error: what a compiler says");
}

#[test]
fn too_little_memory() {
    let words = "3.0 GiB were asked for, and 1.0 GiB of 2.0 GiB are free";
    missing("too much", "whole", &[], "Memory", words);
}

#[test]
fn numbers_that_a_gpu_does_not_have() {
    let words = "numbers of type tensor::dual::Dual<f64> were asked for on a GPU";
    missing("duals", "whole", &[], "Scalar", words);
}

#[test]
fn a_gpu_that_fails() {
    let words = "the GPU failed: running the kernel map: unspecified launch failure (CUDA_ERROR_LAUNCH_FAILED)";
    missing("launch", "whole", &[("FAKE_LAUNCH", "719")], "Failed", words);
    missing("read", "whole", &[("FAKE_READ", "700")], "Failed", "copying from the GPU: words of the driver");
}

#[test]
fn what_moves_there_comes_back() {
    let Some(told) = child_tells("move", "whole", &[]) else { return };
    assert_eq!(
        told,
        "well: 6 elements on GPU 0 (a GPU that pretends) were asked for on the host: call .to(Device::Host) first, or \
         compute with that GPU's kernels"
    );
}

#[test]
fn kernels_are_not_chosen_either() {
    let Some(told) = child_tells("choose", "strange", &[]) else { return };
    assert!(told.starts_with("there are no kernels 'cuda': the CUDA driver has no function cuInit"), "{told}");
}
