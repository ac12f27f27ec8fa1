//! The tensor: a shape and strides over a shared buffer.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::cuda::CudaError;
use crate::device::Device;
use crate::kernels::Kernels;
use crate::map::{Map, for_map};
use crate::real::{Element, Real};
use crate::shape::{Layout, MAX_RANK, Shape};
use crate::storage::Storage;
use crate::view::{View, ViewMut};

/// An array of up to four axes.
///
/// Clones and views ([`reshape`](Self::reshape), [`permute`](Self::permute), [`slice`](Self::slice), …) share the
/// buffer and cost nothing; writing to a shared buffer copies it first, so that a tensor never changes behind the
/// back of its holder.
///
/// ```
/// use tensor::Tensor;
///
/// let a = Tensor::from([[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let b = a.transpose().matmul(&a) + Tensor::from([10.0, 20.0, 30.0]);
/// assert_eq!(b.to_vec(), [27.0, 42.0, 57.0, 32.0, 49.0, 66.0, 37.0, 56.0, 75.0]);
/// ```
#[derive(Clone)]
pub struct Tensor<T = f32> {
    storage: Storage<T>,
    layout: Layout,
}

impl<T: Element> Tensor<T> {
    /// The elements of `data`, row-major.
    ///
    /// # Panics
    /// If `data` does not hold exactly the elements of `shape`.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, data: Vec<T>) -> Self {
        let shape = shape.into();
        assert_eq!(data.len(), shape.size(), "a tensor of shape {shape} from {} elements", data.len());
        Self { storage: Storage::Host(Arc::new(data)), layout: Layout::contiguous(shape, 0) }
    }

    /// `value` everywhere.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: T) -> Self {
        let shape = shape.into();
        Self::collected(shape, core::iter::repeat_n(value, shape.size()))
    }

    /// Zero everywhere.
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::full(shape, T::default())
    }

    /// A tensor without axes: one number.
    pub fn scalar(value: T) -> Self {
        Self::full([], value)
    }

    /// `f(0), f(1), …` in row-major order.
    #[track_caller]
    pub fn from_fn(shape: impl Into<Shape>, f: impl FnMut(usize) -> T) -> Self {
        let shape = shape.into();
        Self::collected(shape, (0..shape.size()).map(f))
    }

    /// Zero everywhere, on a device.
    ///
    /// # Errors
    /// If a GPU has no such numbers or too little memory, or fails.
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

    /// No elements, of shape \[0\], on a device: what [`resize`](Self::resize) makes of it lies there.
    pub fn empty_on(device: Device) -> Self {
        match device {
            Device::Host => Self::zeros([0]),
            #[cfg(feature = "cuda")]
            Device::Cuda(gpu) => Self { storage: Storage::empty(gpu), layout: Layout::contiguous([0].into(), 0) },
        }
    }

    /// The device on which the elements lie.
    pub fn device(&self) -> Device {
        self.storage.device()
    }

    /// The same elements on a device: itself where it lies there already, else a copy.
    ///
    /// # Errors
    /// If a GPU has no such numbers or too little memory, or fails.
    pub fn to(&self, device: Device) -> Result<Self, CudaError> {
        match device {
            _ if device == self.device() => Ok(self.clone()),
            #[cfg(feature = "cuda")]
            _ => self.storage.moved(&self.layout, device).map(|(storage, layout)| Self { storage, layout }),
            #[cfg(not(feature = "cuda"))]
            Device::Host => Ok(self.clone()),
        }
    }

    /// [`to`](Self::to), with a panic for callers that cannot return an error.
    ///
    /// # Panics
    /// If a GPU has no such numbers or too little memory, or fails.
    #[track_caller]
    pub fn to_device(&self, device: Device) -> Self {
        self.to(device).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same elements on the host.
    ///
    /// # Panics
    /// If they lie on a GPU that fails.
    #[track_caller]
    pub fn to_host(&self) -> Self {
        self.to_device(Device::Host)
    }

    /// The shape.
    pub fn shape(&self) -> Shape {
        self.layout.shape
    }

    /// How many elements.
    pub fn size(&self) -> usize {
        self.layout.shape.size()
    }

    /// To read it with a kernel.
    pub fn view(&self) -> View<'_, T> {
        View::over(self.storage.data(), self.layout)
    }

    /// To write it with a kernel. Copies its own elements first if the buffer is shared, or if some lie on top of each
    /// other.
    pub fn view_mut(&mut self) -> ViewMut<'_, T> {
        if self.storage.is_shared() || self.overlaps() {
            *self = self.packed();
        }
        ViewMut::over(self.storage.data_mut(), self.layout)
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.view().to_vec()
    }

    /// The element at `index`.
    ///
    /// # Panics
    /// If `index` lies outside the shape.
    #[track_caller]
    pub fn at(&self, index: &[usize]) -> T {
        self.view().at(index)
    }

    /// The only element.
    ///
    /// # Panics
    /// If there is not exactly one.
    #[track_caller]
    pub fn item(&self) -> T {
        assert_eq!(self.size(), 1, "item: {} is not a single number", self.shape());
        self.at(&[0; MAX_RANK][..self.shape().rank()])
    }

    /// The same elements under another shape of the same size; a copy only where the layout has gaps.
    ///
    /// # Panics
    /// If the sizes differ.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        match self.layout.reshape(shape) {
            Some(layout) => self.with_layout(layout),
            None => self.packed().reshape(shape),
        }
    }

    /// Axis `k` of the result is axis `axes[k]` of this tensor. A view.
    ///
    /// # Panics
    /// If `axes` is no permutation of the axes.
    #[track_caller]
    pub fn permute(&self, axes: &[usize]) -> Self {
        self.with_layout(self.layout.permute(axes))
    }

    /// A matrix with rows and columns exchanged. A view.
    ///
    /// # Panics
    /// If this is no matrix.
    #[track_caller]
    pub fn transpose(&self) -> Self {
        assert_eq!(self.shape().rank(), 2, "transpose: {} is not a matrix", self.shape());
        self.permute(&[1, 0])
    }

    /// The part of `axis` in `range`. A view.
    ///
    /// # Panics
    /// If the range leaves the axis.
    #[track_caller]
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Self {
        self.with_layout(self.layout.slice(axis, range))
    }

    /// The entry `index` of `axis`, which disappears. A view.
    ///
    /// # Panics
    /// If there is no such entry.
    #[track_caller]
    pub fn select(&self, axis: usize, index: usize) -> Self {
        self.with_layout(self.layout.select(axis, index))
    }

    /// The order of `axis` reversed. A view.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn flip(&self, axis: usize) -> Self {
        self.with_layout(self.layout.flip(axis))
    }

    /// Extents of 1, and missing leading axes, repeated under NumPy's rule. A view.
    ///
    /// # Panics
    /// If this shape does not broadcast to `shape`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Self {
        self.with_layout(self.layout.broadcast_to::<T>(shape.into()))
    }

    /// Makes this a row-major tensor of `shape`, in the buffer it already has if that is its own and large enough: how an
    /// arena keeps its buffers from one pass to the next. What was row-major stays in front; other elements are unspecified.
    ///
    /// # Panics
    /// With more than four axes.
    #[track_caller]
    pub fn resize(&mut self, shape: impl Into<Shape>) {
        self.layout = self.storage.resized(&self.layout, shape.into());
    }

    /// These elements, row-major, on the host.
    fn collected(shape: Shape, elements: impl Iterator<Item = T>) -> Self {
        let (storage, layout) = Storage::collected(shape, elements);
        Self { storage, layout }
    }

    fn with_layout(&self, layout: Layout) -> Self {
        Self { storage: self.storage.clone(), layout }
    }

    /// A row-major copy in a buffer of its own, on the same device.
    pub fn packed(&self) -> Self {
        let (storage, layout) = self.storage.packed(&self.layout);
        Self { storage, layout }
    }

    /// Whether elements lie on top of each other: the tensor has some, and an axis repeats them with stride 0.
    fn overlaps(&self) -> bool {
        self.size() > 0 && (0..self.shape().rank()).any(|axis| self.shape()[axis] > 1 && self.layout.strides[axis] == 0)
    }
}

