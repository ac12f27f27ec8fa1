//! `gradus devices`: what there is to compute on, and what is missing.

use std::fmt::Display;
use std::thread::available_parallelism;

use clap::Args;
use serde_json::{Value, json};
use tensor::{CudaError, CudaSurvey, GpuFound};

use crate::error::Result;
use crate::folder::processor;
use crate::output::print::show;

/// What to list devices for.
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Does what the arguments say. That something is missing is a finding, no error.
///
/// # Errors
/// If it cannot be printed.
pub(crate) fn devices(args: &DevicesArgs) -> Result<()> {
    let (host, cuda) = (Host::this(), tensor::cuda_survey());
    if args.json {
        return show(format!("{:#}", json!({ "cpu": host.json(), "cuda": json(&cuda) })));
    }
    show(format!("{}\n{}", host.words(), words(&cuda)))
}

/// The processor.
struct Host {
    name: Option<String>,
    threads: usize,
    kernels: Vec<&'static str>,
}

impl Host {
    fn this() -> Self {
        Self {
            name: processor(),
            threads: available_parallelism().map_or(1, usize::from),
            kernels: tensor::available_kernels().iter().map(|kernels| kernels.name()).collect(),
        }
    }

    fn words(&self) -> String {
        let name = self.name.as_deref().unwrap_or("a processor that the system does not name");
        let fastest = self.kernels.last().copied().unwrap_or_default();
        let all = self.kernels.join(", ");
        format!("cpu\n  processor  {name}\n  threads    {}\n  kernels    {all}; by default {fastest}\n", self.threads)
    }

    fn json(&self) -> Value {
        json!({ "processor": self.name, "threads": self.threads, "kernels": self.kernels })
    }
}

fn words(cuda: &CudaSurvey) -> String {
    let driver = found(&cuda.driver);
    let mut lines = vec![String::from("cuda"), format!("  driver     {driver}")];
    if !matches!(cuda.driver, Err(CudaError::NotBuilt)) {
        lines.push(format!("  NVRTC      {}", found(&cuda.nvrtc)));
    }
    match &cuda.gpus {
        Ok(gpus) => lines.extend(gpus.iter().enumerate().map(|(number, gpu)| line(number, gpu))),
        Err(_) if cuda.driver.is_err() => lines.push("  GPUs      none".into()),
        Err(error) => lines.push(format!("  GPUs      none: {error}")),
    }
    lines.join("\n")
}

fn found(what: &std::result::Result<impl Display, CudaError>) -> String {
    match what {
        Ok(version) => version.to_string(),
        Err(error) => format!("missing: {error}"),
    }
}

fn line(number: usize, gpu: &GpuFound) -> String {
    let GpuFound { name, capability, bytes, multiprocessors, usable } = gpu;
    let gib = *bytes as f64 / f64::from(1 << 30);
    let but = usable.as_ref().err().map(|error| format!("; cannot be used: {error}")).unwrap_or_default();
    format!(
        "  cuda:{number:<5} {name}, {gib:.1} GiB, compute capability {capability}, {multiprocessors} multiprocessors{but}"
    )
}

fn json(cuda: &CudaSurvey) -> Value {
    let version = |version: &std::result::Result<tensor::CudaVersion, CudaError>| match version {
        Ok(version) => json!({ "version": version.to_string() }),
        Err(error) => json!({ "missing": error.to_string() }),
    };
    let gpus = cuda.gpus.iter().flatten().enumerate().map(|(number, gpu)| {
        json!({
            "device": format!("cuda:{number}"),
            "name": gpu.name,
            "bytes": gpu.bytes,
            "capability": gpu.capability.to_string(),
            "multiprocessors": gpu.multiprocessors,
            "missing": gpu.usable.as_ref().err().map(ToString::to_string),
        })
    });
    json!({
        "built": !matches!(cuda.driver, Err(CudaError::NotBuilt)),
        "driver": version(&cuda.driver),
        "nvrtc": version(&cuda.nvrtc),
        "gpus": gpus.collect::<Vec<_>>(),
        "missing": cuda.gpus.as_ref().err().map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use tensor::CudaVersion;

    use super::*;

    fn gpu(usable: std::result::Result<(), CudaError>) -> GpuFound {
        let capability = CudaVersion { major: 9, minor: 0 };
        GpuFound { name: "a GPU".into(), capability, bytes: 80 << 30, multiprocessors: 132, usable }
    }

    #[test]
    fn what_is_there_is_listed() {
        let version = CudaVersion { major: 13, minor: 0 };
        let old = CudaError::GpuTooOld {
            name: "a GPU".into(),
            found: CudaVersion { major: 7, minor: 5 },
            needed: CudaVersion { major: 8, minor: 0 },
        };
        let survey = CudaSurvey { driver: Ok(version), nvrtc: Ok(version), gpus: Ok(vec![gpu(Ok(())), gpu(Err(old))]) };
        let said = words(&survey);
        assert!(said.starts_with(
            "cuda\n  driver     13.0\n  NVRTC      13.0\n  cuda:0     a GPU, 80.0 GiB, compute capability 9.0, 132 \
             multiprocessors\n  cuda:1     a GPU, 80.0 GiB, "
        ));
        assert!(said.contains("; cannot be used: a GPU has compute capability 7.5, and 8.0 is needed"), "{said}");
        let json = json(&survey);
        assert_eq!((&json["gpus"][0]["device"], &json["gpus"][0]["missing"]), (&json!("cuda:0"), &Value::Null));
    }

    #[test]
    fn what_is_missing_is_said_once() {
        let missing = || CudaError::NoDriver { names: vec!["libcuda.so".into()] };
        let survey = CudaSurvey {
            driver: Err(missing()),
            nvrtc: Err(CudaError::NoNvrtc { names: vec![] }),
            gpus: Err(missing()),
        };
        let said = words(&survey);
        assert_eq!(said.matches("there is no CUDA driver").count(), 1, "{said}");
        assert!(said.contains("NVRTC      missing: there is no NVRTC") && said.ends_with("GPUs      none"), "{said}");
        let not_built = || Err(CudaError::NotBuilt);
        let survey = CudaSurvey { driver: not_built(), nvrtc: not_built(), gpus: Err(CudaError::NotBuilt) };
        assert_eq!(words(&survey).matches("built without CUDA").count(), 1);
        assert_eq!(json(&survey)["built"], json!(false));
    }
}
