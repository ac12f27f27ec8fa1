//! What each kernel costs, from shapes alone, and the kernels that count it: one entry for each.
//!
//! Flops are those of the equation in [`Kernels`]: one for each addition, subtraction, multiplication, division and comparison, and
//! one for each exp, ln, √, tanh and σ, although such a function takes the time of some ten to twenty. Copies have none.
//! A maximum of a row of N has N comparisons, a sum N additions.
//!
//! Numbers are those of all operands, each read once and written once; what is added to is read and written. Nothing is known of
//! caches, and a view that repeats elements counts each time. Below, `n` is the number of elements of a view.

use super::Profiled;
use crate::{AdamStep, Binary, Device, Element, Form, Kernels, Map, Real, Reduce, View, ViewMut};

/// What a call costs.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub(super) flops: u64,
    /// Numbers that are read or written.
    pub(super) numbers: u64,
    /// Indices that are read or written.
    pub(super) indices: u64,
}

/// The number of elements.
trait Size {
    fn n(&self) -> u64;
}

impl<T: Element> Size for View<'_, T> {
    fn n(&self) -> u64 {
        self.shape().size() as u64
    }
}

impl<T: Element> Size for ViewMut<'_, T> {
    fn n(&self) -> u64 {
        self.shape().size() as u64
    }
}

impl<V: Size> Size for Option<V> {
    fn n(&self) -> u64 {
        self.as_ref().map_or(0, V::n)
    }
}

/// Flops of a function at one element.
fn each<T>(f: Map<T>) -> u64 {
    match f {
        Map::Identity | Map::Primal | Map::Constant(_) => 0,
        Map::HalfRecip | Map::OneMinusSquare | Map::Logistic => 2,
        Map::EntropyTerm => 3,
        Map::EntropySlope => 4,
        _ => 1,
    }
}

/// The elements of what a and b broadcast to.
fn together<T: Element>(a: &View<T>, b: &View<T>) -> u64 {
    a.shape().broadcast(&b.shape()).map_or(0, |shape| shape.size() as u64)
}

/// The length of the dimension that a product sums over.
fn inner<T: Element>(form: Form, a: &View<T>) -> u64 {
    a.shape()[if form == Form::TN { 0 } else { 1 }] as u64
}

/// Makes [`Kernel`] and the implementation of [`Kernels`]: entries are a method, the rows of the table that it counts for,
/// and its flops, numbers and indices.
macro_rules! profiled {
    ($(
        $method:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?
        { $($kernel:ident $name:literal $(if $case:pat = $of:ident)?),* }
        [$flops:expr, $numbers:expr, $indices:expr]
    )*) => {
        /// A row of a profile: a kernel, with one for each form of the matrix product.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kernel {
            $($(#[doc = $name] $kernel,)*)*
        }

        impl Kernel {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$kernel),*),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$kernel => $name,)*)* }
            }
        }

        impl<T: Real> Kernels<T> for Profiled<T> {
            fn name(&self) -> &'static str {
                self.inner.name()
            }
            fn device(&self) -> Device {
                self.inner.device()
            }
            $(fn $method(&self, $($arg: $type),*) $(-> $result)? {
                let cost = Cost { flops: $flops, numbers: $numbers, indices: $indices };
                let kernel = profiled!(@kernel $($kernel $(if $case = $of)?),*);
                self.time(kernel, cost, || self.inner.$method($($arg),*))
            })*
        }
    };
    (@kernel $kernel:ident) => { Kernel::$kernel };
    (@kernel $($kernel:ident if $case:pat = $of:ident),*) => { match ($($of,)*).0 { $($case => Kernel::$kernel),* } };
}

