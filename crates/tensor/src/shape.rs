//! Shapes, and layouts of up to four axes in a flat buffer.
//!
//! **The invariant on which `unsafe` code relies.** A [`Shape`] has at most `isize::MAX` elements. The constructor computes the
//! product of the extents once, in checked arithmetic. A shape with an extent of 0 has no elements, and its other extents
//! have no limit. All strides of a [`Layout`] come from shapes. They are products of extents, so they fit into `isize`, too.
//! [`Layout::assert_inside`] checks, in release builds as well, that every element is inside the buffer.

use core::fmt;
use core::ops::{Deref, Range};

/// The maximum number of axes of a tensor.
pub const MAX_RANK: usize = 4;

/// The extents of up to four axes, outermost first. They are stored inline, so a shape never allocates.
///
/// The number of elements fits into `isize`. If an extent is 0, there are no elements, and the other extents have no limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    rank: usize,
    size: usize,
}

impl Shape {
    /// Makes the shape with these extents.
    ///
    /// # Panics
    /// If there are more than four axes, or more than `isize::MAX` elements.
    #[track_caller]
    pub fn new(extents: &[usize]) -> Self {
        assert!(extents.len() <= MAX_RANK, "a tensor has at most {MAX_RANK} axes, not {}: {extents:?}", extents.len());
        let Some(size) = Self::checked_size(extents) else {
            panic!("a shape has at most {} elements, and {extents:?} would have more", isize::MAX)
        };
        let mut dims = [0; MAX_RANK];
        dims[..extents.len()].copy_from_slice(extents);
        Self { dims, rank: extents.len(), size }
    }

    /// The number of elements of a shape with these extents; `None` if it exceeds `isize::MAX`.
    pub fn checked_size(extents: &[usize]) -> Option<usize> {
        if extents.contains(&0) {
            return Some(0);
        }
        let size = extents.iter().try_fold(1_usize, |size, &n| size.checked_mul(n))?;
        isize::try_from(size).is_ok().then_some(size)
    }

    /// Asserts that a buffer can hold the elements.
    ///
    /// # Panics
    /// If elements of type `T` take more than `isize::MAX` bytes. No buffer can be larger.
    #[track_caller]
    pub(crate) fn assert_fits<T>(&self) {
        let most = isize::MAX as usize / size_of::<T>().max(1);
        assert!(
            self.size <= most,
            "a tensor has at most {most} elements of {} bytes, and {self} has more",
            size_of::<T>()
        );
    }

    /// Asserts that the shape has `given` elements.
    ///
    /// # Panics
    /// If the shape does not have `given` elements.
    #[track_caller]
    pub(crate) fn assert_size(&self, given: usize) {
        assert!(self.size == given, "shape {self} has {} elements, but {given} were given", self.size);
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of elements; 1 for the shape without axes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The extent of the innermost axis; 1 for the shape without axes.
    pub fn last_extent(&self) -> usize {
        self.last().copied().unwrap_or(1)
    }

    /// Removes `axis`.
    ///
    /// # Panics
    /// If the axis does not exist, or the new shape has more than `isize::MAX` elements.
    #[track_caller]
    pub fn without_axis(self, axis: usize) -> Self {
        assert!(axis < self.rank, "{self} has no axis {axis}");
        Self::new(&remove_entry(self.dims, axis)[..self.rank - 1])
    }

    /// Replaces the extent of `axis` with `extent`.
    ///
    /// # Panics
    /// If the axis does not exist, or the new shape has more than `isize::MAX` elements.
    #[track_caller]
    pub fn with_extent(self, axis: usize, extent: usize) -> Self {
        assert!(axis < self.rank, "{self} has no axis {axis}");
        let mut dims = self.dims;
        dims[axis] = extent;
        Self::new(&dims[..self.rank])
    }

    /// The common shape of two operands by NumPy's rule; `None` if they do not broadcast. The rule aligns the shapes at their
    /// last axis. Two extents fit if they are equal or one of them is 1.
    ///
    /// Source: NumPy manual, "Broadcasting", section "General broadcasting rules".
    ///
    /// # Panics
    /// If the common shape has more than `isize::MAX` elements.
    #[track_caller]
    pub fn broadcast(&self, other: &Self) -> Option<Self> {
        let (long, short) = if self.rank >= other.rank { (self, other) } else { (other, self) };
        let mut dims = long.dims;
        let lead = long.rank - short.rank;
        for (axis, &extent) in short.iter().enumerate() {
            let here = &mut dims[lead + axis];
            match (*here, extent) {
                (a, b) if a == b => {}
                (1, b) => *here = b,
                (_, 1) => {}
                _ => return None,
            }
        }
        Some(Self::new(&dims[..long.rank]))
    }
}

/// Removes the entry at `axis`; the entries after it move up by one.
fn remove_entry<N: Copy + Default>(entries: [N; MAX_RANK], axis: usize) -> [N; MAX_RANK] {
    core::array::from_fn(|k| if k < axis { entries[k] } else { entries.get(k + 1).copied().unwrap_or_default() })
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.dims[..self.rank]
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    /// Panics like [`Shape::new`].
    #[track_caller]
    fn from(extents: [usize; N]) -> Self {
        Self::new(&extents)
    }
}

impl From<&[usize]> for Shape {
    /// Panics like [`Shape::new`].
    #[track_caller]
    fn from(extents: &[usize]) -> Self {
        Self::new(extents)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The positions of a view's elements in the buffer: element `[i, j, …]` is at `offset + i·strides[0] + j·strides[1] + …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) strides: [isize; MAX_RANK],
    pub(crate) offset: usize,
}

impl Layout {
    /// Makes the row-major layout without gaps that starts at `offset`. If there are no elements, all strides are 0.
    pub(crate) fn contiguous(shape: Shape, offset: usize) -> Self {
        let mut strides = [0; MAX_RANK];
        if shape.size > 0 {
            let mut stride = 1;
            for axis in (0..shape.rank).rev() {
                strides[axis] = stride as isize;
                stride *= shape[axis];
            }
        }
        Self { shape, strides, offset }
    }

