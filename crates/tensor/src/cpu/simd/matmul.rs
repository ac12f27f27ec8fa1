//! Matrix products in tiles of y that fit into the registers.
//!
//! The plain algorithm is y\[i,j\] += a\[i,p\]·b\[p,j\] for all i, j, p. Departures from it:
//! 1. M rows and N vectors of y are kept in registers while p runs, so that each number of b that is loaded serves M
//!    times, and each of a N·LANES times. How many fit is the instruction set's affair.
//! 2. p runs over at most `DEPTH` at a time, so that the strip of b that a column of tiles needs stays in the L1 or L2 cache
//!    while the tiles go down the rows. Every element is still a sum in the order of p.
//! 3. A strip is copied together first where its numbers do not lie side by side, or lie so far apart that each row of it
//!    costs a page and falls into the same few sets of the cache.
//!
//! Source: K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), section 4; the
//! kernel as an outer product is theirs, the packing of a is left out, since a's rows are short here.

use core::mem::MaybeUninit;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};

use super::isa::Isa;
use crate::cpu::fast::matmul::matrices;
use crate::kernels::Form;
use crate::view::{View, ViewMut};

/// y = a·b, or y += a·b; the shapes fit.
pub(crate) struct Product<'a> {
    a: ArrayView2<'a, f32>,
    b: ArrayView2<'a, f32>,
    accumulate: bool,
    y: ArrayViewMut2<'a, f32>,
}

/// How many products are added up before y is touched.
const DEPTH: usize = 320;
/// The widest tile of any instruction set, in numbers.
const WIDEST: usize = 48;
/// From this distance between rows of b on, in numbers, a strip is copied together: half a page.
const FAR: usize = 512;
/// And if as many rows of a as this make up for it.
const WORTH: usize = 32;

pub(super) fn matmul<S: Isa>(s: S, form: Form, a: View<f32>, b: View<f32>, accumulate: bool, y: ViewMut<f32>) {
    let (a, b, mut y) = matrices(form, a, b, y);
    assert!(
        a.ncols() == b.nrows() && y.dim() == (a.nrows(), b.ncols()),
        "matmul: {:?} by {:?} into {:?}",
        a.dim(),
        b.dim(),
        y.dim()
    );
    if a.ncols() == 0 && !accumulate {
        y.fill(0.0);
    }
    // A row times a transposed matrix: rather the matrix times a column, whose tiles need nothing copied together.
    if y.nrows() == 1 && b.strides()[0] == 1 && y.ncols() > 1 {
        s.tiles(Product { a: b.reversed_axes(), b: a.reversed_axes(), accumulate, y: y.reversed_axes() });
    } else if y.ncols() <= 1 || y.strides()[1] == 1 {
        s.tiles(Product { a, b, accumulate, y });
    } else if y.strides()[0] == 1 {
        s.tiles(Product { a: b.reversed_axes(), b: a.reversed_axes(), accumulate, y: y.reversed_axes() });
    } else {
        let mut packed = Array2::zeros(y.dim());
        s.tiles(Product { a, b, accumulate: false, y: packed.view_mut() });
        y.zip_mut_with(&packed, |y, &sum| *y = if accumulate { *y + sum } else { sum });
    }
}

/// All tiles, of M rows and N vectors where there is room.
pub(super) fn tiles<S: Isa, const M: usize, const N: usize>(s: S, product: Product<'_>) {
    s.run(
        #[inline(always)]
        || strips::<S, M, N>(s, product),
    );
}

#[inline(always)]
fn strips<S: Isa, const M: usize, const N: usize>(s: S, Product { a, b, accumulate, mut y }: Product<'_>) {
    const { assert!(N * S::LANES <= WIDEST, "a strip has room for the tile") };
    let ((rows, inner), columns) = (a.dim(), b.ncols());
    let depth = inner.div_ceil(inner.div_ceil(DEPTH).max(1)).max(1);
    let (a_row, a_column) = (a.strides()[0], a.strides()[1]);
    let (b_row, b_column) = (b.strides()[0], b.strides()[1]);
    let y_row = y.strides()[0];
    let width = N * S::LANES;
    let pack = b_column != 1 && columns > 1 || b_row.unsigned_abs() >= FAR && rows >= WORTH;
    let mut strip = [MaybeUninit::<f32>::uninit(); DEPTH * WIDEST];
    for first in (0..inner).step_by(depth) {
        let depth = depth.min(inner - first);
        for left in (0..columns).step_by(width) {
            let width = width.min(columns - left);
            // SAFETY: `first` and `left` are inside b; what is copied is `depth` rows of `width` numbers of b from
            // there on, into as many of `strip`, which has room for DEPTH rows of the widest tile.
            let (b, b_row) = unsafe {
                let from = b.as_ptr().offset(first as isize * b_row + left as isize * b_column);
                if pack {
                    let to = strip.as_mut_ptr().cast::<f32>();
                    let copy = |p: usize, j: usize| {
                        *to.add(p * width + j) = *from.offset(p as isize * b_row + j as isize * b_column);
                    };
                    if b_column == 1 {
                        (0..depth).for_each(|p| (0..width).for_each(|j| copy(p, j)));
                    } else {
                        (0..width).for_each(|j| (0..depth).for_each(|p| copy(p, j)));
                    }
                    (to.cast_const(), width as isize)
                } else {
                    (from, b_row)
                }
            };
            let mut top = 0;
            while top < rows {
                // SAFETY: `top`, `first` and `left` are inside a and y.
                let (a, y) = unsafe {
                    let a = a.as_ptr().offset(top as isize * a_row + first as isize * a_column);
                    (a, y.as_mut_ptr().offset(top as isize * y_row).add(left))
                };
                let add = accumulate || first > 0;
                let at = Tile { depth, a, a_row, a_column, b, b_row, add, y, y_row, width };
                // SAFETY: as many rows as the tile has are left, and `width` columns, of which y's lie side by side, as do
                // b's or their copies.
                top += unsafe { widest::<S, M, N>(s, rows - top, at) };
            }
        }
    }
}

