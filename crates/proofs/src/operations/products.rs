//! Cases of the matrix product in its three forms: plain, and with either operand transposed. Each of single matrices and of
//! batches.

use crate::{Case, RandomTensors};

pub(super) fn matmul(d: &mut RandomTensors) -> Vec<Case> {
    cases! { MatMul:
        "nn", [d.normal([2, 3]), d.normal([3, 5])] by rows [Some(0), None] => 0: |x| x[0].matmul(x[1]);
        "nt", [d.normal([2, 3]), d.normal([5, 3])] by rows [Some(0), None] => 0: |x| x[0].matmul_nt(x[1]);
        "tn", [d.normal([3, 2]), d.normal([3, 5])] by rows [Some(1), None] => 0: |x| x[0].matmul_tn(x[1]);
        "nn, one row", [d.normal([1, 7]), d.normal([7, 2])]: |x| x[0].matmul(x[1]);
        "nt, one column", [d.normal([4, 3]), d.normal([1, 3])]: |x| x[0].matmul_nt(x[1]);
        "tn, an outer product", [d.normal([1, 4]), d.normal([1, 3])]: |x| x[0].matmul_tn(x[1]);
        "nn over blocks", [d.normal([17, 9]), d.normal([9, 33])] by rows [Some(0), None] => 0: |x| x[0].matmul(x[1]);
        "nt over blocks", [d.normal([17, 9]), d.normal([33, 9])]: |x| x[0].matmul_nt(x[1]);
        "tn over blocks", [d.normal([9, 17]), d.normal([9, 33])]: |x| x[0].matmul_tn(x[1]);
        "nn of views", [d.normal([3, 4]), d.normal([5, 7])]:
            |x| x[0].transpose().slice(1, 0..2).matmul(x[1].slice(0, 2..4));
        "nt of views", [d.normal([3, 4]), d.normal([3, 7])]: |x| x[0].transpose().matmul_nt(x[1].transpose());
        "tn of views", [d.normal([4, 3]), d.normal([7, 3])]: |x| x[0].transpose().matmul_tn(x[1].transpose());
        "nn, f(x, x)", [d.normal([3, 3])]: |x| x[0].matmul(x[0]);
        "nt, f(x, x)", [d.normal([2, 3])]: |x| x[0].matmul_nt(x[0]);
        "tn, f(x, x)", [d.normal([2, 3])]: |x| x[0].matmul_tn(x[0]);
        "nn, f(x, xᵀ)", [d.normal([2, 3])]: |x| x[0].matmul(x[0].transpose());
        "nn, a row with itself", [d.normal([1, 5])]: |x| x[0].matmul(x[0].transpose());
        "nn of batches", [d.normal([2, 3, 4]), d.normal([2, 4, 5])] by rows [Some(0), Some(0)] => 0:
            |x| x[0].matmul(x[1]);
        "nt of batches", [d.normal([2, 3, 4]), d.normal([2, 5, 4])] by rows [Some(0), Some(0)] => 0:
            |x| x[0].matmul_nt(x[1]);
        "tn of batches", [d.normal([2, 4, 3]), d.normal([2, 4, 5])] by rows [Some(0), Some(0)] => 0:
            |x| x[0].matmul_tn(x[1]);
        "nn of views of batches", [d.normal([3, 4, 2]), d.normal([4, 7, 2])]:
            |x| x[0].permute(&[2, 0, 1]).matmul(x[1].permute(&[2, 0, 1]).slice(2, 1..6));
        "nn of batches, f(x, xᵀ)", [d.normal([2, 3, 4])]: |x| x[0].matmul(x[0].permute(&[0, 2, 1]));
        "nn, square", [d.normal([3, 3]), d.normal([3, 3])]: |x| x[0].matmul(x[1]);
        "nt, square", [d.normal([3, 3]), d.normal([3, 3])]: |x| x[0].matmul_nt(x[1]);
        "tn, square", [d.normal([3, 3]), d.normal([3, 3])]: |x| x[0].matmul_tn(x[1]);
    }
}
