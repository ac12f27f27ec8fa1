//! Tests every kernel of every instruction set and of a GPU on ±∞, NaN, −0 and subnormal numbers, in every layout,
//! against `Naive`.
//!
//! Two results agree if both are NaN, if they are the same infinity, or if both are finite and within the kernel's
//! tolerance. Zeros must have the same sign if the kernel adds nothing to them: elementwise functions and copies. The
//! numbers are small, so that a sum is infinite only because of an infinite term, in every order of addition. A GPU
//! must keep subnormal numbers, too.

use tensor::{AdamStep, Binary, Form, Map, Reduce};

use crate::cases::CASES;
use crate::gpu::is_on_gpu;
use crate::{Draw, EXACT, Operand, Parts, Scalar, check_by, functions, rounding};

/// The kinds of numbers in a case.
#[derive(Clone, Copy, Debug)]
enum Mix {
    /// Ordinary numbers, zeros of either sign and subnormal numbers.
    Finite,
    /// The numbers of `Finite`, and infinities.
    Infinite,
    /// The numbers of `Infinite`, and NaN.
    All,
    /// Only subnormal numbers and zeros. A kernel that flushes subnormal numbers to zero loses all of them.
    Tiny,
    /// −∞ and ordinary numbers, like the logits of masked actions.
    Masked,
    /// Finite numbers whose differences overflow. They are tested only as logits.
    Huge,
}

/// The mixes for every kernel. Logits have one more.
const MIXES: [Mix; 5] = [Mix::Finite, Mix::Infinite, Mix::All, Mix::Tiny, Mix::Masked];

