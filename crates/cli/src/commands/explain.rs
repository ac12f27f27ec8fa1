//! `gradus explain`: one episode of a trained agent, step by step.

use std::path::PathBuf;

use clap::{Args, value_parser};
use rl::explain::Explain;
use serde_json::json;

use crate::error::{Error, Result};
use crate::explain::{Explained, Wanted, page, terminal};
use crate::folder::MODEL;
use crate::input::context::{self, ContextError};
use crate::input::numbers::stages;
use crate::input::seeds::GREATEST;
use crate::output::html;
use crate::output::print::show;
use crate::run::trained_agent;

/// The page, unless `--html` names a file.
const PAGE: &str = "explain.html";

/// Which episode, of which run, and for whom.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The folder of a run
    pub(crate) dir: PathBuf,
    /// The stage [default: the one whose context is as long as --context, or the last]
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    pub(crate) stage: Option<usize>,
    /// The operands, digits between commas, as in "4,2,7" [default: those of a test episode]
    #[arg(long, value_name = "DIGITS", allow_hyphen_values = true)]
    pub(crate) context: Option<String>,
    /// Which test episode, from 0
    #[arg(long, allow_negative_numbers = true, value_name = "N", default_value = "0", value_parser = value_parser!(u32).range(..1 << 24), conflicts_with = "context")]
    pub(crate) episode: u32,
    /// The seed of the test episodes, and of what is sampled [default: the run's]
    #[arg(long, allow_negative_numbers = true, value_name = "N", value_parser = value_parser!(u64).range(..=GREATEST))]
    pub(crate) seed: Option<u64>,
    /// Draw each action from the policy instead of taking the most probable one
    #[arg(long)]
    pub(crate) sampled: bool,
    /// The checkpoint, to look at an earlier agent of the same run [default: model.safetensors in DIR]
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Write a page that needs no network, and print where it is; it replaces an earlier page of gradus, and nothing
    /// else [default FILE: explain.html in DIR]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "json")]
    #[expect(clippy::option_option, reason = "the flag may be missing, alone, or with a file")]
    pub(crate) html: Option<Option<PathBuf>>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// If they are wrong, the folder does not hold a run whose checkpoint can be loaded, or the page cannot be written.
pub(crate) fn explain(args: &ExplainArgs) -> Result<()> {
    let file = trained_agent::config_of(&args.dir)?;
    stages(args.stage)?;
    let run = trained_agent::load(&args.dir, &file, args.checkpoint.as_deref(), Some(1))?;
    let (stage, operands) = choose(&run.task, args)?;
    let seed = args.seed.unwrap_or(run.seed);
    let wanted = Wanted { stage, operands, number: args.episode, seed, sampled: args.sampled };
    let model = args.checkpoint.clone().unwrap_or_else(|| args.dir.join(MODEL));
    let told = Explained::play(&run, wanted, model.display().to_string());
    let told = told.map_err(|error| Error::input(format!("checkpoint {}: {error}", model.display())))?;
    if let Some(path) = &args.html {
        let path = path.clone().unwrap_or_else(|| args.dir.join(PAGE));
        html::write(&path, &page::page(&told))?;
        return show(path.display());
    }
    show(if args.json { format!("{:#}", json!(told)) } else { terminal::lines(&told) })
}

/// The stage and its operands, if they were given.
fn choose(task: &dyn Explain, args: &ExplainArgs) -> Result<(usize, Option<Vec<u32>>)> {
    let Some(text) = &args.context else {
        return Ok((args.stage.unwrap_or(task.stages() - 1), None));
    };
    let counts: Vec<usize> = (0..task.stages()).map(|stage| task.operands(stage)).collect();
    let chosen = context::digits(text).map_err(|error| error.to_string()).and_then(|digits| {
        let stage = args.stage.map_or_else(|| fitting(digits.len(), &counts), Ok)?;
        let operands = context::parse(text, counts[stage]).map_err(|error: ContextError| error.to_string())?;
        Ok((stage, Some(operands)))
    });
    chosen.map_err(|error| {
        let stages = args.stage.map_or(0..counts.len(), |stage| stage..stage + 1);
        Error::input(format!("--context: {error}; {}", expected(stages, &counts)))
    })
}

/// The one stage whose context has `found` operands.
fn fitting(found: usize, counts: &[usize]) -> std::result::Result<usize, String> {
    let stages: Vec<usize> = (0..counts.len()).filter(|&stage| counts[stage] == found).collect();
    match stages[..] {
        [stage] => Ok(stage),
        [] => Err(format!("no stage takes {found} digits")),
        _ => {
            let stages: Vec<_> = stages.iter().map(usize::to_string).collect();
            Err(format!("the stages {} take {found} digits, choose one with --stage", stages.join(" and ")))
        }
    }
}

fn expected(stages: impl Iterator<Item = usize>, counts: &[usize]) -> String {
    let stage = |stage: usize| {
        let example: Vec<_> = ["4", "2", "7", "3", "5", "1", "6"].into_iter().cycle().take(counts[stage]).collect();
        format!("stage {stage} takes {} digits, as in {}", counts[stage], example.join(","))
    };
    stages.map(stage).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_several_stages_have_is_no_choice() {
        assert_eq!(fitting(4, &[3, 4, 4]), Err("the stages 1 and 2 take 4 digits, choose one with --stage".into()));
        assert_eq!((fitting(3, &[3, 4, 4]), fitting(9, &[3])), (Ok(0), Err("no stage takes 9 digits".into())));
    }
}
