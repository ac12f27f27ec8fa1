//! L5, algebra: what holds for every backward pass, whatever the function is.

use crate::Case;
use autograd::Tape;
use autograd::gradcheck::{Pass, cotangent, same_bits};
use tensor::Tensor;

use super::Verdict;
use super::pass::{gradients, largest, near, near_on, pass, pass_at};

const TOLERANCE: f64 = 1e-13;

/// The backward pass is linear in what comes in: for 2a − ¾b it gives twice that for a less ¾ of that for b, and for
/// zero, zero.
///
/// # Errors
/// If not.
pub fn is_linear(case: &Case) -> Verdict {
    let x = case.values();
    let [two, part] = [2.0, -0.75].map(Tensor::scalar);
    let together = pass_at(case, &x, |shape| &(&cotangent(shape, 1) * &two) + &(&cotangent(shape, 2) * &part));
    let [a, b] = [1, 2].map(|seed| gradients(pass(case, seed), &x));
    let (a, b) = (a?, b?);
    for (k, got) in gradients(together, &x)?.iter().enumerate() {
        let (a, b) = (&a[k] * &two, &b[k] * &part);
        let scale = largest(&a.to_vec()).max(largest(&b.to_vec()));
        near_on(&format!("input {k}"), got, &(&a + &b), scale, TOLERANCE)?;
    }
    for (k, zero) in gradients(pass_at(case, &x, Tensor::zeros), &x)?.iter().enumerate() {
        near(&format!("input {k}, from nothing"), zero, &Tensor::zeros(zero.shape()), 0.0)?;
    }
    Ok(())
}

/// An input that is used twice collects from both uses: f(x)·f(x) has the gradients of f(a)·f(b) at a and b together. And
/// a pass starts from nothing, whatever the pass before has left.
///
/// # Errors
/// If not.
pub fn accumulates(case: &Case) -> Verdict {
    let inputs = case.values();
    let tape = Tape::new();
    let [a, b, x] = [(); 3].map(|()| inputs.iter().map(|x| tape.input(x.clone())).collect::<Vec<_>>());
    let of = |x: &[_]| case.f.on_numbers(&tape, x);
    let dy = |shape| cotangent(shape, 1);
    let both: Vec<_> = a.iter().chain(&b).copied().collect();
    let apart = gradients(Pass::back(of(&a) * of(&b), &both, dy), &[&inputs[..], &inputs[..]].concat())?;
    let y = of(&x) * of(&x);
    let together = Pass::back(y, &x, dy);
    let _ = Pass::back(y, &x, |shape| cotangent(shape, 2));
    if !Pass::back(y, &x, dy).has_the_bits_of(&together) {
        return Err("what another pass left behind is still there".into());
    }
    for (k, got) in gradients(together, &inputs)?.iter().enumerate() {
        near(&format!("input {k}, used twice"), got, &(&apart[k] + &apart[inputs.len() + k]), TOLERANCE)?;
    }
    Ok(())
}

/// An input that is a constant gets no gradient, and the others have the same bits as without it being one.
///
/// # Errors
/// If not.
pub fn ignores_constants(case: &Case) -> Verdict {
    let all = pass(case, 1);
    for constant in 0..case.inputs.len() {
        let tape = Tape::new();
        let leaf = |(k, x)| if k == constant { tape.constant(x) } else { tape.input(x) };
        let x: Vec<_> = case.values().into_iter().enumerate().map(leaf).collect();
        let pass = Pass::back(case.f.on_numbers(&tape, &x), &x, |shape| cotangent(shape, 1));
        for (k, (got, want)) in pass.gradients.iter().zip(&all.gradients).enumerate() {
            let want = want.as_ref().filter(|_| k != constant);
            let same =
                got.as_ref().zip(want).map_or(got.is_none() && want.is_none(), |(got, want)| same_bits(got, want));
            if !same {
                return Err(format!("the gradient of input {k} is another one where input {constant} is a constant"));
            }
        }
    }
    Ok(())
}
