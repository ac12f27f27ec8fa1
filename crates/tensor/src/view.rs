//! Borrowed tensors, which kernels read and write.
//!
//! A [`View`] is a borrowed buffer, on the host or on a GPU, and a layout. Kernels of the host turn it into an `ndarray`
//! view with [`View::as_ndarray`]. Kernels of a GPU take its pointer.

use alloc::vec::Vec;
use core::ops::Range;

use ndarray::{ArrayViewD, ArrayViewMutD, IxDyn, ShapeBuilder};

use crate::data::{Data, DataMut};
use crate::device::Device;
use crate::real::{Element, Real};
use crate::shape::{Layout, MAX_RANK, Shape};

/// A tensor that a kernel reads. Strides may have any value, including zero and negative values.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    data: Data<'a, T>,
    layout: Layout,
}

/// A tensor that a kernel writes. Different indices name different places in the buffer.
pub struct ViewMut<'a, T> {
    data: DataMut<'a, T>,
    layout: Layout,
}

impl<'a, T: Element> View<'a, T> {
    /// Makes a view of the elements of `data`, in row-major order.
    ///
    /// # Panics
    /// If the length of `data` is not the size of `shape`.
    #[track_caller]
    pub fn new(data: &'a [T], shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        shape.assert_size(data.len());
        Self { data: Data::Host(data), layout: Layout::contiguous(shape, 0) }
    }

    pub(crate) fn from_layout(data: Data<'a, T>, layout: Layout) -> Self {
        Self { data, layout }
    }

    /// The buffer, and the layout of the elements in it.
    #[cfg(feature = "cuda")]
    pub(crate) fn data_and_layout(&self) -> (Data<'a, T>, &Layout) {
        (self.data, &self.layout)
    }

    /// The device that holds the elements.
    pub fn device(&self) -> Device {
        self.data.device()
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// Converts to an `ndarray` view.
    ///
    /// # Panics
    /// If the elements are on a GPU.
    #[track_caller]
    pub fn as_ndarray(&self) -> ArrayViewD<'a, T> {
        let data = self.data.expect_host();
        let (low, dims, strides) = ndarray_layout(&self.layout);
        ArrayViewD::from_shape(dims.strides(strides), &data[low..]).expect("layouts stay inside their buffer")
    }

    /// The elements as one slice, if they are on the host and contiguous.
    pub fn as_slice(&self) -> Option<&'a [T]> {
        let data = self.data.host_slice()?;
        let Layout { shape, offset, .. } = self.layout;
        self.layout.is_contiguous().then(|| &data[offset..offset + shape.size()])
    }

    /// Copies the elements to the host, in row-major order.
    ///
    /// # Panics
    /// If they are on a GPU that fails.
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        match self.data {
            Data::Host(_) => self.as_slice().map_or_else(|| self.as_ndarray().iter().copied().collect(), <[T]>::to_vec),
            #[cfg(feature = "cuda")]
            Data::Gpu(_) => crate::cuda::to_vec(*self),
        }
    }

    /// The pointer to the first element, the extents and the strides, for kernels that use raw pointers.
    ///
    /// # Panics
    /// If an element is outside the buffer, or the elements are on a GPU.
    #[track_caller]
    pub(crate) fn raw_parts(&self) -> (*const T, &[usize], &[isize]) {
        let data = self.data.expect_host();
        self.layout.assert_inside(data.len());
        (
            data.as_ptr().wrapping_add(self.layout.offset),
            &self.layout.shape,
            &self.layout.strides[..self.layout.shape.rank()],
        )
    }

    /// The value of all elements, if strides of 0 make them all the same element; else `None`.
    pub(crate) fn repeated_scalar(&self) -> Option<T> {
        let Layout { shape, strides, .. } = &self.layout;
        let repeated = shape.iter().zip(strides).all(|(&n, &stride)| n == 1 || stride == 0);
        (repeated && shape.size() > 0).then(|| self.get(&[0; MAX_RANK][..shape.rank()]))
    }

    /// The elements from the first row on, and the stride from one row to the next. The stride is 0 if all rows are the same
    /// row, and the row's length if there is one row. `None` if a row has gaps or the strides between rows differ.
    pub(crate) fn rows(&self) -> Option<(&'a [T], usize)> {
        let data = self.data.host_slice()?;
        self.layout.row_stride().map(|distance| (&data[self.layout.offset..], distance))
    }

    /// The numbers of rows that each repeat one number, from the first row on, and the stride from one to the next.
    /// `None` if the last axis does not have stride 0, or there are no elements.
    pub(crate) fn row_constants(&self) -> Option<(&'a [T], usize)> {
        let Layout { shape, strides, .. } = &self.layout;
        let last = shape.rank().checked_sub(1)?;
        (shape.size() > 0 && strides[last] == 0).then(|| self.slice(last, 0..1).rows())?
    }

    /// Reads the element at `index`.
    ///
    /// # Panics
    /// If `index` is outside the shape.
    #[track_caller]
    pub fn get(&self, index: &[usize]) -> T {
        assert_inside(index, &self.layout.shape);
        self.data.get(self.layout.position(index))
    }

    /// Broadcasts to `shape` by NumPy's rule: axes of extent 1, and missing leading axes, are repeated.
    ///
    /// # Panics
    /// If the shape of the view does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(self, shape: impl Into<Shape>) -> Self {
        Self { layout: self.layout.broadcast_to::<T>(shape.into()), ..self }
    }
}

