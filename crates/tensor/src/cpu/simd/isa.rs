//! What kernels know of an instruction set: a few `f32`s at a time.

/// An instruction set, as a token: whoever holds one runs on a processor that has it.
///
/// [`run`](Self::run) compiles what it is given for the instruction set. Everything between it and the operations
/// here must be inlined into it, or an operation becomes a call.
pub(crate) trait Isa: Copy + Send + Sync + 'static {
    /// The name under which settings know it.
    const NAME: &'static str;
    /// How many numbers a vector has.
    const LANES: usize;
    /// How many vectors of sums fit its registers, where nothing else is kept there.
    const SUMS: usize;
    /// A vector.
    type V: Copy;
    /// Which of its first lanes count.
    type Mask: Copy;

    /// Calls `f`, compiled for this instruction set.
    fn run<R>(self, f: impl FnOnce() -> R) -> R;

    /// x in every lane.
    fn splat(self, x: f32) -> Self::V;
    /// a·b + c, with one rounding where the instruction set has it, else with two.
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
    fn at_most(self, x: Self::V, limit: f32) -> Self::V;
    /// `limit` where x < limit, else x; NaN stays NaN.
    fn at_least(self, x: Self::V, limit: f32) -> Self::V;
    /// x where x > m, else m; NaNs are passed over.
    fn larger(self, m: Self::V, x: Self::V) -> Self::V;
    /// |x|
    fn magnitude(self, x: Self::V) -> Self::V;
    /// |x| with the sign of `sign`.
    fn with_sign(self, x: Self::V, sign: Self::V) -> Self::V;
    /// a where the sign of x is −, else b.
    fn where_negative(self, x: Self::V, a: Self::V, b: Self::V) -> Self::V;
    /// 2ⁿ, for integers −126 ≤ n ≤ 127.
    fn power_of_two(self, n: Self::V) -> Self::V;
    /// The first `lanes` lanes; all of them if there are no more than `lanes`.
    fn mask(self, lanes: usize) -> Self::Mask;

    /// # Safety
    /// `from` points to `LANES` numbers.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// The lanes that do not count are those of `rest`.
    /// # Safety
    /// `from` points to as many numbers as `mask` counts.
    unsafe fn load_part(self, rest: Self::V, from: *const f32, mask: Self::Mask) -> Self::V;
    /// # Safety
    /// `to` points to `LANES` numbers.
    unsafe fn store(self, v: Self::V, to: *mut f32);
    /// # Safety
    /// `to` points to as many numbers as `mask` counts.
    unsafe fn store_part(self, v: Self::V, to: *mut f32, mask: Self::Mask);

    /// Runs over a matrix product in tiles of the size that this instruction set has registers for.
    fn tiles(self, product: super::matmul::Product);
}

/// Calls `f` with the places of `n` numbers, some lanes at a time.
#[inline(always)]
pub(super) fn each<S: Isa>(s: S, n: usize, mut f: impl FnMut(Place<S>)) {
    let whole = n - n % S::LANES;
    for at in (0..whole).step_by(S::LANES) {
        f(Place { s, at, lanes: S::LANES });
    }
    if whole < n {
        f(Place { s, at: whole, lanes: n - whole });
    }
}

/// A vector's place in a slice; at the end there may be fewer numbers than lanes.
#[derive(Clone, Copy)]
pub(super) struct Place<S> {
    s: S,
    at: usize,
    lanes: usize,
}

impl<S: Isa> Place<S> {
    /// The place from `at` on in a slice of `n` numbers, of which some are there.
    #[inline(always)]
    pub(super) fn new(s: S, at: usize, n: usize) -> Self {
        Self { s, at, lanes: S::LANES.min(n - at) }
    }

    /// What is there in x; zero in lanes that do not count.
    #[inline(always)]
    pub(super) fn get(self, x: &[f32]) -> S::V {
        self.get_or(x, self.s.splat(0.0))
    }

    /// What is there in x, and in lanes that do not count what is in `rest`.
    #[inline(always)]
    pub(super) fn get_or(self, x: &[f32], rest: S::V) -> S::V {
        let from = x[self.at..][..self.lanes].as_ptr();
        // SAFETY: so many numbers are there.
        unsafe {
            if self.lanes == S::LANES {
                self.s.load(from)
            } else {
                self.s.load_part(rest, from, self.s.mask(self.lanes))
            }
        }
    }

    /// Writes v there in y.
    #[inline(always)]
    pub(super) fn put(self, v: S::V, y: &mut [f32]) {
        let to = y[self.at..][..self.lanes].as_mut_ptr();
        // SAFETY: so many numbers are there.
        unsafe {
            if self.lanes == S::LANES { self.s.store(v, to) } else { self.s.store_part(v, to, self.s.mask(self.lanes)) }
        }
    }

    /// Adds v there in y.
    #[inline(always)]
    pub(super) fn add(self, v: S::V, y: &mut [f32]) {
        self.put(self.s.add(self.get(y), v), y);
    }
}
