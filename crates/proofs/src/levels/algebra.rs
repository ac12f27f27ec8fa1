//! L5, algebra: laws of every backward pass, for any function.

use crate::Case;
use autograd::Tape;
use autograd::gradcheck::{Pass, draw_cotangent, has_same_bits};
use tensor::Tensor;

use super::Verdict;
use super::pass::{check_close, check_close_with_scale, checked_gradients, max_abs, run_case, run_case_at};

const TOLERANCE: f64 = 1e-13;

/// Checks that the backward pass is linear in the incoming gradient. backward(2a − ¾b) must be
/// 2·backward(a) − ¾·backward(b), and backward(0) must be 0.
///
/// # Errors
/// If the check fails.
pub fn check_linearity(case: &Case) -> Verdict {
    let x = case.values();
    let [two, fraction] = [2.0, -0.75].map(Tensor::scalar);
    let together =
        run_case_at(case, &x, |shape| &(&draw_cotangent(shape, 1) * &two) + &(&draw_cotangent(shape, 2) * &fraction));
    let [a, b] = [1, 2].map(|seed| checked_gradients(run_case(case, seed), &x));
    let (a, b) = (a?, b?);
    for (k, got) in checked_gradients(together, &x)?.iter().enumerate() {
        let (a, b) = (&a[k] * &two, &b[k] * &fraction);
        let scale = max_abs(&a.to_vec()).max(max_abs(&b.to_vec()));
        check_close_with_scale(&format!("input {k}"), got, &(&a + &b), scale, TOLERANCE)?;
    }
    for (k, zero) in checked_gradients(run_case_at(case, &x, Tensor::zeros), &x)?.iter().enumerate() {
        check_close(&format!("input {k}, for a zero incoming gradient"), zero, &Tensor::zeros(zero.shape()), 0.0)?;
    }
    Ok(())
}

/// Checks that gradients accumulate. The gradient of an input that is used twice is the sum over both uses: f(x)·f(x)
/// has the sum of the gradients of f(a)·f(b) at a and at b. Also checks that each pass starts from zero gradients.
///
/// # Errors
/// If the check fails.
pub fn check_accumulation(case: &Case) -> Verdict {
    let inputs = case.values();
    let tape = Tape::new();
    let [a, b, x] = [(); 3].map(|()| inputs.iter().map(|x| tape.input(x.clone())).collect::<Vec<_>>());
    let call = |x: &[_]| case.f.call_f64(&tape, x);
    let dy = |shape| draw_cotangent(shape, 1);
    let both: Vec<_> = a.iter().chain(&b).copied().collect();
    let apart =
        checked_gradients(Pass::run_backward(call(&a) * call(&b), &both, dy), &[&inputs[..], &inputs[..]].concat())?;
    let y = call(&x) * call(&x);
    let together = Pass::run_backward(y, &x, dy);
    let _ = Pass::run_backward(y, &x, |shape| draw_cotangent(shape, 2));
    if !Pass::run_backward(y, &x, dy).has_same_bits(&together) {
        return Err("a pass adds to the gradients of an earlier pass".into());
    }
    for (k, got) in checked_gradients(together, &inputs)?.iter().enumerate() {
        check_close(&format!("input {k}, used twice"), got, &(&apart[k] + &apart[inputs.len() + k]), TOLERANCE)?;
    }
    Ok(())
}

/// Checks constants. A constant input gets no gradient, and the gradients of the other inputs keep their bits.
///
/// # Errors
/// If the check fails.
pub fn check_constants(case: &Case) -> Verdict {
    let all = run_case(case, 1);
    for constant in 0..case.inputs.len() {
        let tape = Tape::new();
        let record_leaf = |(k, x)| if k == constant { tape.constant(x) } else { tape.input(x) };
        let x: Vec<_> = case.values().into_iter().enumerate().map(record_leaf).collect();
        let pass = Pass::run_backward(case.f.call_f64(&tape, &x), &x, |shape| draw_cotangent(shape, 1));
        for (k, (got, want)) in pass.gradients.iter().zip(&all.gradients).enumerate() {
            let want = want.as_ref().filter(|_| k != constant);
            let same =
                got.as_ref().zip(want).map_or(got.is_none() && want.is_none(), |(got, want)| has_same_bits(got, want));
            if !same {
                return Err(format!("the gradient of input {k} changes if input {constant} is a constant"));
            }
        }
    }
    Ok(())
}
