//! gradus in the comparison: what `../../README.md` specifies, as a user of the crates `nn` and `autograd` writes it.
#![forbid(unsafe_code)]

mod act;
mod episodes;
mod infer;
mod net;
mod peer;
mod update;

use ::peer::{Arguments, Error, run};

use crate::peer::Gradus;

fn main() -> Result<(), Error> {
    if std::env::args().nth(1).as_deref() == Some("--peak") {
        println!(r#"{{"flops": {}}}"#, tensor::profile::peak_flops());
        return Ok(());
    }
    let arguments = Arguments::read()?;
    tensor::par::with_threads(arguments.threads, || run::<Gradus>("gradus", &arguments))?
}
