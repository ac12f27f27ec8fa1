//! All checks and measurements that need a GPU, in one command: compares the GPU with the CPU, then measures it, and prints
//! tables.
//!
//! ```text
//! gradus-gpu [--device N] [--look | --check | --measure] [--python PROGRAM] [--out FILE]
//! ```
//!
//! `--look` only names the GPU; `--check` only checks; `--measure` only measures. The tables go to stdout, or with `--out`
//! to a file; progress goes to stderr.
//!
//! The exit code is 0 if all agrees, 1 if something disagrees or failed, 2 if the arguments are wrong, and 3 if there is no
//! GPU.
//!
//! `benches/gpu/pack` puts two folders beside this program: `tests` with test programs, which run on the GPU, and `python` with
//! the peers. An emulated GPU (`kernels/host`) is checked at small sizes, and not measured.
//!
//! Reading order: `checks`, `parity`, `gradients`, `update_checks` and `fused`, then `ladder`, `throughput` and `torch`.
#![forbid(unsafe_code)]

mod arguments;
mod check_result;
mod checks;
mod fused;
mod gradients;
mod ladder;
mod parity;
mod table;
mod throughput;
mod torch;
mod update_checks;

use std::fs;
use std::process::{Command, ExitCode};

use gradus_benches::gpu::BenchGpu;

use arguments::{Arguments, Mode};
use torch::Torch;

/// Something disagrees or failed.
const WRONG: u8 = 1;
/// The arguments are wrong.
const USAGE: u8 = 2;
/// There is no GPU.
const NO_GPU: u8 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(words) => {
            eprintln!("gradus-gpu: {words}\n{}", arguments::USAGE);
            return USAGE.into();
        }
    };
    let gpu = match BenchGpu::open(arguments.device) {
        Ok(gpu) => gpu,
        Err(missing) => {
            eprintln!("gradus-gpu: nothing was checked and nothing measured: {missing}");
            return NO_GPU.into();
        }
    };
    let (mut report, mut code) = (title_line(gpu), ExitCode::SUCCESS);
    if arguments.includes(Mode::Check) {
        let (table, agree) = checks::run_all(gpu, arguments.device);
        report += &table;
        if !agree {
            code = WRONG.into();
        }
    }
    if arguments.includes(Mode::Measure) && code == ExitCode::SUCCESS {
        report += &measure(gpu, arguments.device, arguments.python.as_deref());
    }
    match &arguments.out {
        Some(path) => {
            if let Err(error) = fs::write(path, &report) {
                eprintln!("gradus-gpu: cannot write {path}: {error}");
                code = WRONG.into();
            }
        }
        None => print!("{report}"),
    }
    code
}

/// Returns the line with the GPU and the system's date in UTC.
fn title_line(gpu: BenchGpu) -> String {
    let today = Command::new("date").args(["-u", "+%F"]).output().map(|run| run.stdout).unwrap_or_default();
    format!("{}, {}.\n", gpu.describe(), String::from_utf8_lossy(&today).trim())
}

/// Measures and returns the tables; on an emulated GPU, measures nothing.
fn measure(gpu: BenchGpu, ordinal: usize, python: Option<&str>) -> String {
    if gpu.emulated {
        return "\nNothing was measured: this GPU is emulated.\n".into();
    }
    let torch = Torch::find(python);
    let tables = [ladder::table(gpu, torch.as_ref()), throughput::table(gpu, ordinal, torch.as_ref())];
    tables.concat()
}
