//! Mistakes in backpropagation through a GRU.
//!
//! The GRU is composed here, edge by edge of its derivation in `ops/gru.rs` of `autograd`, (B1) to (B12); a mistake is a wrong
//! gradient along one of the edges, with the right value.

use std::sync::Arc;

use autograd::gradcheck::Overloaded;
use autograd::ops::Kind;
use autograd::{Var, function};
use proofs::{Case, operations};
use tensor::{Real, Tensor};

use super::gradient::{block_gradient, one_minus, override_gradient, scale_gradient, scale_rows, sloped};
use super::{Mistake, judged};

/// The lines of the derivation, for factors.
pub(crate) const LINES: [&str; 12] = [
    "dn = dh·(1 − z)",
    "dz = dh·(h₋ − n)",
    "dh₋ = dh·z",
    "da_n = dn·(1 − n²)",
    "da_z = dz·z·(1 − z)",
    "dr = da_n·gh_n",
    "da_r = dr·r·(1 − r)",
    "dgx = (da_r, da_z, da_n)",
    "dgh = (da_r, da_z, da_n·r)",
    "dh₋ += dgh·W",
    "dW = Σ dghᵀ·h₋",
    "db = Σ dgh",
];

/// A mistake in a gradient.
#[derive(Clone, Copy)]
pub(crate) struct Bug {
    /// One of [`WRONG`], or [`KEPT`], or nothing.
    wrong: &'static str,
    /// One of [`LINES`], from 1, and the factor on it.
    factor: (usize, f64),
}

/// Gates and states are constants to a second derivative.
pub(crate) const KEPT: Bug = Bug { wrong: "kept", ..RIGHT };
const RIGHT: Bug = Bug { wrong: "", factor: (0, 1.0) };

const WRONG: [&str; 28] = [
    "dW: h_t for h_{t−1}",
    "dz: h_t for h_{t−1}",
    "db: the hidden bias outside the reset gate",
    "dr: the hidden bias outside the reset gate",
    "dn: z for 1 − z",
    "dh₋: 1 − z for z",
    "an off-by-one T: the last step is left out",
    "an off-by-one T: the first step is left out",
    "dh is not carried from step to step",
    "dh is cut after every second step",
    "the direct path dh·z is forgotten",
    "dr: gx_n for gh_n",
    "dgh_n: the reset gate is forgotten",
    "the gates in the order z, r, n",
    "the gates in the order z, n, r",
    "dW: = for += over the steps",
    "dh₋: W for Wᵀ, gate by gate",
    "tanh′ = 1 − n",
    "σ′ = 1",
    "dh₀ is what reaches h₁",
    "dh₀ is not sent",
    "db: one row of the batch",
    "dW: a 1/B",
    "dW: h₀ is left out in batches of three and more",
    "units beyond the last multiple of four get nothing",
    "the buffer of dh₋ is not cleared between steps",
    "dgx: time runs the other way",
    "dh₋: nothing through the reset gate",
];

/// The fused GRU's value with the composed one's gradient.
fn with_bug(bug: Bug) -> impl Overloaded + Send + Sync + 'static {
    function!([bug: Bug] |x| override_gradient(x[0].gru(x[1], x[2], x[3]), states(*bug, x)))
}

/// The operation's cases of these sizes, with a mistake.
fn cases(sizes: &str, bug: Bug) -> impl Iterator<Item = Case> {
    let found: Vec<_> = operations(Kind::Gru).into_iter().filter(|case| case.name.starts_with(sizes)).collect();
    found.into_iter().map(move |case| Case { f: Arc::new(with_bug(bug)), ..case })
}

/// The cases over seven steps, with a factor in a line of the derivation.
pub(crate) fn with_factor(line: usize, factor: f64) -> Vec<Case> {
    cases("T=7", Bug { factor: (line, factor), ..RIGHT }).collect()
}

/// All mistakes in the GRU.
pub(crate) fn mistakes() -> Vec<Mistake> {
    let mistake = |level, wrong: &'static str| {
        let sizes = if wrong.starts_with("units") { "T=2 B=5 H=7" } else { "T=2 B=4 H=3" };
        let of = |bug| cases(sizes, bug).next().expect("one of the operation's cases");
        Mistake::rule(wrong, level, [RIGHT, Bug { wrong, ..RIGHT }].map(of))
    };
    let step_by_step = mistake("L5", "dh is cut after every second step");
    WRONG.into_iter().map(|wrong| mistake("L1", wrong)).chain([step_by_step]).collect()
}

