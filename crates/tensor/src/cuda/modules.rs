//! The kernels' sources, and what NVRTC makes of them for a card: one module for each file and scalar, made when one of its
//! kernels is first called, and kept.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::{Mutex, OnceLock, PoisonError};

use cudarc::driver::{CudaFunction, CudaModule};
use cudarc::nvrtc::{CompileError, CompileOptions, Ptx, compile_ptx_with_opts};

use super::cache::Cache;
use super::card::Card;
use super::error::{CudaError, CudaVersion};
use super::memory::Scalar;
use super::probe::{Facts, safely};

/// What stands before every source.
const COMMON: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/common.cuh"));

/// Declares the files, the kernels in each, and how many threads a block of it has.
macro_rules! kernels {
    ($($file:ident $name:literal { $($kernel:ident $entry:literal $threads:literal),* $(,)? })*) => {
        /// A file of kernels.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Source { $($file),* }

        impl Source {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$file),*];

            fn name(self) -> &'static str {
                match self { $(Self::$file => concat!($name, ".cu")),* }
            }

            fn text(self) -> &'static str {
                match self {
                    $(Self::$file => include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../kernels/", $name, ".cu"))),*
                }
            }
        }

        /// A kernel, as the sources call it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Entry { $($($kernel),*),* }

        impl Entry {
            pub(super) const ALL: &[Self] = &[$($(Self::$kernel),*),*];

            pub(super) fn name(self) -> &'static str {
                match self { $($(Self::$kernel => $entry),*),* }
            }

            /// What is said where it fails.
            pub(super) fn running(self) -> &'static str {
                match self { $($(Self::$kernel => concat!("running the kernel ", $entry)),*),* }
            }

            fn source(self) -> Source {
                match self { $($(Self::$kernel => Source::$file),*),* }
            }

            /// How many threads a block has: what its `__launch_bounds__` says. 0 where it depends on what the file is compiled for.
            pub(super) fn threads(self) -> u32 {
                match self { $($(Self::$kernel => $threads),*),* }
            }

            /// The blocks of a kernel that has a thread for each piece of some work.
            pub(super) fn blocks(self, pieces: usize) -> usize {
                pieces.div_ceil(self.threads() as usize)
            }

            /// The blocks of a kernel that has a warp for each row.
            pub(super) fn blocks_of_rows(self, rows: usize) -> usize {
                rows.div_ceil(self.threads() as usize / 32)
            }
        }
    };
}

kernels! {
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
    Calculator "calculator" { CalculatorReset "calculator_reset" 256, CalculatorStep "calculator_step" 256 }
    TokenTable "token_table" { TokenTable "token_table" 256 }
    Rollout "rollout" { Rollout "rollout" 0 }
    A2c "a2c" { Judge "judge" 256, A2c "a2c" 256 }
    Bptt "bptt" {
        BpttStates "bptt_states" 0,
        BpttWeights "bptt_weights" 0,
        BpttSums "bptt_sums" 256,
        BpttGradients "bptt_gradients" 256,
    }
    Update "update" { UpdateNorm "update_norm" 256, UpdateClose "update_close" 256, UpdateStep "update_step" 256 }
}

