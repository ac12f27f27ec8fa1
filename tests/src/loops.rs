//! Reference layers in plain loops over numbers, with given parameters.

use nn::{Params, Variant};

/// Computes σ(x) = 1 / (1 + e⁻ˣ).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Computes W·x + b.
///
/// # Panics
/// If `params` lacks one of the two names.
pub fn affine(params: &Params<f64>, [weight, bias]: [&str; 2], x: &[f64]) -> Vec<f64> {
    let get = |name: &str| params.get(params.find(name).unwrap_or_else(|| panic!("no parameter {name}"))).to_vec();
    let dot = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    get(weight).chunks(x.len()).zip(get(bias)).map(|(row, b)| dot(row) + b).collect()
}

/// Computes one GRU step of one example by the equations of `GruCell` and `Variant`. Returns r, z and the new state.
///
/// # Panics
/// If `params` holds no GRU cell under this prefix.
pub fn gru_step(params: &Params<f64>, prefix: &str, variant: Variant, x: &[f64], h_prev: &[f64]) -> [Vec<f64>; 3] {
    let part = |suffix: &str, x: &[f64]| {
        affine(params, ["weight", "bias"].map(|n| format!("{prefix}{n}_{suffix}")).each_ref().map(|n| &n[..]), x)
    };
    let (size, gx, gh) = (h_prev.len(), part("ih", x), part("hh", h_prev));
    let gate = |k: usize| (k * size..(k + 1) * size).map(|i| sigmoid(gx[i] + gh[i])).collect::<Vec<_>>();
    let (r, z) = (gate(0), gate(1));
    let reset: Vec<f64> = match variant {
        Variant::ResetAfter => gh[2 * size..].iter().zip(&r).map(|(gh, r)| r * gh).collect(),
        Variant::ResetBefore => {
            part("hh", &h_prev.iter().zip(&r).map(|(h, r)| r * h).collect::<Vec<_>>())[2 * size..].to_vec()
        }
    };
    let next = |i: usize| (1.0 - z[i]) * (gx[2 * size + i] + reset[i]).tanh() + z[i] * h_prev[i];
    let h = (0..size).map(next).collect();
    [r, z, h]
}