    /// # Panics
    /// If an element is outside a buffer of length `len`. It panics in release builds, too, because `unsafe` code relies on it.
    pub(crate) fn assert_inside(&self, len: usize) {
        let inside = self.shape.size == 0 || self.bounds().is_some_and(|(_, high)| high < len);
        assert!(inside, "layouts stay inside their buffer");
    }

    /// The lowest and the highest position of an element in the buffer. `None` if a position is negative or does not fit into
    /// `usize`, which means that the layout is invalid. The shape must not be empty.
    fn bounds(&self) -> Option<(usize, usize)> {
        let (mut low, mut high) = (isize::try_from(self.offset).ok()?, isize::try_from(self.offset).ok()?);
        for (&n, &stride) in self.shape.iter().zip(&self.strides) {
            let reach = stride.checked_mul(isize::try_from(n).ok()? - 1)?;
            let end = if reach < 0 { &mut low } else { &mut high };
            *end = end.checked_add(reach)?;
        }
        Some((usize::try_from(low).ok()?, usize::try_from(high).ok()?))
    }

    /// The range of the buffer from the lowest to the highest element, and this layout relative to that range.
    #[cfg(feature = "cuda")]
    pub(crate) fn span(&self) -> (Range<usize>, Self) {
        if self.shape.size == 0 {
            return (0..0, Self { offset: 0, ..*self });
        }
        let (low, high) = self.bounds().expect("layouts stay inside their buffer");
        (low..high + 1, Self { offset: self.offset - low, ..*self })
    }

    /// The stride from one row to the next, for rows along the last axis. It is 0 if all rows are the same row, and the row's
    /// length if there is one row. `None` if a row has gaps, the strides between rows differ, or there are no elements.
    pub(crate) fn row_stride(&self) -> Option<usize> {
        if self.shape.size == 0 {
            return None;
        }
        let width = self.shape.last_extent();
        let outer = self.shape.rank.saturating_sub(1);
        let (mut distance, mut count) = (None, 1);
        for axis in (0..outer).rev().filter(|&axis| self.shape[axis] != 1) {
            let first = *distance.get_or_insert(self.strides[axis]);
            if Some(self.strides[axis]) != first.checked_mul(count) {
                return None;
            }
            count *= self.shape[axis] as isize;
        }
        let side_by_side = width == 1 || self.strides[outer] == 1;
        usize::try_from(distance.unwrap_or(width as isize)).ok().filter(|_| side_by_side)
    }

