//! The tensor: a shape and strides over a shared buffer.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crate::cuda::CudaError;
use crate::device::Device;
use crate::index::Index;
use crate::kernels::Kernels;
use crate::map::{Map, for_map};
use crate::real::{Element, Real};
use crate::shape::{Layout, MAX_RANK, Shape};
use crate::storage::Storage;
use crate::view::{View, ViewMut};

/// An array of up to four axes.
///
/// Clones and views ([`reshape`](Self::reshape), [`permute`](Self::permute), [`slice`](Self::slice), …) share the
/// buffer and cost nothing. A write to a shared buffer copies it first, so a write to one tensor never changes another.
///
/// ```
/// use tensor::Tensor;
///
/// let a = Tensor::from([[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let b = a.transpose().matmul(&a) + Tensor::from([10.0, 20.0, 30.0]);
/// assert_eq!(b.to_vec(), [27.0, 42.0, 57.0, 32.0, 49.0, 66.0, 37.0, 56.0, 75.0]);
/// assert_eq!(1.0 - &a / 2.0, Tensor::from([[0.5, 0.0, -0.5], [-1.0, -1.5, -2.0]]));
/// ```
#[derive(Clone)]
pub struct Tensor<T = f32> {
    storage: Storage<T>,
    layout: Layout,
}

