//! Computes the reference of the benchmark `update` in `f64`: steps and losses of the first updates of each setting.
//!
//! ```text
//! cargo run --release -p gradus-benches --example losses > losses.tsv && mv losses.tsv benches/golden/
//! ```
#![forbid(unsafe_code)]

use gradus_benches::trajectory::SETTINGS;

fn main() {
    for setting in SETTINGS {
        let metrics = setting.trajectory::<f64>()();
        let losses: Vec<_> = metrics.iter().map(|metrics| format!("{:e}", metrics.loss)).collect();
        let steps: usize = metrics.iter().map(|metrics| metrics.steps).sum();
        println!("{}\t{steps}\t{}", setting.name(), losses.join("\t"));
    }
}
