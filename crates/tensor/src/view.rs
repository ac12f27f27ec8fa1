//! Borrowed tensors: what kernels read and write.
//!
//! A [`View`] is a buffer somewhere, on the host or on a GPU, with a layout. Kernels for the host turn it into an
//! `ndarray` view with [`View::host`]; kernels for a GPU take its pointer.

use alloc::vec::Vec;
use core::ops::Range;

use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn, ShapeBuilder};

use crate::data::{Data, DataMut};
use crate::device::Device;
use crate::real::{Element, Real};
use crate::shape::{Layout, MAX_RANK, Shape};

/// A tensor that a kernel reads: any strides, zero and negative ones included.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    data: Data<'a, T>,
    layout: Layout,
}

/// A tensor that a kernel writes: no two of its elements are the same.
pub struct ViewMut<'a, T> {
    data: DataMut<'a, T>,
    layout: Layout,
}

impl<'a, T: Element> View<'a, T> {
    /// The elements of `data`, row-major.
    ///
    /// # Panics
    /// If `data` does not hold exactly the elements of `shape`.
    #[track_caller]
    pub fn new(data: &'a [T], shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        assert_eq!(data.len(), shape.size(), "a view of shape {shape} over {} elements", data.len());
        Self { data: Data::Host(data), layout: Layout::contiguous(shape, 0) }
    }

    pub(crate) fn over(data: Data<'a, T>, layout: Layout) -> Self {
        Self { data, layout }
    }

    /// Where its elements are, and how they lie there.
    #[cfg(feature = "cuda")]
    pub(crate) fn place(&self) -> (Data<'a, T>, &Layout) {
        (self.data, &self.layout)
    }

    /// Where its elements are.
    pub fn device(&self) -> Device {
        self.data.device()
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// As an `ndarray` view.
    ///
    /// # Panics
    /// If the elements lie on a GPU.
    #[track_caller]
    pub fn host(&self) -> ArrayViewD<'a, T> {
        let data = self.data.host();
        let (low, dims, strides) = host_layout(&self.layout);
        ArrayViewD::from_shape(dims.strides(strides), &data[low..]).expect("layouts stay inside their buffer")
    }

    /// The elements as one slice, where they lie on the host, row-major without gaps.
    pub fn as_slice(&self) -> Option<&'a [T]> {
        let data = self.data.slice()?;
        let Layout { shape, offset, .. } = self.layout;
        self.layout.is_contiguous().then(|| &data[offset..offset + shape.size()])
    }

    /// The elements in row-major order, copied to the host from wherever they lie.
    ///
    /// # Panics
    /// If they lie on a GPU that fails.
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        match self.data {
            Data::Host(_) => self.as_slice().map_or_else(|| self.host().iter().copied().collect(), <[T]>::to_vec),
            #[cfg(feature = "cuda")]
            Data::Gpu(_) => crate::cuda::to_vec(*self),
        }
    }

    /// The place of the first element, the extents and the strides, for kernels that look after themselves.
    ///
    /// # Panics
    /// If the layout leaves the buffer, or the elements lie on a GPU.
    #[track_caller]
    pub(crate) fn parts(&self) -> (*const T, &[usize], &[isize]) {
        let data = self.data.host();
        self.layout.assert_inside(data.len());
        (
            data.as_ptr().wrapping_add(self.layout.offset),
            &self.layout.shape,
            &self.layout.strides[..self.layout.shape.rank()],
        )
    }

    /// The element that all are, where none has a place of its own.
    pub(crate) fn one_repeated(&self) -> Option<T> {
        let Layout { shape, strides, .. } = &self.layout;
        let repeated = shape.iter().zip(strides).all(|(&n, &stride)| n == 1 || stride == 0);
        (repeated && shape.size() > 0).then(|| self.at(&[0; MAX_RANK][..shape.rank()]))
    }

    /// Where the rows along the last axis lie without gaps, equally far apart: the elements from the first row on, and the
    /// distance from one row to the next: zero where all are the same, and where there is one alone, its length.
    pub(crate) fn rows(&self) -> Option<(&'a [T], usize)> {
        let data = self.data.slice()?;
        self.layout.row_distance().map(|distance| (&data[self.layout.offset..], distance))
    }

    /// The numbers that the rows along the last axis repeat, from the first row's on, and the distance from one to the next.
    /// `None` if a row has different elements, or none.
    pub(crate) fn row_constants(&self) -> Option<(&'a [T], usize)> {
        let Layout { shape, strides, .. } = &self.layout;
        let last = shape.rank().checked_sub(1)?;
        (shape.size() > 0 && strides[last] == 0).then(|| self.slice(last, 0..1).rows())?
    }

    /// The element at `index`.
    ///
    /// # Panics
    /// If `index` lies outside the shape.
    #[track_caller]
    pub fn at(&self, index: &[usize]) -> T {
        assert_inside(index, &self.layout.shape);
        self.data.at(self.layout.position(index))
    }

    /// Under NumPy's rule, extents of 1 and missing leading axes repeated.
    ///
    /// # Panics
    /// If this shape does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(self, shape: impl Into<Shape>) -> Self {
        Self { layout: self.layout.broadcast_to::<T>(shape.into()), ..self }
    }
}