impl<T: Element> Tensor<T> {
    /// Makes a tensor of the elements of `data`, in row-major order.
    ///
    /// # Panics
    /// If the length of `data` is not the size of `shape`.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, data: Vec<T>) -> Self {
        let shape = shape.into();
        shape.assert_size(data.len());
        Self { storage: Storage::Host(Arc::new(data)), layout: Layout::contiguous(shape, 0) }
    }

    /// Makes a tensor whose elements are all `value`.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: T) -> Self {
        let shape = shape.into();
        Self::from_elements(shape, core::iter::repeat_n(value, shape.size()))
    }

    /// Makes a tensor of zeros.
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::default())
    }

    /// Makes a tensor without axes, which holds one number.
    pub fn scalar(value: T) -> Self {
        Self::full([], value)
    }

    /// Makes a tensor of the elements `f(0), f(1), …`, in row-major order.
    #[track_caller]
    pub fn from_fn(shape: impl Into<Shape>, f: impl FnMut(usize) -> T) -> Self {
        let shape = shape.into();
        Self::from_elements(shape, (0..shape.size()).map(f))
    }

    /// Makes a tensor of zeros on a device.
    ///
    /// # Errors
    /// If the GPU does not support the scalar type, has too little memory, or fails.
    pub fn zeros_on(device: Device, shape: impl Into<Shape>) -> Result<Self, CudaError> {
        match device {
            Device::Host => Ok(Self::zeros(shape)),
            #[cfg(feature = "cuda")]
            Device::Cuda(gpu) => {
                let shape = shape.into();
                Storage::zeros(gpu, shape.size()).map(|storage| Self { storage, layout: Layout::contiguous(shape, 0) })
            }
        }
    }

    /// Makes an empty tensor, of shape \[0\], on a device. [`resize`](Self::resize) keeps it on that device.
    pub fn empty_on(device: Device) -> Self {
        match device {
            Device::Host => Self::zeros([0]),
            #[cfg(feature = "cuda")]
            Device::Cuda(gpu) => Self { storage: Storage::empty(gpu), layout: Layout::contiguous([0].into(), 0) },
        }
    }

    /// The device that holds the elements.
    pub fn device(&self) -> Device {
        self.storage.device()
    }

    /// Returns the tensor on a device: a copy, or this tensor itself if it is on the device already.
    ///
    /// # Errors
    /// If the GPU does not support the scalar type, has too little memory, or fails.
    pub fn to(&self, device: Device) -> Result<Self, CudaError> {
        match device {
            _ if device == self.device() => Ok(self.clone()),
            #[cfg(feature = "cuda")]
            _ => self.storage.copy_to_device(&self.layout, device).map(|(storage, layout)| Self { storage, layout }),
            #[cfg(not(feature = "cuda"))]
            Device::Host => Ok(self.clone()),
        }
    }

    /// Does the same as [`to`](Self::to), for callers that cannot return an error.
    ///
    /// # Panics
    /// If the GPU does not support the scalar type, has too little memory, or fails.
    #[track_caller]
    pub fn to_device(&self, device: Device) -> Self {
        self.to(device).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns the tensor on the host.
    ///
    /// # Panics
    /// If the tensor is on a GPU that fails.
    #[track_caller]
    pub fn to_host(&self) -> Self {
        self.to_device(Device::Host)
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// The number of elements.
    pub fn size(&self) -> usize {
        self.layout.shape.size()
    }

    /// Borrows the tensor, for a kernel that reads it.
    pub fn view(&self) -> View<'_, T> {
        View::from_layout(self.storage.data(), self.layout)
    }

    /// Borrows the tensor mutably, for a kernel that writes it. The elements are copied first if the buffer is shared, or if
    /// the tensor repeats elements with stride 0.
    pub fn view_mut(&mut self) -> ViewMut<'_, T> {
        if self.storage.is_shared() || self.has_repeated_elements() {
            *self = self.to_contiguous();
        }
        ViewMut::from_layout(self.storage.data_mut(), self.layout)
    }

    /// Copies the elements to the host, in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.view().to_vec()
    }

    /// Returns the element at `index`.
    ///
    /// # Panics
    /// If `index` is outside the shape.
    #[track_caller]
    pub fn get(&self, index: &[usize]) -> T {
        self.view().get(index)
    }

    /// Returns the first element in row-major order for which `predicate` is true, and its index.
    ///
    /// # Panics
    /// If the tensor is on a GPU that fails.
    #[track_caller]
    pub fn find(&self, predicate: impl Fn(T) -> bool) -> Option<(Index, T)> {
        let host = self.to_host();
        let (position, x) = host.view().as_ndarray().iter().copied().enumerate().find(|&(_, x)| predicate(x))?;
        Some((Index::unravel(position, self.shape()), x))
    }

    /// Returns the element of a tensor of size 1.
    ///
    /// # Panics
    /// If the size is not 1.
    #[track_caller]
    pub fn item(&self) -> T {
        assert!(self.size() == 1, "item: a tensor of shape {} is not a single number", self.shape());
        self.get(&[0; MAX_RANK][..self.shape().rank()])
    }

    /// Returns the same elements in another shape of the same size. This is a view if the tensor is contiguous, else a copy.
    ///
    /// # Panics
    /// If the sizes differ.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        match self.layout.reshape(shape) {
            Some(layout) => self.with_layout(layout),
            None => self.to_contiguous().reshape(shape),
        }
    }

    /// Permutes the axes: axis `k` of the result is axis `axes[k]` of this tensor. A view.
    ///
    /// # Panics
    /// If `axes` is not a permutation of the axes.
    #[track_caller]
    pub fn permute(&self, axes: &[usize]) -> Self {
        self.with_layout(self.layout.permute(axes))
    }

    /// Transposes a matrix. A view.
    ///
    /// # Panics
    /// If the tensor is not a matrix.
    #[track_caller]
    pub fn transpose(&self) -> Self {
        assert!(self.shape().rank() == 2, "transpose: {} is not a matrix", self.shape());
        self.permute(&[1, 0])
    }

    /// Restricts `axis` to `range`. A view.
    ///
    /// # Panics
    /// If the axis does not exist, or `range` is not inside it.
    #[track_caller]
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Self {
        self.with_layout(self.layout.slice(axis, range))
    }

    /// Selects entry `index` of `axis` and removes the axis. A view.
    ///
    /// # Panics
    /// If the axis or the entry does not exist.
    #[track_caller]
    pub fn select(&self, axis: usize, index: usize) -> Self {
        self.with_layout(self.layout.select(axis, index))
    }

    /// Reverses the order of the entries along `axis`. A view.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn flip(&self, axis: usize) -> Self {
        self.with_layout(self.layout.flip(axis))
    }

    /// Broadcasts to `shape` by NumPy's rule: axes of extent 1, and missing leading axes, are repeated. A view.
    ///
    /// # Panics
    /// If the shape of the tensor does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Self {
        self.with_layout(self.layout.broadcast_to::<T>(shape.into()))
    }

    /// Makes this a contiguous tensor of `shape`. The buffer is reused if it is not shared and is large enough; so an arena
    /// keeps its buffers from one pass to the next. If the tensor was contiguous, its first elements keep their values. All
    /// other elements are unspecified.
    ///
    /// # Panics
    /// If `shape` has more than four axes.
    #[track_caller]
    pub fn resize(&mut self, shape: impl Into<Shape>) {
        self.layout = self.storage.resize(&self.layout, shape.into());
    }

    /// Makes a tensor on the host of `elements`, in row-major order.
    fn from_elements(shape: Shape, elements: impl Iterator<Item = T>) -> Self {
        let (storage, layout) = Storage::from_elements(shape, elements);
        Self { storage, layout }
    }

    fn with_layout(&self, layout: Layout) -> Self {
        Self { storage: self.storage.clone(), layout }
    }

    /// Copies the elements to a new contiguous buffer, in row-major order, on the same device.
    pub fn to_contiguous(&self) -> Self {
        let (storage, layout) = self.storage.to_contiguous(&self.layout);
        Self { storage, layout }
    }

    /// True if an axis repeats elements with stride 0, so that several indices name one place in the buffer.
    fn has_repeated_elements(&self) -> bool {
        self.size() > 0 && (0..self.shape().rank()).any(|axis| self.shape()[axis] > 1 && self.layout.strides[axis] == 0)
    }
}

