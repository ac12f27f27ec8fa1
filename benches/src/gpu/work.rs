//! Work that both can do, with its data: brought to where the kernels compute before anything is timed, and its result left
//! there.

use tensor::{AdamStep, Form, Kernels, Map, Real, Tensor};

use crate::data::{matmul_flops, uniform};

/// NaN everywhere, where kernels compute.
fn blank<T: Real>(shape: &[usize], kernels: &dyn Kernels<T>) -> Tensor<T> {
    Tensor::full(shape, T::of(f64::NAN)).to_device(kernels.device())
}

/// y\[M,N\] = a · b, in one of three forms.
pub struct Product {
    form: Form,
    a: Tensor<f32>,
    b: Tensor<f32>,
    sizes: [usize; 3],
}

impl Product {
    /// For the sizes M, K and N.
    pub fn new(form: Form, [m, k, n]: [usize; 3]) -> Self {
        let a = uniform(if form == Form::TN { [k, m] } else { [m, k] }, 0);
        let b = uniform(if form == Form::NT { [n, k] } else { [k, n] }, 1);
        Self { form, a, b, sizes: [m, k, n] }
    }

    /// Products and sums.
    pub fn flops(&self) -> u64 {
        let [m, k, n] = self.sizes;
        matmul_flops(m, k, n)
    }

    /// The operands.
    pub fn operands(&self) -> [&Tensor<f32>; 2] {
        [&self.a, &self.b]
    }

    /// By kernels.
    pub fn by<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let [a, b] = [&self.a, &self.b].map(|x| x.cast::<T>().to_device(kernels.device()));
        let ([m, _, n], form) = (self.sizes, self.form);
        let mut y = blank(&[m, n], kernels);
        move || {
            kernels.matmul(form, a.view(), b.view(), false, y.view_mut());
            y.clone()
        }
    }

    /// By a rung of the GPU's ladder, which knows the form NN alone.
    ///
    /// # Panics
    /// If the form is another.
    pub fn by_rung(&self, rung: tensor::Sgemm, gpu: super::Gpu) -> impl FnMut() -> Tensor<f32> + use<> {
        assert_eq!(self.form, Form::NN, "a rung's form");
        let [a, b] = [&self.a, &self.b].map(|x| x.to_device(gpu.kernels().device()));
        let [m, _, n] = self.sizes;
        let mut y = blank(&[m, n], gpu.kernels());
        move || {
            rung.run(a.view(), b.view(), y.view_mut());
            y.clone()
        }
    }
}

/// The gates of a step of a GRU, whose input part is a row of a table of 18 tokens.
pub struct Gates {
    table: Tensor<f32>,
    tokens: Tensor<u32>,
    hw: Tensor<f32>,
    b: Tensor<f32>,
    h: Tensor<f32>,
}

impl Gates {
    /// For B examples of width H.
    pub fn new(batch: usize, width: usize) -> Self {
        Self {
            table: uniform([18, 3 * width], 0),
            tokens: Tensor::from_fn([batch], |i| (7 * i % 18) as u32),
            hw: uniform([batch, 3 * width], 1),
            b: uniform([3 * width], 2),
            h: uniform([batch, width], 3),
        }
    }

    /// New states.
    pub fn states(&self) -> u64 {
        self.h.size() as u64
    }

    /// By kernels: the new states.
    pub fn by<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let [table, hw, b, h] =
            [&self.table, &self.hw, &self.b, &self.h].map(|x| x.cast::<T>().to_device(kernels.device()));
        let tokens = self.tokens.to_device(kernels.device());
        let [batch, width] = [h.shape()[0], h.shape()[1]];
        let (mut kept, mut y) = (blank(&[batch, 4 * width], kernels), blank(&[batch, width], kernels));
        move || {
            let to = (kept.view_mut(), y.view_mut());
            kernels.gru_gates(table.view(), Some(tokens.view()), hw.view(), b.view(), h.view(), to.0, to.1);
            y.clone()
        }
    }
}

/// Log-softmax of rows.
pub struct LogSoftmax(Tensor<f32>);

impl LogSoftmax {
    /// Of as many rows as long as this.
    pub fn new(rows: usize, length: usize) -> Self {
        Self(uniform([rows, length], 0).map(Map::Scale(5.0)))
    }

    /// Numbers.
    pub fn elements(&self) -> u64 {
        self.0.size() as u64
    }

    /// By kernels.
    pub fn by<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
        let x = self.0.cast::<T>().to_device(kernels.device());
        let mut y = blank(&x.shape(), kernels);
        move || {
            kernels.log_softmax(x.view(), y.view_mut());
            y.clone()
        }
    }
}

/// A step of Adam over a flat buffer of parameters, which goes on from call to call.
pub struct Adam {
    parameters: usize,
}

impl Adam {
    /// Steps taken before the first one: few enough that both bias corrections matter.
    const STEPS: u64 = 9;

    /// Over so many parameters.
    pub fn new(parameters: usize) -> Self {
        Self { parameters }
    }

    /// Parameters.
    pub fn parameters(&self) -> u64 {
        self.parameters as u64
    }

    /// By kernels: the new parameters.
    pub fn by<T: Real>(&self, kernels: &'static dyn Kernels<T>) -> impl FnMut() -> Tensor<T> + use<T> {
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
