//! Cases of the operations of one argument that keep its shape.

use crate::{Case, RandomTensors};

/// Defines the cases of each function: a matrix and a view. The numbers are a method name of [`RandomTensors`].
macro_rules! functions {
    ($($name:ident: $kind:ident $numbers:ident |$x:ident| $f:expr;)*) => {$(
        pub(super) fn $name(d: &mut RandomTensors) -> Vec<Case> {
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
    sin: Sin normal |x| x.sin();
    cos: Cos normal |x| x.cos();
    abs: Abs nonzero |x| x.abs();
    clamp: Clamp normal |x| x.clamp(T::from_f64(-0.5), T::from_f64(0.75));
    tanh: Tanh normal |x| x.tanh();
}

pub(super) fn scale(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Scale:
        "a matrix", [d.normal([2, 3])]: |x| x[0].scale(T::from_f64(-1.5));
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).scale(T::from_f64(0.7));
    }
}

pub(super) fn shift(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Shift:
        "a matrix", [d.normal([2, 3])]: |x| x[0].shift(T::from_f64(-1.5));
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).shift(T::from_f64(0.7));
    }
}

pub(super) fn powi(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Powi:
        "a matrix", [d.normal([2, 3])]: |x| x[0].powi(5);
        "a negative exponent", [d.nonzero([2, 3])]: |x| x[0].powi(-2);
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).powi(3);
    }
}

pub(super) fn exp(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Exp:
        "a matrix", [d.normal([2, 3])]: |x| x[0].exp();
        "a number", [d.normal([])]: |x| x[0].exp();
        "a view", [d.normal([2, 3, 5])]: |x| x[0].permute(&[2, 0, 1]).slice(0, 1..4).exp();
    }
}

pub(super) fn sigmoid(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Sigmoid:
        "a matrix", [d.normal([2, 3])]: |x| x[0].sigmoid();
        "a number", [d.normal([])]: |x| x[0].sigmoid();
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).sigmoid();
    }
}

/// Inputs away from the kink. The slope at the kink is a convention, with a test of its own.
pub(super) fn relu(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Relu:
        "a matrix", [d.nonzero([4, 5])]: |x| x[0].relu();
        "a view", [d.nonzero([5, 4])]: |x| x[0].transpose().slice(1, 1..4).relu();
    }
}

/// The detached term is multiplied by zero, so that a difference, which ignores detaching, agrees.
pub(super) fn detach(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Detach:
        "beside an attached term", [d.normal([2, 3])]: |x| x[0].tanh() + x[0].detach().scale(T::zero());
        "a view", [d.normal([5, 3])]: |x| {
            let view = x[0].transpose().slice(1, 1..4);
            view.square() + view.detach().scale(T::zero())
        };
    }
}

pub(super) fn hook(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Hook:
        "beside another use", [d.normal([2, 3])]: |x| x[0].hook(|_| {}) * x[0];
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).hook(|_| {}).square();
    }
}
