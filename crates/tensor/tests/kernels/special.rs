//! ±∞, NaN, −0 and subnormal numbers through every kernel of every instruction set and of a GPU, in every layout, against `Naive`.
//!
//! Two results are the same if both are NaN, or the same infinity, or finite and as near as the kernel promises. Zeros have the same
//! sign where nothing is added to them: by maps, functions of two elements, copies. Numbers are small, so that only an infinity makes
//! a sum infinite, in whatever order it is added. A GPU keeps subnormal numbers, too.

use tensor::{AdamStep, Binary, Form, Map, Reduce};

use crate::cases::CASES;
use crate::gpu::is_on_gpu;
use crate::{Draw, EXACT, Operand, Parts, Scalar, check_by, functions, rounding};

/// Which numbers a case has.
#[derive(Clone, Copy, Debug)]
enum Mix {
    /// Ordinary ones, zeros of either sign and subnormal ones.
    Finite,
    /// Those, and infinities.
    Infinite,
    /// Those, and NaN.
    All,
    /// Subnormal ones and zeros alone: a kernel that flushes them to zero loses all.
    Tiny,
    /// −∞ and ordinary ones, as logits of actions that are masked.
    Masked,
    /// Finite ones whose differences overflow, as logits alone.
    Huge,
}

/// Of every kernel; logits have more.
const MIXES: [Mix; 5] = [Mix::Finite, Mix::Infinite, Mix::All, Mix::Tiny, Mix::Masked];

impl Mix {
    fn number<T: Scalar>(self, draw: &mut Draw) -> f64 {
        let single = size_of::<T>() == 4;
        let smallest = if single { f64::from(f32::from_bits(1)) } else { f64::from_bits(1) };
        let huge = if single { 1.75e38 } else { 0.925e308 };
        let infinite = [f64::INFINITY, f64::NEG_INFINITY];
        // Multiples of 64, so that three quarters of one and the like are exact.
        let tiny = |draw: &mut Draw| (draw.below(2001) as f64 - 1000.0) * 64.0 * smallest;
        let zero = |draw: &mut Draw| [0.0, -0.0][draw.below(2)];
        match (self, draw.below(12)) {
            (Mix::Masked, 0..5) => f64::NEG_INFINITY,
            (Mix::Huge, at @ 0..8) => [-huge, huge][at % 2],
            (Mix::Tiny, 0..10) | (Mix::Finite | Mix::Infinite | Mix::All, 0) => tiny(draw),
            (Mix::Tiny, _) | (Mix::Finite, 1..4) | (Mix::Infinite | Mix::All, 1) => zero(draw),
            (Mix::Infinite | Mix::All, 2) => infinite[draw.below(2)],
            (Mix::All, 3) => f64::NAN,
            _ => draw.number(),
        }
    }
}

/// How far results may differ.
#[derive(Clone, Copy)]
enum Same {
    /// In no bit, but for those of a NaN.
    Bits,
    /// By this much of the largest finite result, and never in the sign of a zero.
    Rounded(f64),
    /// By this much of the largest finite result, or some of the smallest subnormal numbers; and whether a zero is negative may
    /// depend on the order of operations.
    AnyZero(f64),
    /// As `AnyZero`; where one result is infinite or NaN, so is the other.
    NotFinite(f64),
}

#[track_caller]
fn compare<U: Parts>(same: Same, what: &str, got: &[U], want: &[U]) {
    let smallest = 16.0 * if size_of::<U>() == 4 { f64::from(f32::from_bits(1)) } else { f64::from_bits(1) };
    let value = |x: &U| x.parts()[0];
    let scale = want.iter().map(value).filter(|w| w.is_finite()).fold(0.0, |scale: f64, w| scale.max(w.abs()));
    for (at, (g, w)) in got.iter().map(value).zip(want.iter().map(value)).enumerate() {
        let bits = g.to_bits() == w.to_bits() || g.is_nan() && w.is_nan();
        let near = |tolerance: f64| g == w || (g - w).abs() <= tolerance * scale + smallest;
        let agree = bits
            || match same {
                Same::Bits => false,
                Same::Rounded(tolerance) => near(tolerance) && (g != 0.0 || w != 0.0),
                Same::AnyZero(tolerance) => near(tolerance),
                Same::NotFinite(tolerance) => near(tolerance) || !g.is_finite() && !w.is_finite(),
            };
        assert!(agree, "{what}: element {at} is {g:e}, not {w:e} (of at most {scale:e})");
    }
}