impl Mix {
    fn number<T: Scalar>(self, draw: &mut Draw) -> f64 {
        let single = size_of::<T>() == 4;
        let smallest = if single { f64::from(f32::from_bits(1)) } else { f64::from_bits(1) };
        let huge = if single { 1.75e38 } else { 0.925e308 };
        let infinite = [f64::INFINITY, f64::NEG_INFINITY];
        // Multiples of 64 times the smallest number, so that products such as 3/4 of one are exact.
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

/// The permitted difference between two results.
#[derive(Clone, Copy)]
enum Same {
    /// All bits are equal, except those of a NaN.
    Bits,
    /// The difference is at most this fraction of the largest finite result. Zeros have the same sign.
    Rounded(f64),
    /// The difference is at most this fraction of the largest finite result, plus a few of the smallest subnormal numbers. The
    /// sign of a zero may depend on the order of operations.
    AnyZero(f64),
    /// Like `AnyZero`. If one result is infinite or NaN, the other must be infinite or NaN, too.
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

/// One case: the random generator, and the mix of its numbers.
struct Case<'a> {
    draw: &'a mut Draw,
    mix: Mix,
}

impl Case<'_> {
    fn input<T: Scalar>(&mut self, shape: impl Into<tensor::Shape>) -> Operand<T> {
        let mix = self.mix;
        self.draw.input_by(shape, &|draw| mix.number::<T>(draw))
    }

    /// Draws an operand that a kernel adds to.
    fn gradient<T: Scalar>(&mut self, shape: impl Into<tensor::Shape>) -> Operand<T> {
        let mix = self.mix;
        self.draw.gradient_by(shape, &|draw| mix.number::<T>(draw))
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

/// Runs all cases, or eight on a GPU, because an emulator is slow. Eight cases include operands with and without gaps, and an
/// extent of 0.
fn run(mixes: &[Mix], body: fn(&mut Case<'_>)) {
    let cases = if is_on_gpu() { 8 } else { CASES };
    crate::cases::run_up_to(cases, |draw| {
        for &mix in mixes {
            println!("{mix:?}");
            body(&mut Case { draw, mix });
        }
    });
}

macro_rules! check_special {
    ($case:expr, $same:expr, $what:expr, $inputs:expr, $outputs:expr, $call:expr) => {{
        let what = format!("{} of {:?}", $what, $case.mix);
        check_by(&what, |what, got, want| compare($same, what, got, want), $inputs, $outputs, $call);
    }};
}

fn maps<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(0);
    // A GPU may differ in the last bits of functions such as eˣ.
    let (same, back) =
        if is_on_gpu() { (Same::Rounded(functions::<T>()), functions::<T>()) } else { (Same::Bits, EXACT) };
    for f in Map::all(T::from_f64(-1.5)) {
        let (x, y) = (case.input(shape), case.draw.overwritten::<T>(shape));
        check_special!(case, same, format!("{f:?}"), [x], [y], |k, [x], [y]| k.map(f, x, y));
        let (kept, dy, dx) = (case.input(shape), case.input(shape), case.gradient::<T>(shape));
        check_special!(case, Same::AnyZero(back), format!("{f:?} back"), [kept, dy], [dx], |k, [kept, dy], [dx]| {
            k.map_backward(f, kept, dy, dx);
        });
    }
}

fn binaries<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(0);
    for op in Binary::ALL {
        let (a, b) = (case.draw.broadcastable(shape), case.draw.broadcastable(shape));
        let (a, b, y) = (case.input(a), case.input(b), case.draw.overwritten::<T>(shape));
        check_special!(case, Same::Bits, format!("{op:?}"), [a, b], [y], |k, [a, b], [y]| k.binary(op, a, b, y));
    }
}

fn reductions<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(1);
    let n = rounding::<T>(shape.size());
    let to = case.draw.broadcastable(shape);
    let (dy, dx) = (case.input(shape), case.gradient::<T>(to));
    check_special!(case, Same::AnyZero(n), "sum_to", [dy], [dx], |k, [dy], [dx]| k.sum_to(T::from_f64(1.5), dy, dx));
    let (a, b, dx) = (case.input(shape), case.input(shape), case.gradient::<T>(to));
    check_special!(case, Same::AnyZero(n), "sum_product_to", [a, b], [dx], |k, [a, b], [dx]| {
        k.sum_product_to(T::from_f64(1.5), a, b, dx);
    });
    for axis in 0..shape.rank() {
        let (x, y) = (case.input(shape), case.draw.overwritten::<T>(shape.without_axis(axis)));
        let what = format!("sum of {shape} along {axis}");
        check_special!(case, Same::AnyZero(n), what, [x], [y], |k, [x], [y]| k.reduce(Reduce::Sum, x, axis, y));
        let (x, y) = (case.input(shape), case.draw.overwritten::<T>(shape.without_axis(axis)));
        let what = format!("maximum of {shape} along {axis}");
        check_special!(case, Same::AnyZero(EXACT), what, [x], [y], |k, [x], [y]| k.reduce(Reduce::Max, x, axis, y));
    }
    let (x, y) = (case.input(shape), case.draw.overwritten::<T>([]));
    check_special!(case, Same::AnyZero(n), "sum_of_squares", [x], [y], |k, [x], [mut y]| y
        .set(&[], k.sum_of_squares(x)));
    let last = shape.rank() - 1;
    let shape = shape.with_extent(last, shape[last].max(1));
    let (x, y) = (case.input::<T>(shape), case.draw.indices(shape.without_axis(last), 99));
    check_special!(case, Same::Bits, "argmax", [x], [y], |k, [x], [y]| k.argmax(x, y));
}

fn products<T: Scalar>(case: &mut Case<'_>) {
    let [m, k, n] = case.draw.sizes();
    for form in [Form::NN, Form::NT, Form::TN] {
        let a = case.input::<T>(if form == Form::TN { [k, m] } else { [m, k] });
        let b = case.input(if form == Form::NT { [n, k] } else { [k, n] });
        let (same, accumulate) = (Same::AnyZero(rounding::<T>(k)), case.draw.coin());
        let y = if accumulate { case.gradient::<T>([m, n]) } else { case.draw.overwritten([m, n]) };
        let what = format!("{form:?} with M, K, N = {m}, {k}, {n}, added: {accumulate}");
        check_special!(case, same, what, [a, b], [y], |k, [a, b], [y]| k.matmul(form, a, b, accumulate, y));
    }
}

fn logits<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(1);
    let each = shape.without_axis(shape.rank() - 1);
    let same = Same::AnyZero(rounding::<T>(shape.last_extent()));
    let (x, y) = (case.input(shape), case.draw.overwritten::<T>(shape));
    check_special!(case, same, "softmax", [x], [y], |k, [x], [y]| k.softmax(x, y));
    let (x, y) = (case.input(shape), case.draw.overwritten::<T>(shape));
    check_special!(case, same, "log_softmax", [x], [y], |k, [x], [y]| k.log_softmax(x, y));
    let (x, y) = (case.input(shape), case.draw.overwritten::<T>(each));
    check_special!(case, same, "logsumexp", [x], [y], |k, [x], [y]| k.logsumexp(x, y));
}

