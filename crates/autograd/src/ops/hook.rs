//! A hook that observes the gradient on one edge of the graph.
//!
//! - Forward: y = x, as a view.
//! - Backward: dx += dy, after the hook is called with dy. Keeps the hook.
//! - Why: a hook observes a gradient, for example its norm, without changing it. Gradients of values computed from y pass this
//!   edge. Gradients of values computed from x do not.
//! - Cost: 1 flop per element backward, plus the hook.
//! - Reference: PyTorch manual, `Tensor.register_hook`. This hook can observe the gradient, not replace it.

use alloc::boxed::Box;

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

type Observer<T> = dyn Fn(&Tensor<T>) + Send;

pub(crate) struct Hook<T>(Box<Observer<T>>);

impl<T: Real> Var<'_, T> {
    /// Returns the same value, and calls `hook` with its gradient during the backward pass. The hook must not use this tape.
    ///
    /// Gradient: dx += dy; derived in [`ops::hook`](crate::ops::hook).
    ///
    /// ```
    /// # use autograd::Tape;
    /// # use tensor::Tensor;
    /// let tape = Tape::<f64>::new();
    /// let (send, seen) = std::sync::mpsc::channel();
    /// let x = tape.input(Tensor::scalar(3.0));
    /// let y = x + x.hook(move |dy| send.send(dy.item()).unwrap()) * x;
    /// y.backward()?;
    /// assert_eq!(seen.recv(), Ok(3.0)); // one of the three edges from x
    /// assert_eq!(x.grad().unwrap().item(), 7.0);
    /// # Ok::<(), autograd::Unreached>(())
    /// ```
    pub fn hook(self, hook: impl Fn(&Tensor<T>) + Send + 'static) -> Self {
        self.tape.record(Op::Hook(Hook(Box::new(hook))), &[self])
    }
}

impl<T: Real> Operation<T> for Hook<T> {
    const NAME: &'static str = "hook";
    const IS_VIEW: bool = true;

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.set_view(f.tensor(0).clone());
    }

    fn backward(&self, b: &mut Backward<'_, T>) {
        (self.0)(b.dy_tensor());
        let (kernels, dy) = (b.kernels(), b.dy());
        if let Some(dx) = b.grad(0) {
            kernels.sum_to(T::one(), dy, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use tensor::Tensor;

    use crate::testing::check_against_differences;

    #[test]
    fn hook_passes_the_gradient_on() {
        check_against_differences(&[Tensor::from([1.0, -2.0])], |x| x[0].hook(|_| {}).square());
    }
}
