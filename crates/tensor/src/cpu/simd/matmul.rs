//! Matrix products in tiles of y that fit into the registers.
//!
//! The plain algorithm is y\[i,j\] += a\[i,p\]·b\[p,j\] for all i, j, p. Departures from it:
//! 1. M rows and N vectors of y are kept in registers while p runs, so that each number of b that is loaded serves M
//!    times, and each of a N·LANES times. How many fit is the instruction set's affair.
//! 2. p runs over at most `DEPTH` at a time, so that the strip of b that a column of tiles needs stays in the L1 or L2 cache
//!    while the tiles go down the rows. Every element is still a sum in the order of p.
//! 3. A strip is copied together first where its numbers do not lie side by side, or lie so far apart that each row of it
//!    costs a page and falls into the same few sets of the cache.
//! 4. A single row of y has tiles of its own; or where b's columns lie without gaps, it is dot products with them, each as sixteen
//!    sums side by side.
//!
//! Source: K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), section 4; the
//! kernel as an outer product is theirs, the packing of a is left out, since a's rows are short here.

use alloc::vec;
use core::mem::MaybeUninit;
use core::slice;

use super::isa::Isa;
use super::reduce::dot;
use crate::kernels::Form;
use crate::view::{View, ViewMut};

/// A matrix: where its first element is, and how far apart rows and columns are.
#[derive(Clone, Copy)]
struct Matrix<P> {
    at: P,
    rows: usize,
    columns: usize,
    row: isize,
    column: isize,
}

impl<P> Matrix<P> {
    fn new((at, shape, strides): (P, &[usize], &[isize])) -> Self {
        let ([rows, columns], [row, column]) = (shape, strides) else { panic!("matmul: {shape:?} is no matrix") };
        Self { at, rows: *rows, columns: *columns, row: *row, column: *column }
    }

    fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row: self.column, column: self.row, ..self }
    }
}

/// y = a·b, or y += a·b. The shapes fit; nobody else writes to y meanwhile, and nobody to a or b.
///
/// The SAFETY notes of this file rely on two checks of [`matmul`], which makes all products and runs in release builds, too:
/// [`View::parts`] asserts that all elements of a matrix lie inside its buffer, so that offsets of elements fit into `isize`;
/// and an assertion compares the shapes.
pub(crate) struct Product {
    a: Matrix<*const f32>,
    b: Matrix<*const f32>,
    accumulate: bool,
    y: Matrix<*mut f32>,
}

/// How many products are added up before y is touched. The block sums are added to y in turn.
const DEPTH: usize = 320;
/// The widest tile of any instruction set, in numbers.
const WIDEST: usize = 48;
/// From this distance between rows of b on, in numbers, a strip is copied together: half a page.
const FAR: usize = 512;
/// And if as many rows of a as this make up for it.
const WORTH: usize = 32;

pub(super) fn matmul<S: Isa>(s: S, form: Form, a: View<f32>, b: View<f32>, accumulate: bool, mut y: ViewMut<f32>) {
    let (mut a, mut b, to) = (Matrix::new(a.parts()), Matrix::new(b.parts()), Matrix::new(y.parts()));
    match form {
        Form::NN => {}
        Form::NT => b = b.transposed(),
        Form::TN => a = a.transposed(),
    }
    let [left, right, made] = [(a.rows, a.columns), (b.rows, b.columns), (to.rows, to.columns)];
    assert!(left.1 == right.0 && made == (left.0, right.1), "matmul: {left:?} by {right:?} into {made:?}");
    let product = Product { a, b, accumulate, y: to };
    if y.shape().size() == 0 {
        // Nothing to compute, however long the sums are.
    } else if a.columns == 0 {
        if !accumulate {
            y.fill(0.0);
        }
    } else if to.column == 1 || to.columns <= 1 {
        rows(s, product);
    } else if to.row == 1 || to.rows <= 1 {
        rows(s, Product { a: b.transposed(), b: a.transposed(), accumulate, y: to.transposed() });
    } else {
        let mut packed = vec![0.0; y.shape().size()];
        let there = Matrix { at: packed.as_mut_ptr(), row: to.columns as isize, column: 1, ..to };
        rows(s, Product { accumulate: false, y: there, ..product });
        let sums = View::new(&packed, y.shape());
        y.shape().indices().for_each(|i| {
            let before = if accumulate { y.at(&i) } else { 0.0 };
            y.set(&i, before + sums.at(&i));
        });
    }
}

