//! Everything that waits for a graphics card, in one command: what there is on the card is held against the processor, then
//! measured, and told in tables.
//!
//! ```text
//! gradus-card [--device N] [--look | --check | --measure] [--python PROGRAM] [--out FILE]
//! ```
//!
//! `--look` says which card there is, and does nothing else; `--check` measures nothing; `--measure` checks nothing. The tables go
//! to the output, or with `--out` to a file; what is being done goes to the error output.
//!
//! It ends with 0 if all agrees, 1 if something does not or failed, 2 if its arguments are wrong, and 3 if there is no card.
//!
//! Beside it lie, where `benches/card/pack` has put them, a folder `tests` with test programs, which are run on the card, and a
//! folder `python` with the rivals. An emulated card (`kernels/host`) is checked at small sizes, and not measured.
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

use gradus_benches::card::Card;

use arguments::{Arguments, Part};
use torch::Torch;

/// Something does not agree, or failed.
const WRONG: u8 = 1;
/// The arguments are wrong.
const USAGE: u8 = 2;
/// There is no card.
const NO_CARD: u8 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::of(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(words) => {
            eprintln!("gradus-card: {words}\n{}", arguments::USAGE);
            return USAGE.into();
        }
    };
    let card = match Card::open(arguments.device) {
        Ok(card) => card,
        Err(missing) => {
            eprintln!("gradus-card: nothing was checked and nothing measured: {missing}");
            return NO_CARD.into();
        }
    };
    let (mut told, mut code) = (title(card), ExitCode::SUCCESS);
    if arguments.does(Part::Check) {
        let (table, agree) = checks::all(card, arguments.device);
        told += &table;
        if !agree {
            code = WRONG.into();
        }
    }
    if arguments.does(Part::Measure) && code == ExitCode::SUCCESS {
        told += &measured(card, arguments.device, arguments.python.as_deref());
    }
    match &arguments.out {
        Some(path) => {
            if let Err(error) = fs::write(path, &told) {
                eprintln!("gradus-card: cannot write {path}: {error}");
                code = WRONG.into();
            }
        }
        None => print!("{told}"),
    }
    code
}

/// Which card, and the day in UTC, as the system tells it.
fn title(card: Card) -> String {
    let today = Command::new("date").args(["-u", "+%F"]).output().map(|run| run.stdout).unwrap_or_default();
    format!("{}, {}.\n", card.words(), String::from_utf8_lossy(&today).trim())
}

/// What is measured of what agrees; nothing on an emulated card.
fn measured(card: Card, ordinal: usize, python: Option<&str>) -> String {
    if card.emulated {
        return "\nNothing was measured: this card is emulated.\n".into();
    }
    let torch = Torch::find(python);
    let tables = [ladder::table(card, torch.as_ref()), updates::table(card, ordinal, torch.as_ref())];
    tables.concat()
}
