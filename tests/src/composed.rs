//! What the engine has fused, written again from small operations: the slow version that the fast one must equal.

use autograd::Var;
use tensor::Real;

/// One GRU step in PyTorch's variant, from the input's part gx\[B,3H\] = x·W_ihᵀ + b_ih, the state h\[B,H\], w\[3H,H\]
/// and b\[3H\]: the equations (F1) to (F5) of `autograd`'s `gru`, one line each.
pub fn gru_step<'t, T: Real>(gx: Var<'t, T>, h: Var<'t, T>, w: Var<'t, T>, b: Var<'t, T>) -> Var<'t, T> {
    let hidden = h.shape()[1];
    let gate = |x: Var<'t, T>, k: usize| x.slice(1, k * hidden..(k + 1) * hidden);
    let gh = h.matmul_nt(w) + b;
    let r = (gate(gx, 0) + gate(gh, 0)).sigmoid();
    let z = (gate(gx, 1) + gate(gh, 1)).sigmoid();
    let n = (gate(gx, 2) + r * gate(gh, 2)).tanh();
    (-z).shift(T::one()) * n + z * h
}

/// The states h₁ … h_T, each \[B,H\], from gx\[T,B,3H\].
pub fn gru<'t, T: Real>(gx: Var<'t, T>, h0: Var<'t, T>, w: Var<'t, T>, b: Var<'t, T>) -> Vec<Var<'t, T>> {
    let mut h = h0;
    (0..gx.shape()[0])
        .map(|t| {
            h = gru_step(gx.select(0, t), h, w, b);
            h
        })
        .collect()
}
