//! What a written file keeps of the one that it replaces: its mode, its place behind symbolic links, and any name that the
//! file system takes.

use std::fs;

use nn::files::{Disk, sweep, try_out, write_whole};

use super::given::Folder;

/// Every name that the file system itself takes, up to 255 bytes, of characters that are cut nowhere.
#[test]
fn names_of_any_length_are_written() {
    let folder = Folder::new("long-names");
    for length in [1, 200, 247, 248, 249, 250, 254, 255] {
        for character in ["a", "ü", "量"] {
            let name = character.repeat(length / character.len()) + &"b".repeat(length % character.len());
            assert_eq!(name.len(), length);
            let path = folder.file(&name);
            for content in ["old", "new"] {
                try_out(&Disk, &path).expect("it could be written");
                write_whole(&Disk, &path, content.as_bytes()).expect("written");
                assert_eq!(fs::read(&path).expect("there"), content.as_bytes(), "{length} bytes of {character}");
            }
            assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 1, "nothing else is left");
            fs::remove_file(&path).expect("removed");
        }
    }
    write_whole(&Disk, &folder.file(&"a".repeat(256)), b"").expect_err("no file system takes that");
}

/// Two long names that are the same where their parts are shortened, and a part that was left over.
#[test]
fn long_names_with_one_beginning_do_not_mix() {
    let folder = Folder::new("one-beginning");
    let names = ["x", "y"].map(|end| "a".repeat(254) + end);
    let part = folder.file(&("a".repeat(248) + ".0.part"));
    fs::write(&part, "left over").expect("written");
    std::thread::scope(|scope| {
        for name in &names {
            let path = folder.file(name);
            scope.spawn(move || (0..50).for_each(|_| write_whole(&Disk, &path, name.as_bytes()).expect("written")));
        }
    });
    for name in &names {
        assert_eq!(fs::read(folder.file(name)).expect("there"), name.as_bytes());
    }
    assert_eq!(fs::read(&part).expect("there"), b"left over");
    sweep(&folder.0).expect("swept");
    assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 2);
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
        fs::metadata(path).expect("there").mode() & 0o7777
    }

    #[test]
    fn the_mode_of_a_replaced_file_is_kept() {
        let folder = Folder::new("mode");
        let (path, plain) = (folder.file("model"), folder.file("plain"));
        fs::write(&plain, "").expect("written");
        write_whole(&Disk, &path, b"first").expect("written");
        assert_eq!(mode(&path), mode(&plain), "a new file has the mode of any new one");
        for kept in [0o600, 0o640, 0o660, 0o644, 0o755, 0o400, 0o444] {
            fs::set_permissions(&path, Permissions::from_mode(kept)).expect("our own file");
            write_whole(&Disk, &path, format!("{kept:o}").as_bytes()).expect("written");
            assert_eq!(format!("{:o}", mode(&path)), format!("{kept:o}"));
        }
    }

    /// The superuser writes a file of another's: it stays that other's. Who is no superuser has no such file to try it on.
    #[test]
    fn the_owner_of_a_replaced_file_is_kept() {
        let folder = Folder::new("owner");
        let path = folder.file("model");
        fs::write(&path, "old").expect("written");
        let own = fs::metadata(&path).expect("there");
        let (user, group) = match chown(&path, Some(12345), Some(54321)) {
            Ok(()) => (12345, 54321),
            Err(_) => (own.uid(), own.gid()),
        };
        fs::set_permissions(&path, Permissions::from_mode(0o640)).ok();
        write_whole(&Disk, &path, b"new").expect("written");
        let after = fs::metadata(&path).expect("there");
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (user, group, 0o640));
    }

    #[test]
    fn symbolic_links_stay_and_their_target_is_replaced() {
        let folder = Folder::new("links");
        let inside = folder.file("inside");
        fs::create_dir(&inside).expect("made");
        // link -> inside/second -> ../target, relative to their own folders; whole -> the target's whole path.
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
            try_out(&Disk, path).expect("it could be written");
            write_whole(&Disk, path, content.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&target).expect("there"), content);
            assert_eq!(mode(&target), 0o600);
        }
        write_whole(&Disk, &dangling, b"made").expect("written");
        assert_eq!(fs::read(inside.join("missing")).expect("there"), b"made");
        for (link, text) in [(&link, "inside/second"), (&second, "../target"), (&dangling, "inside/missing")] {
            assert_eq!(fs::read_link(link).expect("still a link"), Path::new(text));
        }
        assert!(!fs::symlink_metadata(&target).expect("there").is_symlink());
        assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 4, "nothing else is left");
    }

    #[test]
    fn symbolic_links_in_a_circle_are_an_error_in_words() {
        let folder = Folder::new("circle");
        for (link, text) in [("a", "b"), ("b", "a"), ("itself", "itself")] {
            symlink(text, folder.file(link)).expect("linked");
        }
        for link in ["a", "b", "itself"].map(|name| folder.file(name)) {
            for refused in [write_whole(&Disk, &link, b""), try_out(&Disk, &link)] {
                let words = "more than 40 symbolic links, expected a chain that ends: they lead in a circle";
                assert_eq!(refused.expect_err("they lead nowhere").to_string(), words);
            }
        }
        assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 3);
    }

    /// Such a name cannot be written as text; where it is too long for a part, its part is written in other characters.
    #[test]
    fn names_that_are_no_text_are_written() {
        let folder = Folder::new("no-text");
        for length in [3, 255] {
            let path = folder.0.join(OsStr::from_bytes(&vec![0xff; length]));
            match fs::write(&path, "old") {
                Err(_) => continue, // some file systems take text alone
                Ok(()) => write_whole(&Disk, &path, b"new").expect("written"),
            }
            assert_eq!(fs::read(&path).expect("there"), b"new");
            let mut part = vec![0xff; length.min(248)];
            part.extend(b".0.part");
            fs::write(folder.0.join(OsStr::from_bytes(&part)), "left over").expect("written");
            sweep(&folder.0).expect("swept");
            assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 1);
            fs::remove_file(&path).expect("removed");
        }
    }

    /// A pipe or a device is not replaced by a file.
    #[test]
    fn what_is_no_file_is_not_replaced() {
        let folder = Folder::new("no-file-to-write");
        let socket = folder.file("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a short path");
        let link = folder.file("link");
        symlink("socket", &link).expect("linked");
        for path in [&socket, &link] {
            let error = write_whole(&Disk, path, b"").expect_err("no file");
            assert_eq!(error.to_string(), "it is a pipe or a device, expected a file");
            try_out(&Disk, path).expect_err("no file");
        }
        assert_eq!(fs::read_dir(&folder.0).expect("there").count(), 2);
    }
}
