//! The specification of the kernels: the operations that every device implements.
//!
//! Each device implements [`Kernels`]. All implementations agree with [`Naive`](crate::Naive), whose loops follow the
//! equations here letter by letter.
//!
//! # Conventions
//! - The result is the first symbol of an equation, and the last argument of a method.
//! - `y` is overwritten. A name such as `dx` or `da` is a gradient, and the kernel *adds* to it.
//! - Views may have any strides, unless a kernel says otherwise.
//! - Shapes must be as documented. The callers check them, because their messages can say more.
//! - A row runs along the last axis. A kernel that works on rows needs at least one axis.
//! - A maximum ignores NaN.
//!
//! # Accuracy of sums
//! On the host, a sum of n terms is split into blocks of 32 terms. (Where 8 or 16 partial sums run side by side, a block has
//! 32 terms for each of them.) A running sum adds up each block, and the block sums are added pairwise. So no term passes
//! through more than D(n) = 32 + ⌈log₂⌈n/32⌉⌉ additions. The error is at most γ_D(n) · Σ|t_i|, with
//! γ_k = k·u/(1 − k·u) (Higham 2002, section 4.2). If several axes are summed at once, D is D of the innermost axis plus D of
//! the other axes. Two kinds of sums differ:
//! - Matrix products of the fast kernels are running sums of at most 512 products along K. These block sums are added to y in
//!   turn: at most 512 + ⌈K/256⌉ additions. The products of [`Naive`](crate::Naive) follow the scheme above.
//! - The scatter kernels add in the order of the indices. An element that r indices name passes through r additions.

use alloc::format;
use alloc::string::String;

use crate::device::Device;
use crate::map::Map;
use crate::real::Real;
use crate::shape::Shape;
use crate::view::{View, ViewMut};

/// An elementwise function of two arguments.
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
    /// The larger of a and b; NaN if one is NaN.
    Max,
    /// The smaller of a and b; NaN if one is NaN.
    Min,
    /// 0 where a < b, ½ where a = b, else 1: the slope of `Max` by a, and of `Min` by b. Equal arguments share the gradient.
    MaxSlope,
}

impl Binary {
    /// Every function.
    pub const ALL: [Self; 7] = [Self::Add, Self::Sub, Self::Mul, Self::Div, Self::Max, Self::Min, Self::MaxSlope];

    /// Applies the function to `a` and `b`.
    #[inline(always)]
    pub fn apply<T: Real>(self, a: T, b: T) -> T {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
            Self::Div => a / b,
            Self::Max | Self::Min if a == b => a.with_mean_tangent(b),
            Self::Max if a > b => a,
            Self::Max if a < b => b,
            Self::Min if a < b => a,
            Self::Min if a > b => b,
            Self::Max | Self::Min => a + b, // NaN
            Self::MaxSlope if a < b => T::zero(),
            Self::MaxSlope if a == b => T::from_f64(0.5),
            Self::MaxSlope => T::one(),
        }
    }
}

/// Expands its body once for each function, so that the compiler specialises the loop in the body for each function.
macro_rules! for_binary {
    ($op:expr, |$f:ident| $body:expr) => {
        for_binary!(@ $op, $f, $body, [Add Sub Mul Div Max Min MaxSlope])
    };
    (@ $op:expr, $f:ident, $body:expr, [$($name:ident)*]) => {
        match $op {
            $(Binary::$name => { let $f = |a, b| Binary::$name.apply(a, b); $body })*
        }
    };
}
pub(crate) use for_binary;

/// The reduction of an axis to one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduce {
    /// The sum; zero over an empty axis.
    Sum,
    /// The maximum; −∞ over an empty axis.
    Max,
}

/// The form of a matrix product: the letters of BLAS for each operand, N for normal and T for transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// y\[M,N\] = a\[M,K\] · b\[K,N\]
    NN,
    /// y\[M,N\] = a\[M,K\] · b\[N,K\]ᵀ
    NT,
    /// y\[M,N\] = a\[K,M\]ᵀ · b\[K,N\]
    TN,
}

