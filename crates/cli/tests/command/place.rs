//! The command, called in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A training that is over in a moment.
pub(crate) const SMALL: [&str; 8] = [
    "train",
    "--width=16",
    "--batch=32",
    "--max-updates=3",
    "--validate-every=2",
    "--validation-episodes=16",
    "--test-episodes=20",
    "--chunk=8",
];

/// A short run of the tutorial.
pub(crate) const SMALL_TUTORIAL: [&str; 6] =
    ["tutorial", "--width=8", "--batch=8", "--stage-updates=1", "--validation-episodes=16", "--test-episodes=20"];

/// What a call left behind.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Called {
    /// Of a process that has ended by itself.
    #[track_caller]
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("no signal");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A folder that goes away, in which commands run.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// With [`SMALL`] in the folder `run`.
    #[track_caller]
    pub(crate) fn trained() -> Self {
        let place = Self::new();
        place.succeeds(&small(&["--out", "run"]));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A program that runs in the folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path());
        command
    }

    pub(crate) fn gradus(&self, args: &[&str]) -> Called {
        Called::of(self.command(crate::gradus(), args).output().expect("the command starts"))
    }

    /// Calls that must succeed, and what they print.
    #[track_caller]
    pub(crate) fn succeeds(&self, args: &[&str]) -> String {
        let called = self.gradus(args);
        assert_eq!(called.code, 0, "{called:?}");
        assert_eq!(called.err, "");
        called.out
    }

    /// Calls that must be refused: with exit code 2, an error that says all of `parts`, and no change to any file.
    #[track_caller]
    pub(crate) fn refuses(&self, args: &[&str], parts: &[&str]) {
        let before = self.files();
        let called = self.gradus(args);
        assert_eq!(called.code, 2, "{args:?}: {called:?}");
        assert!(called.err.starts_with("error: "), "{}", called.err);
        for part in parts {
            assert!(called.err.contains(part), "{args:?} should say {part:?}, but says {}", called.err);
        }
        assert_eq!(called.out, "");
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

    /// All files and folders with their content, sorted. Of a lock only its being there counts, not whose it was.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        walk(self.0.path(), &mut files);
        files.sort();
        files
    }

    /// The names in a folder, sorted.
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

/// Text that must have certain parts.
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

/// [`SMALL`] with `more`, which replaces flags of the same name.
pub(crate) fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let name = |flag: &'a str| flag.split('=').next();
    let kept = SMALL.into_iter().filter(|flag| more.iter().all(|other| name(other) != name(flag)));
    kept.chain(more.iter().copied()).collect()
}

/// `first` and then `more`.
pub(crate) fn with<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, more].concat()
}

/// The checkpoint with another name in the place of its task, and without its checksum.
pub(crate) fn of_another_task(model: &[u8]) -> Vec<u8> {
    let rename = |bytes: &[u8], from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|part| part == from).expect("it is in the metadata");
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    rename(&rename(model, b"crc32", b"other"), b"calculator", b"tutorial-1")
}

/// Asserts that every tag is closed in its order, every attribute is quoted, and nothing is asked for from elsewhere.
#[track_caller]
pub(crate) fn assert_self_contained(page: &str) {
    const VOID: [&str; 3] = ["meta", "br", "!DOCTYPE"];
    let mut open = Vec::new();
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
        rest = &tag[end + 1..];
    }
    assert!(open.is_empty(), "{open:?} are not closed");
    for reference in
        ["http", "//", "url(", "@import", "src=", "href=", "<script", "<link", "onload", "NaN", "null", "inf "]
    {
        assert!(!page.contains(reference), "{reference} in {page}");
    }
}
