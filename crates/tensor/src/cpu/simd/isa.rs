//! The interface between kernels and an instruction set: vectors of `f32` and their operations.

/// An instruction set. A value of the type is a token, which proves that the processor supports the instruction set.
///
/// [`run`](Self::run) compiles its closure for the instruction set. All functions between `run` and the operations
/// below must be inlined into it; otherwise each operation becomes a function call.
pub(crate) trait Isa: Copy + Send + Sync + 'static {
    /// The name of the instruction set in settings.
    const NAME: &'static str;
    /// The number of lanes of a vector.
    const LANES: usize;
    /// The number of vector accumulators that fit into the registers, if they hold nothing else.
    const ACCUMULATORS: usize;
    /// A vector.
    type V: Copy;
    /// A mask that enables the first lanes of a vector.
    type Mask: Copy;

    /// Calls `f`, compiled for this instruction set.
    fn run<R>(self, f: impl FnOnce() -> R) -> R;

    /// x in every lane.
    fn splat(self, x: f32) -> Self::V;
    /// a·b + c, with one rounding if the instruction set has fused multiply-adds, else with two.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a + b
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a − b
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a·b
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a / b
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `limit` where x > limit, else x; NaN stays NaN.
    fn min(self, x: Self::V, limit: f32) -> Self::V;
    /// `limit` where x < limit, else x; NaN stays NaN.
    fn max(self, x: Self::V, limit: f32) -> Self::V;
    /// x where x > m, else m; a NaN in x is ignored.
    fn maximum(self, m: Self::V, x: Self::V) -> Self::V;
    /// |x|
    fn abs(self, x: Self::V) -> Self::V;
    /// |x| with the sign of `sign`.
    fn copysign(self, x: Self::V, sign: Self::V) -> Self::V;
    /// a where the sign bit of x is set, else b.
    fn select_negative(self, x: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// 2ⁿ, for integers −126 ≤ n ≤ 127.
    fn power_of_two(self, n: Self::V) -> Self::V;
    /// The mask of the first `lanes` lanes, or of all lanes if `lanes` is larger.
    fn mask(self, lanes: usize) -> Self::Mask;

    /// # Safety
    /// `from` points to `LANES` numbers.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// Loads the enabled lanes from memory, and takes the other lanes from `rest`.
    /// # Safety
    /// `from` points to as many numbers as `mask` enables.
    unsafe fn load_masked(self, rest: Self::V, from: *const f32, mask: Self::Mask) -> Self::V;
    /// # Safety
    /// `to` points to `LANES` numbers.
    unsafe fn store(self, v: Self::V, to: *mut f32);
    /// # Safety
    /// `to` points to as many numbers as `mask` enables.
    unsafe fn store_masked(self, v: Self::V, to: *mut f32, mask: Self::Mask);

    /// Computes a matrix product in tiles of the largest size that fits into the registers.
    fn matmul_tiles(self, product: super::matmul::Product);
}

/// Calls `f` with each vector position in a slice of `n` numbers.
#[inline(always)]
pub(super) fn for_each_vector<S: Isa>(s: S, n: usize, mut f: impl FnMut(Position<S>)) {
    let whole = n - n % S::LANES;
    for at in (0..whole).step_by(S::LANES) {
        f(Position::whole(s, at));
    }
    if whole < n {
        f(Position { s, at: whole, lanes: n - whole });
    }
}

/// The position of a vector in a slice. The last vector of a slice may have fewer numbers than lanes.
#[derive(Clone, Copy)]
pub(super) struct Position<S> {
    s: S,
    at: usize,
    lanes: usize,
}

impl<S: Isa> Position<S> {
    /// The position that starts at `at` in a slice of `n` numbers; `at` is less than `n`.
    #[inline(always)]
    pub(super) fn new(s: S, at: usize, n: usize) -> Self {
        Self { s, at, lanes: S::LANES.min(n - at) }
    }

    /// The position of a full vector.
    #[inline(always)]
    pub(super) fn whole(s: S, at: usize) -> Self {
        Self { s, at, lanes: S::LANES }
    }

    /// Loads the numbers of x at this position; missing lanes are 0.
    #[inline(always)]
    pub(super) fn load(self, x: &[f32]) -> S::V {
        self.load_or(x, self.s.splat(0.0))
    }

    /// Loads the numbers of x at this position; missing lanes come from `rest`.
    #[inline(always)]
    pub(super) fn load_or(self, x: &[f32], rest: S::V) -> S::V {
        let from = x[self.at..][..self.lanes].as_ptr();
        // SAFETY: the slice has `self.lanes` numbers from `self.at` on; indexing has checked it.
        unsafe {
            if self.lanes == S::LANES {
                self.s.load(from)
            } else {
                self.s.load_masked(rest, from, self.s.mask(self.lanes))
            }
        }
    }

    /// Stores v in y at this position.
    #[inline(always)]
    pub(super) fn store(self, v: S::V, y: &mut [f32]) {
        let to = y[self.at..][..self.lanes].as_mut_ptr();
        // SAFETY: the slice has `self.lanes` numbers from `self.at` on; indexing has checked it.
        unsafe {
            if self.lanes == S::LANES {
                self.s.store(v, to)
            } else {
                self.s.store_masked(v, to, self.s.mask(self.lanes))
            }
        }
    }

    /// Adds v to y at this position.
    #[inline(always)]
    pub(super) fn add(self, v: S::V, y: &mut [f32]) {
        self.store(self.s.add(self.load(y), v), y);
    }
}