/// The kernels of one case, each with numbers of the mix.
struct Case<'a> {
    draw: &'a mut Draw,
    mix: Mix,
}

impl Case<'_> {
    fn input<T: Scalar>(&mut self, shape: impl Into<tensor::Shape>) -> Operand<T> {
        let mix = self.mix;
        self.draw.input_of(shape, &|draw| mix.number::<T>(draw))
    }

    /// What is added to.
    fn into<T: Scalar>(&mut self, shape: impl Into<tensor::Shape>) -> Operand<T> {
        let mix = self.mix;
        self.draw.gradient_of(shape, &|draw| mix.number::<T>(draw))
    }
}

macro_rules! special {
    ($mixes:expr, $($body:ident)*) => {$(
        mod $body {
            use super::*;

            #[test]
            fn f32() {
                run(&$mixes, super::$body::<f32>);
            }
            #[test]
            fn f64() {
                run(&$mixes, super::$body::<f64>);
            }
        }
    )*};
}

special!(MIXES, maps binaries reductions products rows tables gates norms optimisers);
special!([Mix::Huge], logits);

/// A GPU takes eight cases: an emulator is slow, and in eight there are gaps, none, and an extent of 0.
fn run(mixes: &[Mix], body: fn(&mut Case<'_>)) {
    let cases = if is_on_gpu() { 8 } else { CASES };
    crate::cases::run_up_to(cases, |draw| {
        for &mix in mixes {
            println!("{mix:?}");
            body(&mut Case { draw, mix });
        }
    });
}

macro_rules! hold {
    ($case:expr, $same:expr, $what:expr, [$($input:expr),*], [$($output:expr),*], $call:expr) => {{
        let what = format!("{} of {:?}", $what, $case.mix);
        check_by(&what, |what, got, want| compare($same, what, got, want), [$($input),*], [$($output),*], $call);
    }};
}

fn maps<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(0);
    // The last bits of eˣ and the like are a GPU's own.
    let (same, back) =
        if is_on_gpu() { (Same::Rounded(functions::<T>()), functions::<T>()) } else { (Same::Bits, EXACT) };
    for f in Map::all(T::of(-1.5)) {
        let (x, y) = (case.input(shape), case.draw.blank::<T>(shape));
        hold!(case, same, format!("{f:?}"), [x], [y], |k, [x], [y]| k.map(f, x, y));
        let (kept, dy, dx) = (case.input(shape), case.input(shape), case.into::<T>(shape));
        hold!(case, Same::AnyZero(back), format!("{f:?} back"), [kept, dy], [dx], |k, [kept, dy], [dx]| {
            k.map_backward(f, kept, dy, dx);
        });
    }
}

fn binaries<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(0);
    for op in [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div] {
        let (a, b) = (case.draw.narrower(shape), case.draw.narrower(shape));
        let (a, b, y) = (case.input(a), case.input(b), case.draw.blank::<T>(shape));
        hold!(case, Same::Bits, format!("{op:?}"), [a, b], [y], |k, [a, b], [y]| k.binary(op, a, b, y));
    }
}

fn reductions<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(1);
    let n = rounding::<T>(shape.size());
    let to = case.draw.narrower(shape);
    let (dy, dx) = (case.input(shape), case.into::<T>(to));
    hold!(case, Same::AnyZero(n), "sum_to", [dy], [dx], |k, [dy], [dx]| k.sum_to(T::of(1.5), dy, dx));
    let (a, b, dx) = (case.input(shape), case.input(shape), case.into::<T>(to));
    hold!(case, Same::AnyZero(n), "sum_product_to", [a, b], [dx], |k, [a, b], [dx]| {
        k.sum_product_to(T::of(1.5), a, b, dx);
    });
    for axis in 0..shape.rank() {
        let (x, y) = (case.input(shape), case.draw.blank::<T>(shape.without(axis)));
        let what = format!("sum of {shape} along {axis}");
        hold!(case, Same::AnyZero(n), what, [x], [y], |k, [x], [y]| k.reduce(Reduce::Sum, x, axis, y));
        let (x, y) = (case.input(shape), case.draw.blank::<T>(shape.without(axis)));
        let what = format!("maximum of {shape} along {axis}");
        hold!(case, Same::AnyZero(EXACT), what, [x], [y], |k, [x], [y]| k.reduce(Reduce::Max, x, axis, y));
    }
    let (x, y) = (case.input(shape), case.draw.blank::<T>([]));
    hold!(case, Same::AnyZero(n), "sum_of_squares", [x], [y], |k, [x], [mut y]| y.set(&[], k.sum_of_squares(x)));
    let last = shape.rank() - 1;
    let shape = shape.with(last, shape[last].max(1));
    let (x, y) = (case.input::<T>(shape), case.draw.indices(shape.without(last), 99));
    hold!(case, Same::Bits, "argmax", [x], [y], |k, [x], [y]| k.argmax(x, y));
}

