//! The ladder of matrix products on a GPU, with contiguous matrices.

use tensor::{Form, Kernels, Naive, Sgemm, Tensor};

use crate::Draw;
use crate::gpu::device;

/// M, K, N around the tile sizes of all rungs: one less, equal, one more. Some have more rows than columns, some fewer.
/// K is also just below and above 512, the terms of a block, and above several blocks.
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

/// The numbers are multiples of 1/4 up to 2. Their products and sums are exact, even if factors are rounded to tf32.
#[test]
fn sgemm_every_rung_gives_the_product() {
    let Some(device) = device() else { return };
    let mut draw = Draw::new(0);
    for [m, k, n] in SIZES {
        let mut matrix = |rows, columns| Tensor::from_fn([rows, columns], |_| draw.number() as f32);
        let (a, b) = (matrix(m, k), matrix(k, n));
        let mut want = Tensor::full([m, n], f32::NAN);
        Naive.matmul(Form::NN, a.view(), b.view(), false, want.view_mut());
        let there = |x: &Tensor<f32>| x.to(device).expect("the GPU has enough memory");
        for rung in Sgemm::ALL {
            let mut y = there(&Tensor::full([m, n], f32::NAN));
            rung.run(there(&a).view(), there(&b).view(), y.view_mut());
            assert_eq!(y.to_vec(), want.to_vec(), "{} of {m}x{k}x{n}", rung.name());
        }
    }
}

#[test]
fn sgemm_operands_on_the_host_or_with_gaps_panics() {
    let Some(device) = device() else { return };
    let there = Tensor::<f32>::zeros_on(device, [4, 4]).expect("the GPU has enough memory");
    let panic_message = |a: &Tensor<f32>, b: &Tensor<f32>| {
        let mut y = there.to_contiguous();
        let run = std::panic::AssertUnwindSafe(|| Sgemm::Tiled.run(a.view(), b.view(), y.view_mut()));
        let payload = std::panic::catch_unwind(run).expect_err("it panics");
        *payload.downcast::<String>().expect("a message")
    };
    assert!(panic_message(&there.to_host(), &there).contains("[4, 4] lies on the host"));
    assert!(panic_message(&there, &there.transpose()).contains("[4, 4] has gaps"));
    assert_eq!(panic_message(&there, &there.slice(0, 0..3)), "sgemm_1_tiled: [4, 4] times [3, 4] gives no [4, 4]");
}