profiled! {
    map(f: Map<T>, x: View<T>, y: ViewMut<T>) { Map "map" }
        [each(f) * y.n(), x.n() + y.n(), 0]
    map_backward(slope: Map<T>, kept: View<T>, dy: View<T>, dx: ViewMut<T>) { MapBackward "map_backward" }
        [(each(slope) + 2) * dx.n(), kept.n() + dy.n() + 2 * dx.n(), 0] // slope, ·dy, +=
    binary(op: Binary, a: View<T>, b: View<T>, y: ViewMut<T>) { Binary "binary" }
        [y.n(), a.n() + b.n() + y.n(), 0]
    sum_to(alpha: T, dy: View<T>, dx: ViewMut<T>) { SumTo "sum_to" }
        [dy.n() + dx.n(), dy.n() + 2 * dx.n(), 0] // additions, and α·
    sum_product_to(alpha: T, a: View<T>, b: View<T>, dx: ViewMut<T>) { SumProductTo "sum_product_to" }
        [2 * together(&a, &b) + dx.n(), a.n() + b.n() + 2 * dx.n(), 0]
    reduce(how: Reduce, x: View<T>, axis: usize, y: ViewMut<T>) { Reduce "reduce" }
        [x.n(), x.n() + y.n(), 0]
    argmax(x: View<T>, y: ViewMut<u32>) { Argmax "argmax" }
        [x.n(), x.n(), y.n()]
    matmul(form: Form, a: View<T>, b: View<T>, accumulate: bool, y: ViewMut<T>)
        { MatmulNN "matmul NN" if Form::NN = form, MatmulNT "matmul NT" if Form::NT = form,
          MatmulTN "matmul TN" if Form::TN = form }
        [2 * y.n() * inner(form, &a), a.n() + b.n() + (1 + u64::from(accumulate)) * y.n(), 0] // 2·M·N·K
    softmax(x: View<T>, y: ViewMut<T>) { Softmax "softmax" }
        [5 * x.n(), 2 * x.n(), 0] // max, −, exp, Σ, /
    softmax_backward(y: View<T>, dy: View<T>, dx: ViewMut<T>) { SoftmaxBackward "softmax_backward" }
        [5 * y.n(), 4 * y.n(), 0] // ·, Σ, −, ·, +=
    log_softmax(x: View<T>, y: ViewMut<T>) { LogSoftmax "log_softmax" }
        [5 * x.n(), 2 * x.n(), 0] // max, −, exp, Σ, −
    log_softmax_backward(y: View<T>, dy: View<T>, dx: ViewMut<T>) { LogSoftmaxBackward "log_softmax_backward" }
        [5 * y.n(), 4 * y.n(), 0] // Σ, exp, ·, −, +=
    logsumexp(x: View<T>, y: ViewMut<T>) { Logsumexp "logsumexp" }
        [4 * x.n() + 2 * y.n(), x.n() + y.n(), 0] // max, −, exp, Σ; ln, +
    logsumexp_backward(x: View<T>, y: View<T>, dy: View<T>, dx: ViewMut<T>) { LogsumexpBackward "logsumexp_backward" }
        [4 * x.n(), 3 * x.n() + y.n() + dy.n(), 0] // −, exp, ·, +=
    gather_rows(table: View<T>, index: View<u32>, y: ViewMut<T>) { GatherRows "gather_rows" }
        [0, 2 * y.n(), index.n()]
    scatter_add_rows(index: View<u32>, dy: View<T>, dtable: ViewMut<T>) { ScatterAddRows "scatter_add_rows" }
        [dy.n(), 3 * dy.n(), index.n()]
    gather(x: View<T>, index: View<u32>, y: ViewMut<T>) { Gather "gather" }
        [0, 2 * y.n(), index.n()]
    scatter_add(index: View<u32>, dy: View<T>, dx: ViewMut<T>) { ScatterAdd "scatter_add" }
        [dy.n(), 3 * dy.n(), index.n()]
    layer_norm(x: View<T>, w: View<T>, b: View<T>, epsilon: T, y: ViewMut<T>, stats: ViewMut<T>)
        { LayerNorm "layer_norm" }
        [8 * x.n() + 5 * stats.n() / 2, 2 * x.n() + w.n() + b.n() + stats.n(), 0] // Σ; −, ², Σ; −, ·, ·, +; / / + √ /
    layer_norm_backward(
        x: View<T>, w: View<T>, stats: View<T>, dy: View<T>, dx: Option<ViewMut<T>>, dw: Option<ViewMut<T>>
    ) { LayerNormBackward "layer_norm_backward" }
        [
            2 * x.n() + 9 * dx.n() + if dw.is_some() { 2 * x.n() } else { 0 }, // x̂; g, Σ, ·, Σ, ·, −, −, ·, +=; ·, +=
            x.n() + w.n() + stats.n() + dy.n() + 2 * dx.n() + 2 * dw.n(),
            0
        ]
    gru_gates(
        gx: View<T>, rows: Option<View<u32>>, hw: View<T>, b: View<T>, h: View<T>, kept: ViewMut<T>, y: ViewMut<T>
    ) { GruGates "gru_gates" }
        [14 * h.n(), 2 * hw.n() + b.n() + h.n() + kept.n() + y.n(), rows.n()] // gh: 3, r: 2, z: 2, n: 3, y: 4
    gru_gates_backward(
        kept: View<T>, h: View<T>, dy: View<T>, rows: Option<View<u32>>, dgx: ViewMut<T>, dgh: ViewMut<T>, dh: ViewMut<T>
    ) { GruGatesBackward "gru_gates_backward" }
        [
            19 * h.n(), // da_n: 5, da_z: 5, da_r: 4, dgx: 3, dgh: 1, dh: 1
            kept.n() + h.n() + dy.n() + 3 * dgh.n() + dh.n(),
            rows.n()
        ]
    sum_of_squares(x: View<T>) -> T { SumOfSquares "sum_of_squares" }
        [2 * x.n(), x.n(), 0]
    adam(with: AdamStep, g: View<T>, m: ViewMut<T>, v: ViewMut<T>, p: ViewMut<T>) { Adam "adam" }
        [(13 + if with.decay == 0.0 { 0 } else { 2 }) * p.n(), 7 * p.n(), 0] // m: 3, v: 4, p: 6, decay: 2
    momentum(rate: T, mu: T, g: View<T>, m: ViewMut<T>, p: ViewMut<T>) { Momentum "momentum" }
        [4 * p.n(), 5 * p.n(), 0]
    rmsprop(rate: T, alpha: T, epsilon: T, g: View<T>, v: ViewMut<T>, p: ViewMut<T>) { Rmsprop "rmsprop" }
        [9 * p.n(), 5 * p.n(), 0] // v: 4, p: 5
}
