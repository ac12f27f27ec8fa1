//! An episode as text. Colours carry no meaning of their own: `console` leaves them out without a terminal, and if
//! `NO_COLOR` is set.

use std::path::Path;

use console::{measure_text_width, style};

use super::ExplainedEpisode;
use crate::error::show_path;
use crate::folder::{EpisodeStep, ReadToken, Register};
use crate::output::table::{Table, format_share};
use crate::output::width::{fit, wrap};

/// Maximum columns of a line. In fewer columns, the details of a step follow below its action probabilities.
pub(crate) const MAX_COLUMNS: usize = 80;
/// Columns of the action probabilities on the left.
const LEFT: usize = 36;
/// Columns of the bar for probability 1.
const BAR: usize = 16;
/// Number of other actions shown below the action taken.
const ALTERNATIVES: usize = 3;
/// Number of tokens of the context shown with their weights.
const LOOKED_AT: usize = 3;
/// Maximum columns of an action's name.
const MAX_NAME: usize = 12;
/// Indent of the lines below the first line of a step.
const INDENT: &str = "     ";

/// Formats the episode in at most `columns`, and at most [`MAX_COLUMNS`], without a line break at the end.
pub(crate) fn to_text(explained: &ExplainedEpisode, columns: usize) -> String {
    let (episode, columns) = (&explained.episode, columns.min(MAX_COLUMNS));
    let context = match episode.context.is_empty() {
        true => String::new(),
        false => format!("context  {}\n", episode.context.join(" ")),
    };
    let goals: String = episode.goals.iter().map(|goal| format!("{:<9}{}\n", goal.name, goal)).collect();
    let drawing: String = (0..)
        .zip(&episode.drawing)
        .map(|(k, line)| format!("{:<9}{line}\n", if k == 0 { "tree" } else { "" }))
        .collect();
    let goals = goals + &drawing;
    let gates = if episode.read.is_empty() { String::new() } else { gate_table(&episode.read).to_string() };
    let before: Vec<_> = [context + &goals, gates].into_iter().filter(|part| !part.is_empty()).collect();
    let before: String = before.iter().map(|part| format!("{part}\n")).collect();
    let steps: String =
        (1..).zip(&episode.steps).map(|(number, step)| format_step(explained, number, step, columns)).collect();
    let verdict = explained.verdict();
    let verdict = match episode.solved {
        Some(true) => style(verdict).green(),
        Some(false) => style(verdict).red(),
        None => style(verdict).bold(),
    };
    let legend: String = explained.legend().iter().map(|(name, meaning)| format!("{name:<9}{meaning}\n")).collect();
    let text = format!(
        "{}\nfrom {}\n\n{before}{steps}{verdict}\n\n{legend}\n{}",
        explained.title(),
        show_path(Path::new(&explained.checkpoint)),
        explained.caveat,
    );
    fit(text.trim_end(), Some(columns))
}

/// Returns the tokens of the context and the gates at each of them, one token per column.
fn gate_table(read: &[ReadToken]) -> Table {
    let row = |name: &str, cell: fn(&ReadToken) -> String| -> Vec<String> {
        [name.to_owned()].into_iter().chain(read.iter().map(cell)).collect()
    };
    let mut table = Table::new(row("token", |token| token.token.clone()));
    table.row(row("reset", |token| format!("{:.3}", token.reset)));
    table.row(row("update", |token| format!("{:.3}", token.update)));
    table
}

