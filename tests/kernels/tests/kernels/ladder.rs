//! Further tests of the ladder of products on a GPU: operands between guards, and the rounding of tensor cores.

use tensor::{Device, Form, Kernels, Naive, Sgemm, Tensor};

use crate::Draw;
use crate::gpu::device;

/// M, K, N. They give several tiles of each rung, with partial tiles in every direction, and both odd and even numbers of
/// buffer swaps. K also exceeds a block of 512 terms, by one and by much more.
const SIZES: [[usize; 3]; 6] = [[131, 41, 133], [65, 50, 67], [33, 24, 200], [16, 7, 1], [3, 513, 1], [1, 2049, 2]];

/// The number of guard elements on each side of an operand.
const MARGIN: usize = 200;

/// Places x in the middle of a buffer on the device, with `guard` on both sides.
fn between(device: Device, x: &Tensor<f32>, guard: f32) -> Tensor<f32> {
    let rim = vec![guard; MARGIN];
    let all = [rim.clone(), x.to_vec(), rim].concat();
    Tensor::new([all.len()], all).to(device).expect("the GPU has enough memory")
}

/// A read outside the factors would put NaN into the product. A write outside the product would change a guard.
#[test]
fn sgemm_between_guards_stays_inside_the_matrices() {
    let Some(device) = device() else { return };
    let mut draw = Draw::new(1);
    for [m, k, n] in SIZES {
        let mut matrix = |rows, columns| Tensor::from_fn([rows, columns], |_| draw.number() as f32);
        let (a, b) = (matrix(m, k), matrix(k, n));
        let mut want = Tensor::full([m, n], f32::NAN);
        Naive.matmul(Form::NN, a.view(), b.view(), false, want.view_mut());
        let (left, right) = (between(device, &a, f32::NAN), between(device, &b, f32::NAN));
        for rung in Sgemm::ALL {
            let mut y = between(device, &Tensor::full([m, n], f32::NAN), 77.0);
            let inside =
                |x: &Tensor<f32>, shape: [usize; 2]| x.slice(0, MARGIN..MARGIN + shape[0] * shape[1]).reshape(shape);
            let to = y.view_mut().slice(0, MARGIN..MARGIN + m * n).reshape([m, n]).expect("no gaps");
            rung.run(inside(&left, [m, k]).view(), inside(&right, [k, n]).view(), to);
            let got = y.to_vec();
            let what = format!("{} with M, K, N = {m}, {k}, {n}", rung.name());
            assert!(got[MARGIN..MARGIN + m * n] == want.to_vec(), "{what}: not the product");
            let rims = got[..MARGIN].iter().chain(&got[MARGIN + m * n..]);
            assert!(rims.into_iter().all(|&x| x == 77.0), "{what}: an element outside was written");
        }
    }
}

/// The rounding is to the nearest number with ten fraction bits; a tie rounds away from zero.
#[test]
fn sgemm_tf32_rounds_its_factors() {
    let Some(device) = device() else { return };
    let bit = 2_f32.powi(-10);
    let given = [1.0 + bit / 2.0, 1.0 + bit / 4.0, 1.0 + bit * 0.75, 1.0 + bit * 1.5, -1.0 - bit / 2.0, 3.0, 0.0, 1e-3];
    let rounded = [1.0 + bit, 1.0, 1.0 + bit, 1.0 + bit * 2.0, -1.0 - bit, 3.0, 0.0, f32::from_bits(0x3a83_2000)];
    let there = |x: Tensor<f32>| x.to(device).expect("the GPU has enough memory");
    let (numbers, one) = (there(Tensor::new([8, 1], given.to_vec())), there(Tensor::from([[1.0]])));
    let (row, mut y) = (numbers.reshape([1, 8]), there(Tensor::zeros([8, 1])));
    Sgemm::Tf32.run(numbers.view(), one.view(), y.view_mut());
    assert_eq!(y.to_vec(), rounded, "of the left factor");
    let mut y = there(Tensor::zeros([1, 8]));
    Sgemm::Tf32.run(one.view(), row.view(), y.view_mut());
    assert_eq!(y.to_vec(), rounded, "of the right factor");
    let mut y = there(Tensor::zeros([1, 8]));
    Sgemm::DoubleBuffered.run(one.view(), row.view(), y.view_mut());
    assert_eq!(y.to_vec(), given, "the other rungs round none");
}
