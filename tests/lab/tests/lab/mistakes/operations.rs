//! Mistakes in the rules of the operations.

use std::sync::{Mutex, PoisonError};

use autograd::gradcheck::{DynFunction, Finding, central_differences};
use autograd::ops::Kind;
use autograd::{Var, function};
use gradus_tests::levels::{Verdict, check_gradient_shapes};
use proofs::{BatchAxes, Case, RandomTensors, Target};
use tensor::{Real, Tensor};

use super::Mistake;
use super::gradient::{
    block_gradient, double_beside_constants, edit_gradient, one_minus, override_gradient, scale_gradient, scale_rows,
    sloped, store_gradient,
};
use super::gru::{SAVED, states};

/// Defines mistakes as rows `right => other`: the value of `right` with the gradient of `other`. The case without the mistake
/// uses the same override with the gradient of `right`, which shows that the override itself is not refused.
macro_rules! wrong_rules {
    ($($kind:ident $level:literal $wrong:literal: [$($input:expr),*] $(by rows $rows:expr => $axis:literal)?
        |$x:pat_param| $right:expr => $other:expr;)*) => {
        vec![$({
            let (target, inputs) = (Target::Operation(Kind::$kind), [$($input),*]);
            let right = Case::new(target, $wrong, inputs.clone(), function!(|$x| override_gradient($right, $right)));
            let mistaken = Case::new(target, $wrong, inputs, function!(|$x| override_gradient($right, $other)));
            let batch: Option<BatchAxes> = None$(.or(Some(BatchAxes { inputs: $rows.to_vec(), value: $axis })))?;
            Mistake::rule($wrong, $level, [right, mistaken].map(|case| Case { batch: batch.clone(), ..case }))
        }),*]
    };
}

/// Returns all mistakes in the rules.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let d = &mut RandomTensors::new(31);
    [
        broadcasting(d),
        elementwise(d),
        products(d),
        shapes(d),
        by_rows(d),
        execution(d),
        large(d),
        saved_values(d),
        others(d),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const LAST: [f64; 4] = [0.0, 0.0, 0.0, 1.0];

fn broadcasting(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        Add "L1" "un-broadcast: one row of dy instead of the sum of rows": [d.normal([4, 5]), d.normal([5])]
            |x| x[0] + x[1] => x[0] + scale_rows(x[1], &LAST);
        Add "L1" "un-broadcast: the mean instead of the sum": [d.normal([4, 5]), d.normal([5])]
            |x| x[0] + x[1] => x[0] + x[1].scale(T::from_f64(0.25));
        Sub "L1" "the sign of the second operand": [d.normal([2, 3]), d.normal([2, 3])] |x| x[0] - x[1] => x[0] + x[1];
        Mul "L1" "swapped operands: each gets its own value times dy": [d.normal([2, 3]), d.normal([2, 3])]
            |x| x[0] * x[1] => sloped(x[0], x[0]) + sloped(x[1], x[1]);
        Mul "L1" "un-broadcast: one row instead of the sum of rows": [d.normal([4, 5]), d.normal([5])]
            |x| x[0] * x[1] => sloped(x[1], x[0]) + scale_rows(sloped(x[0], x[1]), &LAST);
        Div "L1" "the sign of the divisor's gradient": [d.normal([2, 3]), d.nonzero([2, 3])]
            |x| x[0] / x[1] => x[0] / x[1].detach() - x[0].detach() / x[1];
        Div "L1" "swapped operands": [d.normal([2, 3]), d.nonzero([2, 3])]
            |x| x[0] / x[1] => x[1] / x[1].detach() - sloped(x[0] / x[1].square(), x[0]);
        Maximum "L1" "swapped operands": [d.normal([2, 3]), d.normal([2, 3])]
            |x| x[0].maximum(x[1]) => x[0].minimum(x[1]);
        Maximum "L1" "both operands get the gradient": [d.normal([2, 3]), d.normal([2, 3])]
            |x| x[0].maximum(x[1]) => x[0] + x[1];
        Maximum "L1" "the first of equal operands gets the whole gradient": [Tensor::from([1.0, 2.0]), Tensor::from([1.0, 2.0])]
            |x| x[0].maximum(x[1]) => x[0] + x[1].scale(T::zero());
        Minimum "L1" "swapped operands": [d.normal([2, 3]), d.normal([2, 3])]
            |x| x[0].minimum(x[1]) => x[0].maximum(x[1]);
        BroadcastTo "L1" "one copy instead of the sum of the copies": [d.normal([5])]
            |x| x[0].broadcast_to([4, 5]) => scale_rows(x[0], &LAST);
        BroadcastTo "L1" "the mean of the copies instead of their sum": [d.normal([5])]
            |x| x[0].broadcast_to([4, 5]) => x[0].broadcast_to([4, 5]).scale(T::from_f64(0.25));
    }
}

