//! Line plots with two logarithmic axes, as SVG text.

use std::fmt::Write;

/// A line: its name and its points (x, y). Both coordinates are above zero.
pub type Line = (String, Vec<(f64, f64)>);

/// One of the plot's panels, with its own axes.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The title above the panel.
    pub title: String,
    /// The label of the x axis.
    pub x_label: String,
    /// The label of the y axis.
    pub y_label: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// The width and height of a panel, and the margin left of and below its axes, in pixels.
const SIZE: [f64; 2] = [400.0, 300.0];
const MARGIN: [f64; 2] = [60.0, 45.0];
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// Draws all panels, two per row.
pub fn plot(panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(2) as f64;
    let (width, height) = (2.0 * SIZE[0], rows * SIZE[1]);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (i, panel) in panels.iter().enumerate() {
        let (left, top) = ((i % 2) as f64 * SIZE[0], (i / 2) as f64 * SIZE[1]);
        let _ = writeln!(out, "<g transform=\"translate({left} {top})\">\n{}</g>", draw_panel(panel));
    }
    out + "</svg>\n"
}

/// A logarithmic axis: the ends of its range, and their positions in pixels.
struct Axis {
    range: [f64; 2],
    pixels: [f64; 2],
}

impl Axis {
    fn new(numbers: impl Iterator<Item = f64>, pixels: [f64; 2]) -> Self {
        let ends = numbers.fold([f64::INFINITY, 0.0], |[low, high], x| [x.min(low), x.max(high)]);
        Self { range: [ends[0] / 1.1, ends[1] * 1.1], pixels }
    }

    fn position(&self, x: f64) -> f64 {
        let ([low, high], [from, to]) = (self.range, self.pixels);
        from + (x / low).ln() / (high / low).ln() * (to - from)
    }

    /// Returns the powers of 2 in the range, or the powers of 10 if the range is wide.
    fn ticks(&self) -> Vec<f64> {
        let [low, high] = self.range;
        let base: f64 = if high / low > 300.0 { 10.0 } else { 2.0 };
        let powers = low.log(base).ceil() as i32..=high.log(base).floor() as i32;
        powers.map(|power| base.powi(power)).collect()
    }
}

fn draw_panel(panel: &Panel) -> String {
    let points = || panel.lines.iter().flat_map(|(_, points)| points);
    let x = Axis::new(points().map(|point| point.0), [MARGIN[0], SIZE[0] - 15.0]);
    let y = Axis::new(points().map(|point| point.1), [SIZE[1] - MARGIN[1], 40.0]);
    let (left, bottom) = (x.pixels[0], y.pixels[0]);
    let mut out = String::new();
    let mut text = |x: f64, y: f64, anchor: &str, words: &str| {
        let words = words.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
    };
    text(SIZE[0] / 2.0, 18.0, "middle", &panel.title);
    text(SIZE[0] / 2.0, SIZE[1] - 8.0, "middle", &panel.x_label);
    text(left, 34.0, "start", &panel.y_label);
    x.ticks().iter().for_each(|&tick| text(x.position(tick), bottom + 15.0, "middle", &format!("{tick}")));
    y.ticks().iter().for_each(|&tick| text(left - 5.0, y.position(tick) + 4.0, "end", &format!("{tick}")));
    for ((name, points), colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<_> =
            points.iter().map(|&(px, py)| format!("{:.1},{:.1}", x.position(px), y.position(py))).collect();
        let path = path.join(" ");
        let _ = writeln!(out, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        if let Some(&(px, py)) = points.last() {
            let (px, py) = (x.position(px), y.position(py) - 6.0);
            let _ =
                writeln!(out, "<text x=\"{px:.1}\" y=\"{py:.1}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>");
        }
    }
    let _ = writeln!(out, "<path d=\"M{left} 40V{bottom}H{}\" fill=\"none\" stroke=\"black\"/>", x.pixels[1]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_equal_ratios_are_equal_distances() {
        let axis = Axis { range: [1.0, 100.0], pixels: [0.0, 200.0] };
        assert!((axis.position(10.0) - 100.0).abs() < 1e-9 && axis.position(1.0) == 0.0);
        assert_eq!(Axis { range: [0.9, 9.0], pixels: [0.0, 1.0] }.ticks(), [1.0, 2.0, 4.0, 8.0]);
        assert_eq!(Axis { range: [0.9, 1001.0], pixels: [0.0, 1.0] }.ticks(), [1.0, 10.0, 100.0, 1000.0]);
    }

    #[test]
    fn plot_draws_every_line_and_escapes_text() {
        let line = |name: &str| (name.to_owned(), vec![(1.0, 2.0), (4.0, 8.0)]);
        let lines = vec![line("one"), line("two")];
        let panel = Panel { title: "a < b".into(), x_label: "x".into(), y_label: "y".into(), lines };
        let svg = plot(&[panel.clone(), panel]);
        assert_eq!((svg.matches("<polyline").count(), svg.matches("a &lt; b").count()), (4, 2));
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"));
    }
}