/// Formats a step: the action and its distribution on the left; metrics, and registers after the step, on the right or below.
fn format_step(explained: &ExplainedEpisode, number: usize, step: &EpisodeStep, columns: usize) -> String {
    let names = explained.actions.iter().map(|name| measure_text_width(name));
    let width = names.max().unwrap_or(0).clamp(4, MAX_NAME);
    let of_choices = explained.ranked_actions(step).into_iter().take(1 + ALTERNATIVES).map(|(name, p)| {
        let name = console::truncate_str(name, width, "…");
        format!("{name:<width$} {} {}", format_share(p), probability_bar(p))
    });
    let numbers = step.numbers.iter().zip(step.means.iter().zip(&step.deviations));
    let of_numbers = numbers.map(|(x, (mean, deviation))| format!("{x:>8.3}  {mean:>8.3} ± {deviation:.3}"));
    let actions = of_choices.chain(of_numbers).enumerate().map(|(i, line)| match i {
        0 => format!("{number:>2} ▸ {}", style(line).bold()),
        _ if step.numbers.is_empty() => format!("{INDENT}{}", style(line).dim()),
        _ => format!("{INDENT}{}", style(line).bold()),
    });
    let left_columns = LEFT.max(INDENT.len() + width + BAR + 10);
    let mut details = step_details(step, columns < MAX_COLUMNS);
    details.extend(describe_attention(&explained.episode.context, step));
    let (left, right): (Vec<_>, Vec<_>) = (actions.collect(), details);
    if columns < MAX_COLUMNS {
        let below = right.iter().map(|line| format!("{INDENT}{line}"));
        return left.into_iter().chain(below).map(|line| line.trim_end().to_owned() + "\n").collect::<String>() + "\n";
    }
    let right: Vec<_> = right.iter().flat_map(|line| wrap(line, MAX_COLUMNS - left_columns)).collect();
    let cell = |column: &[String], row: usize| column.get(row).cloned().unwrap_or_default();
    let line = |row| {
        let (left, right) = (cell(&left, row), cell(&right, row));
        let gap = " ".repeat(left_columns.saturating_sub(measure_text_width(&left)));
        format!("{left}{gap}{right}").trim_end().to_owned() + "\n"
    };
    (0..left.len().max(right.len())).map(line).collect::<String>() + "\n"
}

/// Describes a step, with the entropy on a line of its own if the lines are `narrow`.
fn step_details(step: &EpisodeStep, narrow: bool) -> Vec<String> {
    let EpisodeStep { observation, value, entropy, reward, reset, update, .. } = step;
    let (full, empty): (Vec<&Register>, Vec<_>) = step.state.iter().partition(|register| register.holds.is_some());
    let full = full.into_iter().map(Register::to_line);
    let names: Vec<_> = empty.iter().map(|register| register.name.as_str()).collect();
    let empty = (!names.is_empty()).then(|| format!("{} empty", names.join(", ")));
    let gap = if narrow { "\n" } else { "  " };
    let gates = reset.zip(*update).map(|(reset, update)| format!("\nreset {reset:>6.3}  update {update:>6.3}"));
    let metrics =
        format!("value {value:>6.3}  reward {reward:>6.3}{gap}entropy {entropy:.3}{}", gates.unwrap_or_default());
    let observation = observation.iter().map(|observation| format!("observed {observation}"));
    metrics.lines().map(String::from).chain(observation).chain(full).chain(empty).collect()
}

/// The tokens of the context with the largest weights in the attention, the largest first.
fn describe_attention(context: &[String], step: &EpisodeStep) -> Option<String> {
    let mut weights: Vec<_> = context.iter().zip(&step.attention).collect();
    weights.sort_by(|a, b| b.1.total_cmp(a.1));
    let shown = weights.iter().take(LOOKED_AT).map(|(token, weight)| format!("{token} {}", format_share(**weight)));
    (!weights.is_empty()).then(|| format!("looks at {}", shown.collect::<Vec<_>>().join(", ")))
}