fn elementwise(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        Neg "L1" "the sign": [d.normal([2, 3])] |x| -x[0] => x[0];
        Scale "L1" "the factor: a mean without its 1/N": [d.normal([2, 3])] |x| x[0].scale(T::from_f64(0.2)) => x[0];
        Scale "L1" "the factor twice: 1/N²": [d.normal([2, 3])] |x| x[0].scale(T::from_f64(0.2)) => x[0].scale(T::from_f64(0.04));
        Shift "L1" "the constant used as the slope": [d.normal([2, 3])]
            |x| x[0].shift(T::from_f64(0.7)) => x[0].scale(T::from_f64(0.7));
        Exp "L1" "x instead of y": [d.normal([2, 3])] |x| x[0].exp() => sloped(x[0], x[0]);
        Log "L1" "1/y instead of 1/x": [d.positive([2, 3])] |x| x[0].log() => x[0] / x[0].log().detach();
        Log "L1" "x instead of 1/x": [d.positive([2, 3])] |x| x[0].log() => sloped(x[0], x[0]);
        Sqrt "L1" "1/y: the factor ½ forgotten": [d.positive([2, 3])] |x| x[0].sqrt() => x[0] / x[0].sqrt().detach();
        Square "L1" "x: the factor 2 forgotten": [d.normal([2, 3])] |x| x[0].square() => sloped(x[0], x[0]);
        Powi "L1" "xⁿ⁻¹: the factor n forgotten": [d.normal([2, 3])] |x| x[0].powi(3) => sloped(x[0].square(), x[0]);
        Powi "L1" "n·xⁿ instead of n·xⁿ⁻¹": [d.normal([2, 3])]
            |x| x[0].powi(3) => sloped(x[0].powi(3).scale(T::from_f64(3.0)), x[0]);
        Abs "L1" "the sign forgotten": [d.nonzero([2, 3])] |x| x[0].abs() => x[0];
        Clamp "L1" "the gradient passes everywhere": [d.normal([2, 3])] |x| x[0].clamp(-T::one(), T::one()) => x[0];
        Sin "L1" "the sign": [d.normal([2, 3])] |x| x[0].sin() => -x[0].sin();
        Cos "L1" "sin x instead of −sin x": [d.normal([2, 3])] |x| x[0].cos() => sloped(x[0].sin(), x[0]);
        Tanh "L1" "1 − y: the square forgotten": [d.normal([2, 3])]
            |x| x[0].tanh() => sloped(one_minus(x[0].tanh()), x[0]);
        Tanh "L1" "1 − x²: the input instead of the value": [d.normal([2, 3])]
            |x| x[0].tanh() => sloped(one_minus(x[0].square()), x[0]);
        Sigmoid "L1" "1 − y: a factor forgotten": [d.normal([2, 3])]
            |x| x[0].sigmoid() => sloped(one_minus(x[0].sigmoid()), x[0]);
        Sigmoid "L1" "x·(1 − x): the input instead of the value": [d.normal([2, 3])]
            |x| x[0].sigmoid() => sloped(x[0] * one_minus(x[0]), x[0]);
        Relu "L1" "the gradient passes everywhere": [d.nonzero([2, 3])] |x| x[0].relu() => x[0];
        Hook "L1" "the hooked edge is cut": [d.normal([2, 3])] |x| x[0].hook(|_| {}) * x[0] => x[0].detach() * x[0];
    }
}

