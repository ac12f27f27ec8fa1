//! Heatmaps as SVG: the colour depth of a cell shows a share from 0 to 1. All cells of one depth are one SVG path.

use std::fmt::Write;

use maud::{Markup, html};

/// Width of the cell area, height of a row, and the margins around the cell area.
const WIDTH: f64 = 132.0;
const ROW: f64 = 11.0;
const LEFT: f64 = 18.0;
const RIGHT: f64 = 4.0;
const BOTTOM: f64 = 16.0;

/// Number of colour depths. A share that rounds to depth 0 is left empty.
const DEPTHS: usize = 20;

/// A heatmap.
pub(super) struct Heatmap {
    /// Description for screen readers.
    pub(super) title: String,
    /// The rows, from the top.
    pub(super) rows: Vec<Row>,
    /// Labels under the first and the last column.
    pub(super) ends: [String; 2],
}

/// A row of a heatmap.
pub(super) struct Row {
    /// Label beside the row.
    pub(super) name: String,
    /// Tooltip.
    pub(super) title: String,
    /// The share of each column; `None` if it is missing.
    pub(super) cells: Vec<Option<f64>>,
}

impl Heatmap {
    /// Draws the heatmap as SVG.
    pub(super) fn draw(&self) -> Markup {
        let columns = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(1);
        let (width, height) = (WIDTH / columns as f64, ROW * self.rows.len() as f64);
        let (right, low) = (LEFT + WIDTH, height + BOTTOM - 4.0);
        html! {
            svg.heatmap viewBox=(format!("0 0 {} {}", right + RIGHT, height + BOTTOM)) role="img" aria-label=(self.title) {
                rect.missing x=(LEFT) y="0" width=(WIDTH) height=(height) {}
                g transform=(format!("translate({LEFT} 0) scale({width} {ROW})")) {
                    path.known d=(self.cells(|cell| cell.is_some())) {}
                    @for depth in 1..=DEPTHS {
                        @let path = self.cells(|cell| cell.is_some_and(|share| self::depth(share) == depth));
                        @if !path.is_empty() {
                            path.cells d=(path) fill-opacity=(depth as f64 / DEPTHS as f64) {}
                        }
                    }
                }
                @for (k, row) in self.rows.iter().enumerate() {
                    @let y = ROW * k as f64;
                    text.tick.end x=(LEFT - 5.0) y=(y + ROW - 2.0) { (row.name) }
                    rect.hover x=(LEFT) y=(y) width=(WIDTH) height=(ROW) { title { (row.title) } }
                }
                text.tick x=(LEFT) y=(low) { (self.ends[0]) }
                text.tick.end x=(right) y=(low) { (self.ends[1]) }
            }
        }
    }

    /// Returns the SVG path of the chosen cells. Adjacent cells of a row are merged.
    fn cells(&self, chosen: impl Fn(Option<f64>) -> bool) -> String {
        let mut path = String::new();
        for (y, row) in self.rows.iter().enumerate() {
            let mut from = 0;
            for run in row.cells.chunk_by(|&a, &b| chosen(a) == chosen(b)) {
                if chosen(run[0]) {
                    let length = run.len();
                    write!(path, "M{from} {y}h{length}v1h-{length}z").expect("a String takes everything");
                }
                from += run.len();
            }
        }
        path
    }
}

fn depth(share: f64) -> usize {
    (share.clamp(0.0, 1.0) * DEPTHS as f64).round() as usize
}

/// Draws the colour legend.
pub(super) fn legend() -> Markup {
    html! {
        svg.ramp viewBox="0 0 200 14" role="img" aria-label="from 0, empty, to 1, full colour" {
            text.tick.end x="10" y="11" { "0" }
            rect.known x="16" y="2" width="160" height="10" {}
            @for depth in 1..=DEPTHS {
                rect.cells x=(16 + (depth - 1) * 8) y="2" width="8" height="10" fill-opacity=(depth as f64 / DEPTHS as f64) {}
            }
            text.tick x="182" y="11" { "1" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draw_adjacent_cells_of_one_depth_are_merged() {
        let row = |name: &str, cells| Row { name: name.into(), title: format!("row {name}"), cells };
        let rows = vec![
            row("1", vec![Some(0.0), Some(0.5), Some(0.51), Some(1.0)]),
            row("2", vec![None, None, Some(0.5), Some(0.01)]),
        ];
        let svg = Heatmap { title: "t".into(), rows, ends: ["10", "40"].map(String::from) }.draw().into_string();
        assert!(svg.contains(r#"<path class="known" d="M0 0h4v1h-4zM2 1h2v1h-2z">"#), "{svg}");
        assert!(svg.contains(r#"<path class="cells" d="M1 0h2v1h-2zM2 1h1v1h-1z" fill-opacity="0.5">"#), "{svg}");
        assert!(svg.contains(r#"<path class="cells" d="M3 0h1v1h-1z" fill-opacity="1">"#), "{svg}");
        assert!(svg.contains("<title>row 2</title>") && svg.contains(">40</text>"), "{svg}");
    }
}
