//! Curves over training: the score of each stage, and the metrics of each update. A single run is one line. Several
//! runs are one thin line each, with their interquartile mean and its interval. Several configurations are one mean and
//! one interval each.

use maud::{Markup, html};

use super::behaviour::episode_validations;
use super::chart::{Chart, PANEL, Shape};
use super::downsample::{span_lasts, span_means};
use super::lines::{
    SPANS, THIN_LINES, entropy_coefficient_line, mean_and_interval, run_line, seed_lines, validation_dots,
};
use super::scale::Scale;
use crate::folder::{RunRecord, RunSet, UpdateLine};
use crate::score::Score;
use crate::stats::curve::Series;

/// The runs of one configuration, drawn in one colour.
pub(super) struct Group<'a> {
    /// The name of the configuration, shown if there are several.
    pub(super) label: String,
    /// The runs.
    pub(super) runs: &'a RunSet,
}

/// A metric of an update, and how its curve is drawn.
struct Metric {
    name: &'static str,
    unit: &'static str,
    log: bool,
    value: fn(&UpdateLine) -> f64,
}

const METRICS: [Metric; 7] = [
    Metric { name: "Return", unit: "mean sum of rewards per episode", log: false, value: |line| line.reward },
    Metric {
        name: "Entropy",
        unit: "nats per decision; dashed: coefficient β",
        log: false,
        value: |line| line.entropy,
    },
    Metric { name: "Gradient norm", unit: "before clipping", log: true, value: |line| line.grad_norm },
    Metric { name: "Value loss", unit: "mean squared error of the critic", log: false, value: |line| line.value_loss },
    Metric { name: "Policy loss", unit: "the first term of the loss", log: false, value: |line| line.policy_loss },
    Metric {
        name: "Hindsight loss",
        unit: "mean of − ln π over relabelled programs",
        log: false,
        value: |line| line.hindsight_loss.unwrap_or(0.0),
    },
    Metric { name: "Loss", unit: "the sum of all terms", log: false, value: |line| line.loss },
];

/// The curves of a page. They share their groups and their horizontal axis.
pub(super) struct Curves<'a> {
    groups: &'a [Group<'a>],
    /// The run whose episodes are on the page.
    shown: Option<&'a RunRecord>,
    horizon: usize,
}

/// The chart of one quantity.
struct Panel<'a> {
    name: String,
    unit: &'a str,
    /// The vertical axis; `None` fits it to the shapes.
    y: Option<Scale>,
    log: bool,
    /// The stage of values of validations, which are drawn as dots and never averaged; `None` for values of updates.
    stage: Option<usize>,
    series: &'a dyn Fn(&RunRecord) -> Series,
    background: Vec<Shape>,
}