/// What a file is compiled for, besides its scalar: names and numbers.
type Defines = [(&'static str, u32)];

/// The places of the two scalars that kernels compute with.
fn place(scalar: Scalar) -> usize {
    match scalar {
        Scalar::F32 => 0,
        Scalar::F64 => 1,
        Scalar::U32 => unreachable!("no kernel computes with indices"),
    }
}

/// A module on a card, and what it was made of.
struct Loaded {
    source: Source,
    scalar: Scalar,
    defines: Vec<(&'static str, u32)>,
    module: Arc<CudaModule>,
}

/// The modules of a card.
pub(super) struct Modules {
    /// How NVRTC calls the card's architecture.
    architecture: &'static str,
    /// The driver's version, and its compiler's, whose code the driver must understand.
    versions: [CudaVersion; 2],
    cache: Cache,
    loaded: Mutex<Vec<Loaded>>,
    functions: Vec<[OnceLock<CudaFunction>; 2]>,
}

impl Modules {
    /// None yet. What is cached belongs to this card, driver and compiler.
    pub(super) fn new(facts: &Facts, driver: CudaVersion, compiler: CudaVersion) -> Self {
        let architecture = facts.architecture();
        let cache = Cache::of(format!("{}, driver {driver}, NVRTC {compiler}, {architecture}", facts.name));
        let functions = Entry::ALL.iter().map(|_| [OnceLock::new(), OnceLock::new()]).collect();
        Self { architecture, versions: [driver, compiler], cache, loaded: Mutex::default(), functions }
    }

    /// A kernel for a scalar, ready to be launched on the card to which these modules belong.
    ///
    /// # Errors
    /// If NVRTC or the driver refuses it.
    pub(super) fn function(&self, card: &Card, entry: Entry, scalar: Scalar) -> Result<&CudaFunction, CudaError> {
        let slot = &self.functions[entry as usize][place(scalar)];
        if let Some(function) = slot.get() {
            return Ok(function);
        }
        let function = self.function_for(card, entry, scalar, &[])?;
        Ok(slot.get_or_init(|| function)) // two threads have found the same
    }

    /// The same, for a file that is compiled for certain numbers.
    ///
    /// # Errors
    /// If NVRTC or the driver refuses it.
    pub(super) fn function_for(
        &self,
        card: &Card,
        entry: Entry,
        scalar: Scalar,
        defines: &Defines,
    ) -> Result<CudaFunction, CudaError> {
        let module = self.module(card, entry.source(), scalar, defines)?;
        card.asked(&format!("looking for the kernel {}", entry.name()), || module.load_function(entry.name()))
    }

    fn module(
        &self,
        card: &Card,
        source: Source,
        scalar: Scalar,
        defines: &Defines,
    ) -> Result<Arc<CudaModule>, CudaError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Loaded| (known.source, known.scalar, &*known.defines) == (source, scalar, defines);
        if let Some(known) = loaded.iter().find(same) {
            return Ok(known.module.clone());
        }
        let module = self.load(card, source, scalar, defines)?;
        loaded.push(Loaded { source, scalar, defines: defines.to_vec(), module: module.clone() });
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
        card: &Card,
        source: Source,
        scalar: Scalar,
        defines: &Defines,
    ) -> Result<Arc<CudaModule>, CudaError> {
        let text = format!("{COMMON}\n#line 1 \"{}\"\n{}", source.name(), source.text());
        let real = if scalar == Scalar::F32 { "float" } else { "double" };
        let mut options = vec![format!("--gpu-architecture={}", self.architecture), format!("-DREAL={real}")];
        options.extend(defines.iter().map(|(name, number)| format!("-D{name}={number}")));
        let key = format!("{} {}\n{text}", source.name(), options.join(" "));
        let to_card = |ptx: String| {
            card.asked(&format!("loading {} for {real}", source.name()), || {
                card.context().load_module(Ptx::from_src(ptx))
            })
        };
        if let Some(module) = self.cache.get(source.name(), &key).and_then(|ptx| to_card(ptx).ok()) {
            return Ok(module);
        }
        let ptx = compile(source, real, text, options)?;
        let module = to_card(ptx.clone()).map_err(|error| self.of_versions(error))?;
        self.cache.put(source.name(), &key, &ptx);
        Ok(module)
    }
}

fn compile(source: Source, real: &str, text: String, options: Vec<String>) -> Result<String, CudaError> {
    let refused = |log: String| CudaError::Compile { source: format!("{} for {real}", source.name()), log };
    let options = CompileOptions { options, name: Some(source.name().into()), ..CompileOptions::default() };
    safely("NVRTC", || match compile_ptx_with_opts(text, options) {
        Ok(ptx) => Ok(ptx.to_src()),
        Err(CompileError::CompileError { log, .. }) => Err(refused(log.to_string_lossy().into_owned())),
        Err(error) => Err(refused(format!("{error}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table above is what the sources say.
    #[test]
    fn every_kernel_stands_in_its_source_with_as_many_threads() {
        for &entry in Entry::ALL {
            let text = entry.source().text();
            let bounds = text.split("extern \"C\" __global__ void").find_map(|part| {
                let (bounds, rest) = part.trim_start().strip_prefix("__launch_bounds__(")?.split_once(')')?;
                let name = rest.trim_start().split('(').next()?;
                (name == entry.name()).then(|| bounds.split(',').next().unwrap_or_default())
            });
            let bounds = bounds.unwrap_or_else(|| panic!("{} is not in {}", entry.name(), entry.source().name()));
            let threads = if bounds == "THREADS" { Ok(0) } else { bounds.parse() };
            assert_eq!(threads, Ok(entry.threads()), "{}", entry.name());
        }
        let kernels: usize = Source::ALL.iter().map(|source| source.text().matches("__global__").count()).sum();
        assert_eq!(kernels, Entry::ALL.len(), "a kernel is missing in the table");
    }
}
