//! Mistakes in backpropagation through a GRU.
//!
//! Here the GRU is composed edge by edge, following its derivation (B1) to (B12) in `autograd`'s `ops/gru.rs`. A mistake is a
//! wrong gradient along one of the edges, with the right value.

use std::sync::Arc;

use autograd::gradcheck::DynFunction;
use autograd::ops::Kind;
use autograd::{Var, function};
use proofs::{Case, operation_cases};
use tensor::{Real, Tensor};

use super::gradient::{block_gradient, one_minus, override_gradient, scale_gradient, scale_rows, sloped};
use super::{Mistake, check_level};

/// The lines of the derivation. A factor can be put on each of them.
pub(crate) const LINES: [&str; 12] = [
    "dn = dh·(1 − z)",
    "dz = dh·(h_prev − n)",
    "dh_prev = dh·z",
    "da_n = dn·(1 − n²)",
    "da_z = dz·z·(1 − z)",
    "dr = da_n·gh_n",
    "da_r = dr·r·(1 − r)",
    "dgx = (da_r, da_z, da_n)",
    "dgh = (da_r, da_z, da_n·r)",
    "dh_prev += dgh·W_hh",
    "dW_hh = Σ dghᵀ·h_prev",
    "db_hh = Σ dgh",
];

/// A mistake in a gradient.
#[derive(Clone, Copy)]
pub(crate) struct Bug {
    /// One of [`WRONG`], the name in [`SAVED`], or empty.
    wrong: &'static str,
    /// The number of a line of [`LINES`], from 1, and the factor on it.
    factor: (usize, f64),
}

/// Second derivatives treat the saved gates and states as constants.
pub(crate) const SAVED: Bug = Bug { wrong: "saved", ..RIGHT };
const RIGHT: Bug = Bug { wrong: "", factor: (0, 1.0) };

const WRONG: [&str; 28] = [
    "dW_hh: h instead of h_prev",
    "dz: h instead of h_prev",
    "db_hh: the hidden bias outside the reset gate",
    "dr: the hidden bias outside the reset gate",
    "dn: z instead of 1 − z",
    "dh_prev: 1 − z instead of z",
    "an off-by-one T: the last step is left out",
    "an off-by-one T: the first step is left out",
    "dh is not carried from step to step",
    "dh is cut after every second step",
    "the direct path dh·z is forgotten",
    "dr: gx_n instead of gh_n",
    "dgh_n: the reset gate is forgotten",
    "the gates in the order z, r, n",
    "the gates in the order z, n, r",
    "dW_hh: = for += over the steps",
    "dh_prev: W_hh instead of W_hhᵀ, gate by gate",
    "tanh′ = 1 − n",
    "σ′ = 1",
    "dh₀ is the whole gradient of h₁",
    "dh₀ gets no gradient",
    "db_hh: one row of the batch",
    "dW_hh: a factor 1/B",
    "dW_hh: h₀ is left out in batches of three and more",
    "units beyond the last multiple of four get no gradient",
    "the buffer of dh_prev is not cleared between steps",
    "dgx: the steps in reverse order",
    "dh_prev: no gradient through the reset gate",
];

/// Returns a function with the fused GRU's value and the composed GRU's gradient.
fn with_bug(bug: Bug) -> impl DynFunction + Send + Sync + 'static {
    function!([bug: Bug] |x| override_gradient(x[0].gru(x[1], x[2], x[3]), states(*bug, x)))
}

/// Returns the operation's cases of these sizes, with a mistake.
fn cases(sizes: &str, bug: Bug) -> impl Iterator<Item = Case> {
    let found: Vec<_> = operation_cases(Kind::Gru).into_iter().filter(|case| case.name.starts_with(sizes)).collect();
    found.into_iter().map(move |case| Case { f: Arc::new(with_bug(bug)), ..case })
}

/// Returns the cases over seven steps, with a factor on a line of the derivation.
pub(crate) fn with_factor(line: usize, factor: f64) -> Vec<Case> {
    cases("T=7", Bug { factor: (line, factor), ..RIGHT }).collect()
}