impl<'a, T: Element> ViewMut<'a, T> {
    /// The elements of `data`, row-major.
    ///
    /// # Panics
    /// If `data` does not hold exactly the elements of `shape`.
    #[track_caller]
    pub fn new(data: &'a mut [T], shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        assert_eq!(data.len(), shape.size(), "a view of shape {shape} over {} elements", data.len());
        Self { data: DataMut::Host(data), layout: Layout::contiguous(shape, 0) }
    }

    pub(crate) fn over(data: DataMut<'a, T>, layout: Layout) -> Self {
        Self { data, layout }
    }

    /// Where its elements are, and how they lie there.
    #[cfg(feature = "cuda")]
    pub(crate) fn into_place(self) -> (DataMut<'a, T>, Layout) {
        (self.data, self.layout)
    }

    /// Where its elements are.
    pub fn device(&self) -> Device {
        self.data.to_read().device()
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// The same view for a shorter time, to hand on and keep.
    pub fn reborrow(&mut self) -> ViewMut<'_, T> {
        ViewMut { data: self.data.reborrow(), layout: self.layout }
    }

    /// To read it.
    pub fn view(&self) -> View<'_, T> {
        View { data: self.data.to_read(), layout: self.layout }
    }

    /// As an `ndarray` view.
    ///
    /// # Panics
    /// If the elements lie on a GPU.
    #[track_caller]
    pub fn host(self) -> ArrayViewMutD<'a, T> {
        let data = self.data.host();
        let (low, dims, strides) = host_layout(&self.layout);
        ArrayViewMutD::from_shape(dims.strides(strides), &mut data[low..]).expect("layouts stay inside their buffer")
    }

    /// The elements as one slice, where they lie on the host, row-major without gaps.
    pub fn into_slice(self) -> Option<&'a mut [T]> {
        let data = self.data.into_slice()?;
        let Layout { shape, offset, .. } = self.layout;
        self.layout.is_contiguous().then(|| &mut data[offset..offset + shape.size()])
    }

    /// See [`View::parts`].
    ///
    /// # Panics
    /// If the layout leaves the buffer, or the elements lie on a GPU.
    #[track_caller]
    pub(crate) fn parts(&mut self) -> (*mut T, &[usize], &[isize]) {
        let data = self.data.reborrow().host();
        self.layout.assert_inside(data.len());
        (
            data.as_mut_ptr().wrapping_add(self.layout.offset),
            &self.layout.shape,
            &self.layout.strides[..self.layout.shape.rank()],
        )
    }

    /// See [`View::rows`].
    pub(crate) fn into_rows(self) -> Option<(&'a mut [T], usize)> {
        let data = self.data.into_slice()?;
        self.layout.row_distance().map(|distance| (&mut data[self.layout.offset..], distance))
    }

    /// Whether the elements lie row-major without gaps.
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// Writes the element at `index`.
    ///
    /// # Panics
    /// If `index` lies outside the shape.
    #[track_caller]
    pub fn set(&mut self, index: &[usize], value: T) {
        assert_inside(index, &self.layout.shape);
        self.data.set(self.layout.position(index), value);
    }

    /// The element at `index`.
    ///
    /// # Panics
    /// If `index` lies outside the shape.
    #[track_caller]
    pub fn at(&self, index: &[usize]) -> T {
        self.view().at(index)
    }

    /// Writes `value` everywhere.
    pub fn fill(self, value: T) {
        match self.data {
            #[cfg(feature = "cuda")]
            DataMut::Gpu(memory, _) => crate::cuda::fill(memory, &self.layout, value),
            DataMut::Host(_) => self.host().fill(value),
        }
    }

    /// Writes these elements, which are in row-major order, to wherever it lies.
    ///
    /// # Panics
    /// If there are more or fewer, or it lies on a GPU that fails.
    #[track_caller]
    pub fn assign(self, elements: &[T]) {
        let shape = self.layout.shape;
        assert_eq!(elements.len(), shape.size(), "assign {} elements to {shape}", elements.len());
        match self.data {
            #[cfg(feature = "cuda")]
            DataMut::Gpu(memory, _) => crate::cuda::assign(memory, &self.layout, elements),
            DataMut::Host(_) => self.host().iter_mut().zip(elements).for_each(|(to, &from)| *to = from),
        }
    }

    /// The entries before `index` of the outermost axis, and the others: two views that can be used at once.
    ///
    /// # Panics
    /// If the elements have gaps, or `index` lies outside the axis.
    #[track_caller]
    pub fn split_at(self, index: usize) -> (Self, Self) {
        let shape = self.layout.shape;
        assert!(!shape.is_empty() && index <= shape[0], "split_at {index} of {shape}");
        assert!(self.is_contiguous(), "split_at needs a view without gaps");
        let (head, tail) = (shape.with(0, index), shape.with(0, shape[0] - index));
        match self.data {
            #[cfg(feature = "cuda")]
            DataMut::Gpu(memory, alone) => {
                let offset = self.layout.offset;
                let of = |shape, offset| Self {
                    data: DataMut::Gpu(memory, alone),
                    layout: Layout::contiguous(shape, offset),
                };
                (of(head, offset), of(tail, offset + head.size()))
            }
            DataMut::Host(_) => {
                let (a, b) = self.into_slice().expect("it has no gaps").split_at_mut(head.size());
                (ViewMut::new(a, head), ViewMut::new(b, tail))
            }
        }
    }
}

