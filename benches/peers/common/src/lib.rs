//! Shared code of the Rust peers: everything but the network and its update.
//!
//! A peer implements [`Peer`] and calls [`run`]. Sizes, command line, verification and timing are the same for all peers.
//! `../README.md` specifies the computation.
#![forbid(unsafe_code)]

mod arguments;
mod episodes;
mod golden;
mod timing;
mod workload;

pub use arguments::Arguments;
pub use episodes::{Contexts, mean_reward, returns};
pub use golden::Golden;
pub use workload::{CTX, DIGITS, STAGES, VOCABULARY, WORKLOADS, Workload};

/// An error with a message for the user.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A network with its optimiser, ready for updates of one size.
pub trait Peer: Sized {
    /// Creates a peer with initial weights.
    fn new(workload: &Workload) -> Result<Self, Error>;

    /// Creates a peer with the weights of the golden file.
    fn with_weights(golden: &Golden) -> Result<Self, Error>;

    /// Performs one update on new contexts and sampled actions, and reads the loss back. Returns the mean reward of an episode.
    fn update(&mut self) -> Result<f64, Error>;

    /// Computes the loss and all gradients, with the golden file's names, for its contexts and actions.
    fn gradients(&mut self, golden: &Golden) -> Result<(f64, Vec<(&'static str, Vec<f32>)>), Error>;

    /// Performs one update on the golden file's contexts and actions. Returns the loss before it.
    fn update_on(&mut self, golden: &Golden) -> Result<f64, Error>;

    /// Computes the greedy actions of one episode.
    fn episode(&mut self) -> Result<Vec<u32>, Error>;
}

/// Does what the command line requests, and prints one JSON object per line.
pub fn run<P: Peer>(name: &str, arguments: &Arguments) -> Result<(), Error> {
    if let Some(path) = &arguments.golden {
        golden::verify::<P>(name, &Golden::load(path)?)
    } else if arguments.learn > 0 {
        timing::learn::<P>(name, arguments.learn)
    } else {
        arguments.workloads.iter().try_for_each(|workload| timing::time::<P>(name, workload, arguments.threads))
    }
}
