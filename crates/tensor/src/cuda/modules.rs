//! The kernels' sources, and the modules that NVRTC compiles from them: one for each file, scalar type and list of defines. A
//! module is compiled at the first call of one of its kernels and then kept.

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
use super::probe::{GpuProperties, catch_missing_symbol};

/// The text that precedes every source.
const COMMON: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/common.cuh"));

/// A source file of kernels.
#[derive(Debug)]
pub struct Source {
    /// The file's name in compiler messages.
    pub name: &'static str,
    /// The file's text. `kernels/common.cuh` is put before it.
    pub text: &'static str,
}

/// A kernel, declared as a static by [`gpu_kernels!`](crate::gpu_kernels).
#[derive(Debug)]
pub struct Kernel {
    /// The kernel's name in the source.
    pub name: &'static str,
    /// The operation that an error names, such as "running the kernel map".
    pub running: &'static str,
    /// The kernel's file.
    pub source: &'static Source,
    /// The number of threads in a block, as in `__launch_bounds__`; 0 if it depends on the defines.
    pub threads: u32,
}

impl Kernel {
    /// Returns the number of blocks that give each piece of work one thread.
    pub fn blocks(&self, pieces: usize) -> usize {
        pieces.div_ceil(self.threads as usize)
    }

    /// Returns the number of blocks that give each row one warp.
    pub fn blocks_of_rows(&self, rows: usize) -> usize {
        rows.div_ceil(self.threads as usize / 32)
    }
}

/// Declares files of the folder `kernels/`, the kernels in each, and the threads of their blocks. Each
/// [`Kernel`](crate::gpu::Kernel) becomes a constant of `Entry`. A test compares the declarations with the sources.
#[macro_export]
macro_rules! gpu_kernels {
    ($($file:ident $name:literal { $($kernel:ident $entry:literal $threads:literal),* $(,)? })*) => {
        $(
            #[allow(non_snake_case, non_upper_case_globals)]
            mod $file {
                pub(super) static SOURCE: $crate::gpu::Source = $crate::gpu::Source {
                    name: concat!($name, ".cu"),
                    text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/", $name, ".cu")),
                };
                $(pub(super) static $kernel: $crate::gpu::Kernel = $crate::gpu::Kernel {
                    name: $entry,
                    running: concat!("running the kernel ", $entry),
                    source: &SOURCE,
                    threads: $threads,
                };)*
            }
        )*

        /// The declared kernels.
        pub(crate) struct Entry;

        #[allow(non_upper_case_globals)]
        impl Entry {
            $($(pub(crate) const $kernel: &'static $crate::gpu::Kernel = &$file::$kernel;)*)*
        }

        #[cfg(test)]
        #[test]
        fn kernel_declarations_match_the_sources() {
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
            assert_eq!(kernels, all.len(), "a kernel is missing in the declaration");
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

/// A define with which a file is compiled, besides the scalar type: a name and a number.
pub type Define = (&'static str, u32);

/// The key of a compiled file or kernel: the address of its text or declaration, the scalar type and the defines.
type Key = (usize, Scalar, Vec<Define>);

/// The modules of a GPU: compiled files and the kernels found in them.
pub(super) struct Modules {
    /// NVRTC's name of the GPU's architecture.
    architecture: &'static str,
    /// The versions of the driver and of NVRTC, whose code the driver must support.
    versions: [CudaVersion; 2],
    cache: Cache,
    loaded: Mutex<BTreeMap<Key, Arc<CudaModule>>>,
    functions: Mutex<BTreeMap<Key, CudaFunction>>,
}

impl Modules {
    /// Creates the modules of a GPU; none is loaded yet. The cache is specific to this GPU, driver and compiler.
    pub(super) fn new(properties: &GpuProperties, driver: CudaVersion, compiler: CudaVersion) -> Self {
        let architecture = properties.architecture();
        let cache = Cache::new(format!("{}, driver {driver}, NVRTC {compiler}, {architecture}", properties.name));
        let (loaded, functions) = (Mutex::default(), Mutex::default());
        Self { architecture, versions: [driver, compiler], cache, loaded, functions }
    }

    /// Returns a kernel for a scalar type and a list of defines, ready for a launch on the GPU of these modules.
    ///
    /// # Errors
    /// If NVRTC or the driver rejects it.
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
        let function = gpu.call_driver(&looking, || module.load_function(kernel.name))?;
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

    /// Replaces the driver's error about an unsupported PTX version: NVRTC is too new for the driver.
    fn explain_ptx_version(&self, error: CudaError) -> CudaError {
        let [driver, compiler] = self.versions;
        match error {
            CudaError::Failed { message, .. } if message.contains("CUDA_ERROR_UNSUPPORTED_PTX_VERSION") => {
                CudaError::CompilerTooNew { compiler, driver }
            }
            error => error,
        }
    }

    /// Loads a module from the cache, or compiles it with NVRTC.
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
            gpu.call_driver(&format!("loading {} for {real}", source.name), || {
                gpu.context().load_module(Ptx::from_src(ptx))
            })
        };
        if let Some(module) = self.cache.get(source.name, &key).and_then(|ptx| to_gpu(ptx).ok()) {
            return Ok(module);
        }
        let ptx = compile(source, real, text, options)?;
        let module = to_gpu(ptx.clone()).map_err(|error| self.explain_ptx_version(error))?;
        self.cache.put(source.name, &key, &ptx);
        Ok(module)
    }
}

fn compile(source: &Source, real: &str, text: String, options: Vec<String>) -> Result<String, CudaError> {
    let refused = |log: String| CudaError::Compile { source: format!("{} for {real}", source.name), log };
    let options = CompileOptions { options, name: Some(source.name.into()), ..CompileOptions::default() };
    catch_missing_symbol("NVRTC", || match compile_ptx_with_opts(text, options) {
        Ok(ptx) => Ok(ptx.to_src()),
        Err(CompileError::CompileError { log, .. }) => Err(refused(log.to_string_lossy().into_owned())),
        Err(error) => Err(refused(format!("{error}"))),
    })
}
