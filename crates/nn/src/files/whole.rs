//! A file that is written whole or not at all.

use std::boxed::Box;
use std::ffi::{OsStr, OsString};
use std::format;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Files, OpenFile, folder_of};

/// Writes a file, whole or not at all: beside it, under its name with `.0.part` after it, which becomes the file when
/// everything is on the disk. When this returns, the file is there for good, as far as the
/// [system](super::Disk) can do that.
///
/// Whatever interrupts this, the file is the old one or the new one. A writer that was killed leaves its part behind,
/// which is in nobody's way: a part that is there already, be it left over or another writer's, is not touched, and
/// the next number is taken. [`sweep`] removes them.
///
/// # Errors
/// Any that the system has. The file is the old one then, unless all that failed was to bring the new one's name to the
/// disk.
pub fn write_whole(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (part, mut file) = create_part(files, path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync());
    drop(file); // Windows renames no file that is open
    let placed = written.and_then(|()| files.rename(&part, path));
    if placed.is_err() {
        files.remove(&part).ok(); // the first error is the one to report
    }
    placed.and_then(|()| files.sync_folder(folder_of(path)))
}

/// More parts than this are no leftovers.
const PARTS: u32 = 10_000;

fn create_part(files: &dyn Files, path: &Path) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
    for number in 0..PARTS {
        let mut part = OsString::from(path);
        part.push(format!(".{number}.part"));
        match files.create_new(Path::new(&part)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Ok((part.into(), created?)),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, format!("there are {PARTS} parts of it that were never finished")))
}

/// Removes what killed writers have left behind in a folder. Only for who knows that nobody writes there now.
///
/// # Errors
/// If the folder cannot be read, or a part cannot be removed.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_part(&entry.file_name()) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a name is that of a part: whether it ends in a number and `.part`.
pub fn is_part(name: &OsStr) -> bool {
    let stem = name.to_str().and_then(|name| name.strip_suffix(".part"));
    let number = stem.and_then(|stem| stem.rsplit_once('.'));
    number.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_names() {
        assert!(
            ["model.safetensors.0.part", "config.toml.17.part", "..1.part"].iter().all(|name| is_part(name.as_ref()))
        );
        assert!(
            ["model.safetensors", "a.part", "0.part", "a.0.parts", "a.b.part"]
                .iter()
                .all(|name| !is_part(name.as_ref()))
        );
    }
}
