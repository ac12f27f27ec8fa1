//! Measures the cost of an environment step as batch, width, time and threads grow. Writes `docs/scale.svg` and prints
//! Markdown tables.
//!
//! ```text
//! cargo run --release -p gradus-benches --example scale            takes a few minutes
//! cargo run --release -p gradus-benches --example scale -- --quick smaller sizes, takes seconds
//! ```
//!
//! Batch, width and threads are measured on complete updates of `calculator-stages`. Its task fixes the length of an episode, so
//! time is measured on the fused GRU, forward and backward. Each value is the median of several runs, after a warm-up run.
#![forbid(unsafe_code)]

use std::time::Instant;

use autograd::Tape;
use gradus_benches::svg::{Panel, plot};
use gradus_benches::trajectory::{Setting, UPDATES};
use gradus_benches::uniform;
use nn::{Builder, GruCell, Params};
use tensor::par::with_threads;

/// The number of runs and the largest size.
struct Effort {
    runs: usize,
    largest: usize,
}

impl Effort {
    /// Returns the sizes from `from` on, doubled up to `to` or the largest size.
    fn sizes(&self, from: usize, to: usize) -> Vec<usize> {
        let sizes = std::iter::successors(Some(from), |size| Some(size * 2));
        sizes.take_while(|&size| size <= to.min(self.largest)).collect()
    }

    /// Measures the median number of seconds that `run` takes.
    fn measure_seconds(&self, mut run: impl FnMut()) -> f64 {
        run();
        let time = |run: &mut dyn FnMut()| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        };
        let mut times: Vec<f64> = (0..self.runs).map(|_| time(&mut run)).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let effort = if quick { Effort { runs: 1, largest: 128 } } else { Effort { runs: 7, largest: 1024 } };
    let panels = [measure_batch(&effort), measure_width(&effort), measure_time(&effort), measure_threads(&effort)];
    panels.iter().for_each(print_table);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scale.svg");
    match std::fs::write(file, plot(&panels)) {
        Ok(()) => eprintln!("scale: wrote {file}"),
        Err(error) => eprintln!("scale: could not write {file}: {error}; the tables above are complete"),
    }
}

/// Measures the microseconds per step of an update.
fn measure_update(effort: &Effort, setting: Setting, threads: usize) -> f64 {
    let mut run = setting.trajectory::<f32>();
    let steps: usize = run().iter().map(|metrics| metrics.steps).sum();
    let seconds =
        with_threads(threads, || effort.measure_seconds(|| assert_eq!(run().len(), UPDATES))).expect("threads");
    seconds / steps as f64 * 1e6
}

fn calculator_setting(width: usize, batch: usize) -> Setting {
    Setting { task: "calculator", width, batch }
}

fn measure_batch(effort: &Effort) -> Panel {
    let line = |width| {
        let point = |batch| (batch as f64, measure_update(effort, calculator_setting(width, batch), 1));
        (format!("width {width}"), effort.sizes(4, 1024).into_iter().map(point).collect())
    };
    panel("An update, by its batch (one thread)", "episodes in a batch", [line(32), line(96)].into())
}

fn measure_width(effort: &Effort) -> Panel {
    let line = |batch| {
        let point = |width| (width as f64, measure_update(effort, calculator_setting(width, batch), 1));
        (format!("batch {batch}"), effort.sizes(8, 512).into_iter().map(point).collect())
    };
    panel("An update, by its width (one thread)", "width", [line(48), line(192)].into())
}

fn measure_time(effort: &Effort) -> Panel {
    let line = |batch: usize| {
        let point = |time: usize| (time as f64, measure_gru(effort, time, batch));
        (format!("batch {batch}"), effort.sizes(1, 256).into_iter().map(point).collect())
    };
    panel("A GRU of width 96, forward and backward, by its steps", "steps in time", [line(1), line(48)].into())
}

fn measure_threads(effort: &Effort) -> Panel {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let line = |batch| {
        let point = |threads| (threads as f64, measure_update(effort, calculator_setting(96, batch), threads));
        (format!("batch {batch}"), effort.sizes(1, 2 * cores).into_iter().map(point).collect())
    };
    panel("An update of width 96, by threads", "threads", [line(48), line(192), line(768)].into())
}

/// Measures the microseconds per step and example of the fused GRU, forward and backward.
fn measure_gru(effort: &Effort, time: usize, batch: usize) -> f64 {
    const HIDDEN_SIZE: usize = 96;
    let mut params = Params::new();
    let cell = GruCell::new(&mut Builder::new(&mut params, 42), HIDDEN_SIZE, HIDDEN_SIZE);
    for unused in [cell.weight_ih, cell.bias_ih] {
        params.set_trainable(unused, false);
    }
    let (gx, h) = (uniform([time, batch, 3 * HIDDEN_SIZE], 0), uniform([batch, HIDDEN_SIZE], 1));
    let mut tape = Tape::new();
    let seconds = effort.measure_seconds(|| {
        let weights = params.bind(&tape);
        let states = cell.unroll(weights, tape.input(gx.clone()), tape.input(h.clone()));
        states.sum().backward().expect("every parameter is used");
        tape.clear();
    });
    seconds / (time * batch) as f64 * 1e6
}

fn panel(title: &str, x_label: &str, lines: Vec<(String, Vec<(f64, f64)>)>) -> Panel {
    Panel { title: title.into(), x_label: x_label.into(), y_label: "µs a step".into(), lines }
}

fn print_table(panel: &Panel) {
    let names: Vec<_> = panel.lines.iter().map(|(name, _)| name.as_str()).collect();
    println!("**{}**: {}\n\n| {} | {} |", panel.title, panel.y_label, panel.x_label, names.join(" | "));
    println!("|---:|{}", "---:|".repeat(names.len()));
    for (row, &(x, _)) in panel.lines[0].1.iter().enumerate() {
        let cells: Vec<_> = panel.lines.iter().map(|(_, points)| format!("{:.2}", points[row].1)).collect();
        println!("| {x} | {} |", cells.join(" | "));
    }
    println!();
}
