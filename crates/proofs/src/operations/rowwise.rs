//! Cases of the operations on rows: normalisations, and lookups of rows and entries by index.

use tensor::Tensor;

use crate::{Case, RandomTensors};

pub(super) fn softmax(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Softmax:
        "a matrix", [d.normal([4, 5])] by rows [Some(0)] => 0: |x| x[0].softmax();
        "a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).softmax();
        "one column", [d.normal([3, 1])]: |x| x[0].softmax() + x[0];
        "long rows", [d.normal([3, 33])] by rows [Some(0)] => 0: |x| x[0].softmax();
    }
}

pub(super) fn log_softmax(d: &mut RandomTensors) -> Vec<Case> {
    cases! { LogSoftmax:
        "a matrix", [d.normal([4, 5])] by rows [Some(0)] => 0: |x| x[0].log_softmax();
        "a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).log_softmax();
        "long rows", [d.normal([3, 33])] by rows [Some(0)] => 0: |x| x[0].log_softmax();
        "the entropy", [d.normal([4, 5])] by rows [Some(0)] => 0: |x| -(x[0].softmax() * x[0].log_softmax()).sum_axis(1);
    }
}

pub(super) fn logsumexp(d: &mut RandomTensors) -> Vec<Case> {
    cases! { LogSumExp:
        "a matrix", [d.normal([4, 5])] by rows [Some(0)] => 0: |x| x[0].logsumexp();
        "a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).logsumexp();
        "long rows", [d.normal([3, 33])] by rows [Some(0)] => 0: |x| x[0].logsumexp();
    }
}

pub(super) fn entropy(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Entropy:
        "a matrix", [d.normal([4, 5])] by rows [Some(0)] => 0: |x| x[0].entropy();
        "a view", [d.normal([5, 2, 3])]: |x| x[0].permute(&[1, 2, 0]).slice(2, 1..5).entropy();
        "of logits", [d.normal([3, 33])] by rows [Some(0)] => 0: |x| x[0].log_softmax().entropy();
    }
}

pub(super) fn embedding(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Embedding:
        "repeats", [d.normal([3, 2])]: |x| x[0].embedding(&Tensor::from([2, 0, 2, 2])).square();
        "a matrix of rows", [d.normal([5, 2])]:
            |x| x[0].embedding(&Tensor::from([[4, 0, 3], [1, 4, 2]])).square();
        "a view", [d.normal([2, 8])]: |x| x[0].transpose().embedding(&Tensor::from([6])).square();
    }
}

/// Index and table have different extents. For such extents the backward of burn's scatter (the adjoint of gather) failed,
/// and none of burn's test suites noticed it (tracel-ai/burn#4063).
pub(super) fn gather(d: &mut RandomTensors) -> Vec<Case> {
    cases! { Gather:
        "three of each row", [d.normal([4, 5])]:
            |x| x[0].gather(&Tensor::from([[1, 4, 0], [2, 2, 3], [0, 1, 2], [4, 3, 1]])).square();
        "repeats", [d.normal([2, 3])]: |x| x[0].gather(&Tensor::from([[2, 2], [0, 1]])).square();
        "a vector", [d.normal([7])]: |x| x[0].gather(&Tensor::from([6])).square();
        "a view", [d.normal([5, 4])]:
            |x| x[0].transpose().gather(&Tensor::from([[1, 4, 0], [2, 2, 3], [0, 1, 2], [4, 3, 1]])).square();
    }
}

pub(super) fn layer_norm(d: &mut RandomTensors) -> Vec<Case> {
    cases! { LayerNorm:
        "a matrix", [d.normal([4, 5]), d.normal([5]), d.normal([5])] by rows [Some(0), None, None] => 0:
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5));
        "three axes", [d.normal([2, 3, 7]), d.normal([7]), d.normal([7])] by rows [Some(1), None, None] => 1:
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5));
        "a vector", [d.normal([5]), d.normal([5]), d.normal([5])]:
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-2));
        "a view", [d.normal([7, 4]), d.normal([5]), d.normal([2, 5])]:
            |x| x[0].transpose().slice(1, 1..6).layer_norm(x[1], x[2].select(0, 1), T::from_f64(1e-5));
        "w = b", [d.normal([4, 5]), d.normal([5])]: |x| x[0].layer_norm(x[1], x[1], T::from_f64(1e-5));
    }
}
