//! The cost of each kernel, computed from shapes alone: a table with one entry for each kernel.
//!
//! Flops follow the equations of [`Kernels`]. Each addition, subtraction, multiplication, division and comparison
//! counts as one. Each exp, ln, √, tanh, σ, sin and cos also counts as one, although it takes the time of ten to twenty flops. A
//! copy has no flops. A maximum over a row of N has N comparisons, and a sum has N additions.
//!
//! Memory traffic counts the numbers of all operands. Each operand is read once or written once; an operand that the
//! kernel adds to is read and written. Caches are ignored. A view that repeats elements counts every repetition. Below,
//! `x.n()` is the number of elements of the view x.

use super::Profiler;
use crate::kernels::forward_kernels;
use crate::{AdamStep, Binary, Device, Element, Form, Kernels, Map, Real, Reduce, View, ViewMut};

/// The cost of one call.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub(super) flops: u64,
    /// The number of scalars read or written.
    pub(super) numbers: u64,
    /// The number of indices read or written.
    pub(super) indices: u64,
}

/// A view with a number of elements; `None` has 0.
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

/// The flops of a function at one element.
fn flops_per_element<T>(f: Map<T>) -> u64 {
    match f {
        Map::Identity | Map::Primal | Map::Constant(_) => 0,
        Map::HalfRecip | Map::OneMinusSquare | Map::SigmoidSlope | Map::Clamp(..) | Map::Sign | Map::InRange(..) => 2,
        Map::EntropyTerm => 3,
        Map::Powi(n) => {
            let power = n.unsigned_abs().max(1); // squarings, products of squares, and a division
            u64::from(power.ilog2() + power.count_ones() - 1 + u32::from(n < 0))
        }
        Map::EntropySlope => 4,
        _ => 1,
    }
}

/// The number of elements of the common shape of a and b.
fn broadcast_size<T: Element>(a: &View<T>, b: &View<T>) -> u64 {
    a.shape().broadcast(&b.shape()).map_or(0, |shape| shape.size() as u64)
}

/// The extent K of the axis that a matrix product sums over.
fn inner_extent<T: Element>(form: Form, a: &View<T>) -> u64 {
    a.shape()[if form == Form::TN { 0 } else { 1 }] as u64
}

/// Defines [`Kernel`] and the macro `cost!`. Each entry of the table becomes an arm of `cost!`. The arm maps
/// `kernel(arguments)`, whose arguments are references, to the row of the profile and the [`Cost`]. (`$` is an argument,
/// because a macro cannot write it into another macro.)
macro_rules! costs {
    ($d:tt $(
        $method:ident($($arg:pat),*)
        { $($kernel:ident $name:literal $(if $case:pat = $of:ident)?),* }
        [$flops:expr, $numbers:expr, $indices:expr]
    )*) => {
        /// A row of a profile. Each kernel has one row, and the matrix product has one for each form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kernel {
            $($(#[doc = $name] $kernel,)*)*
        }

        impl Kernel {
            /// All rows.
            pub const ALL: &[Self] = &[$($(Self::$kernel),*),*];

            /// The name of the row.
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$kernel => $name,)*)* }
            }
        }

        #[deny(unused_macro_rules)]
        macro_rules! cost {
            $(($method($d($d given:ident),*)) => {
                match ($d(&$d given,)*) {
                    ($($arg,)*) => (
                        costs!(@kernel $($kernel $(if $case = $of)?),*),
                        Cost { flops: $flops, numbers: $numbers, indices: $indices },
                    )
                }
            };)*
        }
    };
    (@kernel $kernel:ident) => { Kernel::$kernel };
    (@kernel $($kernel:ident if $case:pat = $of:ident),*) => { match ($($of,)*).0 { $($case => Kernel::$kernel),* } };
}

