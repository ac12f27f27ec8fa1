//! Curves over training: exact match of each stage, and what an update reports. One run is a line; several runs are a
//! line each, with their interquartile mean and its interval; several configurations are a mean and an interval each.

use maud::{Markup, html};
use rl::tasks::{GOALS, STAGES};

use super::chart::{Chart, PANEL, Shape};
use super::lines::{SPANS, THIN_LINES, coefficient, one, seeds, together};
use super::scale::Scale;
use super::thin::{lasts, means};
use crate::folder::{Record, Runs, UpdateLine};
use crate::stats::curve::Series;

/// What is drawn in one colour: the runs of one configuration.
pub(super) struct Group<'a> {
    /// Its name where there are several.
    pub(super) label: String,
    /// The runs.
    pub(super) runs: &'a Runs,
}

/// What a curve shows of an update.
struct Metric {
    name: &'static str,
    unit: &'static str,
    log: bool,
    of: fn(&UpdateLine) -> f64,
}

const METRICS: [Metric; 6] = [
    Metric { name: "Reward", unit: "mean sum of an episode", log: false, of: |line| line.reward },
    Metric { name: "Entropy", unit: "nats a decision; dashed: weight β", log: false, of: |line| line.entropy },
    Metric { name: "Gradient norm", unit: "before clipping", log: true, of: |line| line.grad_norm },
    Metric { name: "Value error", unit: "the critic’s mean square", log: false, of: |line| line.value_loss },
    Metric { name: "Policy loss", unit: "the first term of the loss", log: false, of: |line| line.policy_loss },
    Metric { name: "Loss", unit: "all terms", log: false, of: |line| line.loss },
];

/// All curves of a page share their groups and their horizontal axis.
pub(super) struct Curves<'a> {
    groups: &'a [Group<'a>],
    horizon: usize,
}

/// The curve of one quantity.
struct Panel<'a> {
    name: String,
    unit: &'a str,
    /// The axis, unless it is fitted to what is drawn.
    y: Option<Scale>,
    log: bool,
    /// Whether the values are of validations, which are drawn as dots and never averaged.
    dots: bool,
    of: &'a dyn Fn(&Record) -> Series,
    behind: Vec<Shape>,
}

