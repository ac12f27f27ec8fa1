//! A test that every kernel of the specification has a precision test in this folder.

use std::fs;
use std::path::Path;

/// Methods without rounding: a name, a device, and an index that the program `kernels` compares exactly.
const WITHOUT_ROUNDING: [&str; 3] = ["name", "device", "argmax"];

#[test]
fn kernels_all_have_a_precision_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let specification = read(&tests.join("../../crates/tensor/src/kernels.rs"));
    let kernels = specification.lines().filter_map(|line| line.strip_prefix("    fn ")?.split('(').next());
    let files =
        fs::read_dir(tests.join("tests/precision")).expect("this folder").map(|file| file.expect("a file").path());
    let bodies: String = files.filter(|path| path.is_file()).map(|path| read(&path)).collect();
    let missing: Vec<_> = kernels.clone().filter(|name| !bodies.contains(&format!("k.{name}("))).collect();
    assert!(kernels.count() > 20, "the specification must be found");
    assert_eq!(missing, WITHOUT_ROUNDING);
}
