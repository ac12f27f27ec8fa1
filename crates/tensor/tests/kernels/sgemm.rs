//! The ladder of products on a GPU: whole matrices, without gaps.

use tensor::{Form, Kernels, Naive, Sgemm, Tensor};

use crate::Draw;
use crate::gpu::device;

/// Sizes around the tiles of all rungs: one short of them, equal, one more; more rows than columns, and fewer.
/// K also on either side of a block of 512 terms, and of several.
const SIZES: [[usize; 3]; 13] = [
    [1, 1, 1],
    [3, 5, 7],
    [16, 16, 16],
    [17, 33, 15],
    [64, 16, 65],
    [63, 17, 129],
    [129, 8, 127],
    [2, 96, 288],
    [5, 0, 3],
    [3, 511, 5],
    [2, 512, 1],
    [1, 513, 3],
    [2, 2049, 3],
];

/// Multiples of 1/4 up to 2, whose products and sums are exact even where factors are rounded to tf32.
#[test]
fn every_rung_gives_the_product() {
    let Some(device) = device() else { return };
    let mut draw = Draw::new(0);
    for [m, k, n] in SIZES {
        let mut matrix = |rows, columns| Tensor::from_fn([rows, columns], |_| draw.number() as f32);
        let (a, b) = (matrix(m, k), matrix(k, n));
        let mut want = Tensor::full([m, n], f32::NAN);
        Naive.matmul(Form::NN, a.view(), b.view(), false, want.view_mut());
        let there = |x: &Tensor<f32>| x.to(device).expect("there is room");
        for rung in Sgemm::ALL {
            let mut y = there(&Tensor::full([m, n], f32::NAN));
            rung.run(there(&a).view(), there(&b).view(), y.view_mut());
            assert_eq!(y.to_vec(), want.to_vec(), "{} of {m}x{k}x{n}", rung.name());
        }
    }
}

#[test]
fn what_lies_elsewhere_or_otherwise_is_refused() {
    let Some(device) = device() else { return };
    let there = Tensor::<f32>::zeros_on(device, [4, 4]).expect("there is room");
    let refused = |a: &Tensor<f32>, b: &Tensor<f32>| {
        let mut y = there.packed();
        let run = std::panic::AssertUnwindSafe(|| Sgemm::Tiled.run(a.view(), b.view(), y.view_mut()));
        let payload = std::panic::catch_unwind(run).expect_err("it is refused");
        *payload.downcast::<String>().expect("words")
    };
    assert!(refused(&there.to_host(), &there).contains("[4, 4] lies on the host"));
    assert!(refused(&there, &there.transpose()).contains("[4, 4] has gaps"));
    assert_eq!(refused(&there, &there.slice(0, 0..3)), "sgemm_1_tiled: [4, 4] times [3, 4] gives no [4, 4]");
}