impl<T: Real> Tensor<T> {
    /// Makes a tensor of ones.
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::one())
    }

    /// The kernels of the device that holds the tensor; on the host, those of [`Real::kernels`].
    pub fn kernels(&self) -> &'static dyn Kernels<T> {
        match self.device() {
            Device::Host => T::kernels(),
            #[cfg(feature = "cuda")]
            device => device.kernels().expect("the GPU supports the scalar type, since it holds the tensor"),
        }
    }

    /// Applies f to each element, in place.
    pub fn apply(&mut self, f: Map<T>) {
        match self.device() {
            Device::Host => for_map!(f, |f| self.view_mut().into_ndarray().iter_mut().for_each(|x| *x = f(*x))),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => crate::cuda::apply(f, self.view_mut()),
        }
    }

    /// Converts every element to another scalar type. A dual number loses its tangent; a new dual number gets the tangent 0.
    pub fn cast<U: Real>(&self) -> Tensor<U> {
        Tensor::new(self.shape(), self.to_host().view().as_ndarray().iter().map(|x| U::from_f64(x.value())).collect())
    }
}

impl<T: Element> From<T> for Tensor<T> {
    fn from(number: T) -> Self {
        Self::scalar(number)
    }
}

impl<T: Element, const N: usize> From<[T; N]> for Tensor<T> {
    fn from(row: [T; N]) -> Self {
        Self::new([N], row.to_vec())
    }
}

impl<T: Element, const M: usize, const N: usize> From<[[T; N]; M]> for Tensor<T> {
    fn from(rows: [[T; N]; M]) -> Self {
        Self::new([M, N], rows.concat())
    }
}