costs! { $
    map(f, x, y) { Map "map" }
        [flops_per_element(*f) * y.n(), x.n() + y.n(), 0]
    map_backward(slope, kept, dy, dx) { MapBackward "map_backward" }
        [(flops_per_element(*slope) + 2) * dx.n(), kept.n() + dy.n() + 2 * dx.n(), 0] // slope, ·dy, +=
    binary(_, a, b, y) { Binary "binary" }
        [y.n(), a.n() + b.n() + y.n(), 0]
    sum_to(_, dy, dx) { SumTo "sum_to" }
        [dy.n() + dx.n(), dy.n() + 2 * dx.n(), 0] // additions, and α·
    sum_product_to(_, a, b, dx) { SumProductTo "sum_product_to" }
        [2 * broadcast_size(a, b) + dx.n(), a.n() + b.n() + 2 * dx.n(), 0]
    reduce(_, x, _, y) { Reduce "reduce" }
        [x.n(), x.n() + y.n(), 0]
    argmax(x, y) { Argmax "argmax" }
        [x.n(), x.n(), y.n()]
    matmul(form, a, b, accumulate, y)
        { MatmulNN "matmul NN" if Form::NN = form, MatmulNT "matmul NT" if Form::NT = form,
          MatmulTN "matmul TN" if Form::TN = form }
        [2 * y.n() * inner_extent(*form, a), a.n() + b.n() + (1 + u64::from(*accumulate)) * y.n(), 0] // 2·M·N·K
    softmax(x, _) { Softmax "softmax" }
        [5 * x.n(), 2 * x.n(), 0] // max, −, exp, Σ, /
    softmax_backward(y, _, _) { SoftmaxBackward "softmax_backward" }
        [5 * y.n(), 4 * y.n(), 0] // ·, Σ, −, ·, +=
    log_softmax(x, _) { LogSoftmax "log_softmax" }
        [5 * x.n(), 2 * x.n(), 0] // max, −, exp, Σ, −
    log_softmax_backward(y, _, _) { LogSoftmaxBackward "log_softmax_backward" }
        [5 * y.n(), 4 * y.n(), 0] // Σ, exp, ·, −, +=
    logsumexp(x, y) { Logsumexp "logsumexp" }
        [4 * x.n() + 2 * y.n(), x.n() + y.n(), 0] // max, −, exp, Σ; ln, +
    logsumexp_backward(x, y, dy, _) { LogsumexpBackward "logsumexp_backward" }
        [4 * x.n(), 3 * x.n() + y.n() + dy.n(), 0] // −, exp, ·, +=
    gather_rows(_, index, y) { GatherRows "gather_rows" }
        [0, 2 * y.n(), index.n()]
    scatter_add_rows(index, dy, _) { ScatterAddRows "scatter_add_rows" }
        [dy.n(), 3 * dy.n(), index.n()]
    gather(_, index, y) { Gather "gather" }
        [0, 2 * y.n(), index.n()]
    scatter_add(index, dy, _) { ScatterAdd "scatter_add" }
        [dy.n(), 3 * dy.n(), index.n()]
    layer_norm(x, w, b, _, _, stats) { LayerNorm "layer_norm" }
        [8 * x.n() + 5 * stats.n() / 2, 2 * x.n() + w.n() + b.n() + stats.n(), 0] // Σ; −, ², Σ; −, ·, ·, +; / / + √ /
    layer_norm_backward(x, w, stats, dy, dx, dw) { LayerNormBackward "layer_norm_backward" }
        [
            2 * x.n() + 9 * dx.n() + if dw.is_some() { 2 * x.n() } else { 0 }, // x̂; g, Σ, ·, Σ, ·, −, −, ·, +=; ·, +=
            x.n() + w.n() + stats.n() + dy.n() + 2 * dx.n() + 2 * dw.n(),
            0
        ]
    gru_gates(_, rows, hw, b_hh, h_prev, kept, h) { GruGates "gru_gates" }
        [14 * h.n(), 2 * hw.n() + b_hh.n() + h_prev.n() + kept.n() + h.n(), rows.n()] // gh: 3, r: 2, z: 2, n: 3, h: 4
    gru_gates_backward(kept, h_prev, dh, rows, _, dgh, dh_prev) { GruGatesBackward "gru_gates_backward" }
        [
            19 * dh.n(), // da_n: 5, da_z: 5, da_r: 4, dgx: 3, dgh: 1, dh_prev: 1
            kept.n() + h_prev.n() + dh.n() + 3 * dgh.n() + dh_prev.n(),
            rows.n()
        ]
    sum_of_squares(x) { SumOfSquares "sum_of_squares" }
        [2 * x.n(), x.n(), 0]
    adam(config, _, _, _, p) { Adam "adam" }
        [(13 + if config.decay == 0.0 { 0 } else { 2 }) * p.n(), 7 * p.n(), 0] // m: 3, v: 4, p: 6, decay: 2
    momentum(_, _, _, _, p) { Momentum "momentum" }
        [4 * p.n(), 5 * p.n(), 0]
    rmsprop(_, _, _, _, _, p) { Rmsprop "rmsprop" }
        [9 * p.n(), 5 * p.n(), 0] // v: 4, p: 5
}

/// Calls the inner kernel, and counts the call.
macro_rules! call {
    ($self:ident, $family:ident::$kernel:ident $args:tt) => {{
        let (kernel, cost) = cost!($kernel $args);
        $self.time(kernel, cost, || $self.inner.$kernel $args)
    }};
}

impl<T: Real> Kernels<T> for Profiler<T> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn device(&self) -> Device {
        self.inner.device()
    }
    forward_kernels! { call }
}
