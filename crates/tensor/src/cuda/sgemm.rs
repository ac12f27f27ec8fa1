//! The ladder of matrix products on a GPU: the files kernels/sgemm_*.cu, for reading and comparison. Networks use
//! [`Kernels::matmul`](crate::Kernels::matmul) instead.

use alloc::format;

#[cfg(feature = "cuda")]
use super::{
    gpu::Gpu,
    launch::{Call, checked_count},
    modules::{Entry, Kernel},
};
use crate::device::Device;
use crate::view::{View, ViewMut};

/// A rung of the ladder: y\[M,N\] = a\[M,K\]·b\[K,N\] in `f32`. Each rung adds one idea to the previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sgemm {
    /// The equation: one thread computes one entry.
    Naive,
    /// Tiles in shared memory.
    Tiled,
    /// A tile of sums in the registers of each thread.
    Registers,
    /// Double buffering: the next tiles are loaded while the current ones are multiplied.
    DoubleBuffered,
    /// Tensor cores, which round the factors to the 10 mantissa bits of tf32.
    Tf32,
}

impl Sgemm {
    /// All rungs, from the bottom up.
    pub const ALL: [Self; 5] = [Self::Naive, Self::Tiled, Self::Registers, Self::DoubleBuffered, Self::Tf32];

    /// The name of the rung's kernel and of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "sgemm_0_naive",
            Self::Tiled => "sgemm_1_tiled",
            Self::Registers => "sgemm_2_registers",
            Self::DoubleBuffered => "sgemm_3_double_buffered",
            Self::Tf32 => "sgemm_4_tf32",
        }
    }

    /// Overwrites y with a·b. Does not wait for the GPU.
    ///
    /// # Panics
    /// If the shapes are not those of a matrix product, if an operand is not row-major without gaps on one GPU, or if the GPU
    /// fails.
    #[track_caller]
    pub fn run(self, a: View<f32>, b: View<f32>, y: ViewMut<f32>) {
        let shapes = [a.shape(), b.shape(), y.shape()];
        let words = || format!("{}: {} times {} gives no {}", self.name(), shapes[0], shapes[1], shapes[2]);
        assert!(shapes.iter().all(|shape| shape.rank() == 2), "{}", words());
        let [m, k, n] = [shapes[0][0], shapes[0][1], shapes[1][1]];
        assert!(shapes[1][0] == k && *shapes[2] == [m, n], "{}", words());
        match y.device() {
            Device::Host => panic!("{}: y lies on the host", self.name()),
            #[cfg(feature = "cuda")]
            Device::Cuda(gpu) => self.launch(gpu, [m, n, k], a, b, y),
        }
    }
}

#[cfg(feature = "cuda")]
impl Sgemm {
    fn entry(self) -> &'static Kernel {
        match self {
            Self::Naive => Entry::Sgemm0,
            Self::Tiled => Entry::Sgemm1,
            Self::Registers => Entry::Sgemm2,
            Self::DoubleBuffered => Entry::Sgemm3,
            Self::Tf32 => Entry::Sgemm4,
        }
    }

    /// The number of blocks: one for each tile of y.
    fn blocks(self, m: usize, n: usize) -> usize {
        let tiles = |side: usize| m.div_ceil(side) * n.div_ceil(side);
        match self {
            Self::Naive => (m * n).div_ceil(256),
            Self::Tiled => tiles(16),
            Self::Registers | Self::DoubleBuffered => tiles(128),
            Self::Tf32 => tiles(64),
        }
    }

    #[track_caller]
    fn launch<'a>(self, gpu: &'static Gpu, sizes: [usize; 3], a: View<'a, f32>, b: View<'a, f32>, y: ViewMut<'a, f32>) {
        let what = format!("{} of {} times {}", self.name(), a.shape(), b.shape());
        let count = |call: Call<'a>, n| call.count(checked_count(&what, n));
        let call = sizes.into_iter().fold(Call::new::<f32>(gpu, self.entry()), count);
        call.elements(a).elements(b).elements_mut(y).run(self.blocks(sizes[0], sizes[1]));
    }
}