impl<T: Real> Tensor<T> {
    /// The kernels that compute where it lies: on the host, those that [`Real::kernels`] gives.
    pub fn kernels(&self) -> &'static dyn Kernels<T> {
        match self.device() {
            Device::Host => T::kernels(),
            #[cfg(feature = "cuda")]
            device => device.kernels().expect("a GPU has the numbers that lie there"),
        }
    }

    /// Applies f to each element, in place.
    pub fn apply(&mut self, f: Map<T>) {
        match self.device() {
            Device::Host => for_map!(f, |f| self.view_mut().host().iter_mut().for_each(|x| *x = f(*x))),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => crate::cuda::apply(f, self.view_mut()),
        }
    }

    /// Every element as another scalar type. Of a dual the primal value is kept; to a dual the tangent is zero.
    pub fn cast<U: Real>(&self) -> Tensor<U> {
        Tensor::new(self.shape(), self.to_host().view().host().iter().map(|x| U::of(x.value())).collect())
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

/// Equal shapes and equal elements, wherever they lie.
impl<T: Element> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.to_host().view().host() == other.to_host().view().host()
    }
}

impl<T: Element + fmt::Display> fmt::Display for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_host().view().host(), f)
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor{} {:?}", self.shape(), self.to_host().view().host())
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
    fn writing_to_a_shared_buffer_leaves_the_other_holder_alone() {
        let a = Tensor::from([1.0_f32, 2.0, 3.0]);
        let mut b = a.slice(0, 1..3);
        b.view_mut().fill(9.0);
        assert_eq!(a.to_vec(), [1.0, 2.0, 3.0]);
        assert_eq!(b.to_vec(), [9.0, 9.0]);
    }

    #[test]
    fn writing_to_a_broadcast_view_gives_each_element_its_own_place() {
        let mut a = Tensor::scalar(1.0_f32).broadcast_to([2, 2]);
        a.view_mut().set(&[0, 1], 5.0);
        assert_eq!(a.to_vec(), [1.0, 5.0, 1.0, 1.0]);
    }

    #[test]
    fn views_read_like_copies() {
        let a = Tensor::from_fn([2, 3, 4], |i| i as f64);
        for v in [a.permute(&[2, 0, 1]), a.flip(1), a.slice(2, 1..3), a.select(1, 2), a.flip(0).flip(2)] {
            assert_eq!(v.to_vec(), v.view().host().iter().copied().collect::<Vec<_>>());
            assert_eq!(v, v.packed());
        }
        assert_eq!(a.flip(2).at(&[1, 2, 0]), a.at(&[1, 2, 3]));
        assert_eq!(Tensor::<f32>::zeros([0, 3]).flip(0).to_vec(), []);
    }

    #[test]
    fn resize_keeps_the_buffer() {
        let mut a = Tensor::<f32>::zeros([4, 4]);
        let before = a.view().as_slice().map(<[f32]>::as_ptr);
        a.resize([2, 3]);
        assert_eq!(a.view().as_slice().map(<[f32]>::as_ptr), before);
    }

    /// Whether each of these panics with `words`, in builds without overflow checks, too.
    fn assert_refused<R>(words: &str, cases: &[&dyn Fn() -> R]) {
        for (i, case) in cases.iter().enumerate() {
            let panic = catch_unwind(AssertUnwindSafe(case)).err();
            let panic = panic.unwrap_or_else(|| panic!("case {i} is taken"));
            let message = panic.downcast_ref::<String>().unwrap_or_else(|| panic!("case {i} panics without words"));
            assert!(message.contains(words), "case {i} panics with '{message}'");
        }
    }

    const HALF: usize = 1 << (usize::BITS - 1);
    const ROOT: usize = 1 << (usize::BITS / 2);

    #[test]
    fn shape_product_overflows_is_refused() {
        let one = Tensor::<f32>::scalar(1.0);
        let row = Tensor::from([1.0_f32, 2.0]);
        assert_refused(
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
        assert_refused(
            "a shape has at most",
            &[
                &|| View::new(&[1.0_f32, 2.0], [HALF + 1, 2]).shape(),
                &|| ViewMut::new(&mut [1.0_f32, 2.0], [HALF + 1, 2]).shape(),
                &|| View::new(&[1.0_f32], [1]).broadcast_to([ROOT, ROOT]).shape(),
                &|| Shape::new(&[1, ROOT]).with(0, ROOT),
                &|| Shape::new(&[0, HALF, 2]).without(0),
                &|| Shape::new(&[ROOT, 1]).broadcast(&Shape::new(&[1, ROOT])).expect("it is refused"),
            ],
        );
    }

    #[test]
    fn shape_of_more_bytes_than_a_buffer_has_is_refused() {
        let most = isize::MAX as usize / size_of::<f32>();
        assert_refused(
            "elements of 4 bytes, and",
            &[
                &|| Tensor::<f32>::zeros([most + 1]),
                &|| Tensor::from_fn([2, most], |_| 1.0_f32),
                &|| Tensor::<f32>::scalar(1.0).resized([most + 1]),
                &|| Tensor::<f32>::scalar(1.0).broadcast_to([most + 1]),
            ],
        );
        let repeated = Tensor::<f32>::scalar(1.0).broadcast_to([most]);
        assert_eq!((repeated.size(), repeated.at(&[most - 1])), (most, 1.0));
    }

    #[test]
    fn shape_without_elements_has_no_limit() {
        let x = Tensor::<f32>::zeros([0, usize::MAX]);
        assert_eq!((x.size(), x.to_vec(), x.layout.strides), (0, Vec::new(), [0; MAX_RANK]));
        assert_eq!(x.transpose().view().host().len(), 0);
        assert_eq!((&x + &x).shape(), x.shape());
        assert_eq!(x.sum_axis(1).to_vec(), []);
        assert_eq!(x.matmul(&x.transpose()).shape(), Shape::new(&[0, 0]));
        assert_eq!(x.reshape([HALF, ROOT, 0]).size(), 0);
        assert_eq!(Tensor::<f32>::zeros([2, 3]).resized([usize::MAX, 0, usize::MAX]).to_vec(), []);
        assert_eq!(Tensor::<f32>::zeros([0, 1]).broadcast_to([0, usize::MAX]).flip(1).packed().size(), 0);
    }

    #[test]
    #[should_panic(expected = "a tensor of shape [2, 2] from 3 elements")]
    fn the_wrong_number_of_elements_is_named() {
        let _ = Tensor::new([2, 2], [1.0_f32, 2.0, 3.0].to_vec());
    }
}
