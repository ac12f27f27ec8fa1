//! The sizes of the workloads, the same as in `../../python/spec.py`.

/// V, the number of tokens. Every token is an action.
pub const VOCABULARY: usize = 18;
/// The token that ends a context.
pub const CTX: u32 = 10;
/// The number of digits. A context has three of them.
pub const DIGITS: u32 = 10;
/// The number of rows of the stage embedding. Only row 0 is used.
pub const STAGES: usize = 3;

/// The sizes of a workload, and the length of its measurement.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// The name, W1 to W5.
    pub name: &'static str,
    /// B, the episodes of an update.
    pub batch: usize,
    /// T, the actions of an episode.
    pub steps: usize,
    /// H, the hidden size.
    pub hidden_size: usize,
    /// The number of runs before the timing starts.
    pub warm_up: usize,
    /// The minimum number of timed seconds.
    pub seconds: f64,
    /// The minimum number of timed runs.
    pub min_runs: usize,
}

impl Workload {
    /// Returns true if the workload is one greedy episode instead of an update.
    pub fn is_inference(&self) -> bool {
        self.batch == 1
    }
}

const fn workload(name: &'static str, sizes: [usize; 3], warm_up: usize, seconds: f64, min_runs: usize) -> Workload {
    let [batch, steps, hidden_size] = sizes;
    Workload { name, batch, steps, hidden_size, warm_up, seconds, min_runs }
}

/// All workloads. The golden file belongs to the first.
pub const WORKLOADS: [Workload; 5] = [
    workload("W1", [192, 6, 96], 20, 2.0, 10),
    workload("W2", [4096, 8, 96], 2, 2.0, 3),
    workload("W3", [1024, 8, 256], 2, 2.0, 3),
    workload("W4", [512, 32, 512], 1, 2.0, 2),
    workload("W5", [1, 7, 96], 300, 0.5, 200),
];