/// Two tensors are equal if their shapes and elements are equal. They may be on different devices.
impl<T: Element> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.to_host().view().as_ndarray() == other.to_host().view().as_ndarray()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::string::String;

    use super::*;

    impl<T: Element> Tensor<T> {
        fn resized(&self, shape: impl Into<Shape>) -> Self {
            let mut x = self.clone();
            x.resize(shape);
            x
        }
    }

    #[test]
    fn view_mut_of_a_shared_buffer_copies_it_first() {
        let a = Tensor::from([1.0_f32, 2.0, 3.0]);
        let mut b = a.slice(0, 1..3);
        b.view_mut().fill(9.0);
        assert_eq!(a.to_vec(), [1.0, 2.0, 3.0]);
        assert_eq!(b.to_vec(), [9.0, 9.0]);
    }

    #[test]
    fn view_mut_of_a_broadcast_view_copies_it_first() {
        let mut a = Tensor::scalar(1.0_f32).broadcast_to([2, 2]);
        a.view_mut().set(&[0, 1], 5.0);
        assert_eq!(a.to_vec(), [1.0, 5.0, 1.0, 1.0]);
    }

    #[test]
    fn views_equal_their_contiguous_copies() {
        let a = Tensor::from_fn([2, 3, 4], |i| i as f64);
        for v in [a.permute(&[2, 0, 1]), a.flip(1), a.slice(2, 1..3), a.select(1, 2), a.flip(0).flip(2)] {
            assert_eq!(v.to_vec(), v.view().as_ndarray().iter().copied().collect::<Vec<_>>());
            assert_eq!(v, v.to_contiguous());
        }
        assert_eq!(a.flip(2).get(&[1, 2, 0]), a.get(&[1, 2, 3]));
        assert_eq!(Tensor::<f32>::zeros([0, 3]).flip(0).to_vec(), []);
    }

    #[test]
    fn find_returns_the_first_match_of_a_view_and_its_index() {
        let a = Tensor::from([[1_u32, 2, 3], [4, 5, 6]]).transpose();
        assert_eq!(a.find(|x| x > 2).map(|(index, x)| (index.to_vec(), x)), Some((alloc::vec![0, 1], 4)));
        assert_eq!(a.find(|x| x > 6), None);
    }

    #[test]
    fn numbers_and_ones_make_tensors() {
        assert_eq!(Tensor::from(3.0), Tensor::<f64>::new([], alloc::vec![3.0]));
        assert_eq!(Tensor::ones([2, 1]), Tensor::from([[1.0_f32], [1.0]]));
    }

    #[test]
    fn resize_to_a_smaller_shape_keeps_the_buffer() {
        let mut a = Tensor::<f32>::zeros([4, 4]);
        let before = a.view().as_slice().map(<[f32]>::as_ptr);
        a.resize([2, 3]);
        assert_eq!(a.view().as_slice().map(<[f32]>::as_ptr), before);
    }

    #[test]
    fn resize_of_a_shared_buffer_keeps_the_first_elements_of_both() {
        let before = Tensor::from([1.0_f32, 2.0, 3.0]);
        for (tensor, size) in [(before.clone(), 2), (before.clone(), 5), (before.slice(0, 1..3), 4)] {
            let (first, mut resized) = (tensor.to_vec(), tensor.clone());
            resized.resize([size]);
            let kept = first.len().min(size);
            assert_eq!((resized.shape().size(), &resized.to_vec()[..kept]), (size, &first[..kept]));
            assert_eq!(tensor.to_vec(), first);
        }
    }

    /// Asserts that each case panics with a message that contains `expected`, in builds without overflow checks, too.
    fn assert_panics<R>(expected: &str, cases: &[&dyn Fn() -> R]) {
        for (i, case) in cases.iter().enumerate() {
            let panic = catch_unwind(AssertUnwindSafe(case)).err();
            let panic = panic.unwrap_or_else(|| panic!("case {i} does not panic"));
            let message = panic.downcast_ref::<String>().unwrap_or_else(|| panic!("case {i} panics without a message"));
            assert!(message.contains(expected), "case {i} panics with '{message}'");
        }
    }

    const HALF: usize = 1 << (usize::BITS - 1);
    const ROOT: usize = 1 << (usize::BITS / 2);

    #[test]
    fn shape_product_overflows_panics() {
        let one = Tensor::<f32>::scalar(1.0);
        let row = Tensor::from([1.0_f32, 2.0]);
        assert_panics(
            "a shape has at most",
            &[
                &|| Tensor::new([2, HALF], Vec::<f32>::new()),
                &|| Tensor::new([HALF + 1, 2], alloc::vec![1.0_f32, 2.0]),
                &|| Tensor::<f32>::zeros([ROOT, ROOT]),
                &|| Tensor::full([ROOT, ROOT], 1.0_f32),
                &|| Tensor::from_fn([HALF, 2], |_| 1.0_f32),
                &|| row.reshape([HALF + 1, 2]),
                &|| row.resized([ROOT, ROOT]),
                &|| one.broadcast_to([ROOT, ROOT]),
                &|| &Tensor::<f32>::zeros([1]).broadcast_to([ROOT, 1]) + &one.broadcast_to([1, ROOT]),
                &|| Tensor::<f32>::zeros([HALF, 0]).sum_axis(1),
            ],
        );
        assert_panics(
            "a shape has at most",
            &[
                &|| View::new(&[1.0_f32, 2.0], [HALF + 1, 2]).shape(),
                &|| ViewMut::new(&mut [1.0_f32, 2.0], [HALF + 1, 2]).shape(),
                &|| View::new(&[1.0_f32], [1]).broadcast_to([ROOT, ROOT]).shape(),
                &|| Shape::new(&[1, ROOT]).with_extent(0, ROOT),
                &|| Shape::new(&[0, HALF, 2]).without_axis(0),
                &|| Shape::new(&[ROOT, 1]).broadcast(&Shape::new(&[1, ROOT])).expect("the shapes broadcast"),
            ],
        );
    }

    #[test]
    fn shape_of_more_bytes_than_a_buffer_has_panics() {
        let most = isize::MAX as usize / size_of::<f32>();
        assert_panics(
            "elements of 4 bytes, and",
            &[
                &|| Tensor::<f32>::zeros([most + 1]),
                &|| Tensor::from_fn([2, most], |_| 1.0_f32),
                &|| Tensor::<f32>::scalar(1.0).resized([most + 1]),
                &|| Tensor::<f32>::scalar(1.0).broadcast_to([most + 1]),
            ],
        );
        let repeated = Tensor::<f32>::scalar(1.0).broadcast_to([most]);
        assert_eq!((repeated.size(), repeated.get(&[most - 1])), (most, 1.0));
    }

    #[test]
    fn shape_without_elements_has_no_limit() {
        let x = Tensor::<f32>::zeros([0, usize::MAX]);
        assert_eq!((x.size(), x.to_vec(), x.layout.strides), (0, Vec::new(), [0; MAX_RANK]));
        assert_eq!(x.transpose().view().as_ndarray().len(), 0);
        assert_eq!((&x + &x).shape(), x.shape());
        assert_eq!(x.sum_axis(1).to_vec(), []);
        assert_eq!(x.matmul(&x.transpose()).shape(), Shape::new(&[0, 0]));
        assert_eq!(x.reshape([HALF, ROOT, 0]).size(), 0);
        assert_eq!(Tensor::<f32>::zeros([2, 3]).resized([usize::MAX, 0, usize::MAX]).to_vec(), []);
        assert_eq!(Tensor::<f32>::zeros([0, 1]).broadcast_to([0, usize::MAX]).flip(1).to_contiguous().size(), 0);
    }

    #[test]
    #[should_panic(expected = "shape [2, 2] has 4 elements, but 3 were given")]
    fn new_wrong_number_of_elements_panics() {
        let _ = Tensor::new([2, 2], [1.0_f32, 2.0, 3.0].to_vec());
    }
}