impl<'a> Curves<'a> {
    pub(super) fn new(groups: &'a [Group<'a>], shown: Option<&'a RunRecord>) -> Self {
        let updates = groups.iter().flat_map(|group| &group.runs.runs).filter_map(|run| run.updates.last());
        Self { groups, shown, horizon: updates.map(|line| line.update).max().unwrap_or(0) }
    }

    /// Draws one panel per stage: the score at validations. A single run also shows its training episodes.
    pub(super) fn learning(&self) -> Markup {
        let Some(Group { runs: RunSet { task, .. }, .. }) = self.groups.first() else { return html! {} };
        let score = task.score;
        let stage = |stage: usize| {
            let series = |run: &RunRecord| -> Series {
                let score = |line: &crate::folder::ValidationLine| {
                    Some((line.validation, line.stages.iter().find(|stats| stats.stage == stage)?.score()))
                };
                run.validations.iter().filter_map(score).collect()
            };
            let mut background = self.unlock_marks(stage);
            let shares = score == Score::ExactMatch;
            background.extend(self.single_run().filter(|_| shares).map(|run| self.sampled_line(run, stage)));
            let (name, y) = (format!("Stage {stage}"), shares.then(|| Scale::linear(0.0, 1.0)));
            let goal = task.goals[stage].as_str();
            self.panel(Panel {
                name,
                unit: if goal.is_empty() { score.name() } else { goal },
                y,
                log: false,
                stage: Some(stage),
                series: &series,
                background,
            })
        };
        let width = self.span_width();
        let single = self.single_run().filter(|_| score == Score::ExactMatch);
        html! {
            (self.legend(single.map(|_| ["greedy policy, at validations", "sampled actions, in training"])))
            div.panels { @for stage in (0..task.stages()).map(stage) { (stage) } }
            p.small.quiet {
                @match score {
                    Score::ExactMatch => "Exact match is the share of episodes that end with exactly the goal. ",
                    Score::Reward => "Mean reward is the mean sum of rewards of an episode. ",
                }
                @match task.lists_contexts {
                    true => "At every validation the greedy policy plays each context of training once. ",
                    false => { "At every validation the greedy policy plays " (self.setting("validation_episodes")) " new episodes of each stage. " }
                }
                @if single.is_some() && width > 1 {
                    "For the sampled training episodes each point is the share over " (width) " updates. "
                }
                (self.unlock_note())
                @if let Some(run) = self.shown {
                    @if self.single_run().is_none() { "The points belong to seed " (run.seed) ". " }
                    "A point leads to the nearest recorded episode below. "
                }
                @if self.single_run().is_none() {
                    (self.mean_note(self.many_validations().then(|| format!("the last validation in every {width} updates"))))
                }
            }
        }
    }

    /// Draws one panel per metric of an update that is not 0 throughout, and the kinds of problem that hindsight knows.
    pub(super) fn training(&self) -> Markup {
        let updates = || self.groups.iter().flat_map(|group| &group.runs.runs).flat_map(|run| &run.updates);
        let is_drawn =
            |metric: &&Metric| updates().next().is_none() || updates().any(|line| (metric.value)(line) != 0.0);
        let stages = updates().map(|line| line.kinds.len()).max().unwrap_or(0);
        let kinds = |stage: usize| {
            let series = |run: &RunRecord| -> Series {
                run.updates.iter().filter_map(|line| Some((line.update, *line.kinds.get(stage)? as f64))).collect()
            };
            let name = format!("Kinds of stage {stage}");
            let unit = "kinds of problem with a known program";
            self.panel(Panel { name, unit, y: None, log: false, stage: None, series: &series, background: Vec::new() })
        };
        let panel = |metric: &Metric| {
            let series = |run: &RunRecord| -> Series {
                run.updates.iter().map(|line| (line.update, (metric.value)(line))).collect()
            };
            let (name, background) = (metric.name.to_owned(), self.background(metric.name));
            self.panel(Panel {
                name,
                unit: metric.unit,
                y: None,
                log: metric.log,
                stage: None,
                series: &series,
                background,
            })
        };
        html! {
            (self.legend(None))
            div.panels {
                @for panel in METRICS.iter().filter(is_drawn).map(panel) { (panel) }
                @for panel in (0..stages).map(kinds) { (panel) }
            }
            @if self.single_run().is_none() {
                @let width = self.span_width();
                p.small.quiet { (self.mean_note((width > 1).then(|| format!("the mean of {width} updates")))) }
            }
        }
    }

    /// Returns the run if there is exactly one.
    fn single_run(&self) -> Option<&'a RunRecord> {
        match self.groups {
            [group] if group.runs.runs.len() == 1 => group.runs.runs.first(),
            _ => None,
        }
    }

    /// Returns the number of updates per span.
    fn span_width(&self) -> usize {
        self.horizon.div_ceil(SPANS).max(1)
    }

    fn panel(&self, panel: Panel<'_>) -> Markup {
        // Levels are drawn last, so that their labels stay in front of the lines.
        let (levels, mut shapes): (Vec<_>, Vec<_>) =
            panel.background.into_iter().partition(|shape| matches!(shape, Shape::Level { .. }));
        let (mut back, mut front) = (Vec::new(), Vec::new());
        for (colour, group) in self.groups.iter().enumerate() {
            let runs = group.runs.runs.iter().map(|run| (run, (panel.series)(run)));
            let runs: Vec<(&RunRecord, Series)> = runs.filter(|(_, series)| !series.is_empty()).collect();
            let label = if self.groups.len() > 1 { format!("{}: ", group.label) } else { String::new() };
            match &runs[..] {
                [] => {}
                [(_, series)] => front.push(run_line(series, &format!("{label}{}", panel.name), colour)),
                runs => {
                    if self.groups.len() == 1 {
                        back.extend(seed_lines(runs, &panel.name));
                    }
                    let series = runs
                        .iter()
                        .map(|(_, series)| self.downsample(series, panel.stage.is_some()))
                        .collect::<Vec<_>>();
                    let [band, line] = mean_and_interval(&series, &format!("{label}{}", panel.name), colour);
                    back.extend(band);
                    front.extend(line);
                }
            }
            front.extend(self.dots(&runs, panel.stage, colour));
        }
        let drawn = !back.is_empty() || !front.is_empty();
        shapes.extend(back.into_iter().chain(front).chain(levels));
        let heights = || shapes.iter().flat_map(Shape::y_values);
        let fitted = || if panel.log { Scale::log_around(heights()) } else { Scale::around(heights()) };
        let scale = if drawn { panel.y.or_else(fitted) } else { None };
        html! {
            figure.panel {
                figcaption { b { (panel.name) } " " (panel.unit) }
                @match scale {
                    Some(y) => (Chart {
                        size: PANEL,
                        title: format!("{} ({}) by update", panel.name, panel.unit),
                        x_name: "update",
                        x: Scale::linear(0.0, self.horizon as f64),
                        y,
                        shapes,
                    }.draw()),
                    None => p.nothing { (self.empty_text(panel.stage.is_some())) },
                }
            }
        }
    }

    /// Returns the dots of a panel of validations: those of a single run, and of the run whose episodes are on the page.
    fn dots(&self, runs: &[(&RunRecord, Series)], stage: Option<usize>, colour: usize) -> Option<Shape> {
        let (stage, alone) = (stage?, runs.len() == 1);
        let is_shown = |run: &RunRecord| self.shown.is_some_and(|shown| std::ptr::eq(shown, run));
        let (run, series) = runs.iter().find(|(run, _)| alone || is_shown(run))?;
        let episodes = if is_shown(run) { episode_validations(run, stage) } else { Vec::new() };
        Some(validation_dots(series, stage, colour, &episodes, alone))
    }

    fn empty_text(&self, validations: bool) -> String {
        match validations && self.horizon > 0 {
            true => {
                format!("There is no validation yet: the first one follows update {}.", self.setting("validate_every"))
            }
            false => "There is no update yet.".to_owned(),
        }
    }

    /// Reduces a series to at most [`SPANS`] points: the mean of each span of updates, the last of each span of validations.
    fn downsample(&self, series: &Series, validations: bool) -> Series {
        match validations {
            true if self.many_validations() => span_lasts(series, self.span_width()),
            true => series.clone(),
            false => span_means(series, self.span_width()),
        }
    }

    fn many_validations(&self) -> bool {
        self.groups.iter().flat_map(|group| &group.runs.runs).any(|run| run.validations.len() > SPANS)
    }

    /// Returns the curve of the exact match of the sampled training episodes.
    fn sampled_line(&self, run: &RunRecord, stage: usize) -> Shape {
        let counts = |line: &UpdateLine| Some((line.update, *line.episodes.get(stage)?, *line.solved.get(stage)?));
        let lines: Vec<_> = run.updates.iter().filter_map(counts).filter(|&(_, episodes, _)| episodes > 0).collect();
        let spans = lines.chunk_by(|a, b| a.0.div_ceil(self.span_width()) == b.0.div_ceil(self.span_width()));
        let share = |span: &[(usize, usize, usize)]| {
            let (episodes, solved) = span.iter().fold((0, 0), |sum, line| (sum.0 + line.1, sum.1 + line.2));
            (span[span.len() - 1].0 as f64, solved as f64 / episodes as f64)
        };
        let title = "exact match of the sampled training episodes".to_owned();
        Shape::Line { class: "light c0".into(), title, points: spans.map(share).collect() }
    }

    /// Marks where a stage opened: a line for a single run, a notch for each of several runs.
    fn unlock_marks(&self, stage: usize) -> Vec<Shape> {
        let mut shapes = Vec::new();
        for (colour, group) in self.groups.iter().enumerate().filter(|(_, group)| has_curriculum(group.runs)) {
            for run in &group.runs.runs {
                let Some(update) = run.stage_unlocked_at(stage) else { continue };
                let (x, title) = (update as f64, format!("seed {}: stage {stage} opens at update {update}", run.seed));
                shapes.push(match self.single_run() {
                    Some(_) => Shape::Mark { x, label: "opens".into(), title },
                    None => Shape::Notch { class: format!("c{colour}"), x, title },
                });
            }
        }
        shapes
    }

    fn unlock_note(&self) -> Markup {
        let opening = self.groups.iter().filter(|group| has_curriculum(group.runs)).count();
        let mark = if self.single_run().is_some() {
            "A dotted line shows"
        } else {
            "For each run, a notch at the upper edge shows"
        };
        html! {
            @match opening {
                0 => "All stages are open from the start. ",
                _ => {
                    (mark) " where a stage opens. "
                    @if opening < self.groups.len() {
                        "Configurations without a curriculum have all stages open from the start. "
                    }
                },
            }
        }
    }

    fn mean_note(&self, point: Option<String>) -> Markup {
        let longest = self.groups.iter().map(|group| group.runs.runs.len()).max().unwrap_or(0);
        html! {
            @if longest > 1 {
                "Bold lines are interquartile means over the runs, with pointwise 95 % bootstrap confidence intervals. "
                @if let Some(point) = point { "Each point is " (point) ". " }
                "A run that has ended keeps its last value. "
            }
            @if self.groups.len() == 1 && longest > THIN_LINES {
                "Only the first " (THIN_LINES) " of " (longest) " runs are drawn."
            }
        }
    }

    /// Returns the shapes behind a metric: the entropy coefficient, or the norm at which gradients are clipped.
    fn background(&self, name: &str) -> Vec<Shape> {
        match name {
            "Entropy" => self
                .groups
                .iter()
                .enumerate()
                .filter_map(|(colour, group)| entropy_coefficient_line(group.runs, colour))
                .collect(),
            "Gradient norm" => {
                let mut clips: Vec<f64> =
                    self.groups.iter().filter_map(|group| group.runs.setting_as_number("clip")).collect();
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

    /// Draws the legend of colours and line weights.
    fn legend(&self, one: Option<[&str; 2]>) -> Markup {
        let several = self.groups.iter().any(|group| group.runs.runs.len() > 1);
        html! {
            div.legend {
                @if let Some([line, light]) = one { (legend_key("line c0", line)) (legend_key("line light c0", light)) }
                @if self.groups.len() > 1 {
                    @for (colour, group) in self.groups.iter().enumerate() {
                        (legend_key(&format!("line c{colour}"), &group.label))
                    }
                    @if several { (legend_key("band c0", "95 % confidence interval")) }
                } @else if several {
                    (legend_key("line seed c0", "each seed")) (legend_key("line c0", "interquartile mean"))
                    (legend_key("band c0", "95 % confidence interval"))
                }
            }
        }
    }
}

/// Draws a legend entry: a swatch and its label.
pub(super) fn legend_key(class: &str, text: &str) -> Markup {
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

/// Returns true if the stages open one after another.
fn has_curriculum(runs: &RunSet) -> bool {
    runs.setting("curriculum").is_none_or(|curriculum| ["switch", "gate"].contains(&curriculum))
}