    /// True if the elements are in row-major order without gaps, so that they are one slice of the buffer.
    pub(crate) fn is_contiguous(&self) -> bool {
        let packed = Self::contiguous(self.shape, self.offset);
        (0..self.shape.rank).all(|a| self.shape[a] == 1 || self.strides[a] == packed.strides[a])
            || self.shape.size() == 0
    }

    /// The position in the buffer of the element at `index`.
    pub(crate) fn position(&self, index: &[usize]) -> usize {
        let step: isize = index.iter().zip(&self.strides).map(|(&i, &s)| i as isize * s).sum();
        (self.offset as isize + step) as usize
    }

    #[track_caller]
    pub(crate) fn permute(&self, axes: &[usize]) -> Self {
        let rank = self.shape.rank;
        let (mut dims, mut strides) = (self.shape.dims, self.strides);
        let mut seen = [false; MAX_RANK];
        assert!(axes.len() == rank, "permute of {} with {} axes: {axes:?}", self.shape, axes.len());
        for (to, &from) in axes.iter().enumerate() {
            assert!(from < rank && !seen[from], "permute of {}: {axes:?} is not a permutation of its axes", self.shape);
            seen[from] = true;
            dims[to] = self.shape[from];
            strides[to] = self.strides[from];
        }
        Self { shape: Shape { dims, ..self.shape }, strides, offset: self.offset }
    }

    #[track_caller]
    pub(crate) fn slice(&self, axis: usize, range: Range<usize>) -> Self {
        self.assert_axis("slice", axis);
        assert!(
            range.start <= range.end && range.end <= self.shape[axis],
            "slice {range:?} is outside axis {axis} of {}",
            self.shape
        );
        let shape = self.shape.with_extent(axis, range.len());
        if shape.size == 0 {
            return Self::contiguous(shape, self.offset);
        }
        let before = range.start as isize * self.strides[axis];
        Self { shape, offset: (self.offset as isize + before) as usize, ..*self }
    }

    #[track_caller]
    pub(crate) fn select(&self, axis: usize, index: usize) -> Self {
        self.assert_axis("select", axis);
        assert!(index < self.shape[axis], "index {index} is outside axis {axis} of {}", self.shape);
        let (shape, strides) = (self.shape.without_axis(axis), remove_entry(self.strides, axis));
        let before = if shape.size > 0 { index as isize * self.strides[axis] } else { 0 };
        Self { shape, strides, offset: self.offset }.shifted(before)
    }

    /// The layouts of all entries of axis 0, as [`select`](Self::select) makes each, in less time.
    #[track_caller]
    pub(crate) fn entries(&self) -> impl Iterator<Item = Self> + use<> {
        self.assert_axis("entries", 0);
        let count = self.shape[0];
        let first = if count > 0 { self.select(0, 0) } else { *self };
        let stride = if self.shape.size > 0 { self.strides[0] } else { 0 };
        (0..count as isize).map(move |i| first.shifted(i * stride))
    }

    /// The layout whose elements lie `distance` further on in the buffer.
    fn shifted(&self, distance: isize) -> Self {
        Self { offset: (self.offset as isize + distance) as usize, ..*self }
    }

    #[track_caller]
    pub(crate) fn flip(&self, axis: usize) -> Self {
        self.assert_axis("flip", axis);
        let mut out = *self;
        if self.shape.size() > 0 {
            let last = (self.shape[axis] - 1) as isize * self.strides[axis];
            out.offset = (self.offset as isize + last) as usize;
        }
        out.strides[axis] = -self.strides[axis];
        out
    }

    /// Repeats axes of extent 1, and missing leading axes, with stride 0. The elements are of type `T`.
    #[track_caller]
    pub(crate) fn broadcast_to<T>(&self, shape: Shape) -> Self {
        shape.assert_fits::<T>();
        assert!(self.shape.broadcast(&shape) == Some(shape), "{} does not broadcast to {shape}", self.shape);
        if shape.size == 0 {
            return Self::contiguous(shape, self.offset);
        }
        let lead = shape.rank - self.shape.rank;
        let mut strides = [0; MAX_RANK];
        for axis in 0..self.shape.rank {
            if self.shape[axis] == shape[lead + axis] {
                strides[lead + axis] = self.strides[axis];
            }
        }
        Self { shape, strides, offset: self.offset }
    }

