//! Permissions of a file that replaces another file.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// Creates a file with the mode, owner and group of another file, as far as the system allows. Until these are set,
/// only the owner may read it.
#[cfg(unix)]
pub(super) fn create_new(path: &Path, like: &Metadata) -> io::Result<File> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};

    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut mode = like.mode() & 0o777;
    let own = file.metadata()?;
    if own.uid() != like.uid() {
        fchown(&file, Some(like.uid()), None).ok(); // only the superuser may change the owner
    }
    if own.gid() != like.gid() && fchown(&file, None, Some(like.gid())).is_err() {
        mode &= !0o070 | (mode & 0o007) << 3; // another group gets no more rights than everybody
    }
    file.set_permissions(Permissions::from_mode(mode)).ok(); // some file systems have no modes
    Ok(file)
}

/// Creates a file. This system has no modes.
#[cfg(not(unix))]
pub(super) fn create_new(path: &Path, _: &Metadata) -> io::Result<File> {
    File::create_new(path)
}