/// Returns all mistakes in the GRU.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let mistake = |level, wrong: &'static str| {
        let sizes = if wrong.starts_with("units") { "T=2 B=5 H=7" } else { "T=2 B=4 H=3" };
        let of = |bug| cases(sizes, bug).next().expect("one of the operation's cases");
        Mistake::rule(wrong, level, [RIGHT, Bug { wrong, ..RIGHT }].map(of))
    };
    let step_by_step = mistake("L5", "dh is cut after every second step");
    WRONG.into_iter().map(|wrong| mistake("L1", wrong)).chain([step_by_step]).collect()
}

/// Returns gate `k`'s part of gx, gh, W_hh or b_hh.
fn gate<T: Real>(x: Var<'_, T>, k: usize) -> Var<'_, T> {
    let hidden_size = x.shape().last_extent() / 3;
    x.slice(x.shape().rank() - 1, k * hidden_size..(k + 1) * hidden_size)
}

/// Returns a product. In the gradient of each factor, the other factor is a constant.
fn product_of_constants<'t, T: Real>(a: Var<'t, T>, b: Var<'t, T>) -> Var<'t, T> {
    sloped(a, b) + sloped(b, a)
}

/// Computes the states of the GRU from gx\[T,B,3H\], h0\[B,H\], W_hh\[3H,H\] and b_hh\[3H\], with a bug in their gradient.
pub(crate) fn states<'t, T: Real>(bug: Bug, x: &[Var<'t, T>]) -> Var<'t, T> {
    let &[gx, h0, w_hh, b_hh] = x else { panic!("four inputs") };
    let (steps, [batch, hidden_size]) = (gx.shape()[0], [0, 1].map(|axis| h0.shape()[axis]));
    let known_states = gx.gru(h0, w_hh, b_hh).detach();
    let line = |k, x| if bug.factor.0 == k { scale_gradient(x, bug.factor.1) } else { x };
    let is = |wrong| bug.wrong == wrong;
    let order = match bug.wrong {
        "the gates in the order z, r, n" => [1, 0, 2],
        "the gates in the order z, n, r" => [2, 0, 1],
        _ => [0, 1, 2],
    };
    let part = |x, k: usize| if order[k] == k { gate(x, k) } else { override_gradient(gate(x, k), gate(x, order[k])) };
    let mut h = h0;
    let step = |t| {
        let h_next = known_states.select(0, t);
        let is_cut = match bug.wrong {
            "dh is not carried from step to step" => true,
            "dh is cut after every second step" => (steps - t).is_multiple_of(2),
            "dh₀ is the whole gradient of h₁" | "dh₀ gets no gradient" => t == 0,
            _ => false,
        };
        let h_prev = if is_cut { h.detach() } else { h };

        let weight = match bug.wrong {
            "dW_hh: = for += over the steps" if t > 0 => w_hh.detach(),
            "dW_hh: h₀ is left out in batches of three and more" if t == 0 && batch >= 3 => w_hh.detach(),
            "dW_hh: a factor 1/B" => scale_gradient(w_hh, 1.0 / batch as f64),
            _ => line(11, w_hh),
        };
        let product = line(10, h_prev).matmul_nt(weight);
        let wrong = match bug.wrong {
            "saved" if t > 0 => h_prev.matmul_nt(block_gradient(w_hh)) + h_prev.detach().matmul_nt(w_hh),
            "dW_hh: h instead of h_prev" => h_prev.matmul_nt(w_hh.detach()) + h_next.matmul_nt(w_hh),
            "dh_prev: W_hh instead of W_hhᵀ, gate by gate" => {
                let back = |k| h_prev.matmul(w_hh.slice(0, k * hidden_size..(k + 1) * hidden_size).detach());
                Var::concat(&[0, 1, 2].map(back), 1) + h_prev.detach().matmul_nt(w_hh)
            }
            "dh_prev: no gradient through the reset gate" => Var::concat(
                &[gate(h_prev.detach().matmul_nt(w_hh), 0), product.slice(1, hidden_size..3 * hidden_size)],
                1,
            ),
            _ => product,
        };
        let bias = line(12, b_hh);
        let first: Vec<f64> = (0..batch).map(|i| f64::from(i == 0)).collect();
        let all = vec![1.0; batch];
        let bias = if is("db_hh: one row of the batch") {
            override_gradient(scale_rows(b_hh, &all), scale_rows(b_hh, &first))
        } else {
            scale_rows(bias, &all)
        };
        let gh = line(9, override_gradient(product, wrong) + bias);
        let gx_t = gx.select(0, t);
        let gx_t = if is("dgx: the steps in reverse order") {
            override_gradient(gx_t, gx.select(0, steps - 1 - t))
        } else {
            line(8, gx_t)
        };

        let sigmoid = |a: Var<'t, T>, k| {
            let y = line(k, a).sigmoid();
            match bug.wrong {
                "saved" => override_gradient(y, sloped(y * one_minus(y), a)),
                "σ′ = 1" if k == 5 => override_gradient(y, a),
                _ => y,
            }
        };
        let r = sigmoid(part(gx_t, 0) + part(gh, 0), 7);
        let z = sigmoid(part(gx_t, 1) + part(gh, 1), 5);
        let (gx_n, gh_n) = (part(gx_t, 2), part(gh, 2));
        let reset = match bug.wrong {
            "saved" => product_of_constants(r, gh_n),
            "db_hh: the hidden bias outside the reset gate" => {
                r * gh_n + sloped(one_minus(r), gate(scale_rows(b_hh, &all), 2))
            }
            "dr: the hidden bias outside the reset gate" => r * gh_n - sloped(gate(scale_rows(b_hh, &all), 2), r),
            "dr: gx_n instead of gh_n" => sloped(gx_n, r) + sloped(r, gh_n),
            "dgh_n: the reset gate is forgotten" => sloped(gh_n, r) + gh_n,
            _ => line(6, r) * gh_n,
        };
        let a_n = gx_n + override_gradient(r * gh_n, reset);
        let n = line(4, a_n).tanh();
        let n = match bug.wrong {
            "saved" => override_gradient(n, sloped(one_minus(n.square()), a_n)),
            "tanh′ = 1 − n" => override_gradient(n, sloped(one_minus(n), a_n)),
            _ => n,
        };

        let updated = line(2, z);
        let right = one_minus(updated) * line(1, n) + updated * line(3, h_prev);
        let wrong = match bug.wrong {
            "saved" => sloped(one_minus(z), n) + sloped(h_prev - n, z) + sloped(z, h_prev),
            "dz: h instead of h_prev" => right + sloped(h_next - h_prev, z),
            "dn: z instead of 1 − z" => sloped(z, n) + sloped(h_prev - n, z) + sloped(z, h_prev),
            "the direct path dh·z is forgotten" => sloped(one_minus(z), n) + sloped(h_prev - n, z),
            "dh_prev: 1 − z instead of z" => sloped(one_minus(z), n + h_prev) + sloped(h_prev - n, z),
            "an off-by-one T: the last step is left out" if t + 1 == steps => right.detach(),
            "an off-by-one T: the first step is left out" if t == 0 => right.detach(),
            "units beyond the last multiple of four get no gradient" if hidden_size > 4 => {
                right
                    * right
                        .tape()
                        .constant(Tensor::from_fn([hidden_size], |j| T::from_f64(f64::from(j < hidden_size / 4 * 4))))
            }
            _ => right,
        };
        let state = override_gradient(right, wrong);
        h = match bug.wrong {
            "an off-by-one T: the first step is left out" if t == 0 => override_gradient(right, h_prev),
            "dh₀ is the whole gradient of h₁" if t == 0 => override_gradient(state, state + h0),
            "the buffer of dh_prev is not cleared between steps" => override_gradient(state, state + h_prev),
            _ => state,
        };
        state
    };
    Var::stack(&(0..steps).map(step).collect::<Vec<_>>())
}

/// Without a bug, the composed GRU equals the rule that it replaces, with its second derivatives.
#[test]
fn gru_states_without_a_bug_match_the_rule() {
    for case in cases("T=1", RIGHT).chain(cases("T=7", RIGHT)) {
        ["L1", "L4"].iter().for_each(|level| assert_eq!(check_level(level, &case), Ok(()), "{level}, {case}"));
    }
}
