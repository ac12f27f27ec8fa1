//! The device that computes: `--device cpu`, `cuda` or `cuda:1`.

use std::fmt;
use std::str::FromStr;

use tensor::{CudaError, Device, default_kernels};

use crate::error::{Error, Result};

/// A device, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    /// The processor.
    Cpu,
    /// The GPU of this number.
    Cuda(usize),
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |rest: &str| rest.strip_prefix(':')?.parse().ok().filter(|&number| number < 1 << 16);
        match (text, text.strip_prefix("cuda")) {
            ("cpu", _) => Ok(Self::Cpu),
            (_, Some("")) => Ok(Self::Cuda(0)),
            (_, Some(rest)) if number(rest).is_some() => Ok(Self::Cuda(number(rest).unwrap_or_default())),
            _ => Err("it takes cpu, cuda, or a GPU by its number, as in cuda:1".into()),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// Chooses where to compute: whole updates on the device that is returned, or else all kernels there from now on.
///
/// # Errors
/// If there is no such GPU, or something that it needs is missing.
pub(crate) fn choose(name: DeviceName, whole_updates: bool) -> Result<Device> {
    let device = match name {
        DeviceName::Cuda(number) => Device::cuda(number).map_err(|error| Error::input(missing(name, &error)))?,
        DeviceName::Cpu => Device::Host,
    };
    let chosen = if device.is_host() || whole_updates {
        match default_kernels() {
            Ok(kernels) if !kernels.device().is_host() => {
                tensor::choose_kernels(Device::Host.kernels::<f32>().expect("the host has all numbers").name())
            }
            asked => asked.map(drop), // whichever of the processor's the environment names
        }
    } else {
        tensor::choose_kernels(&name.to_string())
    };
    chosen.map_err(|error| Error::input(error.to_string())).map(|()| device)
}

fn missing(name: DeviceName, error: &CudaError) -> String {
    match error {
        CudaError::NotBuilt => format!(
            "--device {name}: this gradus was built without CUDA; build it with `cargo build --release -p gradus \
             --features cuda`, which needs no toolkit, or compute with --device cpu"
        ),
        error => format!("--device {name}: {error}\ncompute with --device cpu, or see what there is: gradus devices"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let of = |text: &str| text.parse::<DeviceName>();
        assert_eq!(of("cpu"), Ok(DeviceName::Cpu));
        assert_eq!([of("cuda"), of("cuda:3")], [0, 3].map(|number| Ok(DeviceName::Cuda(number))));
        assert_eq!(DeviceName::Cuda(3).to_string(), "cuda:3");
        for text in ["", "gpu", "cuda:", "cuda:x", "cuda3", "cuda:-1", "cpu:0", "cuda:99999"] {
            assert!(of(text).is_err_and(|error| error.starts_with("it takes cpu, cuda, ")), "{text}");
        }
    }

    #[test]
    fn whoever_built_it_without_is_told_how_to_build_it() {
        let words = missing(DeviceName::Cuda(0), &CudaError::NotBuilt);
        assert!(words.contains("--features cuda") && words.contains("--device cpu"), "{words}");
        let words = missing(DeviceName::Cuda(1), &CudaError::NoDevice);
        assert!(words.starts_with("--device cuda:1: the CUDA driver finds no GPU"), "{words}");
    }
}