/// Returns mistakes that no case can contain: a gradient of a wrong shape, and a wrong slope of relu at 0. A gradient buffer
/// always has the shape of its input. The slope at 0 is 0 by convention.
fn others(d: &mut RandomTensors) -> Vec<Mistake> {
    let check = |second: [usize; 2]| {
        let given = [[4, 5], second].map(|shape| Some(Tensor::zeros(shape)));
        check_gradient_shapes(&given, &[Tensor::zeros([4, 5]), Tensor::zeros([1, 5])])
    };
    let names = ["add", "no un-broadcast at all: the gradient has dy's shape", "L0"];
    let not_reduced = Mistake::new(names, move || check([1, 5]), move || check([4, 5]));
    let slope_1 = || function!(|x| relu_from_zero_on(x[0]));
    let right = || kink(&function!(|x| x[0].relu()));
    let unseen = Some(Case::new(Target::Operation(Kind::Relu), "away from 0", [d.nonzero([2, 3])], slope_1()));
    let at_zero = Mistake::new(["relu", "the slope 1 at 0", "L2"], right, move || kink(&slope_1()));
    vec![not_reduced, Mistake { unseen, ..at_zero }]
}

fn relu_from_zero_on<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let x_value = x.value().to_vec();
    let step = Tensor::from_fn(x.shape(), |i| if x_value[i] >= T::zero() { T::one() } else { T::zero() });
    override_gradient(x.relu(), x * x.tape().constant(step))
}

fn kink(f: &dyn DynFunction) -> Verdict {
    let report = central_differences(|tape, x| f.call_f64(tape, x), &[Tensor::from([1.0, 0.0, -1.0])]);
    match &report.findings[..] {
        [Finding::Kink { gradient: 0.0, .. }] if report.clone().allow_kinks().is_ok() => Ok(()),
        _ => Err(report.to_string()),
    }
}

fn products(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        MatMul "L1" "a missing transpose in da": [d.normal([3, 3]), d.normal([3, 3])]
            |x| x[0].matmul(x[1]) => x[0].transpose().matmul(x[1].detach()) + x[0].detach().matmul(x[1]);
        MatMul "L1" "a missing transpose in db": [d.normal([3, 3]), d.normal([3, 3])]
            |x| x[0].matmul(x[1]) => x[0].matmul(x[1].detach()) + x[0].detach().matmul_nt(x[1]);
        MatMul "L1" "swapped operands": [d.normal([3, 3]), d.normal([3, 3])]
            |x| x[0].matmul(x[1]) => x[0].detach().matmul(x[0]) + x[1].matmul(x[1].detach());
        MatMul "L1" "x·xᵀ with aliased operands: the second one forgotten": [d.normal([2, 3])]
            |x| x[0].matmul_nt(x[0]) => x[0].matmul_nt(x[0].detach());
        MatMul "L1" "the first matrix of a batch in every product": [d.normal([2, 3, 4]), d.normal([2, 4, 5])]
            |x| x[0].matmul(x[1]) => x[0].slice(0, 0..1).broadcast_to([2, 3, 4]).matmul(x[1]);
    }
}

fn shapes(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        Sum "L1" "a 1/N that belongs to the mean": [d.normal([2, 3])] |x| x[0].sum() => x[0].mean();
        SumAxis "L1" "a 1/N that belongs to the mean": [d.normal([2, 3])] |x| x[0].sum_axis(0) => x[0].mean_axis(0);
        SumAxis "L1" "a wrong axis": [d.normal([3, 3])] |x| x[0].sum_axis(0) => x[0].sum_axis(1);
        Reshape "L1" "column-major: NumPy's order 'F'": [d.normal([2, 3])]
            |x| x[0].reshape([6]) => x[0].transpose().reshape([6]);
        Permute "L1" "the permutation instead of its inverse": [d.normal([3, 3, 3])]
            |x| x[0].permute(&[1, 2, 0]) => x[0].permute(&[2, 0, 1]);
        Slice "L1" "an offset that is one too large": [d.normal([2, 5])] |x| x[0].slice(1, 1..3) => x[0].slice(1, 2..4);
        Slice "L1" "= for +=: only the last slice counts": [d.normal([7])]
            |x| x[0].slice(0, 0..5) * x[0].slice(0, 2..7)
                => store_gradient(x[0]).slice(0, 0..5) * store_gradient(x[0]).slice(0, 2..7);
        Flip "L1" "the order is not reversed": [d.normal([2, 3])] |x| x[0].flip(1) => x[0];
        Concat "L1" "each part reads the beginning of dy": [d.normal([2, 3]), d.normal([2, 3])]
            |x| Var::concat(&[x[0], x[1]], 0) => Var::concat(&[x[0] + x[1], x[1].detach()], 0);
        Concat "L1" "the last part is forgotten": [d.normal([2, 3]), d.normal([2, 3])]
            |x| Var::concat(&[x[0], x[1]], 0) => Var::concat(&[x[0], x[1].detach()], 0);
    }
}

