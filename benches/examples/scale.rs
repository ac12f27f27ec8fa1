//! What a step of the environment costs as batch, width, time and threads grow: writes `docs/scale.svg`, and prints the
//! same as Markdown tables.
//!
//! ```text
//! cargo run --release -p gradus-benches --example scale            a few minutes
//! cargo run --release -p gradus-benches --example scale -- --quick smaller, and seconds
//! ```
//!
//! Batch, width and threads: whole updates of `calculator`. Time: the fused GRU, forward and backward, as the episodes'
//! length is the task's. Each figure is the median of several runs, after one that is not counted.
#![forbid(unsafe_code)]

use std::time::Instant;

use autograd::Tape;
use gradus_benches::svg::{Panel, plot};
use gradus_benches::trajectory::{Setting, UPDATES};
use gradus_benches::uniform;
use nn::{Builder, GruCell, Params};
use tensor::par::with_threads;

/// How much is measured.
struct Effort {
    runs: usize,
    largest: usize,
}

impl Effort {
    /// `from`, doubled up to `to` or the largest.
    fn sizes(&self, from: usize, to: usize) -> Vec<usize> {
        let sizes = std::iter::successors(Some(from), |size| Some(size * 2));
        sizes.take_while(|&size| size <= to.min(self.largest)).collect()
    }

    /// The median of the seconds that `run` takes.
    fn seconds(&self, mut run: impl FnMut()) -> f64 {
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
    let panels = [batch(&effort), width(&effort), time(&effort), threads(&effort)];
    panels.iter().for_each(print);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scale.svg");
    match std::fs::write(file, plot(&panels)) {
        Ok(()) => eprintln!("scale: wrote {file}"),
        Err(error) => eprintln!("scale: could not write {file}: {error}; the tables above are whole"),
    }
}

/// Microseconds that a step of an update takes.
fn of_update(effort: &Effort, setting: Setting, threads: usize) -> f64 {
    let mut run = setting.trajectory::<f32>();
    let steps: usize = run().iter().map(|metrics| metrics.steps).sum();
    let seconds = with_threads(threads, || effort.seconds(|| assert_eq!(run().len(), UPDATES))).expect("threads");
    seconds / steps as f64 * 1e6
}

fn calculator(width: usize, batch: usize) -> Setting {
    Setting { task: "calculator", width, batch }
}

fn batch(effort: &Effort) -> Panel {
    let of = |width| {
        let point = |batch| (batch as f64, of_update(effort, calculator(width, batch), 1));
        (format!("width {width}"), effort.sizes(4, 1024).into_iter().map(point).collect())
    };
    panel("An update, by its batch (one thread)", "episodes in a batch", [of(32), of(96)].into())
}

fn width(effort: &Effort) -> Panel {
    let of = |batch| {
        let point = |width| (width as f64, of_update(effort, calculator(width, batch), 1));
        (format!("batch {batch}"), effort.sizes(8, 512).into_iter().map(point).collect())
    };
    panel("An update, by its width (one thread)", "width", [of(48), of(192)].into())
}

fn time(effort: &Effort) -> Panel {
    let of = |batch: usize| {
        let point = |time: usize| (time as f64, of_gru(effort, time, batch));
        (format!("batch {batch}"), effort.sizes(1, 256).into_iter().map(point).collect())
    };
    panel("A GRU of width 96, forward and backward, by its steps", "steps in time", [of(1), of(48)].into())
}

fn threads(effort: &Effort) -> Panel {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let of = |batch| {
        let point = |threads| (threads as f64, of_update(effort, calculator(96, batch), threads));
        (format!("batch {batch}"), effort.sizes(1, 2 * cores).into_iter().map(point).collect())
    };
    panel("An update of width 96, by threads", "threads", [of(48), of(192), of(768)].into())
}

/// Microseconds that a step of one example takes, forward and backward.
fn of_gru(effort: &Effort, time: usize, batch: usize) -> f64 {
    const WIDTH: usize = 96;
    let mut params = Params::new();
    let cell = GruCell::new(&mut Builder::new(&mut params, 42), WIDTH, WIDTH);
    for unused in [cell.weight_ih, cell.bias_ih] {
        params.set_trainable(unused, false);
    }
    let (gx, h) = (uniform([time, batch, 3 * WIDTH], 0), uniform([batch, WIDTH], 1));
    let mut tape = Tape::new();
    let seconds = effort.seconds(|| {
        let weights = params.bind(&tape);
        let states = cell.scan(weights, tape.input(gx.clone()), tape.input(h.clone()));
        states.sum().backward().expect("every parameter is used");
        tape.clear();
    });
    seconds / (time * batch) as f64 * 1e6
}

fn panel(title: &str, x: &str, lines: Vec<(String, Vec<(f64, f64)>)>) -> Panel {
    Panel { title: title.into(), x: x.into(), y: "µs a step".into(), lines }
}

fn print(panel: &Panel) {
    let names: Vec<_> = panel.lines.iter().map(|(name, _)| name.as_str()).collect();
    println!("**{}**: {}\n\n| {} | {} |", panel.title, panel.y, panel.x, names.join(" | "));
    println!("|---:|{}", "---:|".repeat(names.len()));
    for (row, &(x, _)) in panel.lines[0].1.iter().enumerate() {
        let cells: Vec<_> = panel.lines.iter().map(|(_, points)| format!("{:.2}", points[row].1)).collect();
        println!("| {x} | {} |", cells.join(" | "));
    }
    println!();
}