impl<T: Real> ViewMut<'_, T> {
    /// Adds `value` to the element at `index`.
    ///
    /// # Panics
    /// If `index` lies outside the shape.
    #[track_caller]
    pub fn add_at(&mut self, index: &[usize], value: T) {
        self.set(index, self.at(index) + value);
    }
}

/// Methods that give another view of the same elements, for reading and for writing views.
macro_rules! turned {
    ($view:ident) => {
        impl<T: Element> $view<'_, T> {
            /// The same elements with other axes in other places: axis `k` of the result is axis `axes[k]` of this one.
            ///
            /// # Panics
            /// If `axes` is no permutation of the axes.
            #[track_caller]
            pub fn permute(self, axes: &[usize]) -> Self {
                Self { layout: self.layout.permute(axes), ..self }
            }

            /// The part of `axis` in `range`.
            ///
            /// # Panics
            /// If the range leaves the axis.
            #[track_caller]
            pub fn slice(self, axis: usize, range: Range<usize>) -> Self {
                Self { layout: self.layout.slice(axis, range), ..self }
            }

            /// The entry `index` of `axis`, which disappears.
            ///
            /// # Panics
            /// If there is no such entry.
            #[track_caller]
            pub fn select(self, axis: usize, index: usize) -> Self {
                Self { layout: self.layout.select(axis, index), ..self }
            }

            /// The order of `axis` reversed.
            ///
            /// # Panics
            /// If there is no such axis.
            #[track_caller]
            pub fn flip(self, axis: usize) -> Self {
                Self { layout: self.layout.flip(axis), ..self }
            }

            /// The same elements under another shape of the same size; `None` where they do not lie row-major without gaps.
            ///
            /// # Panics
            /// If the sizes differ.
            #[track_caller]
            pub fn reshape(self, shape: impl Into<Shape>) -> Option<Self> {
                Some(Self { layout: self.layout.reshape(shape.into())?, ..self })
            }
        }
    };
}

