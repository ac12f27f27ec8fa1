//! Who may do what with a file that takes another's place.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// A new file with the mode, owner and group of another, as far as the system allows. Only the owner may read it before it
/// has them.
#[cfg(unix)]
pub(super) fn create_new(path: &Path, like: &Metadata) -> io::Result<File> {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};

    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut mode = like.mode() & 0o777;
    let own = file.metadata()?;
    if own.uid() != like.uid() {
        fchown(&file, Some(like.uid()), None).ok(); // the superuser alone may give a file away
    }
    if own.gid() != like.gid() && fchown(&file, None, Some(like.gid())).is_err() {
        mode &= !0o070 | (mode & 0o007) << 3; // another group may do no more than everybody
    }
    file.set_permissions(Permissions::from_mode(mode)).ok(); // some file systems have no modes
    Ok(file)
}

/// A new file; this system has no modes.
#[cfg(not(unix))]
pub(super) fn create_new(path: &Path, _: &Metadata) -> io::Result<File> {
    File::create_new(path)
}