impl<'a> Curves<'a> {
    pub(super) fn new(groups: &'a [Group<'a>]) -> Self {
        let updates = groups.iter().flat_map(|group| &group.runs.runs).filter_map(|run| run.updates.last());
        Self { groups, horizon: updates.map(|line| line.update).max().unwrap_or(0) }
    }

    /// A panel for each stage: exact match at validations, and of one run in training, too.
    pub(super) fn learning(&self) -> Markup {
        let stage = |stage: usize| {
            let of = |run: &Record| -> Series {
                let exact = |line: &crate::folder::ValidationLine| {
                    Some((line.validation, line.stages.iter().find(|figures| figures.stage == stage)?.exact))
                };
                run.validations.iter().filter_map(exact).collect()
            };
            let mut behind = self.unlocks(stage);
            behind.extend(self.alone().map(|run| self.sampled(run, stage)));
            let (name, y) = (format!("Stage {stage}"), Some(Scale::linear(0.0, 1.0)));
            self.panel(Panel { name, unit: GOALS[stage], y, log: false, dots: true, of: &of, behind })
        };
        let width = self.width();
        html! {
            (self.legend(self.alone().map(|_| ["greedy, at validations", "sampled, in training"])))
            div.panels { @for stage in (0..STAGES).map(stage) { (stage) } }
            p.small.quiet {
                "Exact match: the share of episodes that end with the goal itself, as the greedy policy plays "
                (self.setting("validation_episodes")) " fresh episodes of each stage at every validation. "
                @if self.alone().is_some() && width > 1 {
                    "Of the sampled episodes of training each point is the share in " (width) " updates. "
                }
                (self.about_unlocks())
                @if self.alone().is_none() {
                    (self.about_means(self.many_validations().then(|| format!("the last validation in every {width} updates"))))
                }
            }
        }
    }

    /// A panel for each quantity of an update.
    pub(super) fn training(&self) -> Markup {
        let panel = |metric: &Metric| {
            let of =
                |run: &Record| -> Series { run.updates.iter().map(|line| (line.update, (metric.of)(line))).collect() };
            let (name, behind) = (metric.name.to_owned(), self.behind(metric.name));
            self.panel(Panel { name, unit: metric.unit, y: None, log: metric.log, dots: false, of: &of, behind })
        };
        html! {
            (self.legend(None))
            div.panels { @for panel in METRICS.iter().map(panel) { (panel) } }
            @if self.alone().is_none() {
                @let width = self.width();
                p.small.quiet { (self.about_means((width > 1).then(|| format!("the mean of {width} updates")))) }
            }
        }
    }

    /// The only run, if there is but one.
    fn alone(&self) -> Option<&'a Record> {
        match self.groups {
            [group] if group.runs.runs.len() == 1 => group.runs.runs.first(),
            _ => None,
        }
    }

    /// The updates of a span.
    fn width(&self) -> usize {
        self.horizon.div_ceil(SPANS).max(1)
    }

    fn panel(&self, panel: Panel<'_>) -> Markup {
        // A level's word would be lost behind the lines.
        let (levels, mut shapes): (Vec<_>, Vec<_>) =
            panel.behind.into_iter().partition(|shape| matches!(shape, Shape::Level { .. }));
        let (mut back, mut front) = (Vec::new(), Vec::new());
        for (colour, group) in self.groups.iter().enumerate() {
            let runs: Vec<(u64, Series)> = group.runs.runs.iter().map(|run| (run.seed, (panel.of)(run))).collect();
            let runs: Vec<_> = runs.into_iter().filter(|(_, series)| !series.is_empty()).collect();
            let label = if self.groups.len() > 1 { format!("{}: ", group.label) } else { String::new() };
            match &runs[..] {
                [] => {}
                [(_, series)] => front.extend(one(series, &format!("{label}{}", panel.name), colour, panel.dots)),
                runs => {
                    if self.groups.len() == 1 {
                        back.extend(seeds(runs, &panel.name));
                    }
                    let series = runs.iter().map(|(_, series)| self.shorten(series, panel.dots)).collect::<Vec<_>>();
                    let [band, line] = together(&series, &format!("{label}{}", panel.name), colour);
                    back.extend(band);
                    front.extend(line);
                }
            }
        }
        let drawn = !back.is_empty() || !front.is_empty();
        shapes.extend(back.into_iter().chain(front).chain(levels));
        let reached = || shapes.iter().flat_map(Shape::heights);
        let fitted = || if panel.log { Scale::log_around(reached()) } else { Scale::around(reached()) };
        let scale = if drawn { panel.y.or_else(fitted) } else { None };
        html! {
            figure.panel {
                figcaption { b { (panel.name) } " " (panel.unit) }
                @match scale {
                    Some(y) => (Chart {
                        size: PANEL,
                        title: format!("{}, {}, over the updates", panel.name, panel.unit),
                        x_name: "update",
                        x: Scale::linear(0.0, self.horizon as f64),
                        y,
                        shapes,
                    }.draw()),
                    None => p.nothing { (self.nothing(panel.dots)) },
                }
            }
        }
    }

    fn nothing(&self, validations: bool) -> String {
        match validations && self.horizon > 0 {
            true => format!("There is no validation: the first follows update {}.", self.setting("validate_every")),
            false => "There is no update.".to_owned(),
        }
    }

    /// In few points: validations as they are, where there are many the last of each span; updates as means.
    fn shorten(&self, series: &Series, validations: bool) -> Series {
        match validations {
            true if self.many_validations() => lasts(series, self.width()),
            true => series.clone(),
            false => means(series, self.width()),
        }
    }

    fn many_validations(&self) -> bool {
        self.groups.iter().flat_map(|group| &group.runs.runs).any(|run| run.validations.len() > SPANS)
    }

    /// The exact match of the sampled episodes of training.
    fn sampled(&self, run: &Record, stage: usize) -> Shape {
        let counts = |line: &UpdateLine| Some((line.update, *line.episodes.get(stage)?, *line.solved.get(stage)?));
        let lines: Vec<_> = run.updates.iter().filter_map(counts).filter(|&(_, episodes, _)| episodes > 0).collect();
        let spans = lines.chunk_by(|a, b| a.0.div_ceil(self.width()) == b.0.div_ceil(self.width()));
        let share = |span: &[(usize, usize, usize)]| {
            let (episodes, solved) = span.iter().fold((0, 0), |sum, line| (sum.0 + line.1, sum.1 + line.2));
            (span[span.len() - 1].0 as f64, solved as f64 / episodes as f64)
        };
        let title = "exact match of the sampled episodes of training".to_owned();
        Shape::Line { class: "light c0".into(), title, points: spans.map(share).collect() }
    }

    /// Where a stage opened: a mark for one run, a notch for each of several.
    fn unlocks(&self, stage: usize) -> Vec<Shape> {
        let mut shapes = Vec::new();
        for (colour, group) in self.groups.iter().enumerate().filter(|(_, group)| opens(group.runs)) {
            for run in &group.runs.runs {
                let Some(update) = run.opened(stage) else { continue };
                let (x, title) = (update as f64, format!("seed {}: stage {stage} opens at update {update}", run.seed));
                shapes.push(match self.alone() {
                    Some(_) => Shape::Mark { x, label: "opens".into(), title },
                    None => Shape::Notch { class: format!("c{colour}"), x, title },
                });
            }
        }
        shapes
    }

    fn about_unlocks(&self) -> Markup {
        let opening = self.groups.iter().filter(|group| opens(group.runs)).count();
        let mark =
            if self.alone().is_some() { "A dotted line" } else { "A notch at the upper edge, one for each run," };
        html! {
            @match opening {
                0 => "All stages are open from the start. ",
                _ => { (mark) " is where a stage opens" @if opening < self.groups.len() { ", where not all are open from the start" } ". " },
            }
        }
    }

    fn about_means(&self, point: Option<String>) -> Markup {
        let longest = self.groups.iter().map(|group| group.runs.runs.len()).max().unwrap_or(0);
        html! {
            @if longest > 1 {
                "Strong lines are interquartile means over the runs, with pointwise 95 % bootstrap intervals"
                @if let Some(point) = point { "; each point is " (point) }
                "; a run that has ended counts on with its last value. "
            }
            @if self.groups.len() == 1 && longest > THIN_LINES { "Of the " (longest) " runs the first " (THIN_LINES) " are drawn." }
        }
    }

    /// What stands behind a quantity: the coefficient of the entropy, and where gradients are clipped.
    fn behind(&self, name: &str) -> Vec<Shape> {
        match name {
            "Entropy" => {
                self.groups.iter().enumerate().filter_map(|(colour, group)| coefficient(group.runs, colour)).collect()
            }
            "Gradient norm" => {
                let mut clips: Vec<f64> = self.groups.iter().filter_map(|group| group.runs.number("clip")).collect();
                clips.sort_unstable_by(f64::total_cmp);
                clips.dedup();
                clips.into_iter().map(|y| Shape::Level { y, label: format!("clipped at {y}") }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn setting(&self, name: &str) -> String {
        let mut values: Vec<&str> = self.groups.iter().filter_map(|group| group.runs.setting(name)).collect();
        values.dedup();
        values.join(" or ")
    }

    /// What the colours and weights mean.
    fn legend(&self, one: Option<[&str; 2]>) -> Markup {
        let several = self.groups.iter().any(|group| group.runs.runs.len() > 1);
        html! {
            div.legend {
                @if let Some([line, light]) = one { (key("line c0", line)) (key("line light c0", light)) }
                @if self.groups.len() > 1 {
                    @for (colour, group) in self.groups.iter().enumerate() { (key(&format!("line c{colour}"), &group.label)) }
                    @if several { (key("band c0", "95 % interval")) }
                } @else if several {
                    (key("line seed c0", "each seed")) (key("line c0", "interquartile mean")) (key("band c0", "95 % interval"))
                }
            }
        }
    }
}

/// A swatch, and what it means.
pub(super) fn key(class: &str, text: &str) -> Markup {
    let band = class.starts_with("band");
    html! {
        span.key {
            svg viewBox="0 0 24 10" aria-hidden="true" {
                @if band { path class=(class) d="M0 1H24V9H0Z" {} } @else { path class=(class) d="M0 5H24" {} }
            }
            (text)
        }
    }
}

/// Whether stages open one after the other.
fn opens(runs: &Runs) -> bool {
    runs.setting("curriculum").is_none_or(|curriculum| ["switch", "gate"].contains(&curriculum))
}
