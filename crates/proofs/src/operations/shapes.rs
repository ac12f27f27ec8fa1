//! Cases of sums and of the operations that only move elements. Their results are squared, so that each gradient
//! depends on its position.

use autograd::Var;

use crate::{Case, RandomTensors};

pub(super) fn sum(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Sum:
        "three axes", [d.normal([2, 3, 4])]: |x| x[0].sum();
        "a view", [d.normal([3, 5])]: |x| x[0].transpose().slice(0, 1..3).sum();
        "the mean", [d.normal([2, 3, 4])]: |x| x[0].mean();
    }
}

pub(super) fn sum_axis(d: &mut RandomTensors) -> Vec<Case> {
    cases! { SumAxis:
        "axis 0", [d.normal([2, 3, 4])]: |x| x[0].sum_axis(0);
        "axis 1", [d.normal([2, 3, 4])]: |x| x[0].sum_axis(1);
        "axis 2", [d.normal([2, 3, 4])]: |x| x[0].sum_axis(2);
        "a view", [d.normal([2, 3, 4])]: |x| x[0].permute(&[1, 2, 0]).sum_axis(1);
        "the mean", [d.normal([2, 3, 4])]: |x| x[0].mean_axis(1);
    }
}

pub(super) fn reshape(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Reshape:
        "three axes to two", [d.normal([2, 3, 4])]: |x| x[0].reshape([6, 4]).square();
        "a view", [d.normal([2, 3, 4])]: |x| x[0].permute(&[2, 0, 1]).reshape([8, 3]).square();
    }
}

pub(super) fn permute(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Permute:
        "four axes", [d.normal([2, 3, 4, 5])]: |x| x[0].permute(&[2, 0, 3, 1]).square();
        "twice", [d.normal([2, 3, 4])]: |x| x[0].permute(&[1, 2, 0]).permute(&[1, 2, 0]).square();
        "the transpose", [d.normal([2, 3])]: |x| x[0].transpose().square();
    }
}

pub(super) fn broadcast_to(d: &mut RandomTensors) -> Vec<Case> {
    cases! { BroadcastTo:
        "a column", [d.normal([3, 1])]: |x| x[0].broadcast_to([2, 3, 4]).square();
        "a row", [d.normal([4])]: |x| x[0].broadcast_to([2, 3, 4]).square();
        "either side", [d.normal([1, 3, 1])]: |x| x[0].broadcast_to([2, 3, 4]).square();
        "a number", [d.normal([])]: |x| x[0].broadcast_to([2, 3]).square();
    }
}

pub(super) fn slice(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Slice:
        "of an axis", [d.normal([2, 5, 3])]: |x| x[0].slice(1, 1..4).square();
        "of a slice", [d.normal([2, 7, 3])]: |x| x[0].slice(1, 1..6).slice(1, 2..4).slice(2, 1..3).square();
        "two that overlap", [d.normal([7])]: |x| x[0].slice(0, 0..5) * x[0].slice(0, 2..7);
        "one entry", [d.normal([2, 5, 3])]: |x| x[0].select(1, 4).square();
    }
}

pub(super) fn flip(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Flip:
        "axis 0", [d.normal([2, 3, 4])]: |x| x[0].flip(0).square();
        "axis 2", [d.normal([2, 3, 4])]: |x| x[0].flip(2).square();
        "beside the same axis as it is", [d.normal([2, 5])]: |x| x[0].flip(1) * x[0];
        "a view", [d.normal([5, 3])]: |x| x[0].transpose().slice(1, 1..4).flip(1).square();
    }
}

pub(super) fn concat(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Concat:
        "along 0", [d.normal([2, 3]), d.normal([5, 3])]: |x| Var::concat(&[x[0], x[1]], 0).square();
        "along 1", [d.normal([2, 3, 4]), d.normal([2, 5, 4])]: |x| Var::concat(&[x[0], x[1]], 1).square();
        "f(x, y, x)", [d.normal([2, 3]), d.normal([2, 1])]: |x| Var::concat(&[x[0], x[1], x[0]], 1).square();
        "views", [d.normal([3, 2]), d.normal([2, 7])]:
            |x| Var::concat(&[x[0].transpose(), x[1].slice(1, 2..4)], 1).square();
        "a stack", [d.normal([2, 3]), d.normal([2, 3])]: |x| Var::stack(&[x[0], x[1], x[0]]).square();
    }
}