/// Some units of some gates.
fn gate<T: Real>(x: Var<'_, T>, k: usize) -> Var<'_, T> {
    let hidden = x.shape().last_extent() / 3;
    x.slice(x.shape().rank() - 1, k * hidden..(k + 1) * hidden)
}

/// A product of which either factor is a constant to the other's gradient.
fn by_constants<'t, T: Real>(a: Var<'t, T>, b: Var<'t, T>) -> Var<'t, T> {
    sloped(a, b) + sloped(b, a)
}

/// The states of the GRU over gx\[T,B,3H\], h0\[B,H\], w\[3H,H\], b\[3H\], with a bug in their gradient.
pub(crate) fn states<'t, T: Real>(bug: Bug, x: &[Var<'t, T>]) -> Var<'t, T> {
    let &[gx, h0, w, b] = x else { panic!("four inputs") };
    let (steps, [batch, hidden]) = (gx.shape()[0], [0, 1].map(|axis| h0.shape()[axis]));
    let known = gx.gru(h0, w, b).detach();
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
        let after = known.select(0, t);
        let is_cut = match bug.wrong {
            "dh is not carried from step to step" => true,
            "dh is cut after every second step" => (steps - t).is_multiple_of(2),
            "dh₀ is what reaches h₁" | "dh₀ is not sent" => t == 0,
            _ => false,
        };
        let before = if is_cut { h.detach() } else { h };

        let weight = match bug.wrong {
            "dW: = for += over the steps" if t > 0 => w.detach(),
            "dW: h₀ is left out in batches of three and more" if t == 0 && batch >= 3 => w.detach(),
            "dW: a 1/B" => scale_gradient(w, 1.0 / batch as f64),
            _ => line(11, w),
        };
        let product = line(10, before).matmul_nt(weight);
        let wrong = match bug.wrong {
            "kept" if t > 0 => before.matmul_nt(block_gradient(w)) + before.detach().matmul_nt(w),
            "dW: h_t for h_{t−1}" => before.matmul_nt(w.detach()) + after.matmul_nt(w),
            "dh₋: W for Wᵀ, gate by gate" => {
                let back = |k| before.matmul(w.slice(0, k * hidden..(k + 1) * hidden).detach());
                Var::concat(&[0, 1, 2].map(back), 1) + before.detach().matmul_nt(w)
            }
            "dh₋: nothing through the reset gate" => {
                Var::concat(&[gate(before.detach().matmul_nt(w), 0), product.slice(1, hidden..3 * hidden)], 1)
            }
            _ => product,
        };
        let bias = line(12, b);
        let first: Vec<f64> = (0..batch).map(|i| f64::from(i == 0)).collect();
        let all = vec![1.0; batch];
        let bias = if is("db: one row of the batch") {
            override_gradient(scale_rows(b, &all), scale_rows(b, &first))
        } else {
            scale_rows(bias, &all)
        };
        let gh = line(9, override_gradient(product, wrong) + bias);
        let gx_t = gx.select(0, t);
        let gx_t = if is("dgx: time runs the other way") {
            override_gradient(gx_t, gx.select(0, steps - 1 - t))
        } else {
            line(8, gx_t)
        };

        let sigmoid = |a: Var<'t, T>, k| {
            let y = line(k, a).sigmoid();
            match bug.wrong {
                "kept" => override_gradient(y, sloped(y * one_minus(y), a)),
                "σ′ = 1" if k == 5 => override_gradient(y, a),
                _ => y,
            }
        };
        let r = sigmoid(part(gx_t, 0) + part(gh, 0), 7);
        let z = sigmoid(part(gx_t, 1) + part(gh, 1), 5);
        let (gx_n, gh_n) = (part(gx_t, 2), part(gh, 2));
        let reset = match bug.wrong {
            "kept" => by_constants(r, gh_n),
            "db: the hidden bias outside the reset gate" => {
                r * gh_n + sloped(one_minus(r), gate(scale_rows(b, &all), 2))
            }
            "dr: the hidden bias outside the reset gate" => r * gh_n - sloped(gate(scale_rows(b, &all), 2), r),
            "dr: gx_n for gh_n" => sloped(gx_n, r) + sloped(r, gh_n),
            "dgh_n: the reset gate is forgotten" => sloped(gh_n, r) + gh_n,
            _ => line(6, r) * gh_n,
        };
        let a_n = gx_n + override_gradient(r * gh_n, reset);
        let n = line(4, a_n).tanh();
        let n = match bug.wrong {
            "kept" => override_gradient(n, sloped(one_minus(n.square()), a_n)),
            "tanh′ = 1 − n" => override_gradient(n, sloped(one_minus(n), a_n)),
            _ => n,
        };

        let updated = line(2, z);
        let right = one_minus(updated) * line(1, n) + updated * line(3, before);
        let wrong = match bug.wrong {
            "kept" => sloped(one_minus(z), n) + sloped(before - n, z) + sloped(z, before),
            "dz: h_t for h_{t−1}" => right + sloped(after - before, z),
            "dn: z for 1 − z" => sloped(z, n) + sloped(before - n, z) + sloped(z, before),
            "the direct path dh·z is forgotten" => sloped(one_minus(z), n) + sloped(before - n, z),
            "dh₋: 1 − z for z" => sloped(one_minus(z), n + before) + sloped(before - n, z),
            "an off-by-one T: the last step is left out" if t + 1 == steps => right.detach(),
            "an off-by-one T: the first step is left out" if t == 0 => right.detach(),
            "units beyond the last multiple of four get nothing" if hidden > 4 => {
                right * right.tape().constant(Tensor::from_fn([hidden], |j| T::of(f64::from(j < hidden / 4 * 4))))
            }
            _ => right,
        };
        let state = override_gradient(right, wrong);
        h = match bug.wrong {
            "an off-by-one T: the first step is left out" if t == 0 => override_gradient(right, before),
            "dh₀ is what reaches h₁" if t == 0 => override_gradient(state, state + h0),
            "the buffer of dh₋ is not cleared between steps" => override_gradient(state, state + before),
            _ => state,
        };
        state
    };
    Var::stack(&(0..steps).map(step).collect::<Vec<_>>())
}

/// The edges are the rule that they replace, with its second derivatives.
#[test]
fn composed_gru_without_a_bug_is_the_rule() {
    for case in cases("T=1", RIGHT).chain(cases("T=7", RIGHT)) {
        ["L1", "L4"].iter().for_each(|level| assert_eq!(judged(level, &case), Ok(()), "{level}, {case}"));
    }
}
