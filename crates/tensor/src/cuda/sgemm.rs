//! The ladder of matrix products on a GPU: the files kernels/sgemm_*.cu, to be read and compared. What networks are computed
//! with is [`Kernels::matmul`](crate::Kernels::matmul).

use alloc::format;

#[cfg(feature = "cuda")]
use super::{
    gpu::Gpu,
    launch::{Call, count_of},
    modules::{Entry, Kernel},
};
use crate::device::Device;
use crate::view::{View, ViewMut};

/// A rung: y\[M,N\] = a\[M,K\]·b\[K,N\] in `f32`, each with one more idea than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sgemm {
    /// The equation: a thread computes an entry.
    Naive,
    /// Tiles in shared memory.
    Tiled,
    /// A tile of sums in each thread's registers.
    Registers,
    /// The next tiles arrive while these are multiplied.
    DoubleBuffered,
    /// Tensor cores, which round factors to the 10 bits of tf32.
    Tf32,
}

impl Sgemm {
    /// All of them, from the bottom up.
    pub const ALL: [Self; 5] = [Self::Naive, Self::Tiled, Self::Registers, Self::DoubleBuffered, Self::Tf32];

    /// Its kernel's name, which is that of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Naive => "sgemm_0_naive",
            Self::Tiled => "sgemm_1_tiled",
            Self::Registers => "sgemm_2_registers",
            Self::DoubleBuffered => "sgemm_3_double_buffered",
            Self::Tf32 => "sgemm_4_tf32",
        }
    }

    /// Overwrites y with a·b. It does not wait for the GPU.
    ///
    /// # Panics
    /// If these are no matrices whose shapes go together, if one of them does not lie row-major without gaps on one GPU, or if
    /// the GPU fails.
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

    /// As many blocks as there are tiles of y.
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
        let count = |call: Call<'a>, n| call.count(count_of(&what, n));
        let call = sizes.into_iter().fold(Call::new::<f32>(gpu, self.entry()), count);
        call.elements(a).elements(b).elements_mut(y).run(self.blocks(sizes[0], sizes[1]));
    }
}
