//! The gradus peer: the program of `../../README.md` as a task and a model for [`rl::a2c`].
#![forbid(unsafe_code)]

mod net;
mod peer;
mod task;

use ::peer::{Arguments, Error, run};

fn main() -> Result<(), Error> {
    if std::env::args().nth(1).as_deref() == Some("--peak") {
        println!(r#"{{"flops": {}}}"#, tensor::profile::peak_flops());
        return Ok(());
    }
    let arguments = Arguments::read()?;
    tensor::par::with_threads(arguments.threads, || run::<peer::Gradus>("gradus", &arguments))?
}