/// The kernels of logits, and their backward.
fn rows<T: Scalar>(case: &mut Case<'_>) {
    logits::<T>(case);
    let shape = case.draw.shape(1);
    let each = shape.without_axis(shape.rank() - 1);
    let same = Same::AnyZero(rounding::<T>(shape.last_extent()));
    let (y, dy, dx) = (case.input(shape), case.input(shape), case.gradient::<T>(shape));
    check_special!(case, same, "softmax_backward", [y, dy], [dx], |k, [y, dy], [dx]| k.softmax_backward(y, dy, dx));
    let (y, dy, dx) = (case.input(shape), case.input(shape), case.gradient::<T>(shape));
    check_special!(case, same, "log_softmax_backward", [y, dy], [dx], |k, [y, dy], [dx]| k
        .log_softmax_backward(y, dy, dx));
    let (x, y, dy, dx) = (case.input(shape), case.input(each), case.input(each), case.gradient::<T>(shape));
    check_special!(case, same, "logsumexp_backward", [x, y, dy], [dx], |k, [x, y, dy], [dx]| {
        k.logsumexp_backward(x, y, dy, dx);
    });
}

fn tables<T: Scalar>(case: &mut Case<'_>) {
    let [v, width, b] = case.draw.sizes();
    let v = v.max(1);
    let index = case.draw.indices([b], v);
    let (table, y) = (case.input([v, width]), case.draw.overwritten::<T>([b, width]));
    check_special!(case, Same::Bits, "gather_rows", [table], [y], |k, [table], [y]| k.gather_rows(
        table,
        index.strided(),
        y
    ));
    let same = Same::AnyZero(rounding::<T>(b));
    let (dy, dtable) = (case.input([b, width]), case.gradient::<T>([v, width]));
    check_special!(case, same, "scatter_add_rows", [dy], [dtable], |k, [dy], [dtable]| {
        k.scatter_add_rows(index.strided(), dy, dtable);
    });
    let index = case.draw.indices([b, 3], v);
    let (x, y) = (case.input([b, v]), case.draw.overwritten::<T>([b, 3]));
    check_special!(case, Same::Bits, "gather", [x], [y], |k, [x], [y]| k.gather(x, index.strided(), y));
    let (dy, dx) = (case.input([b, 3]), case.gradient::<T>([b, v]));
    check_special!(case, same, "scatter_add", [dy], [dx], |k, [dy], [dx]| k.scatter_add(index.strided(), dy, dx));
}