    /// The layout of the same elements in another shape; `None` if they must be copied first.
    #[track_caller]
    pub(crate) fn reshape(&self, shape: Shape) -> Option<Self> {
        assert!(
            self.shape.size() == shape.size(),
            "reshape from {} ({} elements) to {shape} ({} elements)",
            self.shape,
            self.shape.size(),
            shape.size()
        );
        self.is_contiguous().then(|| Self::contiguous(shape, self.offset))
    }

    #[track_caller]
    fn assert_axis(&self, operation: &str, axis: usize) {
        assert!(axis < self.shape.rank, "{operation}: {} has no axis {axis}", self.shape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A nonzero stride could lead out of the buffer.
    #[test]
    fn layout_without_elements_has_strides_of_zero() {
        let some = Layout::contiguous(Shape::new(&[3, 1, 2]), 0).flip(0);
        let empty = [some.slice(0, 1..1), some.slice(2, 2..2), some.broadcast_to::<f32>(Shape::new(&[3, 0, 2]))];
        for layout in empty {
            let others = [layout.flip(0), layout.flip(2), layout.permute(&[2, 0, 1]), layout.slice(1, 0..0)];
            assert!([layout].into_iter().chain(others).all(|layout| layout.strides == [0; MAX_RANK]), "{layout:?}");
        }
    }

    #[test]
    fn broadcast_of_two_shapes_follows_numpy() {
        let broadcast = |a: &[usize], b: &[usize]| Shape::new(a).broadcast(&Shape::new(b));
        assert_eq!(broadcast(&[4, 5], &[5]), Some(Shape::new(&[4, 5])));
        assert_eq!(broadcast(&[4, 1], &[1, 5]), Some(Shape::new(&[4, 5])));
        assert_eq!(broadcast(&[], &[2, 3]), Some(Shape::new(&[2, 3])));
        assert_eq!(broadcast(&[0, 3], &[1, 3]), Some(Shape::new(&[0, 3])));
        assert_eq!(broadcast(&[4, 5], &[4]), None);
    }

    #[test]
    fn layout_views_change_only_offset_and_strides() {
        let l = Layout::contiguous(Shape::new(&[2, 3, 4]), 5);
        assert_eq!(l.select(1, 2).position(&[1, 3]), l.position(&[1, 2, 3]));
        assert_eq!(l.permute(&[2, 0, 1]).position(&[3, 1, 2]), l.position(&[1, 2, 3]));
        assert_eq!(l.flip(2).position(&[1, 2, 0]), l.position(&[1, 2, 3]));
        assert_eq!(l.slice(0, 1..2).position(&[0, 2, 3]), l.position(&[1, 2, 3]));
        assert!(l.slice(0, 1..2).is_contiguous() && !l.slice(2, 1..2).is_contiguous());
    }

    #[test]
    fn entries_are_what_select_makes() {
        let whole = Layout::contiguous(Shape::new(&[2, 3, 4]), 5);
        let empty = [&[0, 3][..], &[3, 0], &[1]].map(|dims| Layout::contiguous(Shape::new(dims), 5));
        for layout in [whole, whole.permute(&[2, 0, 1]), whole.flip(0), whole.slice(0, 1..2), whole.flip(1)]
            .into_iter()
            .chain(empty)
        {
            let parts = |layout: Layout| (layout.shape, layout.strides, layout.offset);
            let selected = (0..layout.shape[0]).map(|i| layout.select(0, i));
            assert!(layout.entries().map(parts).eq(selected.map(parts)));
        }
    }

    #[test]
    fn with_extent_and_without_axis_give_the_new_shape() {
        let s = Shape::new(&[2, 3, 4]);
        assert_eq!((s.with_extent(1, 7), s.without_axis(0)), (Shape::new(&[2, 7, 4]), Shape::new(&[3, 4])));
        assert_eq!((s.size(), s.last_extent(), Shape::new(&[]).last_extent()), (24, 4, 1));
    }

    #[test]
    #[should_panic(expected = "[2, 3] has no axis 2")]
    fn without_axis_missing_axis_panics() {
        Shape::new(&[2, 3]).without_axis(2);
    }

    #[test]
    #[should_panic(expected = "reshape from [2, 3] (6 elements) to [4] (4 elements)")]
    fn reshape_to_another_size_panics_with_both_shapes() {
        Layout::contiguous(Shape::new(&[2, 3]), 0).reshape(Shape::new(&[4]));
    }
}