turned!(View);
turned!(ViewMut);

/// The lowest position that the layout touches, its extents, and its strides as `ndarray` takes them (negative ones
/// as two's complement). `ndarray` checks the strides of empty arrays, too, so they get none to check. It also wants the
/// product of their other extents to fit into `isize`: where it does not, all extents become 0.
fn host_layout(layout: &Layout) -> (usize, IxDyn, IxDyn) {
    let Layout { shape, strides, offset } = layout;
    let mut low = *offset as isize;
    let (mut dims, mut wrapped) = ([0; MAX_RANK], [0; MAX_RANK]);
    let dims = &mut dims[..shape.rank()];
    let fits = shape.iter().filter(|&&n| n > 0).try_fold(1_isize, |size, &n| size.checked_mul(n.try_into().ok()?));
    if fits.is_some() {
        dims.copy_from_slice(shape);
    }
    if shape.size() > 0 {
        for axis in 0..shape.rank() {
            low += strides[axis].min(0) * (shape[axis] as isize - 1);
            wrapped[axis] = strides[axis] as usize;
        }
    }
    (low as usize, IxDyn(dims), IxDyn(&wrapped[..shape.rank()]))
}

#[track_caller]
fn assert_inside(index: &[usize], shape: &Shape) {
    let inside = index.len() == shape.rank() && index.iter().zip(shape.iter()).all(|(i, n)| i < n);
    assert!(inside, "index {index:?} is outside {shape}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [2, 3, 4];

    fn numbers() -> Vec<f64> {
        (0..24).map(f64::from).collect()
    }

    /// Views in every kind of layout.
    fn views(data: &[f64]) -> [View<'_, f64>; 8] {
        let v = View::new(data, SHAPE);
        [
            v,
            v.permute(&[2, 0, 1]),
            v.slice(1, 1..3),
            v.select(1, 2),
            v.flip(0).flip(2),
            v.slice(2, 1..3).flip(2).permute(&[2, 1, 0]),
            v.slice(0, 1..2).broadcast_to([5, 3, 4]),
            v.select(0, 1).slice(0, 2..2),
        ]
    }

    #[test]
    fn ndarray_sees_the_elements_where_at_reads_them() {
        for v in views(&numbers()) {
            let host = v.host();
            assert_eq!(host.shape(), &v.shape()[..]);
            for i in v.shape().indices() {
                assert_eq!(host[&i[..]], v.at(&i), "{i:?} of {}", v.shape());
            }
        }
    }

    #[test]
    fn a_slice_is_there_exactly_where_order_and_gaps_allow() {
        let data = numbers();
        for v in views(&data) {
            let in_order: Vec<f64> = v.shape().indices().map(|i| v.at(&i)).collect();
            if let Some(slice) = v.as_slice() {
                assert_eq!(slice, in_order);
            }
        }
        let v = View::new(&data, SHAPE);
        assert_eq!(v.slice(0, 1..2).as_slice(), Some(&data[12..]));
        assert_eq!(v.select(0, 0).slice(0, 1..2).reshape([2, 2]).map(|v| v.at(&[1, 0])), Some(6.0));
        assert!([v.flip(0), v.permute(&[1, 0, 2]), v.slice(2, 0..3)].iter().all(|v| v.as_slice().is_none()));
        assert!(v.flip(1).reshape([24]).is_none());
    }

    #[test]
    fn rows_are_found_where_there_are_some() {
        let data = numbers();
        let mut found = 0;
        for v in views(&data).into_iter().filter(|v| v.shape().size() > 0) {
            let Some((from, distance)) = v.rows() else { continue };
            let width = v.shape().last_extent();
            let rows = (0..v.shape().size() / width).flat_map(|i| &from[i * distance..][..width]);
            assert!(rows.copied().eq(v.shape().indices().map(|i| v.at(&i))), "{}", v.shape());
            found += 1;
        }
        assert_eq!(found, 2);
        let v = View::new(&data, SHAPE);
        assert_eq!(v.select(0, 1).select(0, 2).broadcast_to([5, 4]).rows(), Some((&data[20..], 0)));
        assert_eq!(v.slice(2, 1..2).rows(), Some((&data[1..], 4)));
        assert!([v.flip(2), v.flip(0), v.slice(1, 0..2), v.permute(&[1, 0, 2])].iter().all(|v| v.rows().is_none()));
        assert_eq!(View::new(&data[..1], []).rows(), Some((&data[..1], 1)));
        let one = v.slice(0, 1..2).slice(1, 2..3).slice(2, 3..4);
        assert_eq!((one.broadcast_to([5, 3, 4]).one_repeated(), one.slice(0, 0..0).one_repeated()), (Some(23.0), None));
        assert!(v.slice(0, 1..2).broadcast_to([5, 3, 4]).one_repeated().is_none());
    }

    #[test]
    fn empty_views_reach_ndarray_in_any_layout() {
        for shape in [[0, 3, 4], [2, 0, 4], [2, 3, 0]] {
            let v = View::<f64>::new(&[], shape);
            for v in [v, v.flip(0).flip(1).flip(2), v.permute(&[2, 1, 0]), v.slice(0, shape[0]..shape[0])] {
                assert_eq!(v.host().len(), 0);
                assert_eq!(v.as_slice(), Some(&[][..]));
            }
        }
        assert_eq!(View::new(&numbers(), SHAPE).slice(0, 2..2).slice(1, 3..3).host().shape(), [0, 0, 4]);
    }

    #[test]
    fn writing_goes_where_reading_looks() {
        let mut data = numbers();
        let mut v = ViewMut::new(&mut data, SHAPE);
        v.reborrow().slice(1, 1..2).permute(&[2, 1, 0]).flip(0).set(&[0, 0, 1], -1.0);
        assert_eq!(v.at(&[1, 1, 3]), -1.0);
        v.add_at(&[1, 1, 3], 0.5);
        assert_eq!(v.view().select(0, 1).at(&[1, 3]), -0.5);
        v.reborrow().select(2, 0).flip(1).fill(9.0);
        let changed: Vec<usize> = (0..24).filter(|&i| data[i] != i as f64).collect();
        assert_eq!(changed, [0, 4, 8, 12, 16, 19, 20]);
    }

    #[test]
    fn split_at_shares_the_entries_out() {
        let mut data = numbers();
        let (mut head, mut tail) = ViewMut::new(&mut data, SHAPE).slice(0, 1..2).reshape([3, 4]).unwrap().split_at(1);
        assert_eq!((head.shape(), tail.shape()), (Shape::new(&[1, 4]), Shape::new(&[2, 4])));
        head.set(&[0, 0], -1.0);
        tail.set(&[1, 3], -2.0);
        assert_eq!((data[12], data[23]), (-1.0, -2.0));
        let (all, nothing) = ViewMut::new(&mut data, SHAPE).split_at(2);
        assert_eq!((all.shape().size(), nothing.shape().size()), (24, 0));
    }

    #[test]
    #[should_panic(expected = "split_at 3 of [2, 3, 4]")]
    fn split_at_stays_inside() {
        let _ = ViewMut::new(&mut numbers(), SHAPE).split_at(3);
    }

    #[test]
    #[should_panic(expected = "split_at needs a view without gaps")]
    fn split_at_refuses_gaps() {
        let _ = ViewMut::new(&mut numbers(), SHAPE).slice(2, 0..1).split_at(1);
    }

    #[test]
    #[should_panic(expected = "index [0, 3, 0] is outside [2, 3, 4]")]
    fn reading_stays_inside() {
        View::new(&numbers(), SHAPE).at(&[0, 3, 0]);
    }
}
