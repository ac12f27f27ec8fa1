//! Matrix products in tiles of y that fit into the registers.
//!
//! The plain algorithm is y\[i,j\] += a\[i,p\]·b\[p,j\] for all i, j, p. This code departs from it in four ways:
//! 1. A tile of M rows and N vectors of y stays in registers while p runs. So each number loaded from b is used M
//!    times, and each number loaded from a is used N·LANES times. The instruction set determines M and N.
//! 2. p runs in blocks of at most `DEPTH`. So the strip of b for one column of tiles stays in the L1 or L2 cache while
//!    the tiles go down the rows. Every element is still a sum in the order of p.
//! 3. A strip is packed (copied to contiguous memory) in two cases: its numbers are not adjacent, or its rows are far apart. In
//!    the second case each row would cost a page, and all rows would fall into the same few sets of the cache.
//! 4. A single row of y has wider tiles. If the columns of b are contiguous, each element of the row is a dot product with
//!    sixteen partial sums instead.
//!
//! Source: K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), section 4. The kernel as an
//! outer product is from there. The packing of a is omitted, because the rows of a are short here.

use alloc::vec;
use core::mem::MaybeUninit;
use core::slice;

use super::isa::Isa;
use super::reduce::dot;
use crate::kernels::Form;
use crate::view::{View, ViewMut};

/// A matrix: the pointer to its first element, its extents, and the strides of rows and columns.
#[derive(Clone, Copy)]
struct Matrix<P> {
    ptr: P,
    rows: usize,
    columns: usize,
    row: isize,
    column: isize,
}

impl<P> Matrix<P> {
    fn new((ptr, shape, strides): (P, &[usize], &[isize])) -> Self {
        let ([rows, columns], [row, column]) = (shape, strides) else { panic!("matmul: {shape:?} is not a matrix") };
        Self { ptr, rows: *rows, columns: *columns, row: *row, column: *column }
    }

    fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }
}

/// The product y = a·b, or y += a·b. The shapes fit, no other code writes to y meanwhile, and no code writes to a or b.
///
/// The SAFETY notes of this file rely on two checks in [`matmul`], which makes all products. Both run in release
/// builds, too. [`View::raw_parts`] asserts that all elements of a matrix are inside its buffer, so that offsets of
/// elements fit into `isize`. An assertion compares the shapes.
pub(crate) struct Product {
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    accumulate: bool,
    y: Matrix<*mut f32>,
}

/// The extent of a block along K. Each block is one sum in registers, and the block sums are added to y in turn.
const DEPTH: usize = 320;
/// The width of the widest tile of any instruction set, in numbers.
const WIDEST: usize = 48;
/// The row stride of b, in numbers, from which a strip is packed: half a page.
const FAR_STRIDE: usize = 512;
/// The number of rows of a from which this packing pays off.
const MIN_ROWS_TO_PACK: usize = 32;

pub(super) fn matmul<S: Isa>(s: S, form: Form, a: View<f32>, b: View<f32>, accumulate: bool, mut y: ViewMut<f32>) {
    let (mut a, mut b, to) = (Matrix::new(a.raw_parts()), Matrix::new(b.raw_parts()), Matrix::new(y.raw_parts()));
    match form {
        Form::NN => {}
        Form::NT => b = b.transposed(),
        Form::TN => a = a.transposed(),
    }
    let [left, right, made] = [(a.rows, a.columns), (b.rows, b.columns), (to.rows, to.columns)];
    assert!(left.1 == right.0 && made == (left.0, right.1), "matmul: {left:?} by {right:?} into {made:?}");
    let product = Product { a, b, accumulate, y: to };
    if y.shape().size() == 0 {
        // An empty y has nothing to compute.
    } else if a.columns == 0 {
        if !accumulate {
            y.fill(0.0);
        }
    } else if to.column == 1 || to.columns <= 1 {
        compute_rows(s, product);
    } else if to.row == 1 || to.rows <= 1 {
        compute_rows(s, Product { a: b.transposed(), b: a.transposed(), accumulate, y: to.transposed() });
    } else {
        let mut packed = vec![0.0; y.shape().size()];
        let there = Matrix { ptr: packed.as_mut_ptr(), row: to.columns as isize, column: 1, ..to };
        compute_rows(s, Product { accumulate: false, y: there, ..product });
        let sums = View::new(&packed, y.shape());
        y.shape().indices().for_each(|i| {
            let before = if accumulate { y.get(&i) } else { 0.0 };
            y.set(&i, before + sums.get(&i));
        });
    }
}

