//! Wrong backward rules in the place of right ones, so that tests can show that they would notice.
//!
//! Behind the feature `mutants`, which the tests of the workspace enable and nothing else. A wrong rule is a function of
//! plain numbers, and belongs to the test; here is only the switch.
//!
//! ```
//! use autograd::ops::Kind;
//! use autograd::{function, gradcheck, mutants};
//! use tensor::Tensor;
//!
//! let product = function!(|x| x[0] * x[1]);
//! let inputs = [Tensor::from([1.0, 2.0]), Tensor::from([3.0, 5.0])];
//! let swapped = |seen: &mutants::Seen| seen.right(&seen.dy).into_iter().rev().map(mutants::Sent::Added).collect();
//! let report = mutants::with(Kind::Mul, swapped, || gradcheck::duals(&product, &inputs));
//! assert!(!report.is_ok());
//! gradcheck::duals(&product, &inputs).assert_ok(); // the right rule is back
//! ```

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::hint::black_box;

use tensor::{Real, Tensor};

use super::{Backward, Grad, value};
use crate::op::{Leaf, Op};
use crate::ops::Kind;
use crate::tape::Node;

/// What a program contains that can run wrong rules: a release is searched for it.
pub const MARKER: &str = "gradus has a switch for wrong backward rules";

/// What a rule sees, as plain numbers.
pub struct Seen<'a> {
    /// The values of the inputs.
    pub inputs: Vec<Tensor<f64>>,
    /// Which of them have a gradient that is asked for.
    pub wanted: Vec<bool>,
    /// The value.
    pub output: Tensor<f64>,
    /// The gradient that comes in.
    pub dy: Tensor<f64>,
    right: &'a dyn Fn(&Tensor<f64>) -> Vec<Tensor<f64>>,
}

impl Seen<'_> {
    /// What the right rule sends to each of the inputs when `dy` comes in.
    pub fn right(&self, dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
        (self.right)(dy)
    }
}

/// What becomes of the gradient of an input.
#[derive(Clone, Debug)]
pub enum Sent {
    /// It is added to what other uses of the input send, as it should be.
    Added(Tensor<f64>),
    /// It takes the place of what other uses have sent.
    Stored(Tensor<f64>),
    /// It is forgotten.
    Nothing,
}

type Wrong = dyn Fn(&Seen) -> Vec<Sent>;

std::thread_local! {
    static ACTIVE: RefCell<Option<(Kind, Rc<Wrong>)>> = const { RefCell::new(None) };
}

/// Runs `f` on this thread with a wrong rule for one operation, which says for each input what is sent. Numbers are
/// `f64` there: of other scalars they are the nearest, and of duals the primal values.
///
/// # Panics
/// Within another call.
pub fn with<R>(kind: Kind, wrong: impl Fn(&Seen) -> Vec<Sent> + 'static, f: impl FnOnce() -> R) -> R {
    struct Off;
    impl Drop for Off {
        fn drop(&mut self) {
            ACTIVE.take();
        }
    }
    assert!(ACTIVE.replace(Some((kind, Rc::new(wrong)))).is_none(), "mutants: one at a time");
    let _off = Off;
    f()
}

/// The wrong rule of this operation, if there is one now.
fn active<T: Real>(op: &Op<T>) -> Option<Rc<Wrong>> {
    let active = black_box(&ACTIVE).with_borrow(|active| active.clone())?; // black box: not to be reasoned away
    let own = !matches!(op, Op::Leaf(_) | Op::Custom(_));
    (own && op.name() == active.0.name()).then_some(active.1)
}

/// Runs the wrong rule of a node's operation, if there is one now.
pub(super) fn replace<T: Real>(back: &mut Backward<'_, T>) -> bool {
    let Some(wrong) = active(&back.node.op) else { return false };
    let inputs = back.inputs;
    let seen = Seen {
        inputs: inputs.iter().map(|&id| value(back.nodes, id).cast()).collect(),
        wanted: inputs.iter().map(|&id| back.nodes[id as usize].needs_grad).collect(),
        output: back.node.value.as_ref().expect("a recorded node has a value").cast(),
        dy: back.dy.cast(),
        right: &|dy| right(back, dy),
    };
    let (sent, wanted) = (wrong(&seen), seen.wanted);
    assert_eq!(sent.len(), inputs.len(), "{MARKER}: this one says nothing of some inputs of {}", back.node.op.name());
    for (k, sent) in sent.into_iter().enumerate().filter(|&(k, _)| wanted[k]) {
        match sent {
            Sent::Added(dx) => {
                let kernels = back.kernels;
                back.grad(k).into_iter().for_each(|to| kernels.sum_to(T::one(), dx.cast().view(), to));
            }
            Sent::Stored(dx) => back.grads[inputs[k] as usize] = Grad { sum: dx.cast(), reached: true },
            Sent::Nothing => {}
        }
    }
    true
}

/// The right rule on a tape where each input is a leaf of its own, without other uses.
fn right<T: Real>(back: &Backward<'_, T>, dy: &Tensor<f64>) -> Vec<Tensor<f64>> {
    let leaf = |value: Tensor<T>| Node {
        op: Op::Leaf(Leaf::Input),
        inputs: (0, 0),
        value: Some(value),
        kept: None,
        needs_grad: true,
    };
    let values = || back.inputs.iter().map(|&id| value(back.nodes, id));
    let nodes: Vec<_> = values().map(|x| leaf(x.clone())).collect();
    let mut grads: Vec<_> = values().map(|x| Grad { sum: Tensor::zeros(x.shape()), reached: true }).collect();
    let inputs: Vec<u32> = (0..nodes.len() as u32).collect();
    back.node.op.backward(&mut Backward {
        kernels: back.kernels,
        nodes: &nodes,
        node: back.node,
        inputs: &inputs,
        grads: &mut grads,
        dy: &dy.cast(),
        scratch: &mut Vec::new(),
    });
    grads.into_iter().map(|grad| grad.sum.cast()).collect()
}