fn products<T: Scalar>(case: &mut Case<'_>) {
    let [m, k, n] = case.draw.sizes();
    for form in [Form::NN, Form::NT, Form::TN] {
        let a = case.input::<T>(if form == Form::TN { [k, m] } else { [m, k] });
        let b = case.input(if form == Form::NT { [n, k] } else { [k, n] });
        let (same, accumulate) = (Same::AnyZero(rounding::<T>(k)), case.draw.coin());
        let y = if accumulate { case.into::<T>([m, n]) } else { case.draw.blank([m, n]) };
        let what = format!("{form:?} with M, K, N = {m}, {k}, {n}, added: {accumulate}");
        hold!(case, same, what, [a, b], [y], |k, [a, b], [y]| k.matmul(form, a, b, accumulate, y));
    }
}

fn logits<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(1);
    let each = shape.without(shape.rank() - 1);
    let same = Same::AnyZero(rounding::<T>(shape.last_extent()));
    let (x, y) = (case.input(shape), case.draw.blank::<T>(shape));
    hold!(case, same, "softmax", [x], [y], |k, [x], [y]| k.softmax(x, y));
    let (x, y) = (case.input(shape), case.draw.blank::<T>(shape));
    hold!(case, same, "log_softmax", [x], [y], |k, [x], [y]| k.log_softmax(x, y));
    let (x, y) = (case.input(shape), case.draw.blank::<T>(each));
    hold!(case, same, "logsumexp", [x], [y], |k, [x], [y]| k.logsumexp(x, y));
}

/// Logits, and the ways back.
fn rows<T: Scalar>(case: &mut Case<'_>) {
    logits::<T>(case);
    let shape = case.draw.shape(1);
    let each = shape.without(shape.rank() - 1);
    let same = Same::AnyZero(rounding::<T>(shape.last_extent()));
    let (y, dy, dx) = (case.input(shape), case.input(shape), case.into::<T>(shape));
    hold!(case, same, "softmax_backward", [y, dy], [dx], |k, [y, dy], [dx]| k.softmax_backward(y, dy, dx));
    let (y, dy, dx) = (case.input(shape), case.input(shape), case.into::<T>(shape));
    hold!(case, same, "log_softmax_backward", [y, dy], [dx], |k, [y, dy], [dx]| k.log_softmax_backward(y, dy, dx));
    let (x, y, dy, dx) = (case.input(shape), case.input(each), case.input(each), case.into::<T>(shape));
    hold!(case, same, "logsumexp_backward", [x, y, dy], [dx], |k, [x, y, dy], [dx]| {
        k.logsumexp_backward(x, y, dy, dx);
    });
}

fn tables<T: Scalar>(case: &mut Case<'_>) {
    let [v, width, b] = case.draw.sizes();
    let v = v.max(1);
    let index = case.draw.indices([b], v);
    let (table, y) = (case.input([v, width]), case.draw.blank::<T>([b, width]));
    hold!(case, Same::Bits, "gather_rows", [table], [y], |k, [table], [y]| k.gather_rows(table, index.carved(), y));
    let same = Same::AnyZero(rounding::<T>(b));
    let (dy, dtable) = (case.input([b, width]), case.into::<T>([v, width]));
    hold!(case, same, "scatter_add_rows", [dy], [dtable], |k, [dy], [dtable]| {
        k.scatter_add_rows(index.carved(), dy, dtable);
    });
    let index = case.draw.indices([b, 3], v);
    let (x, y) = (case.input([b, v]), case.draw.blank::<T>([b, 3]));
    hold!(case, Same::Bits, "gather", [x], [y], |k, [x], [y]| k.gather(x, index.carved(), y));
    let (dy, dx) = (case.input([b, 3]), case.into::<T>([b, v]));
    hold!(case, same, "scatter_add", [dy], [dx], |k, [dy], [dx]| k.scatter_add(index.carved(), dy, dx));
}

