//! The GRU composed from small operations. The engine's fused GRU must give the same numbers.

use autograd::Var;
use tensor::Real;

/// Computes one GRU step in PyTorch's variant: the equations (F1) to (F5) of `autograd`'s `gru`, one line each.
///
/// The arguments are the input part gx\[B,3H\] = x·W_ihᵀ + b_ih, the state h_prev\[B,H\], W_hh\[3H,H\] and b_hh\[3H\].
pub fn gru_step<'t, T: Real>(gx: Var<'t, T>, h_prev: Var<'t, T>, w_hh: Var<'t, T>, b_hh: Var<'t, T>) -> Var<'t, T> {
    let hidden_size = h_prev.shape()[1];
    let gate = |x: Var<'t, T>, k: usize| x.slice(1, k * hidden_size..(k + 1) * hidden_size);
    let gh = h_prev.matmul_nt(w_hh) + b_hh;
    let r = (gate(gx, 0) + gate(gh, 0)).sigmoid();
    let z = (gate(gx, 1) + gate(gh, 1)).sigmoid();
    let n = (gate(gx, 2) + r * gate(gh, 2)).tanh();
    (-z).shift(T::one()) * n + z * h_prev
}

/// Computes the states h₁ … h_T, each \[B,H\], from gx\[T,B,3H\].
pub fn gru<'t, T: Real>(gx: Var<'t, T>, h0: Var<'t, T>, w_hh: Var<'t, T>, b_hh: Var<'t, T>) -> Vec<Var<'t, T>> {
    let mut h = h0;
    (0..gx.shape()[0])
        .map(|t| {
            h = gru_step(gx.select(0, t), h, w_hh, b_hh);
            h
        })
        .collect()
}
