//! Kernels under the emulator: correct ones give the right result, and each kind of mistake is reported.

mod capture;
mod driver_failures;
mod mistakes;
mod races;
mod right;

use std::path::Path;

use emulator::{BuildError, Built, Emulator, Options, Outcome, Sanitizer, Variant};

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

/// Builds an emulator; prints a message and returns `None` if there is no compiler.
fn built(options: &Options) -> Option<Built> {
    match Emulator::build(options) {
        Ok(built) => Some(built),
        Err(missing @ (BuildError::System | BuildError::Compiler(_) | BuildError::Sanitizer { .. })) => {
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

/// Runs a script under an emulator without a sanitizer.
fn plain(script: &str, environment: &[(&str, &str)]) -> Option<Outcome> {
    Some(run(&built(&options())?, script, environment))
}

fn sanitized(sanitizer: Sanitizer, script: &str) -> Option<Outcome> {
    Some(run(&built(&Options { sanitizer, ..options() })?, script, &[]))
}

const ORDERS: [&str; 4] = ["forward", "reverse", "random:1", "random:2"];