impl Form {
    /// Returns the shape of the product of two matrices, or of the products of two batches of matrices.
    ///
    /// # Panics
    /// If the operands are neither two matrices nor two batches of equal length, or if the inner extents differ.
    #[track_caller]
    pub fn product_shape(self, a: Shape, b: Shape) -> Shape {
        let rank = a.rank();
        if !matches!(rank, 2 | 3) || b.rank() != rank || (rank == 3 && a[0] != b[0]) {
            let hint = match (self, &a[..], &b[..]) {
                (Self::NN, &[n, m, k], &[l, _]) | (Self::NT, &[n, m, k], &[_, l]) if k == l => {
                    format!("; reshape {a} to [{}, {k}] to multiply each by one matrix", n.saturating_mul(m))
                }
                _ => String::new(),
            };
            panic!("matmul takes two matrices, or two batches of matrices of equal length, not {a} and {b}{hint}");
        }
        let (row, column) = (rank - 2, rank - 1);
        let (k, l, y, [a_t, b_t]) = match self {
            Self::NN => (a[column], b[row], a.with_extent(column, b[column]), ["", ""]),
            Self::NT => (a[column], b[column], a.with_extent(column, b[row]), ["", "ᵀ"]),
            Self::TN => (a[row], b[row], b.with_extent(row, a[column]), ["ᵀ", ""]),
        };
        assert!(k == l, "matmul: the inner sizes of {a}{a_t} · {b}{b_t} must agree: {k} is not {l}");
        y
    }

    /// Computes y = a · b, or y += a · b if `accumulate`, for matrices, or for each matrix of three batches.
    ///
    /// # Panics
    /// If the batches have different lengths, or as [`Kernels::matmul`].
    pub fn multiply<T: Real>(
        self,
        kernels: &dyn Kernels<T>,
        [a, b]: [View<T>; 2],
        accumulate: bool,
        mut y: ViewMut<T>,
    ) {
        if y.shape().rank() == 2 {
            return kernels.matmul(self, a, b, accumulate, y);
        }
        let counts = [a.shape()[0], b.shape()[0], y.shape()[0]];
        assert!(counts == [counts[0]; 3], "multiply: batches of {counts:?} matrices, expected equally many");
        for ((a_i, b_i), y_i) in a.entries().zip(b.entries()).zip(y.entries()) {
            kernels.matmul(self, a.with_layout(a_i), b.with_layout(b_i), accumulate, y.reborrow().with_layout(y_i));
        }
    }
}

/// The hyper-parameters of one Adam step; see [`Kernels::adam`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// α, the learning rate.
    pub rate: f64,
    /// β₁, the decay of the first moment.
    pub beta1: f64,
    /// β₂, the decay of the second moment.
    pub beta2: f64,
    /// ε, added to the square root of the second moment.
    pub epsilon: f64,
    /// λ, the weight decay.
    pub decay: f64,
    /// True if the decay acts on the parameters (AdamW), false if on the gradient (Adam with L2 regularisation).
    pub decoupled: bool,
    /// t, the number of this step, counted from 1.
    pub step: u64,
}

/// The kernels of a device for scalars of type `T`.
pub trait Kernels<T: Real>: Sync {
    /// The name of these kernels in benchmarks and settings.
    fn name(&self) -> &'static str;

    /// The device on which these kernels compute. Kernels of the host need operands on the host. Kernels of a GPU take
    /// operands on any device; for the call they copy operands from elsewhere to the GPU, and results back.
    fn device(&self) -> Device {
        Device::Host
    }

    /// y = f(x), for equal shapes. [`Map::Identity`] makes it a strided copy.
    fn map(&self, f: Map<T>, x: View<T>, y: ViewMut<T>);

