//! The V: the error of a central difference against its step, both logarithmic.

use maud::{Markup, html};
use proofs::curve::{Curve, PYTORCH_STEP};

use crate::report::chart::{Chart, Shape};
use crate::report::scale::Scale;

/// Wider than a panel, as there is but one.
const SIZE: [f64; 2] = [440.0, 300.0];

/// The chart and what it teaches.
pub(super) fn chart(curve: &Curve) -> Markup {
    let (step, error) = curve.best();
    html! {
        figure.panel.alone {
            figcaption { b { "Error of a central difference" } ", relative to the largest entry of the gradient, against its step h. Always for the same function: " (curve.case) }
            @if let Some(chart) = drawn(curve) { (chart.draw()) }
        }
        p {
            "A central difference, (f(x + h) − f(x − h)) / 2h, is wrong for two reasons, and so its error is a V: to the \
             right the formula itself, whose truncation h²·f‴/6 falls with the square of h; to the left the rounding \
             of its values, about ε/h with ε = 2⁻⁵², which grows as h falls."
        }
        p {
            "No step is good. The best here, h = " (small(step)) ", leaves an error of " (small(error)) "; PyTorch’s \
             default, 10⁻⁶, leaves " (small(curve.pytorch)) ". Richardson’s extrapolation, from nine large steps to a \
             step of nothing, leaves " (small(curve.richardson)) ". Dual numbers have no step: what is between them and \
             reverse mode, " (small(curve.reverse)) ", is rounding. A mistake that is smaller than a line cannot be \
             seen by its method."
        }
    }
}

fn drawn(curve: &Curve) -> Option<Chart> {
    let below = curve.reverse / 10.0; // so that the last line is not the axis
    let errors = curve.points.iter().map(|point| point.1).chain([curve.richardson, below]);
    let (step, error) = curve.best();
    let mark =
        |x: f64, label: String, error: f64| Shape::Mark { x, title: format!("{label}: error {}", small(error)), label };
    let level = |y: f64, name: &str| Shape::Level { y, label: format!("{name}, {}", small(y)) };
    let dot = |&(x, y): &(f64, f64)| (x, y, format!("h = {}: error {}", small(x), small(y)));
    Some(Chart {
        size: SIZE,
        title: format!("The error of a central difference against its step: {}", curve.case),
        x_name: "step h",
        x: Scale::log_around(curve.points.iter().map(|point| point.0))?,
        y: Scale::log_around(errors)?,
        shapes: vec![
            mark(PYTORCH_STEP, "PyTorch, 10⁻⁶".into(), curve.pytorch),
            mark(step, format!("best, {}", small(step)), error),
            Shape::Line {
                class: "c0".into(),
                title: format!("from {} at the largest step down to {}", small(curve.points[0].1), small(error)),
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

/// A number to two digits, with the sign that printers use.
pub(super) fn small(x: f64) -> String {
    if x == 0.0 { "0".to_owned() } else { format!("{x:.1e}").replace('-', "−") }
}
