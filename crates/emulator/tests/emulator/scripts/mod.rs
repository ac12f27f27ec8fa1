//! Kernels under the emulator: what is right gives what it should, and each kind of mistake is seen.

mod absence;
mod capture;
mod mistakes;
mod races;
mod right;

use std::path::Path;

use emulator::{Built, Emulator, Missing, Options, Outcome, Sanitizer, Variant};

/// The emulator with the kernels of these tests.
fn options() -> Options {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let defines = vec![("WIDTH".to_string(), "8".to_string())];
    Options {
        kernels: here.join("kernels"),
        variants: vec![Variant { module: "right".into(), defines }],
        program: Some(here.join("driver.cpp")),
        ..Options::default()
    }
}

/// `None` where no compiler is, which is said.
fn built(options: &Options) -> Option<Built> {
    match Emulator::build(options) {
        Ok(built) => Some(built),
        Err(missing @ (Missing::System | Missing::Compiler(_) | Missing::Sanitizer { .. })) => {
            eprintln!("not run: {missing}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Runs a script of `driver.cpp`.
fn run(built: &Built, script: &str, environment: &[(&str, &str)]) -> Outcome {
    let mut command = built.command(built.program());
    command.arg(script);
    built.run(command, environment)
}

/// A script under an emulator without anything special.
fn plain(script: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    Some(run(&built(&options())?, script, environment))
}

fn sanitized(sanitizer: Sanitizer, script: &str) -> Option<Outcome> {
    Some(run(&built(&Options { sanitizer, ..options() })?, script, &[]))
}

const ORDERS: [&str; 4] = ["forward", "reverse", "random:1", "random:2"];
