//! The operations of one argument that leave its shape.

use crate::{Case, Draw};

/// The cases of each function: a matrix and a view, of numbers that are named as in [`Draw`].
macro_rules! functions {
    ($($name:ident: $kind:ident $numbers:ident |$x:ident| $f:expr;)*) => {$(
        pub(super) fn $name(d: &mut Draw) -> Vec<Case> {
            cases! { $kind:
                "a matrix", [d.$numbers([2, 3])]: |x| { let $x = x[0]; $f };
                "a view", [d.$numbers([5, 3])]: |x| { let $x = x[0].transpose().slice(1, 1..4); $f };
            }
        }
    )*};
}

functions! {
    neg: Neg normal |x| -x;
    log: Log positive |x| x.log();
    sqrt: Sqrt positive |x| x.sqrt();
    square: Square normal |x| x.square();
    tanh: Tanh normal |x| x.tanh();
}

pub(super) fn scale(d: &mut Draw) -> Vec<Case> {
    cases! { Scale:
        "a matrix", [d.normal([2, 3])]: |x| x[0].scale(T::of(-1.5));
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).scale(T::of(0.7));
    }
}

pub(super) fn shift(d: &mut Draw) -> Vec<Case> {
    cases! { Shift:
        "a matrix", [d.normal([2, 3])]: |x| x[0].shift(T::of(-1.5));
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).shift(T::of(0.7));
    }
}

pub(super) fn exp(d: &mut Draw) -> Vec<Case> {
    cases! { Exp:
        "a matrix", [d.normal([2, 3])]: |x| x[0].exp();
        "a number", [d.normal([])]: |x| x[0].exp();
        "a view", [d.normal([2, 3, 5])]: |x| x[0].permute(&[2, 0, 1]).slice(0, 1..4).exp();
    }
}

pub(super) fn sigmoid(d: &mut Draw) -> Vec<Case> {
    cases! { Sigmoid:
        "a matrix", [d.normal([2, 3])]: |x| x[0].sigmoid();
        "a number", [d.normal([])]: |x| x[0].sigmoid();
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).sigmoid();
    }
}

/// Away from the kink; what happens there is a convention, with a test of its own.
pub(super) fn relu(d: &mut Draw) -> Vec<Case> {
    cases! { Relu:
        "a matrix", [d.nonzero([4, 5])]: |x| x[0].relu();
        "a view", [d.nonzero([5, 4])]: |x| x[0].transpose().slice(1, 1..4).relu();
    }
}

/// What is detached is times zero, so that a difference, which knows of no detaching, agrees.
pub(super) fn detach(d: &mut Draw) -> Vec<Case> {
    cases! { Detach:
        "beside what is not", [d.normal([2, 3])]: |x| x[0].tanh() + x[0].detach().scale(T::zero());
        "a view", [d.normal([5, 3])]: |x| {
            let view = x[0].transpose().slice(1, 1..4);
            view.square() + view.detach().scale(T::zero())
        };
    }
}

pub(super) fn hook(d: &mut Draw) -> Vec<Case> {
    cases! { Hook:
        "beside another use", [d.normal([2, 3])]: |x| x[0].hook(|_| {}) * x[0];
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).hook(|_| {}).square();
    }
}