fn gates<T: Scalar>(case: &mut Case<'_>) {
    let [b, h] = case.draw.sizes();
    let same = Same::AnyZero(rounding::<T>(b));
    let inputs = [case.input([b, 3 * h]), case.input([b, 3 * h]), case.input([3 * h]), case.input([b, h])];
    let [gx, hw, bias, state] = inputs;
    let (kept, y) = (case.draw.blank::<T>([b, 4 * h]), case.draw.blank([b, h]));
    hold!(case, same, "gru_gates", [gx, hw, bias, state], [kept, y], |k, [gx, hw, bias, h], [kept, y]| {
        k.gru_gates(gx, None, hw, bias, h, kept, y);
    });
    let (kept, state, dy) = (case.input([b, 4 * h]), case.input([b, h]), case.input([b, h]));
    let (dgx, dgh, dh) = (case.into::<T>([b, 3 * h]), case.draw.blank([b, 3 * h]), case.draw.blank([b, h]));
    hold!(case, same, "gru_gates_backward", [kept, state, dy], [dgx, dgh, dh], |k, [kept, h, dy], [dgx, dgh, dh]| {
        k.gru_gates_backward(kept, h, dy, None, dgx, dgh, dh);
    });
}

/// Where a row has an infinity or a NaN, its mean has one of the two, and nothing of the row is finite.
fn norms<T: Scalar>(case: &mut Case<'_>) {
    let [rows, n] = case.draw.sizes();
    let same = Same::NotFinite(rounding::<T>(n.max(rows)));
    let (x, w, b) = (case.input([rows, n]), case.input([n]), case.input([n]));
    let (y, stats) = (case.draw.blank::<T>([rows, n]), case.draw.blank([rows, 2]));
    hold!(case, same, "layer_norm", [x, w, b], [y, stats], |k, [x, w, b], [y, stats]| {
        k.layer_norm(x, w, b, T::of(0.125), y, stats);
    });
    let inputs = [case.input([rows, n]), case.input([n]), case.input([rows, 2]), case.input([rows, n])];
    let [x, w, stats, dy] = inputs;
    let (dx, dw) = (case.into::<T>([rows, n]), case.into([n]));
    hold!(case, same, "layer_norm_backward", [x, w, stats, dy], [dx, dw], |k, [x, w, stats, dy], [dx, dw]| {
        k.layer_norm_backward(x, w, stats, dy, Some(dx), Some(dw));
    });
}

/// Gradients and moments are special; parameters are finite, and second moments not negative.
fn optimisers<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(0);
    let same = Same::AnyZero(rounding::<T>(8));
    let mix = case.mix;
    let second = |draw: &mut Draw| mix.number::<T>(draw).abs();
    for decoupled in [false, true] {
        let with = AdamStep { rate: 1e-4, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, decay: 0.05, decoupled, step: 7 };
        let (g, m, p) = (case.input(shape), case.into::<T>(shape), case.draw.gradient(shape));
        let v = case.draw.gradient_of(shape, &second);
        hold!(case, same, "adam", [g], [m, v, p], |k, [g], [m, v, p]| k.adam(with, g, m, v, p));
    }
    let (g, m, p) = (case.input(shape), case.into::<T>(shape), case.draw.gradient(shape));
    hold!(case, same, "momentum", [g], [m, p], |k, [g], [m, p]| k.momentum(T::of(1e-3), T::of(0.7), g, m, p));
    let (g, p) = (case.input(shape), case.draw.gradient::<T>(shape));
    let v = case.draw.gradient_of(shape, &second);
    hold!(case, same, "rmsprop", [g], [v, p], |k, [g], [v, p]| {
        k.rmsprop(T::of(1e-3), T::of(0.9), T::of(1e-5), g, v, p);
    });
}
