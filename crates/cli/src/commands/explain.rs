//! `gradus explain`: shows one episode of a trained agent step by step.

use std::path::PathBuf;

use clap::Args;
use console::Term;
use rl::env::Task;
use serde_json::json;

use crate::error::{Error, Result, show_path};
use crate::explain::{EpisodeRequest, ExplainedEpisode, page, terminal};
use crate::folder::MODEL;
use crate::input::context::{self, ContextError};
use crate::input::numbers::{SEEDS, STAGES, parse_whole_in, select_stages};
use crate::input::tasks::Tasks;
use crate::output::html;
use crate::output::print::{print_data, print_result};
use crate::output::width::terminal_columns;
use crate::run::trained_agent;

/// File name of the page, unless `--html` names a file.
const PAGE: &str = "explain.html";

/// Arguments of `gradus explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Folder of the run
    pub(crate) dir: PathBuf,
    /// Stage to show [default: the stage that takes as many digits as --context has, or the last stage]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(STAGES))]
    pub(crate) stage: Option<usize>,
    /// Operands as digits separated by commas, for example 4,2,7, or for the task expression an expression, for example
    /// "(a+b)*(c-d)" [default: the context of a test episode]
    #[arg(long, value_name = "CONTEXT", allow_hyphen_values = true)]
    pub(crate) context: Option<String>,
    /// Index of the test episode, from 0
    #[arg(long, value_name = "N", default_value = "0", value_parser = parse_whole_in(0..=(1u32 << 24) - 1), conflicts_with = "context")]
    pub(crate) episode: u32,
    /// Seed of the test episodes and of sampled actions [default: the run's seed]
    #[arg(long, value_name = "N", value_parser = parse_whole_in(SEEDS))]
    pub(crate) seed: Option<u64>,
    /// Sample each action from the policy instead of taking the most probable one
    #[arg(long)]
    pub(crate) sampled: bool,
    /// Checkpoint to load, for example of an earlier update [default: model.safetensors in DIR]
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Write a self-contained HTML page and print its path; an existing file is replaced only if gradus wrote it
    /// [default FILE: explain.html in DIR]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "json")]
    #[expect(clippy::option_option, reason = "the flag may be missing, alone, or with a file")]
    pub(crate) html: Option<Option<PathBuf>>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `gradus explain`.
///
/// # Errors
/// If an argument is invalid, the folder holds no run with a checkpoint that loads, or the page cannot be written.
pub(crate) fn explain(args: &ExplainArgs, tasks: &Tasks) -> Result<()> {
    let file = trained_agent::read_config(&args.dir)?;
    let run = trained_agent::load(&args.dir, &file, tasks, args.checkpoint.as_deref(), Some(1))?;
    let (stage, operands) = choose_stage(&run.task, args)?;
    let seed = args.seed.unwrap_or(run.seed);
    let wanted = EpisodeRequest { stage, operands, number: args.episode, seed, sampled: args.sampled };
    let model = args.checkpoint.clone().unwrap_or_else(|| args.dir.join(MODEL));
    let explained = ExplainedEpisode::play(&run, wanted, model.display().to_string());
    let explained = explained.map_err(|error| Error::input(format!("checkpoint {}: {error}", show_path(&model))))?;
    if let Some(path) = &args.html {
        let path = path.clone().unwrap_or_else(|| args.dir.join(PAGE));
        html::write(&path, &page::page(&explained))?;
        return print_result(format!("wrote {}", show_path(&path)));
    }
    if args.json {
        return print_data(format!("{:#}", json!(explained)));
    }
    print_result(terminal::to_text(&explained, terminal_columns(&Term::stdout()).unwrap_or(terminal::MAX_COLUMNS)))
}

/// Returns the stage, and the operands of `--context` if it was given.
fn choose_stage(task: &dyn Task, args: &ExplainArgs) -> Result<(usize, Option<Vec<u32>>)> {
    let spec = task.spec();
    let stages = select_stages(args.stage, spec.stages)?;
    let Some(text) = &args.context else { return Ok((stages.end - 1, None)) };
    let Some(task) = task.explanations() else {
        return Err(Error::input(format!(
            "--context: episodes of {} do not start on given operands; choose a test episode with --episode",
            spec.name
        )));
    };
    if let Some(parsed) = task.parse_context(text) {
        let (stage, operands) = parsed.map_err(|error| Error::input(format!("--context: {error}")))?;
        return match args.stage.filter(|&wanted| wanted != stage) {
            None => Ok((stage, Some(operands))),
            Some(wanted) => Err(Error::input(format!(
                "--context is a problem of stage {stage}, but --stage is {wanted}; leave out --stage"
            ))),
        };
    }
    let counts: Vec<usize> = (0..spec.stages).map(|stage| task.operand_count(stage)).collect();
    let chosen = context::parse_digits(text).map_err(|error| error.to_string()).and_then(|digits| {
        let stage = args.stage.map_or_else(|| stage_with_operands(digits.len(), &counts), Ok)?;
        let operands = context::parse(text, counts[stage]).map_err(|error: ContextError| error.to_string())?;
        Ok((stage, Some(operands)))
    });
    chosen.map_err(|error| {
        let stages = args.stage.map_or(0..counts.len(), |stage| stage..stage + 1);
        Error::input(format!("--context: {error}; {}", describe_operands(stages, &counts)))
    })
}

/// Returns the only stage that takes `found` operands. An error says that no stage or several stages do.
fn stage_with_operands(found: usize, counts: &[usize]) -> std::result::Result<usize, String> {
    let stages: Vec<usize> = (0..counts.len()).filter(|&stage| counts[stage] == found).collect();
    match stages[..] {
        [stage] => Ok(stage),
        [] => Err(format!("no stage takes {found} digits")),
        _ => {
            let stages: Vec<_> = stages.iter().map(usize::to_string).collect();
            Err(format!("stages {} take {found} digits; choose one with --stage", stages.join(" and ")))
        }
    }
}

/// Returns the number of digits that each stage takes, with an example.
fn describe_operands(stages: impl Iterator<Item = usize>, counts: &[usize]) -> String {
    let stage = |stage: usize| {
        let example: Vec<_> = ["4", "2", "7", "3", "5", "1", "6"].into_iter().cycle().take(counts[stage]).collect();
        format!("stage {stage} takes {} digits, for example {}", counts[stage], example.join(","))
    };
    stages.map(stage).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_with_operands_several_stages_is_an_error() {
        assert_eq!(
            stage_with_operands(4, &[3, 4, 4]),
            Err("stages 1 and 2 take 4 digits; choose one with --stage".into())
        );
        assert_eq!(
            (stage_with_operands(3, &[3, 4, 4]), stage_with_operands(9, &[3])),
            (Ok(0), Err("no stage takes 9 digits".into()))
        );
    }
}
