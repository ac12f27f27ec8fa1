//! `gradus report`: the page of one folder, or the comparison of several.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::Result;
use crate::folder::{REPORT, Runs};
use crate::output::html;
use crate::output::print::{pretty, show};
use crate::report::{self, Comparison};

/// Where a comparison is written unless `--out` says otherwise.
const COMPARISON: &str = "compare.html";

/// What to look at.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The folder of a run or of several seeds, which may still go on; several folders are compared
    #[arg(required = true, value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,
    /// Where to write the page; it replaces an earlier page of gradus, and nothing else [default: report.html in DIR;
    /// of several folders compare.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Does what the arguments say. A run may go on meanwhile.
///
/// # Errors
/// If a folder holds no run, the folders cannot be compared, or the page cannot be written.
pub(crate) fn report(args: &ReportArgs) -> Result<()> {
    let (path, page, words, mut json) = match &args.dirs[..] {
        [folder] => {
            let runs = Runs::read(folder)?;
            let path = args.out.clone().unwrap_or_else(|| folder.join(REPORT));
            (path, report::page(&runs), report::words(&runs), report::json(&runs))
        }
        folders => {
            let runs = Comparison::read(folders)?;
            let path = args.out.clone().unwrap_or_else(|| PathBuf::from(COMPARISON));
            (path, runs.page(), runs.words(), runs.json())
        }
    };
    html::write(&path, &page)?;
    json["page"] = json!(path.display().to_string());
    if args.json { show(pretty(&json).trim_end()) } else { show(format!("{words}\n\nwrote {}", path.display())) }
}
