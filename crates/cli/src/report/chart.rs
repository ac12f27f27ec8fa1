//! Line charts as SVG: axes with round ticks, lines, bands, levels and marks. CSS sets the colours, so a chart suits light
//! and dark themes. Every shape has a title, which browsers show as a tooltip and screen readers read aloud.

use std::fmt::Write;

use maud::{Markup, html};

use super::scale::Scale;

/// The style sheet of charts and reports.
pub(crate) const STYLE: &str = include_str!("report.css");

/// Width and height of a chart in a grid of charts, in SVG units. The page scales it to the available space.
pub(crate) const PANEL: [f64; 2] = [320.0, 196.0];
/// The margins around the plot area.
const LEFT: f64 = 42.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 32.0;

/// A chart.
pub(crate) struct Chart {
    /// Width and height.
    pub(crate) size: [f64; 2],
    /// Description for screen readers.
    pub(crate) title: String,
    /// Label of the horizontal axis.
    pub(crate) x_name: &'static str,
    /// The horizontal axis.
    pub(crate) x: Scale,
    /// The vertical axis.
    pub(crate) y: Scale,
    /// The shapes, from back to front.
    pub(crate) shapes: Vec<Shape>,
}

/// A shape of a chart. `class` names CSS classes that set colour and line weight; `title` is the tooltip.
pub(crate) enum Shape {
    /// A polyline.
    Line {
        /// CSS classes.
        class: String,
        /// Tooltip.
        title: String,
        /// Points (x, y), from left to right.
        points: Vec<(f64, f64)>,
    },
    /// Separate points, each with its own tooltip.
    Dots {
        /// CSS classes.
        class: String,
        /// Points.
        points: Vec<Dot>,
    },
    /// The area between a lower and an upper line.
    Band {
        /// CSS classes.
        class: String,
        /// Tooltip.
        title: String,
        /// Points (x, lower y, upper y), from left to right.
        points: Vec<(f64, f64, f64)>,
    },
    /// A horizontal line with a label at its right end.
    Level {
        /// Height.
        y: f64,
        /// Label.
        label: String,
    },
    /// A vertical line with a label above it.
    Mark {
        /// Position.
        x: f64,
        /// Label.
        label: String,
        /// Tooltip.
        title: String,
    },
    /// A text that begins or ends at a point.
    Note {
        /// The point (x, y).
        at: (f64, f64),
        /// True if the text ends at the point.
        ends: bool,
        /// The text.
        label: &'static str,
    },
    /// A small mark at the upper edge.
    Notch {
        /// CSS classes.
        class: String,
        /// Position.
        x: f64,
        /// Tooltip.
        title: String,
    },
}

/// A separate point.
pub(crate) struct Dot {
    /// Position (x, y).
    pub(crate) at: (f64, f64),
    /// Tooltip.
    pub(crate) title: String,
    /// Identifier of the element that the point links to.
    pub(crate) target: Option<String>,
}

impl Shape {
    /// Returns the y values that the vertical axis must include.
    pub(crate) fn y_values(&self) -> Vec<f64> {
        match self {
            Self::Line { points, .. } => points.iter().map(|point| point.1).collect(),
            Self::Dots { points, .. } => points.iter().map(|point| point.at.1).collect(),
            Self::Band { points, .. } => points.iter().flat_map(|point| [point.1, point.2]).collect(),
            Self::Level { y, .. } => vec![*y],
            Self::Mark { .. } | Self::Note { .. } | Self::Notch { .. } => Vec::new(),
        }
    }

    fn has_links(&self) -> bool {
        matches!(self, Self::Dots { points, .. } if points.iter().any(|point| point.target.is_some()))
    }
}

impl Chart {
    /// Draws the chart as SVG.
    pub(crate) fn draw(&self) -> Markup {
        let [right, bottom] = self.corner();
        // The contents of an image are hidden from screen readers, also its links.
        let role = if self.shapes.iter().any(Shape::has_links) { "group" } else { "img" };
        html! {
            svg.chart viewBox=(format!("0 0 {} {}", self.size[0], self.size[1])) role=(role) aria-label=(self.title) {
                @for (y, label) in self.y.ticks() {
                    @let y = self.y(y);
                    line.grid x1=(LEFT) x2=(right) y1=(y) y2=(y) {}
                    text.tick.end x=(LEFT - 6.0) y=(y + 3.5) { (label) }
                }
                line.axis x1=(LEFT) x2=(right) y1=(bottom) y2=(bottom) {}
                @for (x, label) in self.x.ticks() {
                    @let x = self.x(x);
                    line.axis x1=(x) x2=(x) y1=(bottom) y2=(bottom + 4.0) {}
                    text.tick.middle x=(x) y=(bottom + 15.0) { (label) }
                }
                text.tick.end x=(right) y=(self.size[1] - 3.0) { (self.x_name) }
                @for shape in &self.shapes { (self.shape(shape)) }
            }
        }
    }

