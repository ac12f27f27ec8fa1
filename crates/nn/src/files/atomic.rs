//! Atomic writes: a file is replaced whole or not at all.

use std::boxed::Box;
use std::ffi::{OsStr, OsString};
use std::format;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{FileSystem, WritableFile, folder_of};

/// Writes a file whole or not at all.
///
/// The bytes go to a partial file in the same folder, named after the file with `.0.part` appended. (A long name is
/// shortened.) When they are on the disk, the partial file is renamed to the file. When this returns, the file is on
/// the disk permanently, as far as the [system](super::Disk) allows.
///
/// After an interruption at any point, the path holds the old file or the new one. A killed writer leaves its partial file
/// behind, which does no harm. An existing partial file, left over or another writer's, is not touched: the next number
/// is used. [`remove_partial_files`] deletes them.
///
/// A new file takes over the mode of the file that it replaces, and its owner and group where the system allows it.
/// Access lists and hard links are not kept. A symbolic link stays, and its target is written, even if the target does
/// not exist.
///
/// # Errors
/// Any error of the system, or if symbolic links form a loop. The path then holds the old file. If only the sync of the folder
/// failed, it holds the new one.
pub fn write_atomic(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &resolve_links(files, path)?;
    let (partial, mut file) = create_partial_file(files, path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync());
    drop(file); // Windows cannot rename an open file
    let renamed = written.and_then(|()| files.rename(&partial, path));
    if renamed.is_err() {
        files.remove(&partial).ok(); // the first error is the one to report
    }
    renamed.and_then(|()| files.sync_folder(folder_of(path)))
}

/// Creates the partial file of [`write_atomic`] and removes it. This checks that a write could start.
///
/// # Errors
/// The errors of `write_atomic`.
pub fn probe_write(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    let (partial, file) = create_partial_file(files, &resolve_links(files, path)?)?;
    drop(file); // Windows cannot remove an open file
    files.remove(&partial)
}

/// The maximum number of symbolic links to follow. A longer chain counts as a loop. Linux has the same limit.
const MAX_LINKS: usize = 40;

/// Follows symbolic links to their target, which need not exist.
fn resolve_links(files: &dyn FileSystem, path: &Path) -> io::Result<PathBuf> {
    let mut current = PathBuf::from(path);
    for _ in 0..=MAX_LINKS {
        match files.read_link(&current)? {
            Some(next) => current = current.parent().map_or(next.clone(), |folder| folder.join(&next)),
            None => return Ok(current),
        }
    }
    Err(io::Error::other(format!("more than {MAX_LINKS} symbolic links, expected a chain that ends: they form a loop")))
}

/// The maximum number of partial files of one file. A larger number cannot come from killed writers.
const MAX_PARTIAL_FILES: u32 = 10_000;

fn create_partial_file(files: &dyn FileSystem, path: &Path) -> io::Result<(PathBuf, Box<dyn WritableFile>)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path has no file name"))?;
    for number in 0..MAX_PARTIAL_FILES {
        let partial = path.with_file_name(partial_file_name(name, number));
        match files.create_new(&partial, Some(path)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            created => return Ok((partial, created?)),
        }
    }
    Err(io::Error::new(
        ErrorKind::AlreadyExists,
        format!("there are {MAX_PARTIAL_FILES} unfinished partial files of it"),
    ))
}

/// The maximum length of a file name in bytes, on nearly all file systems.
const MAX_NAME: usize = 255;

/// Returns the name of a partial file of `name`, shortened where needed.
fn partial_file_name(name: &OsStr, number: u32) -> OsString {
    let end = format!(".{number}.part");
    if name.len() + end.len() <= MAX_NAME {
        return [name, end.as_ref()].into_iter().collect();
    }
    let name = name.to_string_lossy();
    let length = name.floor_char_boundary(MAX_NAME - end.len());
    OsString::from(format!("{}{end}", &name[..length]))
}

/// Removes the partial files that killed writers have left in a folder. Call it only while nobody writes there.
///
/// # Errors
/// If the folder cannot be read, or a partial file cannot be removed.
pub fn remove_partial_files(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_partial_file(&entry.file_name()) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Returns true for the name of a partial file: it ends in a number and `.part`.
pub fn is_partial_file(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let stem = name.strip_suffix(".part");
    let number = stem.and_then(|stem| stem.rsplit_once('.'));
    number.is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_file_name_long_name_is_shortened_between_characters() {
        for length in [1, 247, 248, 249, 255] {
            let partial = partial_file_name("a".repeat(length).as_ref(), 0);
            assert_eq!(partial.len(), (length + 7).min(255), "{length}");
            assert!(is_partial_file(&partial) && is_partial_file(&partial_file_name("ü".repeat(127).as_ref(), 9_999)));
        }
        assert_eq!(
            partial_file_name("ü".repeat(127).as_ref(), 0).to_str(),
            Some(&*format!("{}.0.part", "ü".repeat(124)))
        );
        assert_eq!(
            partial_file_name("ü".repeat(127).as_ref(), 10).to_str(),
            Some(&*format!("{}.10.part", "ü".repeat(123)))
        );
    }

    #[test]
    fn is_partial_file_recognises_names_by_their_suffix() {
        assert!(
            ["model.safetensors.0.part", "config.toml.17.part", "..1.part"]
                .iter()
                .all(|name| is_partial_file(name.as_ref()))
        );
        assert!(
            ["model.safetensors", "a.part", "0.part", "a.0.parts", "a.b.part"]
                .iter()
                .all(|name| !is_partial_file(name.as_ref()))
        );
    }
}
