//! Parameters and their gradients. One flat buffer holds all parameters; another one holds all gradients.
//!
//! A layer is a struct of [`Param`] handles, and [`Params`] holds the values. Therefore a layer works with any scalar
//! type. Clipping, optimisers, checkpoints and sums over threads are each one loop over a flat buffer.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use autograd::{Tape, Var};
use tensor::{CudaError, Device, Dual, Map, Real, Shape, Tensor, ViewMut};

/// The handle of one parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Param(usize);

impl Param {
    /// Returns the index of the parameter, after checking that it is below `count`.
    #[track_caller]
    fn checked_index(self, count: usize) -> usize {
        assert!(self.0 < count, "parameter {} of {count}: the handle belongs to other parameters", self.0);
        self.0
    }
}

#[derive(Clone, Debug)]
struct Entry {
    name: Arc<str>,
    shape: Shape,
    offset: usize,
    trainable: bool,
}

/// Named tensors in one flat buffer, in the order in which they were added.
#[derive(Clone, Debug)]
pub struct Params<T: Real = f32> {
    flat: Tensor<T>,
    entries: Vec<Entry>,
}

impl<T: Real> Default for Params<T> {
    fn default() -> Self {
        Self { flat: Tensor::zeros([0]), entries: Vec::new() }
    }
}

impl<T: Real> Params<T> {
    /// Creates an empty set of parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter. The first one places all parameters on the device of [`Real::kernels`]; see [`to`](Self::to).
    ///
    /// # Panics
    /// If a parameter of this name exists.
    #[track_caller]
    pub fn add(&mut self, name: impl Into<Arc<str>>, value: &Tensor<T>) -> Param {
        let name = name.into();
        assert!(
            self.find(&name).is_none(),
            "a parameter named {name} exists already; give each layer a scope, as in \
             `Linear::new(&mut builder.scope(\"output\"), 16, 1)`"
        );
        let mut flat = self.flat.to_vec();
        let offset = flat.len();
        flat.extend(value.to_vec());
        let all = Tensor::from_fn([flat.len()], |i| flat[i]);
        let first = self.entries.is_empty();
        self.flat = all.to_device(if first { T::kernels().device() } else { self.flat.device() });
        self.entries.push(Entry { name, shape: value.shape(), offset, trainable: true });
        Param(self.entries.len() - 1)
    }

    /// Returns the parameter of this name.
    pub fn find(&self, name: &str) -> Option<Param> {
        self.entries.iter().position(|entry| &*entry.name == name).map(Param)
    }

    /// All handles, in the order in which the parameters were added.
    pub fn handles(&self) -> impl ExactSizeIterator<Item = Param> + use<T> {
        (0..self.entries.len()).map(Param)
    }

    /// Returns a parameter's name.
    ///
    /// # Panics
    /// If the handle belongs to other parameters and its index does not exist here.
    #[track_caller]
    pub fn name(&self, param: Param) -> &str {
        &self.entries[param.checked_index(self.entries.len())].name
    }