/// The product, of which y's rows lie without gaps.
fn rows<S: Isa>(s: S, product: Product) {
    let Product { a, b, y, .. } = &product;
    if y.rows == 1 && y.columns > 1 && b.column == 1 {
        row(s, product);
    } else if y.rows == 1 && y.columns > 1 && b.row == 1 && a.column == 1 {
        dots(s, product);
    } else {
        s.tiles(product);
    }
}

/// A single row, from rows of b without gaps: nothing that is loaded serves twice, so that tiles are as wide as registers allow.
fn row<S: Isa>(s: S, Product { a, b, accumulate, y }: Product) {
    let vectors = b.columns.div_ceil(S::LANES);
    let width = vectors.div_ceil(vectors.div_ceil(S::SUMS)) * S::LANES;
    s.run(
        #[inline(always)]
        || {
            for left in (0..b.columns).step_by(width) {
                let width = width.min(b.columns - left);
                for first in (0..a.columns).step_by(DEPTH) {
                    let depth = DEPTH.min(a.columns - first);
                    // SAFETY: `first` and `left` are inside a, b and y.
                    let (a_at, b_at, y_at) = unsafe {
                        let b_at = b.at.offset(first as isize * b.row).add(left);
                        (a.at.offset(first as isize * a.column), b_at, y.at.add(left))
                    };
                    let at = Tile {
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
                            const { assert!(S::SUMS <= [$($n),*].len(), "the widest has a tile") };
                            match (width.div_ceil(S::LANES), width.is_multiple_of(S::LANES)) {
                                // SAFETY: `width` numbers of each row of b and of y are there, side by side, from `left` on.
                                $(($n, true) if $n <= S::SUMS => unsafe { tile::<S, 1, $n, true>(s, at) },
                                  ($n, false) if $n <= S::SUMS => unsafe { tile::<S, 1, $n, false>(s, at) },)*
                                _ => unreachable!("a tile of at most {} vectors", S::SUMS),
                            }
                        };
                    }
                    tile_of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18);
                }
            }
        },
    );
}

/// A single row, from columns of b without gaps.
fn dots<S: Isa>(s: S, Product { a, b, accumulate, y }: Product) {
    // SAFETY: `rows` has seen that a has a column stride of 1, and y always has; nobody else writes to y.
    let (a, y) = unsafe { (slice::from_raw_parts(a.at, a.columns), slice::from_raw_parts_mut(y.at, y.columns)) };
    s.run(
        #[inline(always)]
        || {
            for (j, y) in y.iter_mut().enumerate() {
                // SAFETY: a column of b, whose numbers lie side by side.
                let column = unsafe { slice::from_raw_parts(b.at.offset(j as isize * b.column), b.rows) };
                let sum = dot(s, a, column);
                *y = if accumulate { *y + sum } else { sum };
            }
        },
    );
}

/// All tiles, of M rows and N vectors where there is room.
pub(super) fn tiles<S: Isa, const M: usize, const N: usize>(s: S, product: Product) {
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
    let pack = b_column != 1 && columns > 1 || b_row.unsigned_abs() >= FAR && rows >= WORTH;
    let mut strip = [MaybeUninit::<f32>::uninit(); DEPTH * WIDEST];
    for first in (0..inner).step_by(depth) {
        let depth = depth.min(inner - first);
        for left in (0..columns).step_by(width) {
            let width = width.min(columns - left);
            // SAFETY: `first` and `left` are inside b; what is copied is `depth` rows of `width` numbers of b from
            // there on, into as many of `strip`, which has room for DEPTH rows of the widest tile.
            let (b, b_row) = unsafe {
                let from = b.at.offset(first as isize * b_row + left as isize * b_column);
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
                    let a = a.at.offset(top as isize * a_row + first as isize * a_column);
                    (a, y.at.offset(top as isize * y_row).add(left))
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
