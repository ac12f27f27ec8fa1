//! The specification of the kernels: what a device must be able to do.
//!
//! An implementation of [`Kernels`] is a device's way of doing each of these; all agree with [`Naive`](crate::Naive),
//! whose loops follow the equations here letter by letter.
//!
//! Conventions. Results come first in the equations and last in the arguments. `y` is overwritten; what is named
//! `dx`, `da`, … is a gradient and is *added to*. Views may have any strides, unless a kernel says otherwise.
//! Shapes must be as documented: callers check them, with better words than a kernel has. "Rows" are taken along the
//! last axis, of which there is at least one. Maxima pass NaNs over.
//!
//! Sums of n terms on the host take blocks of 32 terms (for each of the 8 or 16 sums that lie side by side) as running sums,
//! and add the block sums pairwise. So no term passes through more than D(n) = 32 + ⌈log₂⌈n/32⌉⌉ additions, and the error
//! is at most γ_D(n) · Σ|t_i|, with γ_k = k·u/(1 − k·u) (Higham 2002, section 4.2). Where several axes are summed at once,
//! D is the sum of that of the innermost and that of the others. Two kinds of sums differ:
//! - Matrix products of the fast kernels are running sums of at most 512 products along k, which are added to y in turn: at
//!   most 512 + ⌈K/256⌉ additions. Those of [`Naive`](crate::Naive) follow the scheme above.
//! - The scattering kernels add in the order of the indices. An element named r times passes through r additions.

use crate::device::Device;
use crate::map::Map;
use crate::real::Real;
use crate::view::{View, ViewMut};

/// A function of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
}

/// How an axis is taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// The sum; zero over an empty axis.
    Sum,
    /// The largest; −∞ over an empty axis.
    Max,
}

/// Which operand of a matrix product is transposed, in the letters that BLAS uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// y\[M,N\] = a\[M,K\] · b\[K,N\]
    NN,
    /// y\[M,N\] = a\[M,K\] · b\[N,K\]ᵀ
    NT,
    /// y\[M,N\] = a\[K,M\]ᵀ · b\[K,N\]
    TN,
}

/// What Adam needs to know in one step; see [`Kernels::adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// α, the learning rate.
    pub rate: f64,
    /// β₁, the decay of the first moment.
    pub beta1: f64,
    /// β₂, the decay of the second moment.
    pub beta2: f64,
    /// ε, added to the root of the second moment.
    pub epsilon: f64,
    /// λ, the weight decay.
    pub decay: f64,
    /// Whether the decay acts on the parameters (AdamW) and not on the gradient (Adam with L2).
    pub decoupled: bool,
    /// t, the number of this step, from 1.
    pub step: u64,
}

/// The kernels of a device for scalars `T`.
pub trait Kernels<T: Real>: Sync {
    /// The name under which benchmarks and settings know these kernels.
    fn name(&self) -> &'static str;

    /// Where they compute, and where what they read and write had better lie. Those of the host take what lies on the host;
    /// those of a GPU take anything, and copy what lies elsewhere there and back for the call.
    fn device(&self) -> Device {
        Device::Host
    }

    /// y = f(x); shapes equal. With [`Map::Identity`] a strided copy.
    fn map(&self, f: Map<T>, x: View<T>, y: ViewMut<T>);