    /// Returns a parameter's shape.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn shape(&self, param: Param) -> Shape {
        self.entries[param.checked_index(self.entries.len())].shape
    }

    /// Returns a parameter's offset in the flat buffer.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn offset(&self, param: Param) -> usize {
        self.entries[param.checked_index(self.entries.len())].offset
    }

    /// Returns a parameter's value as a view of the flat buffer.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn get(&self, param: Param) -> Tensor<T> {
        self.entries[param.checked_index(self.entries.len())].view_in(&self.flat)
    }

    /// Overwrites a parameter.
    ///
    /// # Panics
    /// If the shapes differ, and as [`name`](Self::name).
    #[track_caller]
    pub fn set(&mut self, param: Param, value: &Tensor<T>) {
        let Entry { name, shape, offset, .. } = &self.entries[param.checked_index(self.entries.len())];
        assert!(value.shape() == *shape, "parameter {name} has shape {shape}, not {}", value.shape());
        let kernels = self.flat.kernels();
        let part = self.flat.view_mut().slice(0, *offset..offset + shape.size());
        let flat = value.reshape([shape.size()]);
        kernels.map(Map::Identity, flat.view(), part);
    }

    /// Returns true if the parameter is trained.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn is_trainable(&self, param: Param) -> bool {
        self.entries[param.checked_index(self.entries.len())].trainable
    }

    /// Freezes a parameter (`false`) or trains it again (`true`). A frozen parameter is a constant on the tape.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn set_trainable(&mut self, param: Param, trainable: bool) {
        let index = param.checked_index(self.entries.len());
        self.entries[index].trainable = trainable;
    }

    /// The number of elements of all parameters together.
    pub fn size(&self) -> usize {
        self.flat.size()
    }

    /// The flat buffer of all values.
    pub fn flat(&self) -> &Tensor<T> {
        &self.flat
    }

    /// Copies the parameters to a device. Gradients and moments of the copy are created on that device. A tape whose
    /// kernels run on the device also keeps its values there.
    ///
    /// # Errors
    /// If the GPU does not support this scalar type, has too little memory, or fails.
    pub fn to(&self, device: Device) -> Result<Self, CudaError> {
        Ok(Self { flat: self.flat.to(device)?, entries: self.entries.clone() })
    }

    /// Returns a flat tensor of zeros with the length and the device of the flat buffer.
    pub(crate) fn zeros(&self) -> Tensor<T> {
        Tensor::zeros_on(self.flat.device(), [self.size()]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The flat buffer of all values, for an optimiser to change.
    pub fn flat_mut(&mut self) -> &mut Tensor<T> {
        &mut self.flat
    }

    /// Calls `f` with the index range and the values of each maximal contiguous run of trainable parameters.
    pub fn for_each_trainable(&mut self, mut f: impl FnMut(Range<usize>, ViewMut<'_, T>)) {
        let mut flat = self.flat.view_mut();
        let runs = self.entries.chunk_by(|a, b| a.trainable == b.trainable);
        for run in runs.filter(|run| run[0].trainable) {
            let range = run[0].offset..run[run.len() - 1].end();
            f(range.clone(), flat.reborrow().slice(0, range));
        }
    }

    /// Converts the parameters to another scalar type.
    pub fn cast<U: Real>(&self) -> Params<U> {
        Params { flat: self.flat.cast(), entries: self.entries.clone() }
    }

    /// Converts the parameters to dual numbers with `direction` as their tangents, for forward-mode derivatives. The
    /// tangent of a frozen parameter is zero.
    ///
    /// # Panics
    /// If the direction belongs to other parameters.
    #[track_caller]
    pub fn to_dual(&self, direction: &Grads<T>) -> Params<Dual<T>> {
        let mut tangents = Grads::new(self, direction.flat.clone());
        for entry in self.entries.iter().filter(|entry| !entry.trainable) {
            tangents.flat.view_mut().slice(0, entry.offset..entry.end()).fill(T::zero());
        }
        Params { flat: Tensor::dual(&self.flat, &tangents.flat), entries: self.entries.clone() }
    }

    /// The name of the first parameter that holds an infinite or NaN value.
    pub fn first_not_finite(&self) -> Option<&str> {
        self.first_not_finite_name_in(&self.flat)
    }

    pub(crate) fn first_not_finite_name_in(&self, flat: &Tensor<T>) -> Option<&str> {
        first_not_finite(&self.entries, flat)
    }

    /// Records all parameters on a tape. They stay borrowed during the pass, so they cannot change:
    ///
    /// ```compile_fail,E0502
    /// # use autograd::Tape;
    /// # use nn::Params;
    /// # use tensor::Tensor;
    /// let mut params = Params::<f64>::new();
    /// let w = params.add("w", &Tensor::scalar(1.0));
    /// let tape = Tape::new();
    /// let weights = params.bind(&tape);
    /// params.set(w, &Tensor::scalar(2.0)); // in the middle of a pass
    /// weights.get(w).sum();
    /// ```
    pub fn bind<'t>(&'t self, tape: &'t Tape<T>) -> BoundParams<'t, T> {
        let first = tape.len();
        for entry in &self.entries {
            let value = entry.view_in(&self.flat);
            if entry.trainable {
                tape.param(entry.name.clone(), value)
            } else {
                tape.constant(value)
            };
        }
        BoundParams { tape, first, len: self.entries.len() }
    }

    /// Returns the parameters that [`bind`](Self::bind) recorded as the first nodes of a tape. They stay on it through
    /// [`Tape::truncate`].
    ///
    /// # Panics
    /// If the tape has fewer nodes than there are parameters.
    #[track_caller]
    pub fn bound_first<'t>(&'t self, tape: &'t Tape<T>) -> BoundParams<'t, T> {
        let (len, nodes) = (self.entries.len(), tape.len());
        assert!(len <= nodes, "bound_first: a tape of {nodes} nodes does not hold {len} parameters");
        BoundParams { tape, first: 0, len }
    }
}

impl Entry {
    fn end(&self) -> usize {
        self.offset + self.shape.size()
    }

    fn view_in<T: Real>(&self, flat: &Tensor<T>) -> Tensor<T> {
        flat.slice(0, self.offset..self.end()).reshape(self.shape)
    }
}

fn first_not_finite<'a, T: Real>(entries: &'a [Entry], flat: &Tensor<T>) -> Option<&'a str> {
    let bad = flat.to_host().view().as_ndarray().iter().position(|x| !x.is_finite())?;
    let entry = entries.iter().find(|entry| bad < entry.end())?;
    Some(&entry.name)
}

