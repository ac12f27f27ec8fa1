//! A file that is written whole or not at all.

use std::boxed::Box;
use std::ffi::{OsStr, OsString};
use std::format;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Files, OpenFile, folder_of};

/// Writes a file, whole or not at all: beside it, under its name with `.0.part` after it, which becomes the file when
/// everything is on the disk. (A long name is shortened for that.) When this returns, the file is there for good, as far as
/// the [system](super::Disk) can do that.
///
/// Whatever interrupts this, the file is the old one or the new one. A writer that was killed leaves its part behind,
/// which is in nobody's way: a part that is there already, be it left over or another writer's, is not touched, and
/// the next number is taken. [`sweep`] removes them.
///
/// A file that is replaced hands on its mode, and its owner and group where the system allows it; access lists and other
/// names of the same file (hard links) are not kept. A symbolic link stays, and its target is written, be it there or not.
///
/// # Errors
/// Any that the system has, or if symbolic links lead in a circle. The file is the old one then, unless all that failed was to
/// bring the new one's name to the disk.
pub fn write_whole(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &target(files, path)?;
    let (part, mut file) = create_part(files, path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync());
    drop(file); // Windows renames no file that is open
    let placed = written.and_then(|()| files.rename(&part, path));
    if placed.is_err() {
        files.remove(&part).ok(); // the first error is the one to report
    }
    placed.and_then(|()| files.sync_folder(folder_of(path)))
}

/// Makes the part that [`write_whole`] would write, and removes it: a look whether that could begin.
///
/// # Errors
/// As `write_whole` has.
pub fn try_out(files: &dyn Files, path: &Path) -> io::Result<()> {
    let (part, file) = create_part(files, &target(files, path)?)?;
    drop(file); // Windows removes no file that is open
    files.remove(&part)
}

/// More symbolic links than this are a circle. Linux follows as many.
const LINKS: usize = 40;

/// What symbolic links lead to, which need not be there.
fn target(files: &dyn Files, path: &Path) -> io::Result<PathBuf> {
    let mut at = PathBuf::from(path);
    for _ in 0..=LINKS {
        match files.read_link(&at)? {
            Some(target) => at = at.parent().map_or(target.clone(), |folder| folder.join(&target)),
            None => return Ok(at),
        }
    }
    Err(io::Error::other(format!(
        "more than {LINKS} symbolic links, expected a chain that ends: they lead in a circle"
    )))
}

/// More parts than this are no leftovers.
const PARTS: u32 = 10_000;

fn create_part(files: &dyn Files, path: &Path) -> io::Result<(PathBuf, Box<dyn OpenFile>)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    for number in 0..PARTS {
        let part = path.with_file_name(part_name(name, number));
        match files.create_new(&part, Some(path)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Ok((part, created?)),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, format!("there are {PARTS} parts of it that were never finished")))
}

/// The most bytes of a name, on nearly all file systems.
const NAME: usize = 255;

/// The name of a part of the file `name`, which is shortened where it must be.
fn part_name(name: &OsStr, number: u32) -> OsString {
    let end = format!(".{number}.part");
    if name.len() + end.len() <= NAME {
        return [name, end.as_ref()].into_iter().collect();
    }
    let name = name.to_string_lossy();
    let length = name.floor_char_boundary(NAME - end.len());
    OsString::from(format!("{}{end}", &name[..length]))
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
    let name = name.to_string_lossy();
    let stem = name.strip_suffix(".part");
    let number = stem.and_then(|stem| stem.rsplit_once('.'));
    number.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_name_of_a_long_name_is_shortened_between_characters() {
        for length in [1, 247, 248, 249, 255] {
            let part = part_name("a".repeat(length).as_ref(), 0);
            assert_eq!(part.len(), (length + 7).min(255), "{length}");
            assert!(is_part(&part) && is_part(&part_name("ü".repeat(127).as_ref(), 9_999)));
        }
        assert_eq!(part_name("ü".repeat(127).as_ref(), 0).to_str(), Some(&*format!("{}.0.part", "ü".repeat(124))));
        assert_eq!(part_name("ü".repeat(127).as_ref(), 10).to_str(), Some(&*format!("{}.10.part", "ü".repeat(123))));
    }

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
