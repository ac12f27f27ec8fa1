//! PyTorch on the same GPU, if a Python has it: cuBLAS through its products, and the update of `benches/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::checks::path_beside_program;

/// The number of steps in an episode.
const STEPS: usize = 7;
const WIDTH: usize = 96;

/// A Python with PyTorch that sees a GPU.
pub(crate) struct Torch {
    python: String,
    /// The folder of the peers' programs.
    folder: PathBuf,
}

impl Torch {
    /// Finds the Python of this name, else the peers' own, else `python3`. Returns `None` if it lacks PyTorch or a GPU.
    pub(crate) fn find(python: Option<&str>) -> Option<Self> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/python");
        let folder = Some(path_beside_program("python")).filter(|folder| folder.is_dir()).unwrap_or(sources);
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

    /// Measures the rate in flop/s of the products `M`x`K`x`N`, in `f32` and with factors in tf32.
    pub(crate) fn products(&self, sizes: &[[usize; 3]]) -> Vec<(String, [f64; 2])> {
        let sizes = sizes.iter().map(|[m, k, n]| format!("{m}x{k}x{n}")).collect::<Vec<_>>().join(",");
        let output = self.run("torch_products.py", &["--sizes", &sizes]);
        let read =
            |line: &Value| Some((line["size"].as_str()?.to_owned(), [line["f32"].as_f64()?, line["tf32"].as_f64()?]));
        output.iter().filter_map(read).collect()
    }

    /// Measures the steps per second of updates with these batches, eager and as one CUDA graph. First, PyTorch's results must
    /// match the reference that was computed in `f64` on a CPU.
    pub(crate) fn updates(&self, batches: &[usize]) -> Vec<(usize, [Option<f64>; 2])> {
        let golden = [self.folder.join("w1.safetensors"), self.folder.with_file_name("golden").join("w1.safetensors")];
        let Some(golden) = golden.iter().find(|path| path.exists()) else {
            eprintln!("PyTorch is not measured: {} is missing", golden[0].display());
            return Vec::new();
        };
        let output = self.run("torch_peer.py", &["--device", "cuda", "--golden", &golden.to_string_lossy()]);
        if !output.first().is_some_and(agrees) {
            eprintln!("PyTorch is not measured: its results disagree, {output:?}");
            return Vec::new();
        }
        let workload = |batch: &usize| format!("{batch}x{STEPS}x{WIDTH}");
        let workloads = batches.iter().map(workload).collect::<Vec<_>>().join(",");
        let ways = [&[][..], &["--graph"]].map(|flags: &[&str]| {
            self.run("torch_peer.py", &[&["--device", "cuda", "--workloads", &workloads], flags].concat())
        });
        let rate = |output: &[Value], batch: &usize| {
            let line = output.iter().find(|line| line["w"] == workload(batch).as_str())?;
            Some(line["per_s"].as_f64()? * (batch * STEPS) as f64)
        };
        batches.iter().map(|batch| (*batch, ways.each_ref().map(|output| rate(output, batch)))).collect()
    }

    /// Runs a program and parses each line that it prints. If it fails, prints its message and returns no figures.
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
        let output = String::from_utf8_lossy(&run.stdout);
        output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// Returns true if the errors are within the bounds for every peer; see benches/peers/run.
fn agrees(output: &Value) -> bool {
    let below = |name: &str, bound: f64| output[name].as_f64().is_some_and(|error| error < bound);
    output["tensors"] == 10 && below("loss_rel", 1e-5) && below("grad_max_rel", 1e-5) && below("traj_rel", 1e-4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn agrees_refuses_errors_beyond_the_bounds() {
        let right = json!({ "tensors": 10, "loss_rel": 1e-7, "grad_max_rel": 1e-6, "traj_rel": 1e-6 });
        assert!(agrees(&right));
        for (name, value) in [("tensors", json!(9)), ("loss_rel", json!(1e-4)), ("traj_rel", json!(null))] {
            let mut wrong = right.clone();
            wrong[name] = value;
            assert!(!agrees(&wrong), "{name}");
        }
    }
}