fn by_rows(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        Softmax "L1" "y·dy: the sum over the row forgotten": [d.normal([4, 5])]
            |x| x[0].softmax() => sloped(x[0].softmax(), x[0]);
        Softmax "L1" "only the diagonal of the Jacobian": [d.normal([4, 5])]
            |x| x[0].softmax() => sloped(x[0].softmax() * one_minus(x[0].softmax()), x[0]);
        LogSoftmax "L1" "dy − p: Σ dy assumed to be 1": [d.normal([4, 5])]
            |x| x[0].log_softmax() => x[0] + edit_gradient(sloped(x[0].softmax(), x[0]), |dy| dy.fill(-1.0));
        LogSoftmax "L1" "dy − y·Σ dy: the exponential forgotten": [d.normal([4, 5])]
            |x| x[0].log_softmax() => x[0] - sloped(x[0].log_softmax(), x[0]).sum_axis(1).reshape([4, 1]);
        LogSumExp "L1" "dy·eˣ: not normalised": [d.normal([4, 5])]
            |x| x[0].logsumexp() => sloped(x[0].exp(), x[0]).sum_axis(1);
        Entropy "L1" "−x·eˣ·dy: the 1 of the product rule forgotten": [d.normal([4, 5])]
            |x| x[0].entropy() => -sloped(x[0] * x[0].exp(), x[0]).sum_axis(1);
        Embedding "L1" "a scatter with = for +=: repeated rows count once": [d.normal([3, 2])]
            |x| x[0].embedding(&Tensor::from([2, 0, 2, 2]))
                => scale_rows(x[0].embedding(&Tensor::from([2, 0, 2, 2])), &[0.0, 1.0, 0.0, 1.0]);
        Embedding "L1" "row 0 treated as padding": [d.normal([3, 2])]
            |x| x[0].embedding(&Tensor::from([2, 0, 2, 2]))
                => scale_rows(x[0].embedding(&Tensor::from([2, 0, 2, 2])), &[1.0, 0.0, 1.0, 1.0]);
        Gather "L1" "a scatter with = for +=: repeated elements count once": [d.normal([2, 3])]
            |x| x[0].gather(&Tensor::from([[2, 2], [1, 1]]))
                => x[0].gather(&Tensor::from([[2], [1]])).broadcast_to([2, 2]).scale(T::from_f64(0.5));
        LayerNorm "L1" "the mean of g is not subtracted": [d.normal([4, 5]), d.normal([5]), d.normal([5])]
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5))
                => (x[0] - row_mean(x[0]).detach()) / row_deviation(x[0]) * x[1] + x[2];
        LayerNorm "L1" "the component along x̂ is not subtracted": [d.normal([4, 5]), d.normal([5]), d.normal([5])]
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5))
                => (x[0] - row_mean(x[0])) / row_deviation(x[0]).detach() * x[1] + x[2];
        LayerNorm "L1" "the weight and the bias get the same gradient": [d.normal([4, 5]), d.normal([5]), d.normal([5])]
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5)) => x[0].layer_norm(x[1].detach(), x[2], T::from_f64(1e-5)) + x[1];
        LayerNorm "L1" "the bias gets the gradient of one row": [d.normal([4, 5]), d.normal([5]), d.normal([5])]
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5))
                => x[0].layer_norm(x[1], x[2].detach(), T::from_f64(1e-5)) + scale_rows(x[2], &LAST);
    }
}

