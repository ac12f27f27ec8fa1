//! Tests of the rules of the workspace: allowed dependencies between crates, forbidden packages, and allowed `unsafe` code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_path_buf()
}

fn read(path: &str) -> toml::Table {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the dependencies of a package, without its dev-dependencies.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let manifest = read(manifest);
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    table.into_iter().flat_map(|table| table.keys().cloned()).collect()
}

/// The crates from the lowest layer up, each with its allowed dependencies.
const LAYERS: [(&str, &[&str]); 9] = [
    ("emulator", &[]),
    ("tensor", &["cudarc", "matrixmultiply", "ndarray", "num-traits", "rand", "rand_distr", "rayon"]),
    ("autograd", &["serde", "tensor"]),
    ("nn", &["autograd", "crc32fast", "num-traits", "safetensors", "tensor"]),
    ("rl", &["autograd", "nn", "tensor"]),
    ("proofs", &["autograd", "nn", "rl", "tensor"]),
    ("known", &["rl", "tensor"]),
    ("gpu-train", &["nn", "rl", "tensor"]),
    ("tutorial", &["autograd", "nn", "rl", "serde_json", "tensor"]),
];

#[test]
fn crate_dependencies_point_down_only() {
    for (name, allowed) in LAYERS {
        let found = dependencies(&format!("crates/{name}/Cargo.toml"));
        let allowed: BTreeSet<_> = allowed.iter().map(|name| name.to_string()).collect();
        let beyond: Vec<_> = found.difference(&allowed).collect();
        assert!(beyond.is_empty(), "{name} depends on {beyond:?}, which is not below it; see ARCHITECTURE.md");
    }
    let above = ["gradus", "gradus-tests", "gradus-benches"];
    let members = fs::read_dir(root().join("crates")).expect("crates/ exists").count();
    assert_eq!(members, LAYERS.len() + 1, "a crate has no rule: add it to LAYERS");
    assert!(!dependencies("crates/cli/Cargo.toml").iter().any(|name| above.contains(&&**name)));
}

/// `assert_eq!` prints "left == right" and both operands around its message. A caller of the library should read one sentence.
#[test]
fn library_assertions_print_only_their_message() {
    fn sources(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path());
        entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
    }
    let is_test = |path: &Path| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains("test"));
    let all = ["tensor", "autograd", "nn", "rl"].map(|name| sources(&root().join("crates").join(name).join("src")));
    for path in all.iter().flatten().filter(|path| !is_test(path)) {
        let text = fs::read_to_string(path).expect("text");
        let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let library = text.lines().take_while(|line| line.trim() != "#[test]");
        let noise = library.filter(|line| !line.trim().starts_with("//")).find(|line| line.contains("assert_eq!("));
        assert_eq!(noise, None, "{}", path.display());
    }
}

/// Deep-learning frameworks, and libraries for what this project implements itself. `benches/peers` measures some of them
/// outside the workspace.
const FRAMEWORKS: &str = "autodiff burn candle-core candle-nn dfdx faer gemm luminal nalgebra neuronika ort tch \
    tract-core";

#[test]
fn lock_file_has_no_framework() {
    let lock = read("Cargo.lock");
    let packages = lock["package"].as_array().expect("packages");
    assert!(packages.len() > 20, "the lock file was read");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let framework = FRAMEWORKS
            .split(' ')
            .find(|f| name == *f || name.strip_prefix(f).is_some_and(|rest| rest.starts_with('-')));
        assert!(framework.is_none(), "{name} is in Cargo.lock");
    }
}

/// Lists all Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut out = Vec::new();
    for path in entries.map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            out.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
    out
}

/// Lists the root files of all crates: libraries, the binary, examples, tests and benchmarks.
fn crate_roots() -> Vec<PathBuf> {
    let mut roots = Vec::new();
    let mut packages: Vec<PathBuf> =
        fs::read_dir(root().join("crates")).expect("crates/").map(|entry| entry.expect("readable").path()).collect();
    packages.extend(
        [
            "tests",
            "tests/kernels",
            "tests/precision",
            "tests/lab",
            "benches",
            "benches/criterion",
            "benches/instructions",
        ]
        .map(|package| root().join(package)),
    );
    for package in packages {
        for file in ["src/lib.rs", "src/main.rs"] {
            roots.extend(Some(package.join(file)).filter(|path| path.exists()));
        }
        for folder in ["tests", "benches", "examples"] {
            let Ok(entries) = fs::read_dir(package.join(folder)) else { continue };
            for path in entries.map(|entry| entry.expect("readable").path()) {
                let main = path.join("main.rs");
                if main.exists() {
                    roots.push(main);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    roots.push(path);
                }
            }
        }
    }
    roots
}