/// Computes a product whose y has contiguous rows.
fn compute_rows<S: Isa>(s: S, product: Product) {
    let Product { a, b, y, .. } = &product;
    if y.rows == 1 && y.columns > 1 && b.column == 1 {
        single_row(s, product);
    } else if y.rows == 1 && y.columns > 1 && b.row == 1 && a.column == 1 {
        dots(s, product);
    } else {
        s.matmul_tiles(product);
    }
}

/// Computes a single row of y from contiguous rows of b. No loaded number is used twice, so the tiles are as wide as
/// the registers allow.
fn single_row<S: Isa>(s: S, Product { a, b, accumulate, y }: Product) {
    let vectors = b.columns.div_ceil(S::LANES);
    let width = vectors.div_ceil(vectors.div_ceil(S::ACCUMULATORS)) * S::LANES;
    s.run(
        #[inline(always)]
        || {
            for left in (0..b.columns).step_by(width) {
                let width = width.min(b.columns - left);
                for first in (0..a.columns).step_by(DEPTH) {
                    let depth = DEPTH.min(a.columns - first);
                    // SAFETY: `first` and `left` are positions inside a, b and y.
                    let (a_at, b_at, y_at) = unsafe {
                        let b_at = b.ptr.offset(first as isize * b.row).add(left);
                        (a.ptr.offset(first as isize * a.column), b_at, y.ptr.add(left))
                    };
                    let operands = Tile {
                        depth,
                        a: a_at,
                        a_row: a.row,
                        a_column: a.column,
                        b: b_at,
                        b_row: b.row,
                        add: accumulate || first > 0,
                        y: y_at,
                        y_row: y.row,
                        width,
                    };
                    macro_rules! tile_of {
                        ($($n:literal)*) => {
                            const { assert!(S::ACCUMULATORS <= [$($n),*].len(), "the widest tile has an arm below") };
                            match (width.div_ceil(S::LANES), width.is_multiple_of(S::LANES)) {
                                // SAFETY: each row of b and of y has `width` adjacent numbers from `left` on.
                                $(($n, true) if $n <= S::ACCUMULATORS => unsafe { tile::<S, 1, $n, true>(s, operands) },
                                  ($n, false) if $n <= S::ACCUMULATORS => unsafe { tile::<S, 1, $n, false>(s, operands) },)*
                                _ => unreachable!("a tile of at most {} vectors", S::ACCUMULATORS),
                            }
                        };
                    }
                    tile_of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18);
                }
            }
        },
    );
}

/// Computes a single row of y as dot products with contiguous columns of b.
fn dots<S: Isa>(s: S, Product { a, b, accumulate, y }: Product) {
    // SAFETY: `compute_rows` has checked that a has a column stride of 1, and y always has. No other code writes to y.
    let (a, y) = unsafe { (slice::from_raw_parts(a.ptr, a.columns), slice::from_raw_parts_mut(y.ptr, y.columns)) };
    s.run(
        #[inline(always)]
        || {
            for (j, y) in y.iter_mut().enumerate() {
                // SAFETY: the slice is a column of b, whose numbers are adjacent.
                let column = unsafe { slice::from_raw_parts(b.ptr.offset(j as isize * b.column), b.rows) };
                let sum = dot(s, a, column);
                *y = if accumulate { *y + sum } else { sum };
            }
        },
    );
}

/// Computes a product in tiles of M rows and N vectors, and in smaller tiles at the edges.
pub(super) fn matmul_tiles<S: Isa, const M: usize, const N: usize>(s: S, product: Product) {
    s.run(
        #[inline(always)]
        || strips::<S, M, N>(s, product),
    );
}

