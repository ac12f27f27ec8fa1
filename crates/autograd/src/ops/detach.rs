//! A value without its past.
//!
//! - Forward: y = x; on duals without the tangent, so that forward mode calls it a constant too.
//! - Backward: nothing: y is a constant.
//! - Why: the A2C advantage weighs the policy's gradient and must not send one to the critic.
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
    /// The same value as a constant: no gradient goes back through it.
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
        unreachable!("the tape asks no gradient of a detached value");
    }
}

#[cfg(test)]
mod tests {
    use tensor::{Dual, Tensor};

    use crate::Tape;

    #[test]
    fn the_detached_factor_is_a_constant() {
        let tape = Tape::<f64>::new();
        let x = tape.input(Tensor::scalar(3.0));
        (x * x.detach()).backward().expect("no parameters");
        assert_eq!(x.grad().expect("reached").item(), 3.0);
    }

    #[test]
    fn a_tangent_does_not_go_through_either() {
        let tape = Tape::new();
        let x = tape.input(Tensor::scalar(Dual::variable(3.0_f64)));
        assert_eq!((x * x.detach()).value().item().tangent, 3.0);
    }
}
