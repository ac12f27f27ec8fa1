//! An episode as text, in lines of at most 80 columns. Colours carry no meaning of their own: `console` leaves them out
//! without a terminal, and if `NO_COLOR` is set.

use console::{measure_text_width, style};

use super::{ExplainedEpisode, LEGEND};
use crate::folder::{EpisodeStep, ReadToken, Register};
use crate::output::table::format_share;

/// Maximum columns of a line.
const COLUMNS: usize = 80;
/// Columns of the action probabilities on the left.
const LEFT: usize = 36;
/// Columns of the bar for probability 1.
const BAR: usize = 16;
/// Number of other actions shown below the action taken.
const ALTERNATIVES: usize = 3;

/// Formats the episode, without a line break at the end.
pub(crate) fn to_text(explained: &ExplainedEpisode) -> String {
    let episode = &explained.episode;
    let mut out = wrap(&explained.title(), COLUMNS);
    out.extend(wrap(&format!("from {}", explained.checkpoint), COLUMNS));
    out.push(String::new());
    out.extend(wrap_hanging("context  ", &episode.context.join(" ")));
    out.extend(episode.goals.iter().flat_map(|goal| wrap_hanging(&format!("{:<9}", goal.name), &goal.to_string())));
    out.push(String::new());
    out.extend(gate_table(&episode.read));
    out.push(String::new());
    for (t, step) in episode.steps.iter().enumerate() {
        out.extend(self::step(explained, t + 1, step));
    }
    let verdict = explained.verdict();
    out.push(if episode.solved { style(verdict).green().to_string() } else { style(verdict).red().to_string() });
    out.push(String::new());
    out.extend(LEGEND.iter().flat_map(|(name, meaning)| wrap_hanging(&format!("{name:<9}"), meaning)));
    out.push(String::new());
    out.extend(wrap(explained.caveat, COLUMNS));
    out.join("\n")
}

/// Formats the tokens of the context and the gates at each of them, one token per column.
fn gate_table(read: &[ReadToken]) -> Vec<String> {
    let row = |name: &str, cell: &dyn Fn(&ReadToken) -> String| {
        let cells: String = read.iter().map(|reading| format!("{:>7}", cell(reading))).collect();
        format!("{name:<6}{cells}")
    };
    vec![
        row("token", &|reading| reading.token.clone()),
        row("reset", &|reading| format!("{:.3}", reading.reset)),
        row("update", &|reading| format!("{:.3}", reading.update)),
    ]
}

/// Formats a step: action probabilities on the left; metrics, and registers after the step, on the right.
fn step(explained: &ExplainedEpisode, number: usize, step: &EpisodeStep) -> Vec<String> {
    let actions =
        explained.ranked_actions(step).into_iter().take(1 + ALTERNATIVES).enumerate().map(|(i, (name, p))| {
            let line = format!("{name:<4} {} {}", format_share(p), probability_bar(p));
            match i {
                0 => format!("{number:>2} ▸ {}", style(line).bold()),
                _ => format!("     {}", style(line).dim()),
            }
        });
    let (left, right): (Vec<_>, Vec<_>) = (actions.collect(), step_details(step));
    let rows = left.len().max(right.len());
    let cell = |column: &[String], row: usize| column.get(row).cloned().unwrap_or_default();
    let line = |row| {
        let (left, right) = (cell(&left, row), cell(&right, row));
        let gap = " ".repeat(LEFT.saturating_sub(measure_text_width(&left)));
        format!("{left}{gap}{right}").trim_end().to_owned()
    };
    (0..rows).map(line).chain([String::new()]).collect()
}

fn step_details(step: &EpisodeStep) -> Vec<String> {
    let EpisodeStep { value, entropy, reward, reset, update, .. } = step;
    let (full, empty): (Vec<&Register>, Vec<_>) = step.state.iter().partition(|register| register.holds.is_some());
    let full = full.into_iter().map(Register::to_line);
    let names: Vec<_> = empty.iter().map(|register| register.name.as_str()).collect();
    let empty = (!names.is_empty()).then(|| format!("{} empty", names.join(", ")));
    let metrics = [
        format!("value {value:>6.3}  reward {reward:>6.3}  entropy {entropy:.3}"),
        format!("reset {reset:>6.3}  update {update:>6.3}"),
    ];
    metrics.into_iter().chain(full.chain(empty).flat_map(|text| wrap(&text, COLUMNS - LEFT))).collect()
}

/// Draws a probability as a bar, to an eighth of a column. A probability that rounds to more than 0.000 is visible.
fn probability_bar(p: f64) -> String {
    let eighths = (p * (BAR * 8) as f64).round() as usize;
    let eighths = if p >= 5e-4 { eighths.max(1) } else { eighths };
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{rest}", "█".repeat(eighths / 8))
}

/// Wraps `text` after `name`, with a hanging indent.
fn wrap_hanging(name: &str, text: &str) -> Vec<String> {
    let width = measure_text_width(name);
    let lines = wrap(text, COLUMNS - width).into_iter().enumerate();
    lines.map(|(i, line)| if i == 0 { format!("{name}{line}") } else { format!("{:width$}{line}", "") }).collect()
}

/// Wraps `text` into lines of at most `columns`, between words; a word longer than a line is split.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last().expect("there is a line");
        if measure_text_width(line) + measure_text_width(word.trim_end()) > columns && !line.is_empty() {
            lines.push(String::new());
        }
        for c in word.chars() {
            let line = lines.last_mut().expect("there is a line");
            line.push(c);
            if measure_text_width(line.trim_end()) > columns {
                line.pop();
                lines.push(c.to_string());
            }
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
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
            reset: 0.125,
            update: 0.875,
            state,
        };
        let reading = |token: &str| ReadToken { token: token.to_owned(), reset: 0.5, update: 0.25 };
        let tokens = ["4", "2", "7", "CTX"];
        ExplainedEpisode {
            task: "calculator",
            caveat: "Take care.",
            checkpoint: "run/model.safetensors".to_owned(),
            seed: 3,
            number: None,
            sampled: true,
            actions: vec!["MUL", "ADD", "SUB", "ANS", "STO"],
            episode: Episode {
                stage: 0,
                goals: vec![register("goal", Some("a·b+c"), Some(15))],
                context: tokens.map(str::to_owned).to_vec(),
                read: tokens.map(reading).to_vec(),
                steps: vec![
                    step("MUL", &[0.125, 0.5, 0.0, 0.25, 0.125], state.clone()),
                    step("ANS", &[0.0, 0.0, 0.0, 1.0, 0.0], state),
                ],
                solved: false,
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

token       4      2      7    CTX
reset   0.500  0.500  0.500  0.500
update  0.250  0.250  0.250  0.250

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
        let explained = super::to_text(&explained());
        assert!(explained.starts_with(lines), "{explained}");
        assert!(explained.ends_with("candidate replaces it\n\nTake care."), "{explained}");
    }

    #[test]
    fn probability_bar_length_is_proportional() {
        assert_eq!([1.0, 0.5, 0.0, 1e-5].map(|p| measure_text_width(&probability_bar(p))), [16, 8, 0, 0]);
        assert_eq!(
            [probability_bar(0.001), probability_bar(1.0 / 128.0), probability_bar(9.0 / 128.0)],
            ["▏", "▏", "█▏"]
        );
    }

    #[test]
    fn wrap_breaks_between_words_and_splits_long_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a/very/long/path", 6), ["a/very", "/long/", "path"]);
        assert_eq!(wrap("from 漢字漢字", 6), ["from", "漢字漢", "字"]);
        assert_eq!(wrap("", 7), [""]);
    }
}