fn gates<T: Scalar>(case: &mut Case<'_>) {
    let [batch, hidden_size] = case.draw.sizes();
    let same = Same::AnyZero(rounding::<T>(batch));
    let (gx, hw) = (case.input([batch, 3 * hidden_size]), case.input([batch, 3 * hidden_size]));
    let (b_hh, h_prev) = (case.input([3 * hidden_size]), case.input([batch, hidden_size]));
    let (kept, h) = (case.draw.overwritten::<T>([batch, 4 * hidden_size]), case.draw.overwritten([batch, hidden_size]));
    let inputs = [gx, hw, b_hh, h_prev];
    check_special!(case, same, "gru_gates", inputs, [kept, h], |k, [gx, hw, b_hh, h_prev], [kept, h]| {
        k.gru_gates(gx, None, hw, b_hh, h_prev, kept, h);
    });
    let (kept, h_prev) = (case.input([batch, 4 * hidden_size]), case.input([batch, hidden_size]));
    let inputs = [kept, h_prev, case.input([batch, hidden_size])];
    let dgx = case.gradient::<T>([batch, 3 * hidden_size]);
    let outputs = [dgx, case.draw.overwritten([batch, 3 * hidden_size]), case.draw.overwritten([batch, hidden_size])];
    check_special!(case, same, "gru_gates_backward", inputs, outputs, |k, [kept, h_prev, dh], [dgx, dgh, dh_prev]| {
        k.gru_gates_backward(kept, h_prev, dh, None, dgx, dgh, dh_prev);
    });
}

/// If a row has an infinity or a NaN, its mean is infinite or NaN, and no result of the row is finite.
fn norms<T: Scalar>(case: &mut Case<'_>) {
    let [rows, n] = case.draw.sizes();
    let same = Same::NotFinite(rounding::<T>(n.max(rows)));
    let (x, w, b) = (case.input([rows, n]), case.input([n]), case.input([n]));
    let (y, stats) = (case.draw.overwritten::<T>([rows, n]), case.draw.overwritten([rows, 2]));
    check_special!(case, same, "layer_norm", [x, w, b], [y, stats], |k, [x, w, b], [y, stats]| {
        k.layer_norm(x, w, b, T::from_f64(0.125), y, stats);
    });
    let inputs = [case.input([rows, n]), case.input([n]), case.input([rows, 2]), case.input([rows, n])];
    let [x, w, stats, dy] = inputs;
    let (dx, dw) = (case.gradient::<T>([rows, n]), case.gradient([n]));
    check_special!(case, same, "layer_norm_backward", [x, w, stats, dy], [dx, dw], |k, [x, w, stats, dy], [dx, dw]| {
        k.layer_norm_backward(x, w, stats, dy, Some(dx), Some(dw));
    });
}

/// Gradients and moments are special numbers. Parameters are finite, and second moments are not negative.
fn optimisers<T: Scalar>(case: &mut Case<'_>) {
    let shape = case.draw.shape(0);
    let same = Same::AnyZero(rounding::<T>(8));
    let mix = case.mix;
    let second = |draw: &mut Draw| mix.number::<T>(draw).abs();
    for decoupled in [false, true] {
        let config = AdamStep { rate: 1e-4, beta1: 0.8, beta2: 0.99, epsilon: 1e-6, decay: 0.05, decoupled, step: 7 };
        let (g, m, p) = (case.input(shape), case.gradient::<T>(shape), case.draw.gradient(shape));
        let v = case.draw.gradient_by(shape, &second);
        check_special!(case, same, "adam", [g], [m, v, p], |k, [g], [m, v, p]| k.adam(config, g, m, v, p));
    }
    let (g, m, p) = (case.input(shape), case.gradient::<T>(shape), case.draw.gradient(shape));
    check_special!(case, same, "momentum", [g], [m, p], |k, [g], [m, p]| k.momentum(
        T::from_f64(1e-3),
        T::from_f64(0.7),
        g,
        m,
        p
    ));
    let (g, p) = (case.input(shape), case.draw.gradient::<T>(shape));
    let v = case.draw.gradient_by(shape, &second);
    check_special!(case, same, "rmsprop", [g], [v, p], |k, [g], [v, p]| {
        k.rmsprop(T::from_f64(1e-3), T::from_f64(0.9), T::from_f64(1e-5), g, v, p);
    });
}
