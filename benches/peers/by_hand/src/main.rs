//! The program of `../../README.md`, written by hand with `nn`, `autograd` and kernels: the bound for the crate `rl`.
#![forbid(unsafe_code)]

mod act;
mod episodes;
mod infer;
mod net;
mod peer;
mod profile;
mod update;

use ::peer::{Arguments, Error, WORKLOADS, run};

use crate::peer::ByHand;

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(|word| &**word).collect::<Vec<_>>()[..] {
        ["--peak"] => {
            println!(r#"{{"flops": {}}}"#, tensor::profile::peak_flops());
            return Ok(());
        }
        ["--profile", name] => {
            let named = WORKLOADS.iter().find(|workload| workload.name == name);
            let workload = named.ok_or_else(|| format!("unknown workload {name}; expected W1 to W5"))?;
            return tensor::par::with_threads(1, || profile::print(workload))?;
        }
        _ => {}
    }
    let arguments = Arguments::read()?;
    tensor::par::with_threads(arguments.threads, || run::<ByHand>("by-hand", &arguments))?
}