/// Parameters recorded on a tape, for one pass.
#[derive(Clone, Copy)]
pub struct BoundParams<'t, T: Real = f32> {
    tape: &'t Tape<T>,
    first: usize,
    len: usize,
}

impl<'t, T: Real> BoundParams<'t, T> {
    /// Creates bound parameters from variables, one for each parameter, in order. Gradient checks call this to vary the
    /// parameters.
    ///
    /// # Panics
    /// If `vars` is empty, or the variables are not consecutive on the tape.
    #[track_caller]
    pub fn from_vars(vars: &[Var<'t, T>]) -> Self {
        let first = vars.first().expect("from_vars: there are no variables");
        let in_a_row = vars.iter().enumerate().all(|(k, var)| var.index() == first.index() + k);
        assert!(in_a_row, "from_vars: the variables are not consecutive on the tape");
        Self { tape: first.tape(), first: first.index(), len: vars.len() }
    }

    /// The tape that the parameters are recorded on.
    pub fn tape(self) -> &'t Tape<T> {
        self.tape
    }

    /// All variables, in the order of the parameters, as [`from_vars`](Self::from_vars) takes them.
    pub fn vars(self) -> Vec<Var<'t, T>> {
        (0..self.len).map(|k| self.get(Param(k))).collect()
    }

    /// Returns a parameter's variable.
    ///
    /// # Panics
    /// If the handle belongs to other parameters and its index does not exist here.
    #[track_caller]
    pub fn get(self, param: Param) -> Var<'t, T> {
        self.tape.var(self.first + param.checked_index(self.len))
    }
}

/// The gradients of all parameters, in the same layout as [`Params`].
#[derive(Clone, Debug)]
pub struct Grads<T: Real = f32> {
    flat: Tensor<T>,
}

