//! Wrong backward rules in the place of right ones, so that tests can show that they would notice.
//!
//! Behind the feature `mutants`, which the tests of the workspace enable and nothing else. A wrong rule is a function of
//! dual numbers, so that it has second derivatives, and belongs to the test; here is only the switch.
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
use core::any::Any;
use core::cell::RefCell;
use core::hint::black_box;

use tensor::{Dual, Real, Tensor};

use super::{Backward, Grad, value};
use crate::arena::Node;
use crate::op::{Leaf, Op};
use crate::ops::Kind;

/// What a program contains that can run wrong rules: a release is searched for it.
pub const MARKER: &str = "gradus has a switch for wrong backward rules";

/// What a wrong rule computes with. On a tape of plain numbers every tangent is zero.
pub type Number = Dual<f64>;

/// What a rule sees.
pub struct Seen<'a> {
    /// The values of the inputs.
    pub inputs: Vec<Tensor<Number>>,
    /// Which of them have a gradient that is asked for.
    pub wanted: Vec<bool>,
    /// Of a GRU that reads rows of a table: which of them, \[T,B\].
    pub rows: Option<Tensor<u32>>,
    /// The value.
    pub output: Tensor<Number>,
    /// The gradient that comes in.
    pub dy: Tensor<Number>,
    right: &'a Right<'a>,
}

/// What the right rule sends for some dy.
type Right<'a> = dyn Fn(&Tensor<Number>, Kept) -> Vec<Tensor<Number>> + 'a;

/// How the right rule finds what the forward pass has left: the value, and what is kept besides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    AsItIs,
    /// Without tangents.
    Constant,
}

impl Seen<'_> {
    /// What the right rule sends to each of the inputs when `dy` comes in.
    pub fn right(&self, dy: &Tensor<Number>) -> Vec<Tensor<Number>> {
        (self.right)(dy, Kept::AsItIs)
    }

    /// What it sends where the value, and whatever else the forward pass kept, are constants: equal but for the tangents.
    pub fn right_but_kept_is_constant(&self, dy: &Tensor<Number>) -> Vec<Tensor<Number>> {
        (self.right)(dy, Kept::Constant)
    }
}

/// What becomes of the gradient of an input.
#[derive(Clone, Debug)]
pub enum Sent {
    /// It is added to what other uses of the input send, as it should be.
    Added(Tensor<Number>),
    /// It takes the place of what other uses have sent.
    Stored(Tensor<Number>),
    /// It is forgotten.
    Nothing,
}

type Wrong = dyn Fn(&Seen) -> Vec<Sent>;

std::thread_local! {
    static ACTIVE: RefCell<Option<(Kind, Rc<Wrong>)>> = const { RefCell::new(None) };
}

/// Runs `f` on this thread with a wrong rule for one operation, which says for each input what is sent. Nothing is
/// lost on tapes of `f64` and of its duals; of duals of duals a rule sees the primal values alone.
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
        inputs: inputs.iter().map(|&id| recast(value(back.nodes, id))).collect(),
        wanted: inputs.iter().map(|&id| back.nodes[id as usize].needs_grad).collect(),
        rows: if let Op::Gru(gru) = &back.node.op { gru.0.clone() } else { None },
        output: recast(back.node.value.as_ref().expect("a recorded node has a value")),
        dy: recast(back.dy),
        right: &|dy, kept| right(back, dy, kept),
    };
    let (sent, wanted) = (wrong(&seen), seen.wanted);
    assert_eq!(sent.len(), inputs.len(), "{MARKER}: this one says nothing of some inputs of {}", back.node.op.name());
    for (k, sent) in sent.into_iter().enumerate().filter(|&(k, _)| wanted[k]) {
        match sent {
            Sent::Added(dx) => {
                let kernels = back.kernels;
                back.grad(k).into_iter().for_each(|to| kernels.sum_to(T::one(), recast(&dx).view(), to));
            }
            Sent::Stored(dx) => back.grads[inputs[k] as usize] = Grad { sum: recast(&dx), reached: true },
            Sent::Nothing => {}
        }
    }
    true
}

/// The same tensor of the same scalar, tangents included, or the nearest of another one.
fn recast<T: Real, U: Real>(x: &Tensor<T>) -> Tensor<U> {
    (x as &dyn Any).downcast_ref().cloned().unwrap_or_else(|| x.cast())
}

/// A node that is nothing but what it holds.
fn leaf<T: Real>(value: Option<Tensor<T>>, kept: Option<Tensor<T>>) -> Node<T> {
    Node { op: Op::Leaf(Leaf::Input), inputs: (0, 0), value, kept, needs_grad: true }
}

/// The right rule on a tape where each input is a leaf of its own, without other uses.
fn right<T: Real>(back: &Backward<'_, T>, dy: &Tensor<Number>, kept: Kept) -> Vec<Tensor<Number>> {
    let values = || back.inputs.iter().map(|&id| value(back.nodes, id));
    let nodes: Vec<_> = values().map(|x| leaf(Some(x.clone()), None)).collect();
    let mut grads: Vec<_> = values().map(|x| Grad { sum: Tensor::zeros(x.shape()), reached: true }).collect();
    let inputs: Vec<u32> = (0..nodes.len() as u32).collect();
    let constant = |x: &Option<Tensor<T>>| x.as_ref().map(|x| x.cast::<f64>().cast());
    let still = (kept == Kept::Constant).then(|| leaf(constant(&back.node.value), constant(&back.node.kept)));
    back.node.op.backward(&mut Backward {
        kernels: back.kernels,
        nodes: &nodes,
        node: still.as_ref().unwrap_or(back.node),
        inputs: &inputs,
        grads: &mut grads,
        dy: &recast(dy),
        scratch: &mut Vec::new(),
    });
    grads.into_iter().map(|grad| recast(&grad.sum)).collect()
}