impl<'a, T: Element> ViewMut<'a, T> {
    /// Makes a view of the elements of `data`, in row-major order.
    ///
    /// # Panics
    /// If the length of `data` is not the size of `shape`.
    #[track_caller]
    pub fn new(data: &'a mut [T], shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        shape.assert_size(data.len());
        Self { data: DataMut::Host(data), layout: Layout::contiguous(shape, 0) }
    }

    pub(crate) fn from_layout(data: DataMut<'a, T>, layout: Layout) -> Self {
        Self { data, layout }
    }

    /// The buffer, and the layout of the elements in it.
    #[cfg(feature = "cuda")]
    pub(crate) fn into_data_and_layout(self) -> (DataMut<'a, T>, Layout) {
        (self.data, self.layout)
    }

    /// The device that holds the elements.
    pub fn device(&self) -> Device {
        self.data.as_data().device()
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// Borrows the same view for a shorter lifetime, so that a function can take it and the caller keeps it.
    pub fn reborrow(&mut self) -> ViewMut<'_, T> {
        ViewMut { data: self.data.reborrow(), layout: self.layout }
    }

    /// Borrows the view for reading.
    pub fn view(&self) -> View<'_, T> {
        View { data: self.data.as_data(), layout: self.layout }
    }

    /// Converts to an `ndarray` view.
    ///
    /// # Panics
    /// If the elements are on a GPU.
    #[track_caller]
    pub fn into_ndarray(self) -> ArrayViewMutD<'a, T> {
        let data = self.data.expect_host();
        let (low, dims, strides) = ndarray_layout(&self.layout);
        ArrayViewMutD::from_shape(dims.strides(strides), &mut data[low..]).expect("layouts stay inside their buffer")
    }

    /// The elements as one slice, if they are on the host and contiguous.
    pub fn into_slice(self) -> Option<&'a mut [T]> {
        let data = self.data.into_host_slice()?;
        let Layout { shape, offset, .. } = self.layout;
        self.layout.is_contiguous().then(|| &mut data[offset..offset + shape.size()])
    }

    /// Does the same as [`View::raw_parts`], with a mutable pointer.
    ///
    /// # Panics
    /// If an element is outside the buffer, or the elements are on a GPU.
    #[track_caller]
    pub(crate) fn raw_parts(&mut self) -> (*mut T, &[usize], &[isize]) {
        let data = self.data.reborrow().expect_host();
        self.layout.assert_inside(data.len());
        (
            data.as_mut_ptr().wrapping_add(self.layout.offset),
            &self.layout.shape,
            &self.layout.strides[..self.layout.shape.rank()],
        )
    }

    /// Does the same as [`View::rows`], for writing.
    pub(crate) fn into_rows(self) -> Option<(&'a mut [T], usize)> {
        let data = self.data.into_host_slice()?;
        self.layout.row_stride().map(|distance| (&mut data[self.layout.offset..], distance))
    }

    /// True if the elements are in row-major order without gaps.
    pub fn is_contiguous(&self) -> bool {
        self.layout.is_contiguous()
    }

    /// Writes the element at `index`.
    ///
    /// # Panics
    /// If `index` is outside the shape.
    #[track_caller]
    pub fn set(&mut self, index: &[usize], value: T) {
        assert_inside(index, &self.layout.shape);
        self.data.set(self.layout.position(index), value);
    }

    /// Reads the element at `index`.
    ///
    /// # Panics
    /// If `index` is outside the shape.
    #[track_caller]
    pub fn get(&self, index: &[usize]) -> T {
        self.view().get(index)
    }

    /// Writes `value` to every element.
    pub fn fill(self, value: T) {
        match self.data {
            #[cfg(feature = "cuda")]
            DataMut::Gpu(memory, _) => crate::cuda::fill(memory, &self.layout, value),
            DataMut::Host(_) => self.into_ndarray().fill(value),
        }
    }

    /// Writes `elements`, which are in row-major order.
    ///
    /// # Panics
    /// If their number is not the size of the view, or the view is on a GPU that fails.
    #[track_caller]
    pub fn assign(self, elements: &[T]) {
        self.layout.shape.assert_size(elements.len());
        match self.data {
            #[cfg(feature = "cuda")]
            DataMut::Gpu(memory, _) => crate::cuda::assign(memory, &self.layout, elements),
            DataMut::Host(_) => self.into_ndarray().iter_mut().zip(elements).for_each(|(to, &from)| *to = from),
        }
    }

    /// Splits the outermost axis before entry `index` into two views, which can be used at the same time.
    ///
    /// # Panics
    /// If the view is not contiguous, or `index` is outside the axis.
    #[track_caller]
    pub fn split_at(self, index: usize) -> (Self, Self) {
        let shape = self.layout.shape;
        assert!(!shape.is_empty() && index <= shape[0], "split_at {index} of {shape}");
        assert!(self.is_contiguous(), "split_at needs a contiguous view");
        let (head, tail) = (shape.with_extent(0, index), shape.with_extent(0, shape[0] - index));
        match self.data {
            #[cfg(feature = "cuda")]
            DataMut::Gpu(memory, alone) => {
                let offset = self.layout.offset;
                let part = |shape, offset| Self {
                    data: DataMut::Gpu(memory, alone),
                    layout: Layout::contiguous(shape, offset),
                };
                (part(head, offset), part(tail, offset + head.size()))
            }
            DataMut::Host(_) => {
                let (a, b) = self.into_slice().expect("the view is contiguous").split_at_mut(head.size());
                (ViewMut::new(a, head), ViewMut::new(b, tail))
            }
        }
    }
}

