//! Parameters and their gradients, each one flat buffer.
//!
//! A layer is a struct of [`Param`] handles; the numbers are in [`Params`]. So the same layer serves any scalar, and
//! clipping, optimisers, checkpoints and sums over threads are one loop each over a flat buffer.

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
    /// Its place among `count` parameters.
    #[track_caller]
    fn among(self, count: usize) -> usize {
        assert!(self.0 < count, "parameter {} of {count}: the handle is of other parameters", self.0);
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
    /// No parameters yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter. The first decides where all lie: where [`Real::kernels`] compute; see [`to`](Self::to).
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn add(&mut self, name: impl Into<Arc<str>>, value: &Tensor<T>) -> Param {
        let name = name.into();
        assert!(self.find(&name).is_none(), "a parameter named {name} exists already");
        let mut flat = self.flat.to_vec();
        let offset = flat.len();
        flat.extend(value.to_vec());
        let all = Tensor::from_fn([flat.len()], |i| flat[i]);
        let first = self.entries.is_empty();
        self.flat = all.to_device(if first { T::kernels().device() } else { self.flat.device() });
        self.entries.push(Entry { name, shape: value.shape(), offset, trainable: true });
        Param(self.entries.len() - 1)
    }

    /// The parameter of this name.
    pub fn find(&self, name: &str) -> Option<Param> {
        self.entries.iter().position(|entry| &*entry.name == name).map(Param)
    }

    /// All handles, in order.
    pub fn all(&self) -> impl ExactSizeIterator<Item = Param> + use<T> {
        (0..self.entries.len()).map(Param)
    }

    /// A parameter's name.
    ///
    /// # Panics
    /// If the handle is of other parameters and none here has its place.
    #[track_caller]
    pub fn name(&self, param: Param) -> &str {
        &self.entries[param.among(self.entries.len())].name
    }

    /// A parameter's shape.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn shape(&self, param: Param) -> Shape {
        self.entries[param.among(self.entries.len())].shape
    }

    /// The offset of a parameter in the flat buffer.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn offset(&self, param: Param) -> usize {
        self.entries[param.among(self.entries.len())].offset
    }

    /// A parameter's value: a view of the flat buffer.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn get(&self, param: Param) -> Tensor<T> {
        self.entries[param.among(self.entries.len())].of(&self.flat)
    }

    /// Overwrites a parameter.
    ///
    /// # Panics
    /// If the shapes differ, and as [`name`](Self::name).
    #[track_caller]
    pub fn set(&mut self, param: Param, value: &Tensor<T>) {
        let Entry { name, shape, offset, .. } = &self.entries[param.among(self.entries.len())];
        assert_eq!(value.shape(), *shape, "parameter {name} has shape {shape}, not {}", value.shape());
        let kernels = self.flat.kernels();
        let part = self.flat.view_mut().slice(0, *offset..offset + shape.size());
        let flat = value.reshape([shape.size()]);
        kernels.map(Map::Identity, flat.view(), part);
    }

    /// Whether the parameter takes part in training.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn is_trainable(&self, param: Param) -> bool {
        self.entries[param.among(self.entries.len())].trainable
    }

    /// Takes a parameter out of training, or back in. A frozen one is a constant on the tape.
    ///
    /// # Panics
    /// As [`name`](Self::name).
    #[track_caller]
    pub fn set_trainable(&mut self, param: Param, trainable: bool) {
        let place = param.among(self.entries.len());
        self.entries[place].trainable = trainable;
    }

    /// How many numbers there are altogether.
    pub fn size(&self) -> usize {
        self.flat.size()
    }

    /// All values, one after the other.
    pub fn flat(&self) -> &Tensor<T> {
        &self.flat
    }

    /// The same parameters on a device, and all that is made for them there: gradients, moments, values on tapes whose kernels
    /// compute there.
    ///
    /// # Errors
    /// If a GPU does not have such numbers, has too little memory, or fails.
    pub fn to(&self, device: Device) -> Result<Self, CudaError> {
        Ok(Self { flat: self.flat.to(device)?, entries: self.entries.clone() })
    }

    /// A zero for each number, where the numbers lie.
    pub(crate) fn zeros(&self) -> Tensor<T> {
        Tensor::zeros_on(self.flat.device(), [self.size()]).unwrap_or_else(|error| panic!("{error}"))
    }

    /// All values, to be changed by an optimiser.
    pub fn flat_mut(&mut self) -> &mut Tensor<T> {
        &mut self.flat
    }

    /// Hands `f` each longest stretch of the flat buffer in which all parameters are trainable: its place, its values.
    pub fn for_each_trainable(&mut self, mut f: impl FnMut(Range<usize>, ViewMut<'_, T>)) {
        let mut flat = self.flat.view_mut();
        let stretches = self.entries.chunk_by(|a, b| a.trainable == b.trainable);
        for stretch in stretches.filter(|stretch| stretch[0].trainable) {
            let range = stretch[0].offset..stretch[stretch.len() - 1].end();
            f(range.clone(), flat.reborrow().slice(0, range));
        }
    }

    /// The same parameters in another scalar type.
    pub fn cast<U: Real>(&self) -> Params<U> {
        Params { flat: self.flat.cast(), entries: self.entries.clone() }
    }

    /// The same parameters moving along a direction, for derivatives forward. What is frozen stays where it is.
    ///
    /// # Panics
    /// If the direction is of other parameters.
    #[track_caller]
    pub fn along(&self, direction: &Grads<T>) -> Params<Dual<T>> {
        let mut moving = Grads::new(self, direction.flat.clone());
        for entry in self.entries.iter().filter(|entry| !entry.trainable) {
            moving.flat.view_mut().slice(0, entry.offset..entry.end()).fill(T::zero());
        }
        Params { flat: Tensor::dual(&self.flat, &moving.flat), entries: self.entries.clone() }
    }

    /// The name of the parameter that holds the first number that is infinite or NaN.
    pub fn first_not_finite(&self) -> Option<&str> {
        self.first_not_finite_in(&self.flat)
    }

    pub(crate) fn first_not_finite_in(&self, flat: &Tensor<T>) -> Option<&str> {
        first_not_finite(&self.entries, flat)
    }

    /// Puts all parameters on a tape. They stay borrowed while the pass lasts, so that they cannot change under it:
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
    pub fn bind<'t>(&'t self, tape: &'t Tape<T>) -> Weights<'t, T> {
        let first = tape.len();
        for entry in &self.entries {
            let value = entry.of(&self.flat);
            if entry.trainable {
                tape.param(entry.name.clone(), value)
            } else {
                tape.constant(value)
            };
        }
        Weights { tape, first, len: self.entries.len() }
    }
}

