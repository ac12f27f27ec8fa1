//! The kernels' sources, and the modules that NVRTC compiles from them for a GPU: one for each file, scalar and list of defines. A
//! module is compiled when one of its kernels is first called, and kept.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::ptr;
use std::sync::{Mutex, PoisonError};

use cudarc::driver::{CudaFunction, CudaModule};
use cudarc::nvrtc::{CompileError, CompileOptions, Ptx, compile_ptx_with_opts};

use super::cache::Cache;
use super::error::{CudaError, CudaVersion};
use super::gpu::Gpu;
use super::memory::Scalar;
use super::probe::{Facts, safely};

/// What stands before every source.
const COMMON: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/common.cuh"));

/// A file of kernels.
#[derive(Debug)]
pub struct Source {
    /// Its name in the messages of compilers.
    pub name: &'static str,
    /// Its text. `kernels/common.cuh` is put before it.
    pub text: &'static str,
}

/// A kernel: a static that [`gpu_kernels!`](crate::gpu_kernels) declares.
#[derive(Debug)]
pub struct Kernel {
    /// Its name in the source.
    pub name: &'static str,
    /// What is said where it fails.
    pub running: &'static str,
    /// Its file.
    pub source: &'static Source,
    /// The threads of a block, as `__launch_bounds__` has it; 0 if they depend on the defines.
    pub threads: u32,
}

impl Kernel {
    /// The number of blocks with one thread for each piece of some work.
    pub fn blocks(&self, pieces: usize) -> usize {
        pieces.div_ceil(self.threads as usize)
    }

    /// The number of blocks with one warp for each row.
    pub fn blocks_of_rows(&self, rows: usize) -> usize {
        rows.div_ceil(self.threads as usize / 32)
    }
}

