//! Work that runs on CPU and GPU, with its data. Operands are copied to the kernels' device before anything is timed, and
//! results stay there.

use tensor::{AdamStep, Form, Kernels, Map, Real, Tensor};

use crate::data::{matmul_flops, uniform};

/// Creates a tensor of NaN on the kernels' device.
fn nan_tensor<T: Real>(shape: &[usize], kernels: &dyn Kernels<T>) -> Tensor<T> {
    Tensor::full(shape, T::from_f64(f64::NAN)).to_device(kernels.device())
}

/// A matrix product y\[M,N\] = a·b, in one of three forms.
pub struct Product {
    form: Form,
    a: Tensor<f32>,
    b: Tensor<f32>,
    sizes: [usize; 3],
}

impl Product {
    /// Creates a product with the sizes M, K and N.
    pub fn new(form: Form, [m, k, n]: [usize; 3]) -> Self {
        let a = uniform(if form == Form::TN { [k, m] } else { [m, k] }, 0);
        let b = uniform(if form == Form::NT { [n, k] } else { [k, n] }, 1);
        Self { form, a, b, sizes: [m, k, n] }
    }

    /// Returns the number of multiplications and additions.
    pub fn flops(&self) -> u64 {
        let [m, k, n] = self.sizes;
        matmul_flops(m, k, n)
    }

    /// Returns the operands.
    pub fn operands(&self) -> [&Tensor<f32>; 2] {
        [&self.a, &self.b]
    }

    /// Returns a closure that computes the product by these kernels.
    pub fn runner<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let [a, b] = [&self.a, &self.b].map(|x| x.cast::<T>().to_device(kernels.device()));
        let ([m, _, n], form) = (self.sizes, self.form);
        let mut y = nan_tensor(&[m, n], kernels);
        move || {
            kernels.matmul(form, a.view(), b.view(), false, y.view_mut());
            y.clone()
        }
    }

    /// Returns a closure that computes the product by a rung of the GPU's ladder, which supports only the form NN.
    ///
    /// # Panics
    /// If the form is not NN.
    pub fn rung_runner(&self, rung: tensor::Sgemm, gpu: super::BenchGpu) -> impl FnMut() -> Tensor<f32> + use<> {
        assert_eq!(self.form, Form::NN, "a rung's form");
        let [a, b] = [&self.a, &self.b].map(|x| x.to_device(gpu.kernels().device()));
        let [m, _, n] = self.sizes;
        let mut y = nan_tensor(&[m, n], gpu.kernels());
        move || {
            rung.run(a.view(), b.view(), y.view_mut());
            y.clone()
        }
    }
}

/// The gates of a GRU step whose gx is a row of a table of 18 tokens.
pub struct Gates {
    table: Tensor<f32>,
    tokens: Tensor<u32>,
    hw: Tensor<f32>,
    b_hh: Tensor<f32>,
    h_prev: Tensor<f32>,
}

impl Gates {
    /// Creates the data for B examples of hidden size H.
    pub fn new(batch: usize, hidden_size: usize) -> Self {
        Self {
            table: uniform([18, 3 * hidden_size], 0),
            tokens: Tensor::from_fn([batch], |i| (7 * i % 18) as u32),
            hw: uniform([batch, 3 * hidden_size], 1),
            b_hh: uniform([3 * hidden_size], 2),
            h_prev: uniform([batch, hidden_size], 3),
        }
    }

    /// Returns the number of new state entries.
    pub fn states(&self) -> u64 {
        self.h_prev.size() as u64
    }

    /// Returns a closure that computes the new states by these kernels.
    pub fn runner<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let [table, hw, b_hh, h_prev] =
            [&self.table, &self.hw, &self.b_hh, &self.h_prev].map(|x| x.cast::<T>().to_device(kernels.device()));
        let tokens = self.tokens.to_device(kernels.device());
        let [batch, hidden_size] = [h_prev.shape()[0], h_prev.shape()[1]];
        let (mut kept, mut h) =
            (nan_tensor(&[batch, 4 * hidden_size], kernels), nan_tensor(&[batch, hidden_size], kernels));
        move || {
            let to = (kept.view_mut(), h.view_mut());
            kernels.gru_gates(table.view(), Some(tokens.view()), hw.view(), b_hh.view(), h_prev.view(), to.0, to.1);
            h.clone()
        }
    }
}

/// The log-softmax of rows.
pub struct LogSoftmax(Tensor<f32>);

impl LogSoftmax {
    /// Creates `rows` rows of this length.
    pub fn new(rows: usize, length: usize) -> Self {
        Self(uniform([rows, length], 0).map(Map::Scale(5.0)))
    }

    /// Returns the number of elements.
    pub fn elements(&self) -> u64 {
        self.0.size() as u64
    }

    /// Returns a closure that computes the log-softmax by these kernels.
    pub fn runner<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let x = self.0.cast::<T>().to_device(kernels.device());
        let mut y = nan_tensor(&x.shape(), kernels);
        move || {
            kernels.log_softmax(x.view(), y.view_mut());
            y.clone()
        }
    }
}

/// A step of Adam over a flat buffer of parameters. Each call continues from the previous one.
pub struct Adam {
    parameters: usize,
}

impl Adam {
    /// The number of steps before the first one: few enough that both bias corrections matter.
    const STEPS: u64 = 9;

    /// Creates a step over this number of parameters.
    pub fn new(parameters: usize) -> Self {
        Self { parameters }
    }

    /// Returns the number of parameters.
    pub fn parameters(&self) -> u64 {
        self.parameters as u64
    }

    /// Returns a closure that computes the new parameters by these kernels.
    pub fn runner<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let numbers = |stream| uniform([self.parameters], stream);
        let data = [numbers(0), numbers(1), numbers(2).map(Map::Square), numbers(3)];
        let [g, mut m, mut v, mut p] = data.map(|x| x.cast::<T>().to_device(kernels.device()));
        let mut step = Self::STEPS;
        move || {
            step += 1;
            let with =
                AdamStep { rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0, decoupled: false, step };
            kernels.adam(with, g.view(), m.view_mut(), v.view_mut(), p.view_mut());
            p.clone()
        }
    }
}
