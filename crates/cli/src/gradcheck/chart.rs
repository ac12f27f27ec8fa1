//! The V-shaped curve of the error of a central difference by its step, on logarithmic axes.

use maud::{Markup, html};
use proofs::curve::{PYTORCH_STEP, StepSizeCurve};

use crate::report::chart::{Chart, Dot, Shape};
use crate::report::scale::Scale;

/// Width and height of the chart, which is larger than a panel because it stands alone.
const SIZE: [f64; 2] = [440.0, 300.0];

/// Renders the chart and its explanation.
pub(super) fn chart(curve: &StepSizeCurve) -> Markup {
    let (step, error) = curve.best();
    html! {
        figure.panel.alone {
            figcaption {
                b { "Error of a central difference" } " by its step h, relative to the largest entry of the gradient, for the \
                 function " (curve.case)
            }
            @if let Some(chart) = build_chart(curve) { (chart.draw()) }
        }
        p {
            "A central difference, (f(x + h) − f(x − h)) / 2h, has two errors, so its error curve is a V. On the right, the \
             formula's truncation h²·f‴/6 falls with the square of h. On the left, the rounding of its values, about ε/h with \
             ε = 2⁻⁵², grows as h falls."
        }
        p {
            "No step is good. The best step here, h = " (format_short(step)) ", has the error " (format_short(error)) "; \
             PyTorch’s default, 10⁻⁶, has " (format_short(curve.pytorch)) ". Richardson extrapolation from nine large steps to \
             step 0 has " (format_short(curve.richardson)) ". Dual numbers need no step: their difference from reverse mode, "
            (format_short(curve.reverse)) ", is rounding. A method cannot detect a mistake that is smaller than its line in \
             the chart."
        }
    }
}

fn build_chart(curve: &StepSizeCurve) -> Option<Chart> {
    let below = curve.reverse / 10.0; // so that the lowest line does not coincide with the axis
    let errors = curve.points.iter().map(|point| point.1).chain([curve.richardson, below]);
    let (step, error) = curve.best();
    let mark = |x: f64, label: String, error: f64| Shape::Mark {
        x,
        title: format!("{label}: error {}", format_short(error)),
        label,
    };
    let level = |y: f64, name: &str| Shape::Level { y, label: format!("{name}, {}", format_short(y)) };
    let dot = |&(x, y): &(f64, f64)| Dot {
        at: (x, y),
        title: format!("h = {}: error {}", format_short(x), format_short(y)),
        target: None,
    };
    Some(Chart {
        size: SIZE,
        title: format!("Error of a central difference by its step: {}", curve.case),
        x_name: "step h",
        x: Scale::log_around(curve.points.iter().map(|point| point.0))?,
        y: Scale::log_around(errors)?,
        shapes: vec![
            mark(PYTORCH_STEP, "PyTorch, 10⁻⁶".into(), curve.pytorch),
            mark(step, format!("best, {}", format_short(step)), error),
            Shape::Line {
                class: "c0".into(),
                title: format!(
                    "from {} at the largest step down to {}",
                    format_short(curve.points[0].1),
                    format_short(error)
                ),
                points: curve.points.clone(),
            },
            Shape::Dots { class: "c0".into(), points: curve.points.iter().map(dot).collect() },
            Shape::Note { at: (2e-11, 5e-4), ends: false, label: "rounding, ε/h" },
            Shape::Note { at: (2e-2, 5e-3), ends: true, label: "truncation, h²" },
            level(curve.richardson, "Richardson"),
            level(curve.reverse, "duals"),
        ],
    })
}

/// Formats a number to two digits, with a typographic minus sign.
pub(super) fn format_short(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x:.1e}").replace('-', "−") }
}
