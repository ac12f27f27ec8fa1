//! `gradus report`: the page of one folder, or the comparison of several.

use std::path::PathBuf;

use serde_json::json;

use crate::args::ReportArgs;
use crate::error::Result;
use crate::folder::{REPORT, Runs};
use crate::report::{self, Comparison};
use crate::{html, pretty, show};

/// Where a comparison is written unless `--out` says otherwise.
const COMPARISON: &str = "compare.html";

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
