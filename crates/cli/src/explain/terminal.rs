//! An episode for terminals, in lines of at most 80 columns. Colours are dressing: `console` leaves them out where there
//! is no terminal, and where `NO_COLOR` asks for none.

use console::{measure_text_width, style};

use super::{Explained, LEGEND};
use crate::folder::{EpisodeStep, Reading, Register};
use crate::output::table::share;

/// The most columns of a line.
const COLUMNS: usize = 80;
/// Columns of the actions' probabilities, on the left of a step.
const LEFT: usize = 36;
/// Columns of the bar of a probability of 1.
const BAR: usize = 16;
/// Alternatives that are shown beside the action that was taken.
const ALTERNATIVES: usize = 3;

/// The episode, line by line, without a line's end after the last.
pub(crate) fn lines(told: &Explained) -> String {
    let episode = &told.episode;
    let mut out = wrap(&told.title(), COLUMNS);
    out.extend(wrap(&format!("from {}", told.checkpoint), COLUMNS));
    out.push(String::new());
    out.extend(hanging("shown  ", &episode.context.join(" ")));
    out.extend(episode.goals.iter().flat_map(|goal| hanging(&format!("{:<7}", goal.name), &goal.to_string())));
    out.push(String::new());
    out.extend(reading(&episode.read));
    out.push(String::new());
    for (t, step) in episode.steps.iter().enumerate() {
        out.extend(self::step(told, t + 1, step));
    }
    let verdict = told.verdict();
    out.push(if episode.solved { style(verdict).green().to_string() } else { style(verdict).red().to_string() });
    out.push(String::new());
    out.extend(LEGEND.iter().flat_map(|(name, meaning)| hanging(&format!("{name:<9}"), meaning)));
    out.push(String::new());
    out.extend(wrap(told.caveat, COLUMNS));
    out.join("\n")
}

/// The tokens that were read, and the gates at each, as a table that lies on its side.
fn reading(read: &[Reading]) -> Vec<String> {
    let row = |name: &str, cell: &dyn Fn(&Reading) -> String| {
        let cells: String = read.iter().map(|reading| format!("{:>7}", cell(reading))).collect();
        format!("{name:<6}{cells}")
    };
    vec![
        row("read", &|reading| reading.token.clone()),
        row("reset", &|reading| format!("{:.3}", reading.reset)),
        row("update", &|reading| format!("{:.3}", reading.update)),
    ]
}

/// A step: on the left what was weighed, on the right what that was worth and what the tools hold after it.
fn step(told: &Explained, number: usize, step: &EpisodeStep) -> Vec<String> {
    let weighed = told.alternatives(step).into_iter().take(1 + ALTERNATIVES).enumerate().map(|(i, (name, p))| {
        let line = format!("{name:<4} {} {}", share(p), bar(p));
        match i {
            0 => format!("{number:>2} ▸ {}", style(line).bold()),
            _ => format!("     {}", style(line).dim()),
        }
    });
    let (left, right): (Vec<_>, Vec<_>) = (weighed.collect(), beside(step));
    let rows = left.len().max(right.len());
    let cell = |column: &[String], row: usize| column.get(row).cloned().unwrap_or_default();
    let line = |row| {
        let (left, right) = (cell(&left, row), cell(&right, row));
        let gap = " ".repeat(LEFT.saturating_sub(measure_text_width(&left)));
        format!("{left}{gap}{right}").trim_end().to_owned()
    };
    (0..rows).map(line).chain([String::new()]).collect()
}

fn beside(step: &EpisodeStep) -> Vec<String> {
    let EpisodeStep { value, entropy, reward, reset, update, .. } = step;
    let (full, empty): (Vec<&Register>, Vec<_>) = step.state.iter().partition(|register| register.holds.is_some());
    let full = full.into_iter().map(Register::line);
    let names: Vec<_> = empty.iter().map(|register| register.name.as_str()).collect();
    let empty = (!names.is_empty()).then(|| format!("{} empty", names.join(", ")));
    let figures = [
        format!("value {value:>6.3}  reward {reward:>6.3}  entropy {entropy:.3}"),
        format!("reset {reset:>6.3}  update {update:>6.3}"),
    ];
    figures.into_iter().chain(full.chain(empty).flat_map(|text| wrap(&text, COLUMNS - LEFT))).collect()
}

/// A probability as a bar, to an eighth of a column; a probability that is not shown by 0.000 shows.
fn bar(p: f64) -> String {
    let eighths = (p * (BAR * 8) as f64).round() as usize;
    let eighths = if p >= 5e-4 { eighths.max(1) } else { eighths };
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{rest}", "█".repeat(eighths / 8))
}

/// `text` after `name`, further lines under its beginning.
fn hanging(name: &str, text: &str) -> Vec<String> {
    let width = measure_text_width(name);
    let lines = wrap(text, COLUMNS - width).into_iter().enumerate();
    lines.map(|(i, line)| if i == 0 { format!("{name}{line}") } else { format!("{:width$}{line}", "") }).collect()
}

/// `text` in lines of at most `columns`, broken between words, or in one that is longer than a line.
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

    /// MUL and a wrong answer, on 4, 2 and 7.
    fn told() -> Explained {
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
        let reading = |token: &str| Reading { token: token.to_owned(), reset: 0.5, update: 0.25 };
        let tokens = ["4", "2", "7", "CTX"];
        Explained {
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

    /// An action that was drawn stands before one that is more probable; what does not fit beside is not shown.
    #[test]
    fn an_episode_is_told() {
        let lines = "\
calculator, stage 0, operands as given, sampled with seed 3
from run/model.safetensors

shown  4 2 7 CTX
goal   a·b+c = 15

read        4      2      7    CTX
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

wrong answer after 2 steps, rewards add up to 1.000
";
        let told = super::lines(&told());
        assert!(told.starts_with(lines), "{told}");
        assert!(told.ends_with("candidate takes its place\n\nTake care."), "{told}");
    }

    #[test]
    fn bars_are_as_long_as_probabilities() {
        assert_eq!([1.0, 0.5, 0.0, 1e-5].map(|p| measure_text_width(&bar(p))), [16, 8, 0, 0]);
        assert_eq!([bar(0.001), bar(1.0 / 128.0), bar(9.0 / 128.0)], ["▏", "▏", "█▏"]);
    }

    #[test]
    fn lines_are_broken_between_words_if_they_can_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a/very/long/path", 6), ["a/very", "/long/", "path"]);
        assert_eq!(wrap("from 漢字漢字", 6), ["from", "漢字漢", "字"]);
        assert_eq!(wrap("", 7), [""]);
    }
}
