//! Runs the command in a temporary folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// Arguments of a very short training run.
pub(crate) const SMALL_TRAINING: [&str; 9] = [
    "train",
    "--task=calculator-stages",
    "--width=16",
    "--batch=32",
    "--max-updates=3",
    "--validate-every=2",
    "--validation-episodes=16",
    "--test-episodes=20",
    "--chunk=8",
];

/// Arguments of a very short run of the tutorial.
pub(crate) const SMALL_TUTORIAL: [&str; 6] =
    ["tutorial", "--width=8", "--batch=8", "--stage-updates=1", "--validation-episodes=16", "--test-episodes=20"];

/// Exit code and output of a finished command.
#[derive(Debug)]
pub(crate) struct CommandResult {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl CommandResult {
    /// Converts the output of a process. Panics if a signal ended the process.
    #[track_caller]
    pub(crate) fn from_output(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("no signal");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A temporary folder in which commands run.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Creates a sandbox with a finished [`SMALL_TRAINING`] run in the folder `run`.
    #[track_caller]
    pub(crate) fn with_trained_run() -> Self {
        let sandbox = Self::new();
        sandbox.expect_success(&small_training(&["--out", "run"]));
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Prepares a program that runs in the folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path()).env_remove("COLUMNS");
        command
    }

    pub(crate) fn run_gradus(&self, args: &[&str]) -> CommandResult {
        CommandResult::from_output(self.command(crate::gradus_path(), args).output().expect("the command starts"))
    }

    /// Runs gradus, asserts success and an empty stderr, and returns stdout.
    #[track_caller]
    pub(crate) fn expect_success(&self, args: &[&str]) -> String {
        let result = self.run_gradus(args);
        assert_eq!(result.code, 0, "{result:?}");
        assert_eq!(result.err, "");
        result.out
    }

    /// Runs gradus and asserts that it refuses: exit code 2, an error that contains all `parts`, and no change to any file.
    #[track_caller]
    pub(crate) fn expect_refusal(&self, args: &[&str], parts: &[&str]) {
        let before = self.files();
        let result = self.run_gradus(args);
        assert_eq!(result.code, 2, "{args:?}: {result:?}");
        assert!(result.err.starts_with("error: "), "{}", result.err);
        for part in parts {
            assert!(result.err.contains(part), "{args:?} should print {part:?}, but prints {}", result.err);
        }
        assert_eq!(result.out, "");
        assert!(self.files() == before, "{args:?} has changed files");
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("UTF-8")
    }

    #[track_caller]
    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&self.read(name)).expect("JSON")
    }

    /// Returns all files and folders with their contents, sorted. The contents of a lock file are ignored.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        walk(self.0.path(), &mut files);
        files.sort();
        files
    }

    /// Returns the names in a folder, sorted.
    #[track_caller]
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let name = |entry: Result<fs::DirEntry, _>| entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
    }
}

fn walk(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let counts = path.is_file() && !path.ends_with("lock");
        files.push((path.clone(), if counts { fs::read(&path).expect("readable") } else { Vec::new() }));
        if path.is_dir() {
            walk(&path, files);
        }
    }
}

/// Files that contain times or describe the machine.
const NOT_COMPARED: [&str; 4] = ["about.json", "clock.json", "lock", "report.html"];

/// Returns all files of a folder except [`NOT_COMPARED`].
pub(crate) fn compared_files(sandbox: &Sandbox, folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = sandbox.path(folder);
    let named = sandbox.files().into_iter().filter_map(|(path, content)| {
        let name = path.strip_prefix(&root).ok()?.to_str().expect("UTF-8").to_owned();
        let last = name.rsplit('/').next().expect("a name").to_owned();
        (path.is_file() && !NOT_COMPARED.contains(&last.as_str())).then_some((name, content))
    });
    named.collect()
}

#[track_caller]
pub(crate) fn assert_same_files(sandbox: &Sandbox, a: &str, b: &str) {
    let (a_files, b_files) = (compared_files(sandbox, a), compared_files(sandbox, b));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&a_files), names(&b_files), "{a} and {b}");
    for ((name, left), (_, right)) in a_files.into_iter().zip(b_files) {
        assert!(left == right, "{name} of {a} and {b} differ");
    }
}

/// Assertion on the parts of a text.
pub(crate) trait AssertContains {
    fn assert_contains(&self, parts: &[&str]);
}

impl AssertContains for str {
    #[track_caller]
    fn assert_contains(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.contains(part), "no {part} in {self}");
        }
    }
}

/// Returns [`SMALL_TRAINING`] followed by `more`. A flag in `more` replaces a flag of the same name.
pub(crate) fn small_training<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let name = |flag: &'a str| flag.split('=').next();
    let kept = SMALL_TRAINING.into_iter().filter(|flag| more.iter().all(|other| name(other) != name(flag)));
    kept.chain(more.iter().copied()).collect()
}

/// Concatenates two lists of arguments.
pub(crate) fn concat_args<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, more].concat()
}

/// Returns the checkpoint with another task name in its metadata and without its checksum.
pub(crate) fn change_task_in_checkpoint(model: &[u8]) -> Vec<u8> {
    let rename = |bytes: &[u8], from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|part| part == from).expect("found in the metadata");
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    rename(&rename(model, b"crc32", b"other"), b"calculator-stages", b"some-other-task-1")
}

/// Asserts that all tags are closed in order, all attributes are quoted, every link has its target on the page or an
/// `https` address, every table is in a box that scrolls, and the page loads nothing from elsewhere.
#[track_caller]
pub(crate) fn assert_self_contained(page: &str) {
    const VOID: [&str; 3] = ["meta", "br", "!DOCTYPE"];
    const TABLE: &str = "<table";
    const SCROLLS: &str = "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"scrolls sideways\">";
    let mut open = Vec::new();
    let mut without_links = page.to_owned();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let mut quoted = false;
        let end = tag.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.unwrap_or_else(|| panic!("a tag without an end: {tag:.80}"));
        let (inside, name) = (&tag[..end], tag[..end].split(' ').next().expect("a name"));
        assert!(inside.matches('"').count() % 2 == 0 && !inside.contains('<'), "<{inside}>");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "</{name}> closes another"),
            None if !VOID.contains(&name) => open.push(name),
            None => {}
        }
        if let Some(address) = inside.strip_prefix("a href=\"").and_then(|link| link.split('"').next()) {
            match address.strip_prefix('#') {
                Some(id) => assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "targets of {address}"),
                None => assert!(address.starts_with("https://") && !address.contains(char::is_whitespace), "{address}"),
            }
            without_links = without_links.replace(inside, "a");
        }
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty(), "{open:?} are not closed");
    for (at, _) in page.match_indices(TABLE) {
        assert!(page[..at].ends_with(SCROLLS), "the table of {:.80} does not scroll", &page[at..]);
    }
    for reference in
        ["http", "//", "url(", "@import", "src=", "href=", "<script", "<link", "onload", "NaN", "null", "inf "]
    {
        assert!(!without_links.contains(reference), "{reference} in {page}");
    }
}