/// Where a tile's operands are.
#[derive(Clone, Copy)]
struct Tile {
    depth: usize,
    a: *const f32,
    a_row: isize,
    a_column: isize,
    b: *const f32,
    b_row: isize,
    add: bool,
    y: *mut f32,
    y_row: isize,
    width: usize,
}

/// Does a tile of 8, 4, 2 or 1 rows, whichever is the most that M and `rows` allow, and says how many.
///
/// # Safety
/// As for [`tile`], with `rows` rows.
#[inline(always)]
unsafe fn widest<S: Isa, const M: usize, const N: usize>(s: S, rows: usize, at: Tile) -> usize {
    // SAFETY: handed on; each has at most `rows` rows.
    unsafe {
        if M >= 8 && rows >= 8 {
            vectors::<S, 8, N>(s, at);
            8
        } else if M >= 4 && rows >= 4 {
            vectors::<S, 4, N>(s, at);
            4
        } else if M >= 2 && rows >= 2 {
            vectors::<S, 2, N>(s, at);
            2
        } else {
            vectors::<S, 1, N>(s, at);
            1
        }
    }
}

/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn vectors<S: Isa, const M: usize, const N: usize>(s: S, at: Tile) {
    let whole = at.width.is_multiple_of(S::LANES);
    // SAFETY: handed on.
    unsafe {
        match (at.width.div_ceil(S::LANES), whole) {
            (3, true) if N >= 3 => tile::<S, M, 3, true>(s, at),
            (3, false) if N >= 3 => tile::<S, M, 3, false>(s, at),
            (2, true) if N >= 2 => tile::<S, M, 2, true>(s, at),
            (2, false) if N >= 2 => tile::<S, M, 2, false>(s, at),
            (1, true) => tile::<S, M, 1, true>(s, at),
            (1, false) => tile::<S, M, 1, false>(s, at),
            _ => unreachable!("a tile of at most {N} vectors"),
        }
    }
}

/// y\[M,width\] = (or, if `add`, +=) a\[M,depth\]·b\[depth,width\], with the sums in registers.
///
/// # Safety
/// The operands are there: `a` with its strides; `depth` rows of b, `b_row` apart, and M rows of y, `y_row` apart, of
/// `width` numbers side by side. N vectors hold them; the last is full if `WHOLE`, and nobody else writes to y.
#[inline(always)]
unsafe fn tile<S: Isa, const M: usize, const N: usize, const WHOLE: bool>(s: S, at: Tile) {
    let Tile { depth, a, a_row, a_column, b, b_row, add, y, y_row, width } = at;
    let last = s.mask(width - (N - 1) * S::LANES);
    let mut sums = [[s.splat(0.0); N]; M];
    // SAFETY: the caller's promise: p < depth, i < M, and vector j < N starts inside `width`.
    unsafe {
        for p in 0..depth as isize {
            let b = b.offset(p * b_row);
            let mut row = [s.splat(0.0); N];
            for (j, x) in row.iter_mut().enumerate() {
                let b = b.add(j * S::LANES);
                *x = if WHOLE || j + 1 < N { s.load(b) } else { s.load_part(s.splat(0.0), b, last) };
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = s.splat(*a.offset(i as isize * a_row + p * a_column));
                for j in 0..N {
                    sums[j] = s.mul_add(a, row[j], sums[j]);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, &sum) in sums.iter().enumerate() {
                let y = y.offset(i as isize * y_row).add(j * S::LANES);
                match (WHOLE || j + 1 < N, add) {
                    (true, true) => s.store(s.add(s.load(y), sum), y),
                    (true, false) => s.store(sum, y),
                    (false, true) => s.store_part(s.add(s.load_part(s.splat(0.0), y, last), sum), y, last),
                    (false, false) => s.store_part(sum, y, last),
                }
            }
        }
    }
}
