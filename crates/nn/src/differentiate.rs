//! One pass of training: the loss and its gradient.

use autograd::{Tape, Unreached, Var};
use tensor::Real;

use crate::params::{BoundParams, Grads, Params};

/// Computes a loss on `tape` and its gradient with respect to `params`. Writes the gradient to `grads`, and returns the loss.
///
/// The closure receives the tape, for constants, and the parameters on it, for layers. Write the closure inside the call. Stored in
/// a variable first, it does not compile. Afterwards the tape is empty, so an optimiser updates the parameters in place. One tape
/// for all steps reuses its buffers.
///
/// ```
/// use autograd::Tape;
/// use nn::{Grads, Params, differentiate};
/// use tensor::Tensor;
///
/// let mut params = Params::<f64>::new();
/// let w = params.add("w", &Tensor::from([1.0, 2.0]));
/// let (mut tape, mut grads) = (Tape::new(), Grads::zeros(&params));
/// let loss = differentiate(&params, &mut tape, &mut grads, |tape, weights| {
///     let x = tape.constant(Tensor::from([3.0, 4.0]));
///     (x * weights.get(w)).sum()
/// })?;
/// assert_eq!((loss, grads.flat().to_vec()), (11.0, vec![3.0, 4.0]));
/// # Ok::<(), autograd::Unreached>(())
/// ```
///
/// # Errors
/// If the loss does not depend on a trainable parameter. The gradients are then unchanged.
///
/// # Panics
/// If the loss is not one number, the gradients belong to other parameters, or the tape was made by [`Tape::no_grad`].
#[track_caller]
pub fn differentiate<T: Real>(
    params: &Params<T>,
    tape: &mut Tape<T>,
    grads: &mut Grads<T>,
    loss: impl for<'t> FnOnce(&'t Tape<T>, BoundParams<'t, T>) -> Var<'t, T>,
) -> Result<T, Unreached> {
    tape.clear();
    let result = {
        let weights = params.bind(tape);
        let loss = loss(tape, weights);
        loss.backward().map(|()| {
            grads.collect(params, weights);
            loss.value().item()
        })
    };
    tape.clear();
    result
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use tensor::Tensor;

    use super::*;

    #[test]
    fn differentiate_again_on_the_same_tape_gives_the_new_gradient() {
        let mut params = Params::<f64>::new();
        let w = params.add("w", &Tensor::from([1.0, 2.0]));
        let (mut tape, mut grads) = (Tape::new(), Grads::zeros(&params));
        tape.param("of another pass", Tensor::scalar(1.0));
        for (values, loss, gradient) in [([1.0, 2.0], 5.0, [2.0, 4.0]), ([3.0, -1.0], 10.0, [6.0, -2.0])] {
            params.set(w, &Tensor::from(values));
            let got = differentiate(&params, &mut tape, &mut grads, |_, weights| weights.get(w).square().sum());
            assert_eq!((got, grads.flat().to_vec(), tape.is_empty()), (Ok(loss), gradient.to_vec(), true));
        }
    }

    #[test]
    fn differentiate_unreached_parameter_is_named_and_nothing_changes() {
        let mut params = Params::<f64>::new();
        let [a, _] = ["a", "b"].map(|name| params.add(name, &Tensor::scalar(2.0)));
        let (mut tape, mut grads) = (Tape::new(), Grads::zeros(&params));
        let result = differentiate(&params, &mut tape, &mut grads, |_, weights| weights.get(a).square());
        assert_eq!(result, Err(Unreached { names: vec!["b".into()] }));
        assert_eq!((grads.flat().to_vec(), tape.is_empty()), (vec![0.0; 2], true));
    }
}