#[inline(always)]
fn strips<S: Isa, const M: usize, const N: usize>(s: S, Product { a, b, accumulate, y }: Product) {
    const { assert!(N * S::LANES <= WIDEST, "a strip has room for the tile") };
    let (rows, inner, columns) = (a.rows, a.columns, b.columns);
    let depth = inner.div_ceil(inner.div_ceil(DEPTH).max(1)).max(1);
    let (a_row, a_column) = (a.row, a.column);
    let (b_row, b_column) = (b.row, b.column);
    let y_row = y.row;
    let width = N * S::LANES;
    let pack = b_column != 1 && columns > 1 || b_row.unsigned_abs() >= FAR_STRIDE && rows >= MIN_ROWS_TO_PACK;
    let mut strip = [MaybeUninit::<f32>::uninit(); DEPTH * WIDEST];
    for first in (0..inner).step_by(depth) {
        let depth = depth.min(inner - first);
        for left in (0..columns).step_by(width) {
            let width = width.min(columns - left);
            // SAFETY: `first` and `left` are positions inside b. The loop copies `depth` rows of `width` numbers of b
            // from there to `strip`, which has room for DEPTH rows of the widest tile.
            let (b, b_row) = unsafe {
                let from = b.ptr.offset(first as isize * b_row + left as isize * b_column);
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
                // SAFETY: `top`, `first` and `left` are positions inside a and y.
                let (a, y) = unsafe {
                    let a = a.ptr.offset(top as isize * a_row + first as isize * a_column);
                    (a, y.ptr.offset(top as isize * y_row).add(left))
                };
                let add = accumulate || first > 0;
                let operands = Tile { depth, a, a_row, a_column, b, b_row, add, y, y_row, width };
                // SAFETY: `rows - top` rows and `width` columns are left. The numbers in a row of y are adjacent, and so are
                // those in a row of b or of its packed copy.
                top += unsafe { run_tallest_tile::<S, M, N>(s, rows - top, operands) };
            }
        }
    }
}

/// The operands of one tile.
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

/// Computes a tile of 8, 4, 2 or 1 rows: the largest number that M and `rows` allow. Returns that number.
///
/// # Safety
/// As for [`tile`], with `rows` rows.
#[inline(always)]
unsafe fn run_tallest_tile<S: Isa, const M: usize, const N: usize>(s: S, rows: usize, operands: Tile) -> usize {
    // SAFETY: the caller's promise; each tile has at most `rows` rows.
    unsafe {
        if M >= 8 && rows >= 8 {
            run_tile::<S, 8, N>(s, operands);
            8
        } else if M >= 4 && rows >= 4 {
            run_tile::<S, 4, N>(s, operands);
            4
        } else if M >= 2 && rows >= 2 {
            run_tile::<S, 2, N>(s, operands);
            2
        } else {
            run_tile::<S, 1, N>(s, operands);
            1
        }
    }
}

/// Computes a tile of M rows and as many vectors as `operands.width` needs.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn run_tile<S: Isa, const M: usize, const N: usize>(s: S, operands: Tile) {
    let whole = operands.width.is_multiple_of(S::LANES);
    // SAFETY: the caller's promise.
    unsafe {
        match (operands.width.div_ceil(S::LANES), whole) {
            (3, true) if N >= 3 => tile::<S, M, 3, true>(s, operands),
            (3, false) if N >= 3 => tile::<S, M, 3, false>(s, operands),
            (2, true) if N >= 2 => tile::<S, M, 2, true>(s, operands),
            (2, false) if N >= 2 => tile::<S, M, 2, false>(s, operands),
            (1, true) => tile::<S, M, 1, true>(s, operands),
            (1, false) => tile::<S, M, 1, false>(s, operands),
            _ => unreachable!("a tile of at most {N} vectors"),
        }
    }
}

/// y\[M,width\] = a\[M,depth\]·b\[depth,width\], or += if `add`, with the sums in registers.
///
/// # Safety
/// All elements of the operands are valid: those of a by its strides, `depth` rows of b with stride `b_row`, and M rows
/// of y with stride `y_row`. A row of b or y has `width` adjacent numbers, which need N vectors; the last vector is
/// full if `WHOLE`. No other code writes to y.
#[inline(always)]
unsafe fn tile<S: Isa, const M: usize, const N: usize, const WHOLE: bool>(s: S, operands: Tile) {
    let Tile { depth, a, a_row, a_column, b, b_row, add, y, y_row, width } = operands;
    let last = s.mask(width - (N - 1) * S::LANES);
    let mut sums = [[s.splat(0.0); N]; M];
    // SAFETY: the caller's promise: p < depth, i < M, and vector j < N starts inside `width`.
    unsafe {
        for p in 0..depth as isize {
            let b = b.offset(p * b_row);
            let mut row = [s.splat(0.0); N];
            for (j, x) in row.iter_mut().enumerate() {
                let b = b.add(j * S::LANES);
                *x = if WHOLE || j + 1 < N { s.load(b) } else { s.load_masked(s.splat(0.0), b, last) };
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
                    (false, true) => s.store_masked(s.add(s.load_masked(s.splat(0.0), y, last), sum), y, last),
                    (false, false) => s.store_masked(sum, y, last),
                }
            }
        }
    }
}
