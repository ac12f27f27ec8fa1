//! `gradus report`: writes an HTML page about one run folder, or a comparison of several.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::{Result, show_path};
use crate::folder::{REPORT, RunSet};
use crate::input::tasks::Tasks;
use crate::output::html;
use crate::output::print::{pretty_json, print_data, print_result};
use crate::report::{self, Comparison};

/// File name of a comparison, unless `--out` names a file.
const COMPARISON_PAGE: &str = "compare.html";

/// Arguments of `gradus report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Folder of a run or of several seeds, finished or still running; several folders are compared
    #[arg(required = true, value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,
    /// File for the page; an existing file is replaced only if gradus wrote it [default: report.html in DIR, or
    /// compare.html for several folders]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `gradus report`. Training may continue meanwhile.
///
/// # Errors
/// If a folder holds no run, the folders cannot be compared, or the page cannot be written.
pub(crate) fn report(args: &ReportArgs, tasks: &Tasks) -> Result<()> {
    let (path, page, text, mut json) = match &args.dirs[..] {
        [folder] => {
            let runs = RunSet::read(folder, tasks)?;
            let path = args.out.clone().unwrap_or_else(|| folder.join(REPORT));
            (path, report::page(&runs), report::to_text(&runs), report::json(&runs))
        }
        folders => {
            let runs = Comparison::read(folders, tasks)?;
            let path = args.out.clone().unwrap_or_else(|| PathBuf::from(COMPARISON_PAGE));
            (path, runs.page(), runs.to_text(), runs.json())
        }
    };
    html::write(&path, &page)?;
    json["page"] = json!(path.display().to_string());
    if args.json {
        print_data(pretty_json(&json).trim_end())
    } else {
        print_result(format!("{text}\n\nwrote {}", show_path(&path)))
    }
}