    fn shape(&self, shape: &Shape) -> Markup {
        let [right, bottom] = self.corner();
        html! {
            @match shape {
                Shape::Line { class, title, points } => path class=(format!("line {class}")) d=(self.path(points)) {
                    title { (title) }
                },
                Shape::Dots { class, points } => g class=(format!("dots {class}")) {
                    @for point in points.iter().filter(|point| self.y.can_show(point.at.1)) { (self.dot(point)) }
                },
                Shape::Band { class, title, points } => path class=(format!("band {class}")) d=(self.outline(points)) {
                    title { (title) }
                },
                Shape::Level { y, label } => {
                    line.level x1=(LEFT) x2=(right) y1=(self.y(*y)) y2=(self.y(*y)) {}
                    text.note.end x=(right) y=(self.y(*y) - 4.0) { (label) }
                },
                Shape::Mark { x, label, title } => g.mark {
                    title { (title) }
                    line x1=(self.x(*x)) x2=(self.x(*x)) y1=(TOP) y2=(bottom) {}
                    text class=(format!("note {}", self.anchor(*x))) x=(self.x(*x)) y=(TOP - 4.0) { (label) }
                },
                Shape::Note { at: (x, y), ends, label } => text.note.end[*ends] x=(self.x(*x)) y=(self.y(*y)) { (label) },
                Shape::Notch { class, x, title } => line class=(format!("notch {class}"))
                    x1=(self.x(*x)) x2=(self.x(*x)) y1=(TOP - 8.0) y2=(TOP - 1.0) { title { (title) } },
            }
        }
    }

    fn dot(&self, Dot { at: (x, y), title, target }: &Dot) -> Markup {
        let circle = html! { circle cx=(self.x(*x)) cy=(self.y(*y)) r="2.4" { title { (title) } } };
        match target {
            Some(target) => html! { a href=(format!("#{target}")) { (circle) } },
            None => circle,
        }
    }

    /// Chooses the alignment of a mark's label, so that it stays inside the chart and away from the next mark's label.
    fn anchor(&self, x: f64) -> &'static str {
        let position = self.x.position(x);
        let marks =
            self.shapes.iter().filter_map(|shape| if let Shape::Mark { x, .. } = shape { Some(*x) } else { None });
        let beside = marks.map(|other| self.x.position(other) - position).find(|by| *by != 0.0 && by.abs() < 0.3);
        match (position, beside) {
            (..0.1, _) => "start",
            (0.9.., _) => "end",
            (_, Some(by)) => {
                if by < 0.0 {
                    "start"
                } else {
                    "end"
                }
            }
            _ => "middle",
        }
    }

    /// Returns the SVG path through the points; points that the axis cannot show are skipped.
    fn path(&self, points: &[(f64, f64)]) -> String {
        let mut path = String::new();
        for &(x, y) in points.iter().filter(|point| self.y.can_show(point.1)) {
            let step = if path.is_empty() { 'M' } else { 'L' };
            write!(path, "{step}{} {}", self.x(x), self.y(y)).expect("a String takes everything");
        }
        path
    }

    /// Returns the closed SVG path along the upper ends and back along the lower ends.
    fn outline(&self, points: &[(f64, f64, f64)]) -> String {
        let upper = points.iter().map(|&(x, _, high)| (x, high));
        let lower = points.iter().rev().map(|&(x, low, _)| (x, low));
        let path = self.path(&upper.chain(lower).collect::<Vec<_>>());
        if path.is_empty() { path } else { path + "Z" }
    }

    fn x(&self, x: f64) -> f64 {
        round_to_tenth(LEFT + self.x.position(x) * (self.corner()[0] - LEFT))
    }

    fn y(&self, y: f64) -> f64 {
        let bottom = self.corner()[1];
        round_to_tenth(bottom - self.y.position(y) * (bottom - TOP))
    }

    /// Returns the right and bottom edge of the plot area.
    fn corner(&self) -> [f64; 2] {
        [self.size[0] - RIGHT, self.size[1] - BOTTOM]
    }
}

/// Rounds a coordinate to a tenth of a unit, which is finer than any screen.
fn round_to_tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(shapes: Vec<Shape>) -> String {
        let (x, y) = (Scale::linear(0.0, 100.0), Scale::log_around([0.1, 10.0].into_iter()).expect("numbers"));
        Chart { size: PANEL, title: "a < b".into(), x_name: "update", x, y, shapes }.draw().into_string()
    }

    #[test]
    fn draw_line_skips_points_that_the_axis_cannot_show() {
        let points = vec![(0.0, 0.1), (50.0, 0.0), (50.0, 1.0), (100.0, f64::NAN), (100.0, 10.0)];
        let svg = draw(vec![Shape::Line { class: "c1".into(), title: "x & y".into(), points }]);
        assert!(
            svg.contains(r#"<path class="line c1" d="M42 164L176 90L310 16"><title>x &amp; y</title></path>"#),
            "{svg}"
        );
        assert!(
            svg.contains(r#"aria-label="a &lt; b""#) && svg.contains(">0.1</text>") && svg.contains(">update</text>")
        );
    }

    #[test]
    fn draw_band_path_is_closed() {
        let points = vec![(0.0, 0.1, 1.0), (100.0, 1.0, 10.0)];
        let svg = draw(vec![Shape::Band { class: "c2".into(), title: String::new(), points }]);
        assert!(svg.contains(r#"d="M42 90L310 16L310 90L42 164Z""#), "{svg}");
    }
}
