//! Tests of replacing a file: its mode and owner are kept, symbolic links are followed, and all valid names work.

use std::fs;

use nn::files::{Disk, probe_write, remove_partial_files, write_atomic};

use super::fixtures::Folder;

/// Covers name lengths up to the file system's limit of 255 bytes. No character is cut in the middle.
#[test]
fn write_atomic_names_of_any_length_are_written() {
    let folder = Folder::new("long-names");
    for length in [1, 200, 247, 248, 249, 250, 254, 255] {
        for character in ["a", "ü", "量"] {
            let name = character.repeat(length / character.len()) + &"b".repeat(length % character.len());
            assert_eq!(name.len(), length);
            let path = folder.file(&name);
            for content in ["old", "new"] {
                probe_write(&Disk, &path).expect("it could be written");
                write_atomic(&Disk, &path, content.as_bytes()).expect("written");
                assert_eq!(fs::read(&path).expect("it exists"), content.as_bytes(), "{length} bytes of {character}");
            }
            assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 1, "nothing else is left");
            fs::remove_file(&path).expect("removed");
        }
    }
    write_atomic(&Disk, &folder.file(&"a".repeat(256)), b"").expect_err("too long for the file system");
}

/// Covers two long names with the same short name for part files, and a leftover part file.
#[test]
fn write_atomic_long_names_with_a_common_prefix_do_not_mix() {
    let folder = Folder::new("one-beginning");
    let names = ["x", "y"].map(|end| "a".repeat(254) + end);
    let part = folder.file(&("a".repeat(248) + ".0.part"));
    fs::write(&part, "left over").expect("written");
    std::thread::scope(|scope| {
        for name in &names {
            let path = folder.file(name);
            scope.spawn(move || (0..50).for_each(|_| write_atomic(&Disk, &path, name.as_bytes()).expect("written")));
        }
    });
    for name in &names {
        assert_eq!(fs::read(folder.file(name)).expect("it exists"), name.as_bytes());
    }
    assert_eq!(fs::read(&part).expect("it exists"), b"left over");
    remove_partial_files(&folder.0).expect("swept");
    assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 2);
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::Permissions;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use std::path::Path;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").mode() & 0o7777
    }

    #[test]
    fn write_atomic_replaced_file_keeps_its_mode() {
        let folder = Folder::new("mode");
        let (path, plain) = (folder.file("model"), folder.file("plain"));
        fs::write(&plain, "").expect("written");
        write_atomic(&Disk, &path, b"first").expect("written");
        assert_eq!(mode(&path), mode(&plain), "a new file has the mode of any new one");
        for kept in [0o600, 0o640, 0o660, 0o644, 0o755, 0o400, 0o444] {
            fs::set_permissions(&path, Permissions::from_mode(kept)).expect("our own file");
            write_atomic(&Disk, &path, format!("{kept:o}").as_bytes()).expect("written");
            assert_eq!(format!("{:o}", mode(&path)), format!("{kept:o}"));
        }
    }

    /// If root replaces another user's file, the file keeps its owner. Other users cannot create such a file; their own file
    /// keeps their id.
    #[test]
    fn write_atomic_replaced_file_keeps_its_owner() {
        let folder = Folder::new("owner");
        let path = folder.file("model");
        fs::write(&path, "old").expect("written");
        let own = fs::metadata(&path).expect("it exists");
        let (user, group) = match chown(&path, Some(12345), Some(54321)) {
            Ok(()) => (12345, 54321),
            Err(_) => (own.uid(), own.gid()),
        };
        fs::set_permissions(&path, Permissions::from_mode(0o640)).ok();
        write_atomic(&Disk, &path, b"new").expect("written");
        let after = fs::metadata(&path).expect("it exists");
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (user, group, 0o640));
    }

    #[test]
    fn write_atomic_symbolic_link_replaces_its_target() {
        let folder = Folder::new("links");
        let inside = folder.file("inside");
        fs::create_dir(&inside).expect("made");
        // link -> inside/second -> ../target are relative to their folders. whole -> the target's absolute path.
        let (link, second, target) = (folder.file("link"), inside.join("second"), folder.file("target"));
        let (whole, dangling) = (inside.join("whole"), folder.file("dangling"));
        symlink("inside/second", &link).expect("linked");
        symlink("../target", &second).expect("linked");
        symlink(&target, &whole).expect("linked");
        symlink("inside/missing", &dangling).expect("linked");
        fs::write(&target, "old").expect("written");
        fs::set_permissions(&target, Permissions::from_mode(0o600)).expect("our own file");
        for path in [&link, &second, &whole, &target] {
            let content = path.display().to_string();
            probe_write(&Disk, path).expect("it could be written");
            write_atomic(&Disk, path, content.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&target).expect("it exists"), content);
            assert_eq!(mode(&target), 0o600);
        }
        write_atomic(&Disk, &dangling, b"made").expect("written");
        assert_eq!(fs::read(inside.join("missing")).expect("it exists"), b"made");
        for (link, text) in [(&link, "inside/second"), (&second, "../target"), (&dangling, "inside/missing")] {
            assert_eq!(fs::read_link(link).expect("still a link"), Path::new(text));
        }
        assert!(!fs::symlink_metadata(&target).expect("it exists").is_symlink());
        assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 4, "nothing else is left");
    }

    #[test]
    fn write_atomic_symbolic_link_loop_is_an_error() {
        let folder = Folder::new("circle");
        for (link, text) in [("a", "b"), ("b", "a"), ("itself", "itself")] {
            symlink(text, folder.file(link)).expect("linked");
        }
        for link in ["a", "b", "itself"].map(|name| folder.file(name)) {
            for refused in [write_atomic(&Disk, &link, b""), probe_write(&Disk, &link)] {
                let words = "more than 40 symbolic links, expected a chain that ends: they form a loop";
                assert_eq!(refused.expect_err("they lead nowhere").to_string(), words);
            }
        }
        assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 3);
    }

    /// Names that are not UTF-8. If such a name is too long for a part file, the part file uses other characters.
    #[test]
    fn write_atomic_names_that_are_not_utf8_are_written() {
        let folder = Folder::new("no-text");
        for length in [3, 255] {
            let path = folder.0.join(OsStr::from_bytes(&vec![0xff; length]));
            match fs::write(&path, "old") {
                Err(_) => continue, // some file systems accept only UTF-8
                Ok(()) => write_atomic(&Disk, &path, b"new").expect("written"),
            }
            assert_eq!(fs::read(&path).expect("it exists"), b"new");
            let mut part = vec![0xff; length.min(248)];
            part.extend(b".0.part");
            fs::write(folder.0.join(OsStr::from_bytes(&part)), "left over").expect("written");
            remove_partial_files(&folder.0).expect("swept");
            assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 1);
            fs::remove_file(&path).expect("removed");
        }
    }

    /// A file does not replace a socket, a pipe or a device.
    #[test]
    fn write_atomic_pipe_or_device_is_not_replaced() {
        let folder = Folder::new("no-file-to-write");
        let socket = folder.file("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a short path");
        let link = folder.file("link");
        symlink("socket", &link).expect("linked");
        for path in [&socket, &link] {
            let error = write_atomic(&Disk, path, b"").expect_err("no file");
            assert_eq!(error.to_string(), "it is a pipe or a device, expected a file");
            probe_write(&Disk, path).expect_err("no file");
        }
        assert_eq!(fs::read_dir(&folder.0).expect("it exists").count(), 2);
    }
}