    /// dx += slope(kept) · dy, for equal shapes. `kept` is the argument of `slope`: x for some functions, y for others.
    ///
    /// [`Map::Step`] selects instead of multiplying: dx += dy where kept > 0, and dx += 0 elsewhere, even if dy is infinite.
    fn map_backward(&self, slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y = a ∘ b; a and b broadcast to the shape of y.
    fn binary(&self, op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>);

    /// dx += α · dy, summed over the axes along which the shape of dx broadcasts to that of dy.
    fn sum_to(&self, alpha: T, dy: View<T>, dx: ViewMut<T>);

    /// dx += α · (a · b), summed over the axes along which the shape of dx broadcasts to the common shape of a and b.
    fn sum_product_to(&self, alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>);

    /// y = x reduced along `axis`; y has the shape of x without that axis.
    fn reduce(&self, how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>);

    /// y\[…\] = the index of the maximum of each row of x\[…,N\], N ≥ 1. Of equal maxima it is the first index; in a row that
    /// is all NaN it is the last.
    ///
    /// # Panics
    /// If N does not fit into a `u32`; on a GPU, if N exceeds the largest extent of its kernels.
    fn argmax(&self, x: View<T>, y: ViewMut<u32>);

    /// y = a · b, or y += a · b if `accumulate`; `form` says which operand is transposed.
    fn matmul(&self, form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>);

    /// y_i = e^(x_i − m) / Σ_j e^(x_j − m) per row, with m the maximum of the row.
    fn softmax(&self, x: View<T>, y: ViewMut<T>);

    /// dx_i += y_i · (dy_i − Σ_j dy_j·y_j) per row.
    fn softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y_i = x_i − m − ln Σ_j e^(x_j − m) per row.
    fn log_softmax(&self, x: View<T>, y: ViewMut<T>);

    /// dx_i += dy_i − e^(y_i) · Σ_j dy_j per row.
    fn log_softmax_backward(&self, y: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y\[…\] = m + ln Σ_j e^(x_j − m) per row of x\[…,N\], with m the maximum of the row, or 0 if that is infinite. A row
    /// that is all −∞ gives −∞, and a row with a +∞ gives +∞.
    fn logsumexp(&self, x: View<T>, y: ViewMut<T>);

    /// dx_i += dy · e^(x_i − y) per row, and dx_i += 0 where x_i = −∞. (At x_i = y = +∞ the derivative does not exist, and the
    /// result is NaN.)
    fn logsumexp_backward(&self, x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>);

    /// y\[…,E\] = table\[index\[…\], :\], for table\[V,E\]. An index outside the table panics.
    fn gather_rows(&self, table: View<T>, index: View<u32>, y: ViewMut<T>);

    /// dtable\[index\[…\], :\] += dy\[…,E\]. Repeated indices add up.
    fn scatter_add_rows(&self, index: View<u32>, dy: View<T>, dtable: ViewMut<T>);

    /// y\[…,k\] = x\[…, index\[…,k\]\] along the last axis. An index outside the row panics.
    fn gather(&self, x: View<T>, index: View<u32>, y: ViewMut<T>);

    /// dx\[…, index\[…,k\]\] += dy\[…,k\]. Repeated indices add up.
    fn scatter_add(&self, index: View<u32>, dy: View<T>, dx: ViewMut<T>);

    /// Per row of x\[…,N\]: μ = mean x, s = 1/√(mean (x − μ)² + ε), y = (x − μ)·s·w + b, with w\[N\], b\[N\];
    /// stats\[…,2\] = (μ, s).
    ///
    /// The host's kernels centre each row twice: with d = x − μ, they use d − mean d instead of x − μ. The exact mean
    /// may not be representable in `T`, and d − mean d does not depend on the rounding of μ. The backward does the
    /// same.
    fn layer_norm(&self, x: View<T>, w: View<T>, b: View<T>, epsilon: T, y: ViewMut<T>, stats: ViewMut<T>);

    /// With x̂ = (x − μ)·s and g = dy·w per row: dx += s·(g − mean g − x̂·mean(g·x̂)) and dw += Σ_rows dy·x̂. A
    /// gradient that is `None` is not computed.
    ///
    /// ([`sum_to`](Self::sum_to) computes db += Σ_rows dy.)
    fn layer_norm_backward(
        &self,
        x: View<T>,
        w: View<T>,
        stats: View<T>,
        dy: View<T>,
        dx: Option<ViewMut<T>>,
        dw: Option<ViewMut<T>>,
    );

    /// The gates and the new state of one GRU step (PyTorch's variant, gate order r, z, n). The inputs are
    /// gx\[B,3H\] = x·W_ihᵀ + b_ih, hw\[B,3H\] = h_prev·W_hhᵀ, b_hh\[3H\] and h_prev\[B,H\]:
    ///
    /// ```text
    /// gh = hw + b_hh        a_r = gx_r + gh_r    a_z = gx_z + gh_z    a_n = gx_n + r·gh_n
    /// r = σ(a_r)            z = σ(a_z)           n = tanh(a_n)        h = (1 − z)·n + z·h_prev
    /// ```
    ///
    /// The outputs are h\[B,H\] and kept\[B,4H\] = (r, z, n, gh_n), which the backward needs. With `rows`\[B\], gx is a
    /// table\[V,3H\], and example i uses the row rows\[i\] of it. A row outside the table panics.
    #[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
    fn gru_gates(
        &self,
        gx: View<T>,
        rows: Option<View<u32>>,
        hw: View<T>,
        b_hh: View<T>,
        h_prev: View<T>,
        kept: ViewMut<T>,
        h: ViewMut<T>,
    );

    /// The backward of [`gru_gates`](Self::gru_gates) for dh\[B,H\]. Adds to dgx\[B,3H\]; with `rows`, to the rows of
    /// the table dgx\[V,3H\] that they name. *Overwrites* dgh\[B,3H\] and dh_prev\[B,H\]. This dh_prev is only the
    /// direct path h → h_prev; the caller adds the path through the recurrent product, dgh·W_hh.
    #[expect(clippy::too_many_arguments, reason = "a step has as many operands")]
    fn gru_gates_backward(
        &self,
        kept: View<T>,
        h_prev: View<T>,
        dh: View<T>,
        rows: Option<View<u32>>,
        dgx: ViewMut<T>,
        dgh: ViewMut<T>,
        dh_prev: ViewMut<T>,
    );

    /// Σ x².
    fn sum_of_squares(&self, x: View<T>) -> T;

    /// One step of Adam or AdamW on parameters p with moments m and v, all of one shape:
    ///
    /// ```text
    /// if decoupled: p = (1 − αλ)·p    else if λ ≠ 0: g += λ·p
    /// m = β₁·m + (1 − β₁)·g       v = β₂·v + (1 − β₂)·g²
    /// p −= α/(1 − β₁ᵗ) · m / (√(v/(1 − β₂ᵗ)) + ε)
    /// ```
    ///
    /// A parameter of ±∞ whose gradient is 0 stays unchanged, unless λ·p is added to the gradient. (A bias of −∞ masks an
    /// action.)
    ///
    /// Sources: Kingma and Ba 2015 (arXiv:1412.6980), algorithm 1; Loshchilov and Hutter 2019 (arXiv:1711.05101),
    /// algorithm 2, with the decay multiplied by the rate as PyTorch does.
    fn adam(&self, config: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>);

    /// One step of gradient descent with momentum μ: m = μ·m + g; p −= rate·m.
    ///
    /// Source: Sutskever et al. 2013, in the form that PyTorch documents: the rate multiplies the velocity, not the gradient.
    fn momentum(&self, rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>);

    /// One step of RMSprop: v = α·v + (1 − α)·g²; p −= rate·g / (√v + ε).
    ///
    /// Source: Tieleman and Hinton 2012, lecture 6.5; ε is added outside the square root, as in PyTorch.
    fn rmsprop(&self, rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>);
}

/// The list of all kernels. Expands to `callback! { with  family::kernel(arguments) -> result; … }`.
///
/// [`forward_kernels`] makes the methods of an implementation from it, so that no implementation repeats the signatures. A
/// family is a module with one function for each of its kernels. An entry that differs from the trait does not compile, and
/// neither does a method without an entry.
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
            gru::gru_gates(gx: View<T>, rows: Option<View<u32>>, hw: View<T>, b_hh: View<T>, h_prev: View<T>,
                kept: ViewMut<T>, h: ViewMut<T>);
            gru::gru_gates_backward(kept: View<T>, h_prev: View<T>, dh: View<T>, rows: Option<View<u32>>,
                dgx: ViewMut<T>, dgh: ViewMut<T>, dh_prev: ViewMut<T>);
            reduce::sum_of_squares(x: View<T>) -> T;
            optim::adam(config: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>);
            optim::momentum(rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>);
            optim::rmsprop(rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>);
        }
    };
}
pub(crate) use for_each_kernel;

/// Expands to the methods of an `impl Kernels`: each calls `call! { self, family::kernel(arguments) }`. With
/// [`call_function`] as `call`, it calls the function `family::kernel`.
macro_rules! forward_kernels {
    ($call:ident) => { $crate::kernels::for_each_kernel! { forward_kernels [$call] } };
    ([$call:ident] $($family:ident::$kernel:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {
        $(fn $kernel(&self, $($arg: $type),*) $(-> $out)? {
            $call! { self, $family::$kernel($($arg),*) }
        })*
    };
}
pub(crate) use forward_kernels;

/// Calls a kernel as a function of its family.
macro_rules! call_function {
    ($self:ident, $family:ident::$kernel:ident($($arg:ident),*)) => { $family::$kernel($($arg),*) };
}
pub(crate) use call_function;
