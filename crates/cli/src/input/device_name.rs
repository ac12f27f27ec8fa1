//! Names of devices, as in `--device cpu`, `cuda` or `cuda:1`.

use std::fmt;
use std::str::FromStr;

use tensor::{CudaError, Device, default_kernels};

use crate::error::{Error, Result};

/// The name of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    /// The CPU.
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
            _ => Err("expected cpu, cuda, or a GPU by number, for example cuda:1".into()),
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

/// Selects the device. With `whole_updates`, the caller computes whole updates on the returned device. Otherwise this call
/// switches all kernels of the process to the device.
///
/// # Errors
/// If the GPU does not exist, or its driver or compiler is missing.
pub(crate) fn select_device(name: DeviceName, whole_updates: bool) -> Result<Device> {
    let device = match name {
        DeviceName::Cuda(number) => {
            Device::cuda(number).map_err(|error| Error::input(unavailable_message(name, &error)))?
        }
        DeviceName::Cpu => Device::Host,
    };
    let chosen = if device.is_host() || whole_updates {
        match default_kernels() {
            Ok(kernels) if !kernels.device().is_host() => {
                tensor::choose_kernels(Device::Host.kernels::<f32>().expect("the CPU supports f32").name())
            }
            kernels => kernels.map(drop), // CPU kernels; the environment may have selected them
        }
    } else {
        tensor::choose_kernels(&name.to_string())
    };
    chosen.map_err(|error| Error::input(error.to_string())).map(|()| device)
}

/// Returns the error message for a GPU that cannot be used.
fn unavailable_message(name: DeviceName, error: &CudaError) -> String {
    match error {
        CudaError::NotBuilt => format!(
            "--device {name}: this gradus was built without CUDA; build it with `cargo build --release -p gradus \
             --features cuda`, which needs no CUDA toolkit, or use --device cpu"
        ),
        error => format!("--device {name}: {error}\nuse --device cpu, or list the devices with: gradus devices"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_name_parses_cpu_cuda_and_numbers() {
        let parse = |text: &str| text.parse::<DeviceName>();
        assert_eq!(parse("cpu"), Ok(DeviceName::Cpu));
        assert_eq!([parse("cuda"), parse("cuda:3")], [0, 3].map(|number| Ok(DeviceName::Cuda(number))));
        assert_eq!(DeviceName::Cuda(3).to_string(), "cuda:3");
        for text in ["", "gpu", "cuda:", "cuda:x", "cuda3", "cuda:-1", "cpu:0", "cuda:99999"] {
            assert!(parse(text).is_err_and(|error| error.starts_with("expected cpu, cuda, ")), "{text}");
        }
    }

    #[test]
    fn unavailable_message_without_cuda_explains_the_build() {
        let message = unavailable_message(DeviceName::Cuda(0), &CudaError::NotBuilt);
        assert!(message.contains("--features cuda") && message.contains("--device cpu"), "{message}");
        let message = unavailable_message(DeviceName::Cuda(1), &CudaError::NoDevice);
        assert!(message.starts_with("--device cuda:1: the CUDA driver finds no GPU"), "{message}");
    }
}
