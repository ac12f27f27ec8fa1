//! The sizes; `../../python/spec.py` has the same.

/// V, the number of tokens, all of which are actions.
pub const VOCABULARY: usize = 18;
/// The token that ends a context.
pub const CTX: u32 = 10;
/// Contexts have three digits, below this.
pub const DIGITS: u32 = 10;
/// Rows of the stage embedding, of which 0 is used.
pub const STAGES: usize = 3;

/// One size, and how long it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// W1 to W5.
    pub name: &'static str,
    /// B, episodes of an update.
    pub batch: usize,
    /// T, actions of an episode.
    pub steps: usize,
    /// d.
    pub width: usize,
    /// Runs before the clock starts.
    pub warm_up: usize,
    /// Seconds on the clock at least.
    pub seconds: f64,
    /// Runs on the clock at least.
    pub least: usize,
}

impl Workload {
    /// Whether one greedy episode is timed, and no update.
    pub fn infers(&self) -> bool {
        self.batch == 1
    }
}

const fn workload(name: &'static str, sizes: [usize; 3], warm_up: usize, seconds: f64, least: usize) -> Workload {
    let [batch, steps, width] = sizes;
    Workload { name, batch, steps, width, warm_up, seconds, least }
}

/// All sizes. The golden file is of the first.
pub const WORKLOADS: [Workload; 5] = [
    workload("W1", [192, 6, 96], 20, 2.0, 10),
    workload("W2", [4096, 8, 96], 2, 2.0, 3),
    workload("W3", [1024, 8, 256], 2, 2.0, 3),
    workload("W4", [512, 32, 512], 1, 2.0, 2),
    workload("W5", [1, 7, 96], 300, 0.5, 200),
];