/// Declares files of the folder `kernels/`, the kernels in each, and the threads of their blocks: a constant of `Entry` for each
/// [`Kernel`](crate::gpu::Kernel), and a test that compares all this with the sources.
#[macro_export]
macro_rules! gpu_kernels {
    ($($file:ident $name:literal { $($kernel:ident $entry:literal $threads:literal),* $(,)? })*) => {
        $(
            #[allow(non_snake_case, non_upper_case_globals)]
            mod $file {
                pub(super) static SOURCE: $crate::gpu::Source = $crate::gpu::Source {
                    name: concat!($name, ".cu"),
                    text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/", $name, ".cu")),
                };
                $(pub(super) static $kernel: $crate::gpu::Kernel = $crate::gpu::Kernel {
                    name: $entry,
                    running: concat!("running the kernel ", $entry),
                    source: &SOURCE,
                    threads: $threads,
                };)*
            }
        )*

        /// The kernels.
        pub(crate) struct Entry;

        #[allow(non_upper_case_globals)]
        impl Entry {
            $($(pub(crate) const $kernel: &'static $crate::gpu::Kernel = &$file::$kernel;)*)*
        }

        #[cfg(test)]
        #[test]
        fn every_kernel_stands_in_its_source_with_as_many_threads() {
            let all = [$($(Entry::$kernel),*),*];
            for kernel in all {
                let bounds = kernel.source.text.split("extern \"C\" __global__ void").find_map(|part| {
                    let (bounds, rest) = part.trim_start().strip_prefix("__launch_bounds__(")?.split_once(')')?;
                    let name = rest.trim_start().split('(').next()?;
                    (name == kernel.name).then(|| bounds.split(',').next().unwrap_or_default())
                });
                let bounds = bounds.unwrap_or_else(|| panic!("{} is not in {}", kernel.name, kernel.source.name));
                let threads = if bounds == "THREADS" { Ok(0) } else { bounds.parse() };
                assert_eq!(threads, Ok(kernel.threads), "{}", kernel.name);
            }
            let kernels: usize = [$(&$file::SOURCE),*].iter().map(|file| file.text.matches("__global__").count()).sum();
            assert_eq!(kernels, all.len(), "a kernel is missing in the table");
        }
    };
}

gpu_kernels! {
    Map "map" { Map "map" 256, MapBackward "map_backward" 256 }
    Binary "binary" { Binary "binary" 256 }
    SumTo "sum_to" { SumTo "sum_to" 256, SumProductTo "sum_product_to" 256 }
    Reduce "reduce" { Reduce "reduce" 256 }
    Argmax "argmax" { Argmax "argmax" 128 }
    Matmul "matmul" { Matmul "matmul" 256 }
    Sgemm0 "sgemm_0_naive" { Sgemm0 "sgemm_0_naive" 256 }
    Sgemm1 "sgemm_1_tiled" { Sgemm1 "sgemm_1_tiled" 256 }
    Sgemm2 "sgemm_2_registers" { Sgemm2 "sgemm_2_registers" 256 }
    Sgemm3 "sgemm_3_double_buffered" { Sgemm3 "sgemm_3_double_buffered" 256 }
    Sgemm4 "sgemm_4_tf32" { Sgemm4 "sgemm_4_tf32" 128 }
    Softmax "softmax" {
        Softmax "softmax" 128,
        SoftmaxBackward "softmax_backward" 128,
        LogSoftmax "log_softmax" 128,
        LogSoftmaxBackward "log_softmax_backward" 128,
        Logsumexp "logsumexp" 128,
        LogsumexpBackward "logsumexp_backward" 128,
    }
    Index "index" {
        GatherRows "gather_rows" 256,
        ScatterAddRows "scatter_add_rows" 256,
        Gather "gather" 256,
        ScatterAdd "scatter_add" 256,
    }
    LayerNorm "layer_norm" {
        LayerNorm "layer_norm" 128,
        LayerNormCentres "layer_norm_centres" 128,
        LayerNormBackward "layer_norm_backward" 256,
    }
    Gru "gru" { GruGates "gru_gates" 256, GruGatesBackward "gru_gates_backward" 256 }
    SumOfSquares "sum_of_squares" { SumOfSquares "sum_of_squares" 256, SumOfPartials "sum_of_partials" 256 }
    Optim "optim" { Adam "adam" 256, Momentum "momentum" 256, Rmsprop "rmsprop" 256 }
    Philox "philox" { PhiloxBlocks "philox_blocks" 256, PhiloxUniform "philox_uniform" 256 }
    Categorical "categorical" { Categorical "categorical" 256 }
}

/// A define, besides the scalar, with which a file is compiled: a name and a number.
pub type Define = (&'static str, u32);

/// The address of a file's text or of a kernel's declaration, with the scalar and the defines.
type Key = (usize, Scalar, Vec<Define>);

/// The modules of a GPU: compiled files, and the kernels found in them.
pub(super) struct Modules {
    /// How NVRTC calls the GPU's architecture.
    architecture: &'static str,
    /// The driver's version, and its compiler's, whose code the driver must understand.
    versions: [CudaVersion; 2],
    cache: Cache,
    loaded: Mutex<BTreeMap<Key, Arc<CudaModule>>>,
    functions: Mutex<BTreeMap<Key, CudaFunction>>,
}

impl Modules {
    /// None yet. What is cached belongs to this GPU, driver and compiler.
    pub(super) fn new(facts: &Facts, driver: CudaVersion, compiler: CudaVersion) -> Self {
        let architecture = facts.architecture();
        let cache = Cache::of(format!("{}, driver {driver}, NVRTC {compiler}, {architecture}", facts.name));
        let (loaded, functions) = (Mutex::default(), Mutex::default());
        Self { architecture, versions: [driver, compiler], cache, loaded, functions }
    }

    /// A kernel for a scalar and a list of defines, ready for a launch on the GPU of these modules.
    ///
    /// # Errors
    /// If NVRTC or the driver refuses it.
    pub(super) fn function(
        &self,
        gpu: &Gpu,
        kernel: &'static Kernel,
        scalar: Scalar,
        defines: &[Define],
    ) -> Result<CudaFunction, CudaError> {
        let key = (ptr::from_ref(kernel).addr(), scalar, defines.to_vec());
        let functions = || self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = functions().get(&key) {
            return Ok(function.clone());
        }
        let module = self.module(gpu, kernel.source, scalar, defines)?;
        let looking = format!("looking for the kernel {}", kernel.name);
        let function = gpu.asked(&looking, || module.load_function(kernel.name))?;
        functions().insert(key, function.clone());
        Ok(function)
    }

    fn module(
        &self,
        gpu: &Gpu,
        source: &'static Source,
        scalar: Scalar,
        defines: &[Define],
    ) -> Result<Arc<CudaModule>, CudaError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (source.text.as_ptr().addr(), scalar, defines.to_vec());
        if let Some(known) = loaded.get(&key) {
            return Ok(known.clone());
        }
        let module = self.load(gpu, source, scalar, defines)?;
        loaded.insert(key, module.clone());
        Ok(module)
    }

    /// Where the driver does not understand what its compiler wrote, the one is too new for the other.
    fn of_versions(&self, error: CudaError) -> CudaError {
        let [driver, compiler] = self.versions;
        match error {
            CudaError::Failed { said, .. } if said.contains("CUDA_ERROR_UNSUPPORTED_PTX_VERSION") => {
                CudaError::CompilerTooNew { compiler, driver }
            }
            error => error,
        }
    }

    /// What the cache has, or else what NVRTC makes.
    fn load(
        &self,
        gpu: &Gpu,
        source: &Source,
        scalar: Scalar,
        defines: &[Define],
    ) -> Result<Arc<CudaModule>, CudaError> {
        let text = format!("{COMMON}\n#line 1 \"{}\"\n{}", source.name, source.text);
        let real = match scalar {
            Scalar::F32 => "float",
            Scalar::F64 => "double",
            Scalar::U32 => unreachable!("no kernel computes with indices"),
        };
        let mut options = vec![format!("--gpu-architecture={}", self.architecture), format!("-DREAL={real}")];
        options.extend(defines.iter().map(|(name, number)| format!("-D{name}={number}")));
        let key = format!("{} {}\n{text}", source.name, options.join(" "));
        let to_gpu = |ptx: String| {
            gpu.asked(&format!("loading {} for {real}", source.name), || gpu.context().load_module(Ptx::from_src(ptx)))
        };
        if let Some(module) = self.cache.get(source.name, &key).and_then(|ptx| to_gpu(ptx).ok()) {
            return Ok(module);
        }
        let ptx = compile(source, real, text, options)?;
        let module = to_gpu(ptx.clone()).map_err(|error| self.of_versions(error))?;
        self.cache.put(source.name, &key, &ptx);
        Ok(module)
    }
}

fn compile(source: &Source, real: &str, text: String, options: Vec<String>) -> Result<String, CudaError> {
    let refused = |log: String| CudaError::Compile { source: format!("{} for {real}", source.name), log };
    let options = CompileOptions { options, name: Some(source.name.into()), ..CompileOptions::default() };
    safely("NVRTC", || match compile_ptx_with_opts(text, options) {
        Ok(ptx) => Ok(ptx.to_src()),
        Err(CompileError::CompileError { log, .. }) => Err(refused(log.to_string_lossy().into_owned())),
        Err(error) => Err(refused(format!("{error}"))),
    })
}