/// Draws a probability as a bar, to an eighth of a column. A probability that rounds to more than 0.000 is visible.
fn probability_bar(p: f64) -> String {
    let eighths = (p * (BAR * 8) as f64).round() as usize;
    let eighths = if p >= 5e-4 { eighths.max(1) } else { eighths };
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Episode;

    fn register(name: &str, holds: Option<&str>, number: Option<i64>) -> Register {
        Register { name: name.to_owned(), holds: holds.map(str::to_owned), number }
    }

    /// An episode of MUL and a wrong answer, on the operands 4, 2 and 7.
    fn explained() -> ExplainedEpisode {
        let state = vec![register("acc", Some("a·b"), Some(8)), register("mem", None, None)];
        let step = |action: &str, probabilities: &[f64], state: Vec<Register>| EpisodeStep {
            action: action.to_owned(),
            probabilities: probabilities.to_vec(),
            value: -1.5,
            entropy: 0.25,
            reward: 0.5,
            reset: Some(0.125),
            update: Some(0.875),
            state,
            ..EpisodeStep::default()
        };
        let reading = |token: &str| ReadToken { token: token.to_owned(), reset: 0.5, update: 0.25 };
        let tokens = ["4", "2", "7", "CTX"];
        ExplainedEpisode {
            task: "calculator".to_owned(),
            caveat: "Take care.".to_owned(),
            checkpoint: "run/model.safetensors".to_owned(),
            seed: 3,
            number: None,
            has_critic: true,
            sampled: true,
            actions: ["MUL", "ADD", "SUB", "ANS", "STO"].map(str::to_owned).to_vec(),
            episode: Episode {
                stage: 0,
                goals: vec![register("goal", Some("a·b+c"), Some(15))],
                context: tokens.map(str::to_owned).to_vec(),
                read: tokens.map(reading).to_vec(),
                steps: vec![
                    step("MUL", &[0.125, 0.5, 0.0, 0.25, 0.125], state.clone()),
                    step("ANS", &[0.0, 0.0, 0.0, 1.0, 0.0], state),
                ],
                solved: Some(false),
                ..Episode::default()
            },
        }
    }

    /// A sampled action comes before a more probable one. Only three other actions are shown.
    #[test]
    fn to_text_formats_whole_episode() {
        let lines = "\
calculator, stage 0, given operands, sampled with seed 3
from run/model.safetensors

context  4 2 7 CTX
goal     a·b+c = 15

| token  |     4 |     2 |     7 |   CTX |
|--------|------:|------:|------:|------:|
| reset  | 0.500 | 0.500 | 0.500 | 0.500 |
| update | 0.250 | 0.250 | 0.250 | 0.250 |

 1 ▸ MUL  0.125 ██                  value -1.500  reward  0.500  entropy 0.250
     ADD  0.500 ████████            reset  0.125  update  0.875
     ANS  0.250 ████                acc = a·b = 8
     STO  0.125 ██                  mem empty

 2 ▸ ANS  1.000 ████████████████    value -1.500  reward  0.500  entropy 0.250
     MUL  0.000                     reset  0.125  update  0.875
     ADD  0.000                     acc = a·b = 8
     SUB  0.000                     mem empty

wrong answer after 2 steps, total reward 1.000
";
        let explained = super::to_text(&explained(), MAX_COLUMNS);
        assert!(explained.starts_with(lines), "{explained}");
        assert!(explained.ends_with("candidate replaces it\n\nTake care."), "{explained}");
    }

    #[test]
    fn to_text_at_40_columns_has_the_details_below_the_actions() {
        let lines = "\
calculator, stage 0, given operands,
sampled with seed 3
from run/model.safetensors

context  4 2 7 CTX
goal     a·b+c = 15

| token  |     4 |     2 |     7 |
|--------|------:|------:|------:|
| reset  | 0.500 | 0.500 | 0.500 |
| update | 0.250 | 0.250 | 0.250 |

| token  |   CTX |
|--------|------:|
| reset  | 0.500 |
| update | 0.250 |

 1 ▸ MUL  0.125 ██
     ADD  0.500 ████████
     ANS  0.250 ████
     STO  0.125 ██
     value -1.500  reward  0.500
     entropy 0.250
     reset  0.125  update  0.875
     acc = a·b = 8
     mem empty

";
        let text = super::to_text(&explained(), 40);
        assert!(text.starts_with(lines), "{text}");
        assert!(text.lines().all(|line| measure_text_width(line) <= 40), "{text}");
    }

    #[test]
    fn probability_bar_length_is_proportional() {
        assert_eq!([1.0, 0.5, 0.0, 1e-5].map(|p| measure_text_width(&probability_bar(p))), [16, 8, 0, 0]);
        assert_eq!(
            [probability_bar(0.001), probability_bar(1.0 / 128.0), probability_bar(9.0 / 128.0)],
            ["▏", "▏", "█▏"]
        );
    }
}