/// The only file outside `tensor` with `unsafe` code: it launches kernels.
const LAUNCHES: &str = "crates/gpu-train/src/launches.rs";

#[test]
fn unsafe_code_outside_tensor_and_launches_is_forbidden() {
    let (tensor, gpu) = (root().join("crates/tensor"), root().join("crates/gpu-train/src"));
    let roots = crate_roots();
    assert!(roots.len() > 15, "the crates were found");
    for path in roots.iter().filter(|path| !path.starts_with(&tensor) && !path.starts_with(&gpu)) {
        let text = fs::read_to_string(path).expect("readable");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{} does not forbid unsafe code", path.display());
    }
    let text = fs::read_to_string(gpu.join("lib.rs")).expect("readable");
    assert!(text.contains("#![deny(unsafe_code)]"), "crates/gpu-train does not deny unsafe code");
    for path in sources(&gpu).iter().filter(|path| **path != root().join(LAUNCHES)) {
        let text = fs::read_to_string(path).expect("readable");
        assert!(!text.contains("allow(unsafe_code)"), "{} allows unsafe code", path.display());
    }
}

/// Every `unsafe` block has a SAFETY note within the six lines above it.
#[test]
fn unsafe_blocks_all_have_a_safety_note() {
    for path in sources(&root().join("crates/tensor")).into_iter().chain([root().join(LAUNCHES)]) {
        let text = fs::read_to_string(&path).expect("readable");
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            if code.contains("unsafe {") || code.contains("unsafe impl") || code.contains("unsafe fn") {
                let above = &lines[number.saturating_sub(6)..number];
                let has_note = above.iter().any(|line| line.contains("SAFETY") || line.contains("# Safety"));
                assert!(has_note, "{}:{}: unsafe without a SAFETY note", path.display(), number + 1);
            }
        }
    }
}

/// Only `tensor` (the devices) and `gpu-train` (the updates on a GPU) depend on the feature. All other crates use these two and
/// are the same with and without a GPU.
#[test]
fn cuda_feature_outside_tensor_and_gpu_train_is_not_used() {
    let crates = fs::read_dir(root().join("crates")).expect("crates/").map(|entry| entry.expect("readable").path());
    let crates = crates.filter(|path| !path.ends_with("tensor") && !path.ends_with("gpu-train"));
    for path in crates.flat_map(|path| sources(&path.join("src"))) {
        let text = fs::read_to_string(&path).expect("readable");
        assert!(!text.contains("feature = \"cuda\""), "{} uses the feature cuda", path.display());
    }
}

#[test]
fn crate_features_are_forwarded() {
    for (name, below) in [("autograd", "tensor"), ("nn", "autograd"), ("rl", "nn")] {
        let manifest = read(&format!("crates/{name}/Cargo.toml"));
        for feature in ["std", "rayon", "cuda"] {
            let passed = manifest["features"][feature].as_array().expect("a list");
            let want = format!("{below}/{feature}");
            assert!(
                passed.iter().any(|entry| entry.as_str() == Some(&want)),
                "{name}: {feature} does not enable {want}"
            );
        }
    }
}

/// The page of the reading order names existing files, with the right line counts and the right total.
#[test]
fn reading_order_line_counts_are_true() {
    let page = fs::read_to_string(root().join("docs/reading-order.md")).expect("docs/reading-order.md");
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| [`crates/")).collect();
    assert!(rows.len() > 10, "the table was found");
    let mut sum = 0;
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let path = cells[1].split('`').nth(1).expect("a path");
        let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let lines = text.lines().count();
        assert_eq!(cells[2], lines.to_string(), "docs/reading-order.md: the number of lines of {path}");
        sum += lines;
    }
    assert!(page.contains(&format!("\n{sum} lines in all")), "docs/reading-order.md: {sum} lines in all");
}
