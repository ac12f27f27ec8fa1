//! A value cut from the graph: a constant.
//!
//! - Forward: y = x. On dual numbers the tangent is dropped, so that y is a constant in forward mode too.
//! - Backward: nothing is added to dx: y is a constant.
//! - Why: in A2C the advantage weights the policy's gradient, and must send no gradient to the critic.
//! - Cost: one copy.
//! - Reference: PyTorch manual, `Tensor.detach`.

use tensor::{Map, Real};

use super::unary;
use crate::backward::Backward;
use crate::forward::Forward;
use crate::op::{Op, Operation};
use crate::var::Var;

pub(crate) struct Detach;

impl<T: Real> Var<'_, T> {
    /// Returns the same value as a constant: no gradient flows back through it; see [`ops::detach`](crate::ops::detach).
    pub fn detach(self) -> Self {
        self.tape.record(Op::Detach(Detach), &[self])
    }
}

impl<T: Real> Operation<T> for Detach {
    const NAME: &'static str = "detach";

    fn forward(&self, f: &mut Forward<'_, T>) {
        unary::forward(f, Map::Primal);
    }

    fn backward(&self, _: &mut Backward<'_, T>) {
        unreachable!("the tape does not run the backward of a detached value");
    }
}

#[cfg(test)]
mod tests {
    use tensor::{Dual, Tensor};

    use crate::Tape;

    #[test]
    fn detach_one_factor_is_constant_in_backward() {
        let tape = Tape::<f64>::new();
        let x = tape.input(Tensor::scalar(3.0));
        (x * x.detach()).backward().expect("no parameters");
        assert_eq!(x.grad().expect("reached").item(), 3.0);
    }

    #[test]
    fn detach_dual_number_drops_the_tangent() {
        let tape = Tape::new();
        let x = tape.input(Tensor::scalar(Dual::variable(3.0_f64)));
        assert_eq!((x * x.detach()).value().item().tangent, 3.0);
    }
}
