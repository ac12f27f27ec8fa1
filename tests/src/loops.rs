//! Layers on plain numbers, one number at a time, with given parameters.

use nn::{Params, Variant};

/// 1 / (1 + e⁻ˣ).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// W·x + b.
///
/// # Panics
/// If there are no such parameters.
pub fn affine(params: &Params<f64>, [weight, bias]: [&str; 2], x: &[f64]) -> Vec<f64> {
    let get = |name: &str| params.get(params.find(name).unwrap_or_else(|| panic!("no parameter {name}"))).to_vec();
    let dot = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    get(weight).chunks(x.len()).zip(get(bias)).map(|(row, b)| dot(row) + b).collect()
}

/// The gates r and z, and the state after one step of one row, from the equations of `GruCell` and `Variant`.
///
/// # Panics
/// If there are no parameters of a cell under this prefix.
pub fn gru_step(params: &Params<f64>, begin: &str, variant: Variant, x: &[f64], h: &[f64]) -> [Vec<f64>; 3] {
    let part = |of: &str, x: &[f64]| {
        affine(params, ["weight", "bias"].map(|n| format!("{begin}{n}_{of}")).each_ref().map(|n| &n[..]), x)
    };
    let (d, gx, gh) = (h.len(), part("ih", x), part("hh", h));
    let gate = |k: usize| (k * d..(k + 1) * d).map(|i| sigmoid(gx[i] + gh[i])).collect::<Vec<_>>();
    let (r, z) = (gate(0), gate(1));
    let inside: Vec<f64> = match variant {
        Variant::ResetAfter => gh[2 * d..].iter().zip(&r).map(|(gh, r)| r * gh).collect(),
        Variant::ResetBefore => part("hh", &h.iter().zip(&r).map(|(h, r)| r * h).collect::<Vec<_>>())[2 * d..].to_vec(),
    };
    let next = |i: usize| (1.0 - z[i]) * (gx[2 * d + i] + inside[i]).tanh() + z[i] * h[i];
    let h = (0..d).map(next).collect();
    [r, z, h]
}