impl<T: Real> Grads<T> {
    /// Wraps one number per parameter element, in order: a gradient, or a direction for derivatives.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn new(params: &Params<T>, flat: Tensor<T>) -> Self {
        let (given, wanted) = (flat.shape(), params.flat.shape());
        assert!(given == wanted, "gradients: {given} numbers were given for parameters of {wanted} numbers");
        Self { flat: flat.to_device(params.flat.device()) }
    }

    /// Creates gradients that are all zero.
    pub fn zeros(params: &Params<T>) -> Self {
        Self { flat: params.zeros() }
    }

    /// Copies the gradients that the last backward pass computed. A parameter that the pass did not reach gets zero.
    pub fn collect(&mut self, params: &Params<T>, weights: BoundParams<'_, T>) {
        for (k, entry) in params.entries.iter().enumerate() {
            let kernels = self.flat.kernels();
            let device = self.flat.device();
            let to = self.flat.view_mut().slice(0, entry.offset..entry.end());
            match weights.get(Param(k)).grad() {
                Some(grad) => kernels.map(Map::Identity, grad.to_device(device).reshape([grad.size()]).view(), to),
                None => to.fill(T::zero()),
            }
        }
    }

    /// Adds other gradients of the same parameters.
    ///
    /// # Panics
    /// If they belong to other parameters.
    #[track_caller]
    pub fn add(&mut self, other: &Self) {
        self.add_multiple(T::one(), other);
    }

    /// Adds a multiple of other gradients of the same parameters.
    ///
    /// # Panics
    /// As [`add`](Self::add).
    #[track_caller]
    pub fn add_multiple(&mut self, factor: T, other: &Self) {
        let (own, others) = (self.flat.shape(), other.flat.shape());
        assert!(own == others, "add: gradients of {own} and of {others} numbers belong to different parameters");
        self.flat.kernels().sum_to(factor, other.flat.view(), self.flat.view_mut());
    }

    /// Multiplies all gradients by a factor.
    pub fn scale(&mut self, factor: T) {
        self.flat.apply(Map::Scale(factor));
    }

    /// Returns the gradient of one parameter as a view of the flat buffer.
    ///
    /// # Panics
    /// If the handle belongs to other parameters and its index does not exist here.
    #[track_caller]
    pub fn get(&self, params: &Params<T>, param: Param) -> Tensor<T> {
        params.entries[param.checked_index(params.entries.len())].view_in(&self.flat)
    }

    /// The flat buffer of all gradients.
    pub fn flat(&self) -> &Tensor<T> {
        &self.flat
    }

    /// The flat buffer of all gradients, for clipping.
    pub fn flat_mut(&mut self) -> &mut Tensor<T> {
        &mut self.flat
    }

    /// The Euclidean norm over all parameters.
    pub fn norm(&self) -> T {
        self.flat.kernels().sum_of_squares(self.flat.view()).sqrt()
    }

    /// The name of the first parameter with an infinite or NaN gradient.
    pub fn first_not_finite(&self, params: &Params<T>) -> Option<String> {
        first_not_finite(&params.entries, &self.flat).map(String::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> (Params<f64>, Param, Param) {
        let mut params = Params::new();
        let a = params.add("a", &Tensor::from([1.0, 2.0]));
        let b = params.add("b", &Tensor::from([[3.0], [4.0]]));
        (params, a, b)
    }

    #[test]
    fn params_lie_in_one_flat_buffer() {
        let (mut params, a, b) = two();
        params.set(a, &Tensor::from([5.0, 6.0]));
        assert_eq!(params.flat().to_vec(), [5.0, 6.0, 3.0, 4.0]);
        assert_eq!(params.get(b), Tensor::from([[3.0], [4.0]]));
        assert_eq!(params.find("b"), Some(b));
        assert_eq!(params.find("c"), None);
    }

    #[test]
    fn grads_have_the_layout_of_the_params() {
        let (mut params, a, b) = two();
        let mut grads = Grads::new(&params, Tensor::from([9.0; 4]));
        let mut gradients_of_product = |params: &Params<f64>| {
            let tape = Tape::new();
            let weights = params.bind(&tape);
            let loss = weights.get(a).reshape([1, 2]).matmul(weights.get(b)).sum();
            loss.backward().expect("both are used");
            grads.collect(params, weights);
            (grads.flat().to_vec(), grads.get(params, b))
        };
        let db = Tensor::from([[1.0], [2.0]]);
        assert_eq!(gradients_of_product(&params), (alloc::vec![3.0, 4.0, 1.0, 2.0], db.clone()));
        params.set_trainable(a, false);
        assert_eq!(gradients_of_product(&params), (alloc::vec![0.0, 0.0, 1.0, 2.0], db));
    }

    #[test]
    fn backward_frozen_unused_parameter_is_no_error() {
        let (mut params, a, b) = two();
        let loss = |params: &Params<f64>| {
            let tape = Tape::new();
            let result = params.bind(&tape).get(b).sum().backward();
            result.map_err(|unreached| unreached.names)
        };
        assert_eq!(loss(&params), Err(alloc::vec![String::from("a")]));
        params.set_trainable(a, false);
        assert_eq!(loss(&params), Ok(()));
    }

    #[test]
    fn to_dual_frozen_parameter_has_zero_tangent() {
        let (mut params, a, _) = two();
        let direction = Grads::new(&params, Tensor::from([5.0, 6.0, 7.0, 8.0]));
        assert_eq!(params.to_dual(&direction).flat().tangents(), *direction.flat());
        params.set_trainable(a, false);
        let dual = params.to_dual(&direction);
        assert_eq!((dual.flat().values(), dual.is_trainable(a)), (params.flat().clone(), false));
        assert_eq!(dual.flat().tangents().to_vec(), [0.0, 0.0, 7.0, 8.0]);
        assert_eq!(direction.flat().to_vec(), [5.0, 6.0, 7.0, 8.0]);
    }

    #[test]
    #[should_panic(expected = "gradients: [3] numbers were given for parameters of [4] numbers")]
    fn grads_new_wrong_length_panics() {
        let (params, ..) = two();
        let _ = Grads::new(&params, Tensor::from([1.0, 2.0, 3.0]));
    }

    #[test]
    fn for_each_trainable_adjacent_parameters_form_one_range() {
        let mut params = Params::<f64>::new();
        let [_, b, _, _, e] = ["a", "b", "c", "d", "e"].map(|name| params.add(name, &Tensor::from([1.0, 2.0])));
        let trainable_ranges = |params: &mut Params<f64>| {
            let mut all = Vec::new();
            params.for_each_trainable(|range, values| {
                assert_eq!(values.shape()[..], [range.len()]);
                all.push((range.start, range.end));
            });
            all
        };
        assert_eq!(trainable_ranges(&mut params), [(0, 10)]);
        params.set_trainable(b, false);
        params.set_trainable(e, false);
        assert_eq!(trainable_ranges(&mut params), [(0, 2), (4, 8)]);
        assert_eq!(trainable_ranges(&mut Params::new()), []);
    }

    #[test]
    fn first_not_finite_names_the_parameter() {
        let (mut params, _, b) = two();
        assert_eq!(params.first_not_finite(), None);
        params.set(b, &Tensor::from([[0.0], [f64::NAN]]));
        assert_eq!(params.first_not_finite(), Some("b"));
    }

    #[test]
    #[should_panic(expected = "parameter 1 of 0: the handle belongs to other parameters")]
    fn params_get_foreign_handle_panics() {
        let (_, _, b) = two();
        Params::<f64>::new().get(b);
    }

    #[test]
    #[should_panic(expected = "parameter 1 of 1: the handle belongs to other parameters")]
    fn bound_params_get_foreign_handle_panics() {
        let (_, _, b) = two();
        let mut params = Params::<f64>::new();
        params.add("a", &Tensor::scalar(1.0));
        let tape = Tape::new();
        let weights = params.bind(&tape);
        tape.input(Tensor::scalar(2.0));
        weights.get(b);
    }

    #[test]
    #[should_panic(expected = "parameter b has shape [2, 1], not [2]")]
    fn params_set_wrong_shape_panics() {
        let (mut params, _, b) = two();
        params.set(b, &Tensor::from([1.0, 2.0]));
    }
}
