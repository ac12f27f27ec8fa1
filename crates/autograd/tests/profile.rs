//! Compares the flops and calls that a profile counts for a GRU over time with the numbers from its equations.
#![forbid(unsafe_code)]

use autograd::Tape;
use tensor::profile::{Kernel, Profiler};
use tensor::{Fast, Kernels, Real, Tensor};

const T: usize = 5;
const B: usize = 3;
const H: usize = 4;

/// Returns the bits of the gradients of all inputs and of the states at T steps.
fn compute_bits(kernels: &'static dyn Kernels<f32>) -> Vec<u32> {
    let wave = |phase: f64| move |i: usize| f32::from_f64((phase + 1.7 * i as f64).sin());
    let tape = Tape::with_kernels(kernels);
    let gx = tape.input(Tensor::from_fn([T, B, 3 * H], wave(0.1)));
    let h0 = tape.input(Tensor::from_fn([B, H], wave(0.2)));
    let w_hh = tape.input(Tensor::from_fn([3 * H, H], wave(0.3)));
    let b_hh = tape.input(Tensor::from_fn([3 * H], wave(0.4)));
    let hs = gx.gru(h0, w_hh, b_hh);
    hs.square().sum().backward().expect("no parameters");
    let grads = [gx, h0, w_hh, b_hh].map(|x| x.grad().expect("reached"));
    let tensors = grads.iter().flat_map(Tensor::to_vec).chain(hs.value().to_vec());
    tensors.map(f32::to_bits).collect()
}

#[test]
fn gru_profiled_counts_the_flops_of_its_equations_and_keeps_the_bits() {
    static PROFILER: Profiler<f32> = Profiler::new(&Fast);
    assert_eq!(compute_bits(&PROFILER), compute_bits(&Fast));
    let flops = |kernel| PROFILER.counts(0, kernel).flops as usize;
    let [mut rows, mut weight] = [0; 2]; // `rows`: forward and the gradient of the state; `weight`: the gradient of the weight
    for _step in 0..T {
        for _row in 0..B {
            for _gate in 0..3 * H {
                rows += 2 * 2 * H; // one multiplication and one addition each
                weight += 2 * H;
            }
        }
    }
    assert_eq!([Kernel::MatmulNT, Kernel::MatmulNN, Kernel::MatmulTN].map(flops), [0, rows, weight]);
    let gates = |kernel| PROFILER.counts(0, kernel).calls as usize;
    assert_eq!([Kernel::GruGates, Kernel::GruGatesBackward].map(gates), [T, T]);
    assert_eq!(PROFILER.counts(0, Kernel::Adam).calls, 0);
}
