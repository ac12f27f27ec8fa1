//! What a profile counts of a GRU through time, against the number of products that its equations have.
#![forbid(unsafe_code)]

use autograd::Tape;
use tensor::profile::{Kernel, Profiled};
use tensor::{Fast, Kernels, Real, Tensor};

const T: usize = 5;
const B: usize = 3;
const H: usize = 4;

/// The state after T steps, and the gradients of all inputs.
fn pass(kernels: &'static dyn Kernels<f32>) -> Vec<u32> {
    let wave = |phase: f64| move |i: usize| f32::of((phase + 1.7 * i as f64).sin());
    let tape = Tape::with_kernels(kernels);
    let gx = tape.input(Tensor::from_fn([T, B, 3 * H], wave(0.1)));
    let h0 = tape.input(Tensor::from_fn([B, H], wave(0.2)));
    let w = tape.input(Tensor::from_fn([3 * H, H], wave(0.3)));
    let b = tape.input(Tensor::from_fn([3 * H], wave(0.4)));
    let hs = gx.gru(h0, w, b);
    hs.square().sum().backward().expect("no parameters");
    let grads = [gx, h0, w, b].map(|x| x.grad().expect("reached"));
    let tensors = grads.iter().flat_map(Tensor::to_vec).chain(hs.value().to_vec());
    tensors.map(f32::to_bits).collect()
}

#[test]
fn a_gru_has_the_products_of_its_equations_and_the_same_bits() {
    static PROFILED: Profiled<f32> = Profiled::new(&Fast);
    assert_eq!(pass(&PROFILED), pass(&Fast));
    let flops = |kernel| PROFILED.counts(0, kernel).flops as usize;
    let [mut rows, mut weight] = [0; 2]; // forward and back to the state; back to the weight
    for _step in 0..T {
        for _row in 0..B {
            for _gate in 0..3 * H {
                rows += 2 * 2 * H; // a multiplication and an addition each
                weight += 2 * H;
            }
        }
    }
    assert_eq!([Kernel::MatmulNT, Kernel::MatmulNN, Kernel::MatmulTN].map(flops), [0, rows, weight]);
    let gates = |kernel| PROFILED.counts(0, kernel).calls as usize;
    assert_eq!([Kernel::GruGates, Kernel::GruGatesBackward].map(gates), [T, T]);
    assert_eq!(PROFILED.counts(0, Kernel::Adam).calls, 0);
}