impl Entry {
    fn end(&self) -> usize {
        self.offset + self.shape.size()
    }

    fn of<T: Real>(&self, flat: &Tensor<T>) -> Tensor<T> {
        flat.slice(0, self.offset..self.end()).reshape(self.shape)
    }
}

fn first_not_finite<'a, T: Real>(entries: &'a [Entry], flat: &Tensor<T>) -> Option<&'a str> {
    let bad = flat.to_host().view().host().iter().position(|x| !x.is_finite())?;
    let entry = entries.iter().find(|entry| bad < entry.end())?;
    Some(&entry.name)
}

/// The parameters on a tape, for one pass.
#[derive(Clone, Copy)]
pub struct Weights<'t, T: Real = f32> {
    tape: &'t Tape<T>,
    first: usize,
    len: usize,
}

impl<'t, T: Real> Weights<'t, T> {
    /// Variables in the place of the parameters, in their order: what a gradient check varies.
    ///
    /// # Panics
    /// Without variables, or if they do not stand on the tape one after the other.
    #[track_caller]
    pub fn from_vars(vars: &[Var<'t, T>]) -> Self {
        let first = vars.first().expect("from_vars: there are no variables");
        let in_a_row = vars.iter().enumerate().all(|(k, var)| var.index() == first.index() + k);
        assert!(in_a_row, "from_vars: the variables do not stand on the tape one after the other");
        Self { tape: first.tape(), first: first.index(), len: vars.len() }
    }

    /// The tape.
    pub fn tape(self) -> &'t Tape<T> {
        self.tape
    }

    /// All variables, in the order of the parameters: what [`from_vars`](Self::from_vars) takes.
    pub fn vars(self) -> Vec<Var<'t, T>> {
        (0..self.len).map(|k| self.get(Param(k))).collect()
    }

    /// A parameter's variable.
    ///
    /// # Panics
    /// If the handle is of other parameters and none of these has its place.
    #[track_caller]
    pub fn get(self, param: Param) -> Var<'t, T> {
        self.tape.var(self.first + param.among(self.len))
    }
}

/// The gradients of all parameters, laid out as [`Params`] are.
#[derive(Clone, Debug)]
pub struct Grads<T: Real = f32> {
    flat: Tensor<T>,
}

impl<T: Real> Grads<T> {
    /// One number for each of the parameters', in their order: gradients, or a direction to move along.
    ///
    /// # Panics
    /// If there are more or fewer numbers.
    #[track_caller]
    pub fn new(params: &Params<T>, flat: Tensor<T>) -> Self {
        assert_eq!(flat.shape(), params.flat.shape(), "{} for parameters {}", flat.shape(), params.flat.shape());
        Self { flat: flat.to_device(params.flat.device()) }
    }

    /// Zero for every parameter.
    pub fn zeros(params: &Params<T>) -> Self {
        Self { flat: params.zeros() }
    }

