//! Everything that waits for a graphics card, in one command: what there is on the GPU is held against the processor, then
//! measured, and told in tables.
//!
//! ```text
//! gradus-gpu [--device N] [--look | --check | --measure] [--python PROGRAM] [--out FILE]
//! ```
//!
//! `--look` says which GPU there is, and does nothing else; `--check` measures nothing; `--measure` checks nothing. The tables go
//! to the output, or with `--out` to a file; what is being done goes to the error output.
//!
//! It ends with 0 if all agrees, 1 if something does not or failed, 2 if its arguments are wrong, and 3 if there is no GPU.
//!
//! Beside it lie, where `benches/gpu/pack` has put them, a folder `tests` with test programs, which are run on the GPU, and a
//! folder `python` with the rivals. An emulated GPU (`kernels/host`) is checked at small sizes, and not measured.
//!
//! In the order in which to read: `checks`, `parity`, `gradients`, `update` and `fused`, then `ladder`, `updates` and `torch`.
#![forbid(unsafe_code)]

mod arguments;
mod checks;
mod found;
mod fused;
mod gradients;
mod ladder;
mod parity;
mod table;
mod torch;
mod update;
mod updates;

use std::fs;
use std::process::{Command, ExitCode};

use gradus_benches::gpu::Gpu;

use arguments::{Arguments, Part};
use torch::Torch;

/// Something does not agree, or failed.
const WRONG: u8 = 1;
/// The arguments are wrong.
const USAGE: u8 = 2;
/// There is no GPU.
const NO_GPU: u8 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::of(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(words) => {
            eprintln!("gradus-gpu: {words}\n{}", arguments::USAGE);
            return USAGE.into();
        }
    };
    let gpu = match Gpu::open(arguments.device) {
        Ok(gpu) => gpu,
        Err(missing) => {
            eprintln!("gradus-gpu: nothing was checked and nothing measured: {missing}");
            return NO_GPU.into();
        }
    };
    let (mut told, mut code) = (title(gpu), ExitCode::SUCCESS);
    if arguments.does(Part::Check) {
        let (table, agree) = checks::all(gpu, arguments.device);
        told += &table;
        if !agree {
            code = WRONG.into();
        }
    }
    if arguments.does(Part::Measure) && code == ExitCode::SUCCESS {
        told += &measured(gpu, arguments.device, arguments.python.as_deref());
    }
    match &arguments.out {
        Some(path) => {
            if let Err(error) = fs::write(path, &told) {
                eprintln!("gradus-gpu: cannot write {path}: {error}");
                code = WRONG.into();
            }
        }
        None => print!("{told}"),
    }
    code
}

/// Which GPU, and the day in UTC, as the system tells it.
fn title(gpu: Gpu) -> String {
    let today = Command::new("date").args(["-u", "+%F"]).output().map(|run| run.stdout).unwrap_or_default();
    format!("{}, {}.\n", gpu.words(), String::from_utf8_lossy(&today).trim())
}

/// What is measured of what agrees; nothing on an emulated GPU.
fn measured(gpu: Gpu, ordinal: usize, python: Option<&str>) -> String {
    if gpu.emulated {
        return "\nNothing was measured: this GPU is emulated.\n".into();
    }
    let torch = Torch::find(python);
    let tables = [ladder::table(gpu, torch.as_ref()), updates::table(gpu, ordinal, torch.as_ref())];
    tables.concat()
}
