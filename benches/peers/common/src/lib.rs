//! What the Rust peers share: everything but the network and its update.
//!
//! A peer implements [`Peer`] and calls [`run`]; the rest (sizes, command line, verification, clock) is the same for all.
//! What is computed is written down in `../README.md`.
#![forbid(unsafe_code)]

mod arguments;
mod episodes;
mod golden;
mod timing;
mod workload;

pub use arguments::Arguments;
pub use episodes::{Contexts, rewards};
pub use golden::Golden;
pub use workload::{CTX, DIGITS, STAGES, VOCABULARY, WORKLOADS, Workload};

/// An error with words for the person at the terminal.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A network with its optimiser, ready for updates of one size.
pub trait Peer: Sized {
    /// With initial weights.
    fn new(workload: &Workload) -> Result<Self, Error>;

    /// With the weights of the golden file.
    fn with_weights(golden: &Golden) -> Result<Self, Error>;

    /// One update on new contexts and sampled actions; reads the loss back. Returns the mean reward.
    fn update(&mut self) -> Result<f64, Error>;

    /// The loss and all gradients, by the golden file's names, for given contexts and actions.
    fn gradients(&mut self, golden: &Golden) -> Result<(f64, Vec<(&'static str, Vec<f32>)>), Error>;

    /// One update on given contexts and actions. Returns the loss before it.
    fn update_on(&mut self, golden: &Golden) -> Result<f64, Error>;

    /// The greedy actions of one episode.
    fn episode(&mut self) -> Result<Vec<u32>, Error>;
}

/// What the command line asks for, one JSON object a line.
pub fn run<P: Peer>(name: &str, arguments: &Arguments) -> Result<(), Error> {
    if let Some(path) = &arguments.golden {
        golden::verify::<P>(name, &Golden::load(path)?)
    } else if arguments.learn > 0 {
        timing::learn::<P>(name, arguments.learn)
    } else {
        arguments.workloads.iter().try_for_each(|workload| timing::time::<P>(name, workload, arguments.threads))
    }
}
