//! The operations of one argument that leave its shape.

use crate::{Case, Draw};

pub(super) fn neg(d: &mut Draw) -> Vec<Case> {
    cases! { Neg:
        "a matrix", [d.normal([2, 3])]: |x| -x[0];
        "a view", [d.normal([5, 3])]: |x| -x[0].transpose().slice(1, 1..4);
    }
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

pub(super) fn log(d: &mut Draw) -> Vec<Case> {
    cases! { Log:
        "a matrix", [d.positive([2, 3])]: |x| x[0].log();
        "a view", [d.positive([5, 3])]: |x| x[0].transpose().slice(1, 1..4).log();
    }
}

pub(super) fn sqrt(d: &mut Draw) -> Vec<Case> {
    cases! { Sqrt:
        "a matrix", [d.positive([2, 3])]: |x| x[0].sqrt();
        "a view", [d.positive([5, 3])]: |x| x[0].transpose().slice(1, 1..4).sqrt();
    }
}

pub(super) fn square(d: &mut Draw) -> Vec<Case> {
    cases! { Square:
        "a matrix", [d.normal([2, 3])]: |x| x[0].square();
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).square();
    }
}

pub(super) fn tanh(d: &mut Draw) -> Vec<Case> {
    cases! { Tanh:
        "a matrix", [d.normal([2, 3])]: |x| x[0].tanh();
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).tanh();
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