    /// Takes what the last backward pass left at the parameters, and zero for those that it did not reach.
    pub fn collect(&mut self, params: &Params<T>, weights: Weights<'_, T>) {
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
    /// If they are of other parameters.
    #[track_caller]
    pub fn add(&mut self, other: &Self) {
        assert_eq!(self.flat.shape(), other.flat.shape(), "gradients of different parameters");
        self.flat.kernels().sum_to(T::one(), other.flat.view(), self.flat.view_mut());
    }

    /// Multiplies all by a factor.
    pub fn scale(&mut self, factor: T) {
        self.flat.apply(Map::Scale(factor));
    }

    /// The gradient of one parameter: a view of the flat buffer.
    ///
    /// # Panics
    /// If the handle is of other parameters and none of these has its place.
    #[track_caller]
    pub fn get(&self, params: &Params<T>, param: Param) -> Tensor<T> {
        params.entries[param.among(params.entries.len())].of(&self.flat)
    }

    /// All gradients, one after the other.
    pub fn flat(&self) -> &Tensor<T> {
        &self.flat
    }

    /// All gradients, to be clipped.
    pub fn flat_mut(&mut self) -> &mut Tensor<T> {
        &mut self.flat
    }

    /// The Euclidean norm over all parameters.
    pub fn norm(&self) -> T {
        self.flat.kernels().sum_of_squares(self.flat.view()).sqrt()
    }

    /// The name of the parameter that holds the first gradient that is infinite or NaN.
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
    fn each_has_its_part_of_the_flat_buffer() {
        let (mut params, a, b) = two();
        params.set(a, &Tensor::from([5.0, 6.0]));
        assert_eq!(params.flat().to_vec(), [5.0, 6.0, 3.0, 4.0]);
        assert_eq!(params.get(b), Tensor::from([[3.0], [4.0]]));
        assert_eq!(params.find("b"), Some(b));
        assert_eq!(params.find("c"), None);
    }

    #[test]
    fn gradients_lie_where_their_parameters_lie() {
        let (mut params, a, b) = two();
        let mut grads = Grads::new(&params, Tensor::from([9.0; 4]));
        let mut of_product = |params: &Params<f64>| {
            let tape = Tape::new();
            let weights = params.bind(&tape);
            let loss = weights.get(a).reshape([1, 2]).matmul(weights.get(b)).sum();
            loss.backward().expect("both are used");
            grads.collect(params, weights);
            (grads.flat().to_vec(), grads.get(params, b))
        };
        let of_b = Tensor::from([[1.0], [2.0]]);
        assert_eq!(of_product(&params), (alloc::vec![3.0, 4.0, 1.0, 2.0], of_b.clone()));
        params.set_trainable(a, false);
        assert_eq!(of_product(&params), (alloc::vec![0.0, 0.0, 1.0, 2.0], of_b));
    }

    #[test]
    fn a_frozen_parameter_gets_no_gradient_and_is_no_error() {
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
    fn what_is_frozen_does_not_move() {
        let (mut params, a, _) = two();
        let direction = Grads::new(&params, Tensor::from([5.0, 6.0, 7.0, 8.0]));
        assert_eq!(params.along(&direction).flat().tangents(), *direction.flat());
        params.set_trainable(a, false);
        let moving = params.along(&direction);
        assert_eq!((moving.flat().values(), moving.is_trainable(a)), (params.flat().clone(), false));
        assert_eq!(moving.flat().tangents().to_vec(), [0.0, 0.0, 7.0, 8.0]);
        assert_eq!(direction.flat().to_vec(), [5.0, 6.0, 7.0, 8.0]);
    }

    #[test]
    #[should_panic(expected = "[3] for parameters [4]")]
    fn a_direction_is_as_long_as_the_parameters() {
        let (params, ..) = two();
        let _ = Grads::new(&params, Tensor::from([1.0, 2.0, 3.0]));
    }

    #[test]
    fn trainable_neighbours_make_one_stretch() {
        let mut params = Params::<f64>::new();
        let [_, b, _, _, e] = ["a", "b", "c", "d", "e"].map(|name| params.add(name, &Tensor::from([1.0, 2.0])));
        let stretches = |params: &mut Params<f64>| {
            let mut all = Vec::new();
            params.for_each_trainable(|range, values| {
                assert_eq!(values.shape()[..], [range.len()]);
                all.push((range.start, range.end));
            });
            all
        };
        assert_eq!(stretches(&mut params), [(0, 10)]);
        params.set_trainable(b, false);
        params.set_trainable(e, false);
        assert_eq!(stretches(&mut params), [(0, 2), (4, 8)]);
        assert_eq!(stretches(&mut Params::new()), []);
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let (mut params, _, b) = two();
        assert_eq!(params.first_not_finite(), None);
        params.set(b, &Tensor::from([[0.0], [f64::NAN]]));
        assert_eq!(params.first_not_finite(), Some("b"));
    }

    #[test]
    #[should_panic(expected = "parameter 1 of 0: the handle is of other parameters")]
    fn a_foreign_handle_is_no_parameter() {
        let (_, _, b) = two();
        Params::<f64>::new().get(b);
    }

    #[test]
    #[should_panic(expected = "parameter 1 of 1: the handle is of other parameters")]
    fn a_foreign_handle_is_no_other_variable() {
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
    fn wrong_shapes_are_named() {
        let (mut params, _, b) = two();
        params.set(b, &Tensor::from([1.0, 2.0]));
    }
}
