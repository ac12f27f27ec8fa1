//! An observer on an edge of the graph.
//!
//! - Forward: y = x; a view.
//! - Backward: dx += dy, after the hook has seen dy. Keeps the hook.
//! - Why: to watch a gradient on its way (its norm, whether it is finite) without changing it. What is computed from
//!   y goes through this edge; what is computed from x does not.
//! - Cost: 1 flop an element backward, and what the hook does.
//! - Reference: PyTorch manual, `Tensor.register_hook`, of which this is the observing half.

use alloc::boxed::Box;

use tensor::{Real, Tensor};

use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

type Observer<T> = dyn Fn(&Tensor<T>) + Send;

pub(crate) struct Hook<T>(Box<Observer<T>>);

impl<T: Real> Var<'_, T> {
    /// The same value, on an edge where `hook` sees the gradient that comes back. The hook may not use this tape.
    ///
    /// ```
    /// # use autograd::Tape;
    /// # use tensor::Tensor;
    /// let tape = Tape::<f64>::new();
    /// let (send, seen) = std::sync::mpsc::channel();
    /// let x = tape.input(Tensor::scalar(3.0));
    /// let y = x + x.hook(move |dy| send.send(dy.item()).unwrap()) * x;
    /// y.backward()?;
    /// assert_eq!(seen.recv(), Ok(3.0)); // of the three edges from x, the one that was asked for
    /// assert_eq!(x.grad().unwrap().item(), 7.0);
    /// # Ok::<(), autograd::Unreached>(())
    /// ```
    pub fn hook(self, hook: impl Fn(&Tensor<T>) + Send + 'static) -> Self {
        self.tape.record(Op::Hook(Hook(Box::new(hook))), &[self])
    }
}

impl<T: Real> Operation<T> for Hook<T> {
    const NAME: &'static str = "hook";
    const SHARES: bool = true;

    fn forward(&self, f: &mut Forward<'_, T>) {
        f.share(f.tensor(0).clone());
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
    fn the_gradient_goes_on() {
        check_against_differences(&[Tensor::from([1.0, -2.0])], |x| x[0].hook(|_| {}).square());
    }
}
