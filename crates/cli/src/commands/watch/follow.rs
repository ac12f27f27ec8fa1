//! Runs that another process writes, read as far as they have come.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::folder::outcome::Timed;
use crate::folder::{About, CONFIG, LOCK, Line, METRICS, News, TEST, Tail, of_seed, seeds};
use crate::input::config_file::ConfigFile;
use crate::input::settings;
use crate::live::{Board, Goal, plain};

/// The run of a folder, or its runs of several seeds.
pub(super) struct Runs {
    /// Whether they are of several seeds.
    pub(super) several: bool,
    /// Whether what stopped can be gone on with.
    pub(super) resumable: bool,
    /// Each of them.
    pub(super) all: Vec<Followed>,
}

/// A run.
pub(super) struct Followed {
    path: PathBuf,
    tail: Tail,
    /// The validation up to which lines were printed.
    said: usize,
    /// What is known of it.
    pub(super) board: Board,
    /// How it ended.
    pub(super) over: Option<Timed>,
}

/// The runs in a folder, or nothing if they are about to begin.
///
/// # Errors
/// If there are none, or a file cannot be understood.
pub(super) fn find(dir: &Path) -> Result<Option<Runs>> {
    let about = About::read(dir)?;
    let seeds = seeds(dir, about.as_ref());
    let first = seeds.iter().flatten().next().map(|&seed| of_seed(dir, seed));
    let config =
        first.map(|child| child.join(CONFIG)).into_iter().chain([dir.join(CONFIG)]).rfind(|path| path.exists());
    let Some(config) = config else {
        return if about.is_some() || is_new(dir)? { Ok(None) } else { Err(no_run(dir)) };
    };
    let file = ConfigFile::in_folder(&config)?;
    file.task()?;
    let goal = Goal::of(&settings::read(Some(&file))?.0);
    let all = match &seeds {
        None => vec![Followed::new(dir.into(), file.seed()?.unwrap_or(0), goal)],
        Some(seeds) => seeds.iter().map(|&seed| Followed::new(of_seed(dir, seed), seed, goal)).collect(),
    };
    Ok(Some(Runs { several: seeds.is_some(), resumable: about.is_some(), all }))
}

/// Whether a run may be about to begin there: the folder is empty, or has the lock that is there before anything else.
fn is_new(dir: &Path) -> Result<bool> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(dir.join(LOCK).exists() || entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(Error::file("watch", dir, &error, "name a folder that gradus train writes")),
    }
}

fn no_run(dir: &Path) -> Error {
    let dir = dir.display();
    Error::input(format!("{dir} holds no run: there is no {CONFIG}; name a folder that gradus train writes"))
}

impl Runs {
    /// Reads what is new at this moment, and gives a plain line for each validation. Returns whether anything was.
    ///
    /// # Errors
    /// If a file cannot be read or understood.
    pub(super) fn look(&mut self, now: Duration, mut line: impl FnMut(String)) -> Result<bool> {
        let mut new = false;
        for run in &mut self.all {
            let seed = run.board.seed;
            let several = self.several;
            new |= run.look(now, |text| line(if several { format!("seed {seed}: {text}") } else { text }))?;
        }
        Ok(new)
    }

    /// Those that are over.
    pub(super) fn over(&self) -> impl Iterator<Item = &Timed> {
        self.all.iter().filter_map(|run| run.over.as_ref())
    }

    /// What is known of those that have begun and are not over.
    pub(super) fn running(&self) -> impl Iterator<Item = &Board> {
        self.all.iter().filter(|run| run.over.is_none() && run.board.update > 0).map(|run| &run.board)
    }
}

impl Followed {
    fn new(path: PathBuf, seed: u64, goal: Goal) -> Self {
        let tail = Tail::new(&path.join(METRICS));
        Self { path, tail, said: 0, board: Board::new(seed, goal), over: None }
    }

    fn look(&mut self, now: Duration, mut line: impl FnMut(String)) -> Result<bool> {
        if self.over.is_some() {
            return Ok(false);
        }
        let over = self.path.join(TEST).exists(); // asked first: the metrics are complete then
        let (mut new, board, said) = (over, &mut self.board, &mut self.said);
        self.tail.read(|news| {
            new = true;
            board.take(&news);
            if let News::Line(Line::Validation(found)) = news
                && found.validation > *said
            {
                *said = found.validation;
                line(plain::line(board));
            }
        })?;
        if new {
            board.clock(now);
        }
        if over {
            self.over = Some(Timed::read(&self.path)?);
        }
        Ok(new)
    }
}