/// Computes the mean of each row, as a column.
fn row_mean<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    x.mean_axis(1).reshape([x.shape()[0], 1])
}

/// Computes √(σ² + ε) of each row, as a column.
fn row_deviation<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    row_mean((x - row_mean(x)).square()).shift(T::from_f64(1e-5)).sqrt()
}

/// Returns mistakes in the way rules are executed.
fn execution(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        Add "L5" "= for +=":
            [d.normal([2, 3]), d.normal([2, 3])] |x| x[0] + x[1] => store_gradient(x[0]) + store_gradient(x[1]);
        MatMul "L5" "= for +=": [d.normal([2, 3]), d.normal([3, 5])]
            |x| x[0].matmul(x[1]) => store_gradient(x[0]).matmul(store_gradient(x[1]));
        Softmax "L5" "= for +=": [d.normal([4, 5])] |x| x[0].softmax() => store_gradient(x[0]).softmax();
        Embedding "L5" "= for +=": [d.normal([3, 2])]
            |x| x[0].embedding(&Tensor::from([2, 0])).square()
                => store_gradient(x[0]).embedding(&Tensor::from([2, 0])).square();
        Gru "L5" "= for +=": [d.normal([2, 4, 9]), d.normal([4, 3]), d.normal([9, 3]), d.normal([9])]
            |x| x[0].gru(x[1], x[2], x[3])
                => store_gradient(x[0]).gru(store_gradient(x[1]), store_gradient(x[2]), store_gradient(x[3]));
        Tanh "L5" "dy clipped to ±1": [d.normal([2, 3])]
            |x| x[0].tanh() => edit_gradient(x[0].tanh(), |dy| dy.iter_mut().for_each(|dy| *dy = dy.clamp(-1.0, 1.0)));
        MatMul "L5" "only the sign of dy": [d.normal([2, 3]), d.normal([3, 5])]
            |x| x[0].matmul(x[1])
                => edit_gradient(x[0].matmul(x[1]), |dy| dy.iter_mut().for_each(|dy| *dy = dy.signum()));
        Mul "L5" "a doubled gradient if an operand is a constant": [d.normal([2, 3]), d.normal([2, 3])]
            |x| x[0] * x[1] => double_beside_constants(x[0] * x[1], [x[0], x[1]]);
        LayerNorm "L5" "row 0 gets the gradient of row 1": [d.normal([4, 5]), d.normal([5]), d.normal([5])] by rows [Some(0), None, None] => 0
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5)) => first_as_second(x[0]).layer_norm(x[1], x[2], T::from_f64(1e-5));
        Slice "L5" "0·x is added, also for unread elements": [d.normal([2, 5])]
            |x| x[0].slice(1, 1..3) => x[0].slice(1, 1..3) + sloped(x[0], x[0]).scale(T::zero()).sum();
        MatMul "L0" "a buffer that is not cleared between passes": [d.normal([2, 3]), d.normal([3, 5])]
            |x| x[0].matmul(x[1]) => edit_gradient(x[0].matmul(x[1]), add_earlier_passes);
    }
}

/// Returns x. Drops the gradient of the first row and sends that of the second to both rows.
fn first_as_second<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let count = x.shape()[0];
    if count < 2 {
        return x;
    }
    let [first, second] = [0, 1].map(|row| x.slice(0, row..row + 1));
    Var::concat(&[first.detach(), override_gradient(second, second + first), x.slice(0, 2..count)], 0)
}

/// Adds the gradient of earlier passes to that of this pass.
fn add_earlier_passes(dy: &mut [f64]) {
    static LAST: Mutex<Vec<f64>> = Mutex::new(Vec::new());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    last.resize(dy.len(), 0.0);
    dy.iter_mut().zip(&mut *last).for_each(|(dy, last)| {
        *dy += *last;
        *last = *dy;
    });
}