    /// dx += slope(kept) · dy; shapes equal. `kept` is x or y, whichever `slope` is written in.
    ///
    /// [`Map::Step`] chooses instead of multiplying: dx += dy where kept > 0, and nothing elsewhere, be dy infinite.
    fn map_backward(&self, slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y = a ∘ b, both broadcast to the shape of y.
    fn binary(&self, op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>);

    /// dx += α · dy, summed over the axes along which dx's shape was broadcast to dy's.
    fn sum_to(&self, alpha: T, dy: View<T>, dx: ViewMut<T>);

    /// dx += α · (a ∘ b), where a and b broadcast to a common shape, summed over the axes along which dx's shape was
    /// broadcast to it.
    fn sum_product_to(&self, alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>);

    /// y = x reduced along `axis`; y's shape is x's without it.
    fn reduce(&self, how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>);

    /// y\[…\] = the index of the largest element of each row of x\[…,N\], the first of equals; N ≥ 1. In a row of
    /// NaNs alone, the last.
    ///
    /// # Panics
    /// If N is more than a `u32` holds; on a GPU, than its kernels count.
    fn argmax(&self, x: View<T>, y: ViewMut<u32>);

    /// y = (or, if `accumulate`, y +=) the product of the matrices a and b in the given form.
    fn matmul(&self, form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>);

    /// y_i = e^(x_i − m) / Σ_j e^(x_j − m) per row, with m the row's maximum.
    fn softmax(&self, x: View<T>, y: ViewMut<T>);

    /// dx_i += y_i · (dy_i − Σ_j dy_j·y_j) per row.
    fn softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y_i = x_i − m − ln Σ_j e^(x_j − m) per row.
    fn log_softmax(&self, x: View<T>, y: ViewMut<T>);

    /// dx_i += dy_i − e^(y_i) · Σ_j dy_j per row.
    fn log_softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y\[…\] = m + ln Σ_j e^(x_j − m) per row of x\[…,N\], with m the row's maximum, or 0 if that is infinite: a row
    /// of −∞ gives −∞, and one with +∞ gives +∞.
    fn logsumexp(&self, x: View<T>, y: ViewMut<T>);

    /// dx_i += dy · e^(x_i − y) per row, and nothing where x_i = −∞. (Where x_i = y = +∞ there is no slope: NaN.)
    fn logsumexp_backward(&self, x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y\[…,E\] = table\[index\[…\], :\], for table\[V,E\]; an index outside the table panics.
    fn gather_rows(&self, table: View<T>, index: View<u32>, y: ViewMut<T>);

    /// dtable\[index\[…\], :\] += dy\[…,E\]; repeated indices add up.
    fn scatter_add_rows(&self, index: View<u32>, dy: View<T>, dtable: ViewMut<T>);

    /// y\[…,k\] = x\[…, index\[…,k\]\] along the last axis; an index outside the row panics.
    fn gather(&self, x: View<T>, index: View<u32>, y: ViewMut<T>);

    /// dx\[…, index\[…,k\]\] += dy\[…,k\]; repeated indices add up.
    fn scatter_add(&self, index: View<u32>, dy: View<T>, dx: ViewMut<T>);

    /// Per row of x\[…,N\]: μ = mean x, s = 1/√(mean (x − μ)² + ε), y = (x − μ)·s·w + b, with w\[N\], b\[N\];
    /// stats\[…,2\] = (μ, s).
    ///
    /// On the host, rows are centred twice: with d = x − μ, the place of x − μ is taken by d − mean d. The mean need not be
    /// a number of the scalar's precision, and d − mean d does not depend on how μ was rounded. The backward does the same.
    fn layer_norm(&self, x: View<T>, w: View<T>, b: View<T>, epsilon: T, y: ViewMut<T>, stats: ViewMut<T>);

    /// With x̂ = (x − μ)·s and g = dy·w per row: dx += s·(g − mean g − x̂·mean(g·x̂)). `None` is nothing to compute.
    ///
    /// dw += Σ_rows dy·x̂. (db += Σ_rows dy is [`sum_to`](Self::sum_to).)
    fn layer_norm_backward(
        &self,
        x: View<T>,
        w: View<T>,
        stats: View<T>,
        dy: View<T>,
        dx: Option<ViewMut<T>>,
        dw: Option<ViewMut<T>>,
    );

    /// The gates of one GRU step (PyTorch's variant, gates r, z, n), from the input's part gx\[B,3H\], its bias included,
    /// the product of the hidden state and its weights, hw\[B,3H\], and their bias b\[3H\]:
    ///
    /// ```text
    /// gh = hw + b
    /// r = σ(gx_r + gh_r)    z = σ(gx_z + gh_z)    n = tanh(gx_n + r·gh_n)    y = (1 − z)·n + z·h
    /// ```
    ///
    /// h, y\[B,H\]; kept\[B,4H\] = (r, z, n, gh_n) is what the backward needs. With `rows`\[B\], gx is a table\[V,3H\] of
    /// which each example has the row that it names; a row outside panics.
    #[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
    fn gru_gates(
        &self,
        gx: View<T>,
        rows: Option<View<u32>>,
        hw: View<T>,
        b: View<T>,
        h: View<T>,
        kept: ViewMut<T>,
        y: ViewMut<T>,
    );

    /// The backward of [`gru_gates`](Self::gru_gates). Adds to dgx\[B,3H\], or to the rows of dgx\[V,3H\] that are named.
    /// *Overwrites* dgh\[B,3H\] and dh\[B,H\] (the direct path y → h), which the caller carries on through the recurrent
    /// product.
    #[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
    fn gru_gates_backward(
        &self,
        kept: View<T>,
        h: View<T>,
        dy: View<T>,
        rows: Option<View<u32>>,
        dgx: ViewMut<T>,
        dgh: ViewMut<T>,
        dh: ViewMut<T>,
    );

    /// Σ x².
    fn sum_of_squares(&self, x: View<T>) -> T;

    /// One step of Adam or AdamW on parameters p with moments m, v (all of one shape):
    ///
    /// ```text
    /// decoupled: p = (1 − αλ)·p   else, unless λ = 0: g += λ·p
    /// m = β₁·m + (1 − β₁)·g       v = β₂·v + (1 − β₂)·g²
    /// p −= α/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε)
    /// ```
    ///
    /// A parameter of ±∞ whose gradient is 0, such as a bias that masks an action, stays as it is, unless λ is added to its
    /// gradient.
    ///
    /// Sources: Kingma and Ba 2015 (arXiv:1412.6980), algorithm 1; Loshchilov and Hutter 2019 (arXiv:1711.05101),
    /// algorithm 2, with the decay multiplied by the rate as PyTorch does.
    fn adam(&self, with: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>);

    /// One step of gradient descent with momentum μ: m = μ·m + g; p −= rate·m.
    ///
    /// Source: Sutskever et al. 2013, in the form that PyTorch documents (rate outside the velocity).
    fn momentum(&self, rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>);

    /// One step of RMSprop: v = α·v + (1 − α)·g²; p −= rate·g / (√v + ε).
    ///
    /// Source: Tieleman and Hinton 2012, lecture 6.5; ε outside the root as in PyTorch.
    fn rmsprop(&self, rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>);
}

/// The list of all kernels: `callback! { with  family::kernel(arguments) -> result; … }`. Forwardings are made from it, so that
/// none repeats the signatures; see [`forward_kernels`]. A family is a module with a function for each of its kernels. An entry
/// that differs from the trait does not compile. A method without an entry does not compile either.
macro_rules! for_each_kernel {
    ($callback:ident $with:tt) => {
        $callback! { $with
            elementwise::map(f: Map<T>, x: View<T>, y: ViewMut<T>);
            elementwise::map_backward(slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>);
            elementwise::binary(op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>);
            reduce::sum_to(alpha: T, dy: View<T>, dx: ViewMut<T>);
            reduce::sum_product_to(alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>);
            reduce::reduce(how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>);
            reduce::argmax(x: View<T>, y: ViewMut<u32>);
            matmul::matmul(form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>);
            softmax::softmax(x: View<T>, y: ViewMut<T>);
            softmax::softmax_backward(y: View<T>, dy: View<T>, dx: ViewMut<T>);
            softmax::log_softmax(x: View<T>, y: ViewMut<T>);
            softmax::log_softmax_backward(y: View<T>, dy: View<T>, dx: ViewMut<T>);
            softmax::logsumexp(x: View<T>, y: ViewMut<T>);
            softmax::logsumexp_backward(x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>);
            index::gather_rows(table: View<T>, index: View<u32>, y: ViewMut<T>);
            index::scatter_add_rows(index: View<u32>, dy: View<T>, dtable: ViewMut<T>);
            index::gather(x: View<T>, index: View<u32>, y: ViewMut<T>);
            index::scatter_add(index: View<u32>, dy: View<T>, dx: ViewMut<T>);
            norm::layer_norm(x: View<T>, w: View<T>, b: View<T>, epsilon: T, y: ViewMut<T>, stats: ViewMut<T>);
            norm::layer_norm_backward(x: View<T>, w: View<T>, stats: View<T>, dy: View<T>, dx: Option<ViewMut<T>>,
                dw: Option<ViewMut<T>>);
            gru::gru_gates(gx: View<T>, rows: Option<View<u32>>, hw: View<T>, b: View<T>, h: View<T>, kept: ViewMut<T>,
                y: ViewMut<T>);
            gru::gru_gates_backward(kept: View<T>, h: View<T>, dy: View<T>, rows: Option<View<u32>>, dgx: ViewMut<T>,
                dgh: ViewMut<T>, dh: ViewMut<T>);
            reduce::sum_of_squares(x: View<T>) -> T;
            optim::adam(with: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>);
            optim::momentum(rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>);
            optim::rmsprop(rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>);
        }
    };
}
pub(crate) use for_each_kernel;

/// The methods of an `impl Kernels`: each kernel of the list is `call! { self, family::kernel(arguments) }`. With
/// [`call_function`], it is the function `family::kernel`.
macro_rules! forward_kernels {
    ($call:ident) => { $crate::kernels::for_each_kernel! { forward_kernels [$call] } };
    ([$call:ident] $($family:ident::$kernel:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {
        $(fn $kernel(&self, $($arg: $type),*) $(-> $out)? {
            $call! { self, $family::$kernel($($arg),*) }
        })*
    };
}
pub(crate) use forward_kernels;

/// A kernel as a function of its family.
macro_rules! call_function {
    ($self:ident, $family:ident::$kernel:ident($($arg:ident),*)) => { $family::$kernel($($arg),*) };
}
pub(crate) use call_function;