impl<T: Real> ViewMut<'_, T> {
    /// Adds `value` to the element at `index`.
    ///
    /// # Panics
    /// If `index` is outside the shape.
    #[track_caller]
    pub fn add_at(&mut self, index: &[usize], value: T) {
        self.set(index, self.get(index) + value);
    }
}

/// Methods of `View` and `ViewMut` that return another view of the same elements.
macro_rules! layout_methods {
    ($view:ident) => {
        impl<T: Element> $view<'_, T> {
            /// Permutes the axes: axis `k` of the result is axis `axes[k]` of this view.
            ///
            /// # Panics
            /// If `axes` is not a permutation of the axes.
            #[track_caller]
            pub fn permute(self, axes: &[usize]) -> Self {
                Self { layout: self.layout.permute(axes), ..self }
            }

            /// Restricts `axis` to `range`.
            ///
            /// # Panics
            /// If the axis does not exist, or `range` is not inside it.
            #[track_caller]
            pub fn slice(self, axis: usize, range: Range<usize>) -> Self {
                Self { layout: self.layout.slice(axis, range), ..self }
            }

            /// Selects entry `index` of `axis` and removes the axis.
            ///
            /// # Panics
            /// If the axis or the entry does not exist.
            #[track_caller]
            pub fn select(self, axis: usize, index: usize) -> Self {
                Self { layout: self.layout.select(axis, index), ..self }
            }

            /// The layouts of all entries of axis 0, for [`with_layout`](Self::with_layout).
            #[track_caller]
            pub(crate) fn entries(&self) -> impl Iterator<Item = Layout> + use<T> {
                self.layout.entries()
            }

            /// Views other elements of the same buffer, which the layout must not leave.
            pub(crate) fn with_layout(self, layout: Layout) -> Self {
                Self { layout, ..self }
            }

            /// Reverses the order of the entries along `axis`.
            ///
            /// # Panics
            /// If the axis does not exist.
            #[track_caller]
            pub fn flip(self, axis: usize) -> Self {
                Self { layout: self.layout.flip(axis), ..self }
            }

            /// Returns the same elements in another shape of the same size; `None` if the view is not contiguous.
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

layout_methods!(View);
layout_methods!(ViewMut);

/// The layout in the form that `ndarray` takes: the lowest position of an element, the extents, and the strides (negative
/// strides as two's complement). Two things differ for empty arrays, because `ndarray` checks these as well. Their strides
/// become 0. And if the product of their nonzero extents does not fit into `isize`, all extents become 0.
fn ndarray_layout(layout: &Layout) -> (usize, IxDyn, IxDyn) {
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
    let (coordinates, axes) = (index.len(), shape.rank());
    assert!(coordinates == axes, "index {index:?} has rank {coordinates}, but shape {shape} has rank {axes}");
    assert!(index.iter().zip(shape.iter()).all(|(i, n)| i < n), "index {index:?} is outside {shape}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: [usize; 3] = [2, 3, 4];

    fn numbers() -> Vec<f64> {
        (0..24).map(f64::from).collect()
    }

    /// Views with every kind of layout.
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
    fn as_ndarray_any_layout_has_the_elements_of_get() {
        for v in views(&numbers()) {
            let host = v.as_ndarray();
            assert_eq!(host.shape(), &v.shape()[..]);
            for i in v.shape().indices() {
                assert_eq!(host[&i[..]], v.get(&i), "{i:?} of {}", v.shape());
            }
        }
    }

    #[test]
    fn as_slice_is_some_only_for_contiguous_views() {
        let data = numbers();
        for v in views(&data) {
            let in_order: Vec<f64> = v.shape().indices().map(|i| v.get(&i)).collect();
            if let Some(slice) = v.as_slice() {
                assert_eq!(slice, in_order);
            }
        }
        let v = View::new(&data, SHAPE);
        assert_eq!(v.slice(0, 1..2).as_slice(), Some(&data[12..]));
        assert_eq!(v.select(0, 0).slice(0, 1..2).reshape([2, 2]).map(|v| v.get(&[1, 0])), Some(6.0));
        assert!([v.flip(0), v.permute(&[1, 0, 2]), v.slice(2, 0..3)].iter().all(|v| v.as_slice().is_none()));
        assert!(v.flip(1).reshape([24]).is_none());
    }

    #[test]
    fn rows_of_each_layout_are_correct_or_none() {
        let data = numbers();
        let mut found = 0;
        for v in views(&data).into_iter().filter(|v| v.shape().size() > 0) {
            let Some((from, distance)) = v.rows() else { continue };
            let width = v.shape().last_extent();
            let rows = (0..v.shape().size() / width).flat_map(|i| &from[i * distance..][..width]);
            assert!(rows.copied().eq(v.shape().indices().map(|i| v.get(&i))), "{}", v.shape());
            found += 1;
        }
        assert_eq!(found, 2);
        let v = View::new(&data, SHAPE);
        assert_eq!(v.select(0, 1).select(0, 2).broadcast_to([5, 4]).rows(), Some((&data[20..], 0)));
        assert_eq!(v.slice(2, 1..2).rows(), Some((&data[1..], 4)));
        assert!([v.flip(2), v.flip(0), v.slice(1, 0..2), v.permute(&[1, 0, 2])].iter().all(|v| v.rows().is_none()));
        assert_eq!(View::new(&data[..1], []).rows(), Some((&data[..1], 1)));
        let one = v.slice(0, 1..2).slice(1, 2..3).slice(2, 3..4);
        assert_eq!(
            (one.broadcast_to([5, 3, 4]).repeated_scalar(), one.slice(0, 0..0).repeated_scalar()),
            (Some(23.0), None)
        );
        assert!(v.slice(0, 1..2).broadcast_to([5, 3, 4]).repeated_scalar().is_none());
    }

    #[test]
    fn as_ndarray_empty_views_of_any_layout_are_empty() {
        for shape in [[0, 3, 4], [2, 0, 4], [2, 3, 0]] {
            let v = View::<f64>::new(&[], shape);
            for v in [v, v.flip(0).flip(1).flip(2), v.permute(&[2, 1, 0]), v.slice(0, shape[0]..shape[0])] {
                assert_eq!(v.as_ndarray().len(), 0);
                assert_eq!(v.as_slice(), Some(&[][..]));
            }
        }
        assert_eq!(View::new(&numbers(), SHAPE).slice(0, 2..2).slice(1, 3..3).as_ndarray().shape(), [0, 0, 4]);
    }

    #[test]
    fn set_through_any_layout_changes_only_the_named_elements() {
        let mut data = numbers();
        let mut v = ViewMut::new(&mut data, SHAPE);
        v.reborrow().slice(1, 1..2).permute(&[2, 1, 0]).flip(0).set(&[0, 0, 1], -1.0);
        assert_eq!(v.get(&[1, 1, 3]), -1.0);
        v.add_at(&[1, 1, 3], 0.5);
        assert_eq!(v.view().select(0, 1).get(&[1, 3]), -0.5);
        v.reborrow().select(2, 0).flip(1).fill(9.0);
        let changed: Vec<usize> = (0..24).filter(|&i| data[i] != i as f64).collect();
        assert_eq!(changed, [0, 4, 8, 12, 16, 19, 20]);
    }

    #[test]
    fn split_at_two_parts_write_different_elements() {
        let mut data = numbers();
        let (mut head, mut tail) = ViewMut::new(&mut data, SHAPE).slice(0, 1..2).reshape([3, 4]).unwrap().split_at(1);
        assert_eq!((head.shape(), tail.shape()), (Shape::new(&[1, 4]), Shape::new(&[2, 4])));
        head.set(&[0, 0], -1.0);
        tail.set(&[1, 3], -2.0);
        assert_eq!((data[12], data[23]), (-1.0, -2.0));
        let (all, empty) = ViewMut::new(&mut data, SHAPE).split_at(2);
        assert_eq!((all.shape().size(), empty.shape().size()), (24, 0));
    }

    #[test]
    #[should_panic(expected = "split_at 3 of [2, 3, 4]")]
    fn split_at_index_outside_panics() {
        let _ = ViewMut::new(&mut numbers(), SHAPE).split_at(3);
    }

    #[test]
    #[should_panic(expected = "split_at needs a contiguous view")]
    fn split_at_view_with_gaps_panics() {
        let _ = ViewMut::new(&mut numbers(), SHAPE).slice(2, 0..1).split_at(1);
    }

    #[test]
    #[should_panic(expected = "index [0, 3, 0] is outside [2, 3, 4]")]
    fn get_index_outside_panics() {
        View::new(&numbers(), SHAPE).get(&[0, 3, 0]);
    }

    #[test]
    #[should_panic(expected = "index [0] has rank 1, but shape [2, 3, 4] has rank 3")]
    fn get_index_of_another_rank_panics() {
        View::new(&numbers(), SHAPE).get(&[0]);
    }

    #[test]
    #[should_panic(expected = "shape [2, 3, 4] has 24 elements, but 2 were given")]
    fn assign_wrong_number_of_elements_panics() {
        ViewMut::new(&mut numbers(), SHAPE).assign(&[1.0, 2.0]);
    }
}
