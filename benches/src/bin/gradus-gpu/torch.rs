//! PyTorch on the same GPU, where a Python has it: cuBLAS through its products, and the update of `benches/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::checks::beside;

/// Steps of an episode.
const STEPS: usize = 7;
const WIDTH: usize = 96;

/// A Python with PyTorch that sees a GPU.
pub(crate) struct Torch {
    python: String,
    /// Where the rivals' programs are.
    folder: PathBuf,
}

impl Torch {
    /// The Python of this name, or else the peers' own, or else `python3`; nothing where it lacks PyTorch or a GPU.
    pub(crate) fn find(python: Option<&str>) -> Option<Self> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/python");
        let folder = Some(beside("python")).filter(|folder| folder.is_dir()).unwrap_or(sources);
        let own = folder.with_file_name(".venv").join("bin/python");
        let own = own.exists().then(|| own.to_string_lossy().into_owned());
        let python = python.map(str::to_owned).or(own).unwrap_or_else(|| "python3".into());
        let asks = "import sys, torch; sys.exit(not torch.cuda.is_available())";
        let run = Command::new(&python).args(["-c", asks]).output();
        if run.is_ok_and(|run| run.status.success()) {
            eprintln!("PyTorch is measured by {python}");
            return Some(Self { python, folder });
        }
        eprintln!("{python} has no PyTorch that finds a GPU; --python names another");
        None
    }

    /// Flops a second of `M`x`K`x`N`, in `f32` and with factors in tf32.
    pub(crate) fn products(&self, sizes: &[[usize; 3]]) -> Vec<(String, [f64; 2])> {
        let sizes = sizes.iter().map(|[m, k, n]| format!("{m}x{k}x{n}")).collect::<Vec<_>>().join(",");
        let said = self.run("torch_products.py", &["--sizes", &sizes]);
        let read =
            |line: &Value| Some((line["size"].as_str()?.to_owned(), [line["f32"].as_f64()?, line["tf32"].as_f64()?]));
        said.iter().filter_map(read).collect()
    }

    /// Steps a second of updates with so many episodes, eager and as one CUDA graph. Before that it must compute there what it
    /// computes in `f64` on a processor.
    pub(crate) fn updates(&self, batches: &[usize]) -> Vec<(usize, [Option<f64>; 2])> {
        let golden = [self.folder.join("w1.safetensors"), self.folder.with_file_name("golden").join("w1.safetensors")];
        let Some(golden) = golden.iter().find(|path| path.exists()) else {
            eprintln!("PyTorch is not measured: {} is not there", golden[0].display());
            return Vec::new();
        };
        let said = self.run("torch_peer.py", &["--device", "cuda", "--golden", &golden.to_string_lossy()]);
        if !said.first().is_some_and(agrees) {
            eprintln!("PyTorch is not measured: it computes something else, {said:?}");
            return Vec::new();
        }
        let workload = |batch: &usize| format!("{batch}x{STEPS}x{WIDTH}");
        let workloads = batches.iter().map(workload).collect::<Vec<_>>().join(",");
        let ways = [&[][..], &["--graph"]].map(|flags: &[&str]| {
            self.run("torch_peer.py", &[&["--device", "cuda", "--workloads", &workloads], flags].concat())
        });
        let rate = |said: &[Value], batch: &usize| {
            let line = said.iter().find(|line| line["w"] == workload(batch).as_str())?;
            Some(line["per_s"].as_f64()? * (batch * STEPS) as f64)
        };
        batches.iter().map(|batch| (*batch, ways.each_ref().map(|said| rate(said, batch)))).collect()
    }

    /// What a program prints, line by line. One that fails is told, and has no figures.
    fn run(&self, program: &str, arguments: &[&str]) -> Vec<Value> {
        let path = self.folder.join(program);
        eprintln!("{program} {}", arguments.join(" "));
        let run = match Command::new(&self.python).arg(&path).args(arguments).output() {
            Ok(run) => run,
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return Vec::new();
            }
        };
        if !run.status.success() {
            eprintln!("{program} failed: {}", String::from_utf8_lossy(&run.stderr).trim());
        }
        let said = String::from_utf8_lossy(&run.stdout);
        said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// The bounds that every peer is held to; see benches/peers/run.
fn agrees(said: &Value) -> bool {
    let below = |name: &str, bound: f64| said[name].as_f64().is_some_and(|error| error < bound);
    said["tensors"] == 10 && below("loss_rel", 1e-5) && below("grad_max_rel", 1e-5) && below("traj_rel", 1e-4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_computes_something_else_is_not_measured() {
        let right = json!({ "tensors": 10, "loss_rel": 1e-7, "grad_max_rel": 1e-6, "traj_rel": 1e-6 });
        assert!(agrees(&right));
        for (name, value) in [("tensors", json!(9)), ("loss_rel", json!(1e-4)), ("traj_rel", json!(null))] {
            let mut wrong = right.clone();
            wrong[name] = value;
            assert!(!agrees(&wrong), "{name}");
        }
    }
}