/// Returns mistakes for large operands only. For small operands these rules are right.
fn large(d: &mut RandomTensors) -> Vec<Mistake> {
    let cases = |d: &mut RandomTensors, [b, t]: [usize; 2]| {
        wrong_rules! {
            Add "L3" "the rows of dy from 128 on are not read": [d.normal([t * b, 5]), d.normal([5])]
                |x| x[0] + x[1] => from_128_on(x[0] + x[1]);
            MatMul "L3" "the rows of dy from 128 on are not read": [d.normal([t * b, 3]), d.normal([3, 5])]
                |x| x[0].matmul(x[1]) => from_128_on(x[0].matmul(x[1]));
            Gru "L3" "the rows of dy from 128 on are not read":
            [d.normal([t, b, 9]), d.normal([b, 3]), d.normal([9, 3]), d.normal([9])]
                |x| x[0].gru(x[1], x[2], x[3]) => from_128_on(x[0].gru(x[1], x[2], x[3]));
        }
    };
    let (large, small) = (cases(d, [192, 7]), cases(d, [3, 2]));
    let unseen = small.into_iter().map(|mistake| mistake.cases.map(|[_, mistaken]| mistaken));
    large.into_iter().zip(unseen).map(|(mistake, unseen)| Mistake { unseen, ..mistake }).collect()
}

fn from_128_on<T: Real>(x: Var<'_, T>) -> Var<'_, T> {
    let width = x.shape().last_extent();
    edit_gradient(x, move |dy| dy.iter_mut().skip(128 * width).for_each(|dy| *dy = 0.0))
}

/// Returns rules that save the right numbers with wrong tangents.
fn saved_values(d: &mut RandomTensors) -> Vec<Mistake> {
    wrong_rules! {
        Sigmoid "L4" "saved values are constants to a second derivative": [d.normal([2, 3])]
            |x| x[0].sigmoid() => sloped(x[0].sigmoid() * one_minus(x[0].sigmoid()), x[0]);
        Softmax "L4" "saved values are constants to a second derivative": [d.normal([4, 5])]
            |x| x[0].softmax() => {
                let y = x[0].softmax().detach();
                y * (x[0] - (y * x[0]).sum_axis(1).reshape([4, 1]))
            };
        LayerNorm "L4" "saved values are constants to a second derivative":
            [d.normal([4, 5]), d.normal([5]), d.normal([5])]
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5)) => {
                let s = row_deviation(x[0]).detach();
                let hat = (block_gradient(x[0]) - row_mean(x[0]).detach()) / s;
                let moved = (x[0] - row_mean(x[0]) - hat * row_mean(hat * x[0])) / s;
                block_gradient(x[1]) * moved + hat * x[1] + x[2]
            };
        Gru "L4" "saved values are constants to a second derivative":
            [d.normal([2, 4, 9]), d.normal([4, 3]), d.normal([9, 3]), d.normal([9])]
            |x| x[0].gru(x[1], x[2], x[3]) => states(SAVED, x);
    }
}

/// Without the mistake, the written-out functions have the right gradient and the right second derivative. So the checks refuse
/// only the mistake.
#[test]
fn rules_written_out_without_the_mistake_are_right() {
    let d = &mut RandomTensors::new(32);
    let cases = wrong_rules! {
        Softmax "" "": [d.normal([4, 5])] |x| x[0].softmax() => {
            let y = block_gradient(x[0].softmax());
            y * (x[0] - (y * x[0]).sum_axis(1).reshape([4, 1]))
        };
        LayerNorm "" "": [d.normal([4, 5]), d.normal([5]), d.normal([5])]
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5)) => (x[0] - row_mean(x[0])) / row_deviation(x[0]) * x[1] + x[2];
        MatMul "" "":
            [d.normal([2, 3]), d.normal([3, 5])] |x| x[0].matmul(x[1]) => scale_gradient(x[0], 1.0).matmul(x[1]);
    };
    for case in cases.into_iter().filter_map(|mistake| mistake.cases) {
        let levels = if case[1].target.name() == "matmul" { &["L1"][..] } else { &["L1", "L4"] }; // edits lose tangents
        levels.iter().for_each(|level| assert_eq!(super::check_level(level, &case[1]), Ok(()), "{}", case[1]));
    }
}
