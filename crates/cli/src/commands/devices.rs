//! `gradus devices`: lists the devices that can compute, and what the others lack.

use std::fmt::Display;
use std::thread::available_parallelism;

use clap::Args;
use serde_json::{Value, json};
use tensor::{CudaError, CudaSurvey, GpuInfo};

use crate::error::Result;
use crate::folder::processor_name;
use crate::output::print::{print_data, print_result};

/// Arguments of `gradus devices`.
#[derive(Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs `gradus devices`. A missing driver or GPU is part of the list, not an error.
///
/// # Errors
/// If the list cannot be printed.
pub(crate) fn devices(args: &DevicesArgs) -> Result<()> {
    let (host, cuda) = (Host::detect(), tensor::survey_cuda());
    if args.json {
        return print_data(format!("{:#}", json!({ "cpu": host.to_json(), "cuda": cuda_json(&cuda) })));
    }
    print_result(format!("{}\n{}", host.to_text(), cuda_text(&cuda)))
}

/// The CPU of this machine.
struct Host {
    name: Option<String>,
    threads: usize,
    kernels: Vec<&'static str>,
}

impl Host {
    fn detect() -> Self {
        Self {
            name: processor_name(),
            threads: available_parallelism().map_or(1, usize::from),
            kernels: tensor::available_kernels().iter().map(|kernels| kernels.name()).collect(),
        }
    }

    fn to_text(&self) -> String {
        let name = self.name.as_deref().unwrap_or("unknown (the system does not name it)");
        let fastest = self.kernels.last().copied().unwrap_or_default();
        let all = self.kernels.join(", ");
        format!("cpu\n  processor  {name}\n  threads    {}\n  kernels    {all} (default: {fastest})\n", self.threads)
    }

    fn to_json(&self) -> Value {
        json!({ "processor": self.name, "threads": self.threads, "kernels": self.kernels })
    }
}

fn cuda_text(cuda: &CudaSurvey) -> String {
    let driver = version_or_missing(&cuda.driver);
    let mut lines = vec![String::from("cuda"), format!("  driver     {driver}")];
    if !matches!(cuda.driver, Err(CudaError::NotBuilt)) {
        lines.push(format!("  NVRTC      {}", version_or_missing(&cuda.nvrtc)));
    }
    match &cuda.gpus {
        Ok(gpus) => lines.extend(gpus.iter().enumerate().map(|(number, gpu)| gpu_line(number, gpu))),
        Err(_) if cuda.driver.is_err() => lines.push("  GPUs       none".into()),
        Err(error) => lines.push(format!("  GPUs       none: {error}")),
    }
    lines.join("\n")
}

fn version_or_missing(version: &std::result::Result<impl Display, CudaError>) -> String {
    match version {
        Ok(version) => version.to_string(),
        Err(error) => format!("missing: {error}"),
    }
}

fn gpu_line(number: usize, gpu: &GpuInfo) -> String {
    let GpuInfo { name, capability, bytes, multiprocessors, usable } = gpu;
    let gib = *bytes as f64 / f64::from(1 << 30);
    let problem = usable.as_ref().err().map(|error| format!("; cannot be used: {error}")).unwrap_or_default();
    format!(
        "  cuda:{number:<5} {name}, {gib:.1} GiB, compute capability {capability}, {multiprocessors} multiprocessors{problem}"
    )
}

fn cuda_json(cuda: &CudaSurvey) -> Value {
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

    fn gpu(usable: std::result::Result<(), CudaError>) -> GpuInfo {
        let capability = CudaVersion { major: 9, minor: 0 };
        GpuInfo { name: "a GPU".into(), capability, bytes: 80 << 30, multiprocessors: 132, usable }
    }

    #[test]
    fn devices_unusable_gpu_is_listed_with_its_reason() {
        let version = CudaVersion { major: 13, minor: 0 };
        let old = CudaError::GpuTooOld {
            name: "a GPU".into(),
            found: CudaVersion { major: 7, minor: 5 },
            needed: CudaVersion { major: 8, minor: 0 },
        };
        let survey = CudaSurvey { driver: Ok(version), nvrtc: Ok(version), gpus: Ok(vec![gpu(Ok(())), gpu(Err(old))]) };
        let text = cuda_text(&survey);
        assert!(text.starts_with(
            "cuda\n  driver     13.0\n  NVRTC      13.0\n  cuda:0     a GPU, 80.0 GiB, compute capability 9.0, 132 \
             multiprocessors\n  cuda:1     a GPU, 80.0 GiB, "
        ));
        assert!(text.contains("; cannot be used: a GPU has compute capability 7.5, and 8.0 is needed"), "{text}");
        let json = cuda_json(&survey);
        assert_eq!((&json["gpus"][0]["device"], &json["gpus"][0]["missing"]), (&json!("cuda:0"), &Value::Null));
    }

    #[test]
    fn devices_missing_driver_is_reported_once() {
        let missing = || CudaError::NoDriver { names: vec!["libcuda.so".into()] };
        let survey = CudaSurvey {
            driver: Err(missing()),
            nvrtc: Err(CudaError::NoNvrtc { names: vec![] }),
            gpus: Err(missing()),
        };
        let text = cuda_text(&survey);
        assert_eq!(text.matches("there is no CUDA driver").count(), 1, "{text}");
        assert!(text.contains("NVRTC      missing: there is no NVRTC") && text.ends_with("GPUs       none"), "{text}");
        let not_built = || Err(CudaError::NotBuilt);
        let survey = CudaSurvey { driver: not_built(), nvrtc: not_built(), gpus: Err(CudaError::NotBuilt) };
        assert_eq!(cuda_text(&survey).matches("built without CUDA").count(), 1);
        assert_eq!(cuda_json(&survey)["built"], json!(false));
    }
}
