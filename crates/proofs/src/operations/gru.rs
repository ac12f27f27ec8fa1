//! The fused GRU: one step and many, batches of three and more, and H that is no multiple of four.

use autograd::function;
use autograd::gradcheck::Input;
use autograd::ops::Kind;
use tensor::Tensor;

use crate::{Case, Draw, Of};

/// T, B, H: with 3H pairwise distinct, but for the smallest.
const SIZES: [[usize; 3]; 8] =
    [[1, 1, 1], [1, 3, 5], [2, 4, 3], [7, 3, 4], [7, 2, 5], [2, 5, 7], [3, 2, 8], [50, 2, 3]];

pub(super) fn gru(d: &mut Draw) -> Vec<Case> {
    let kind = Of::Operation(Kind::Gru);
    let plain = |d: &mut Draw, [t, b, h]: [usize; 3]| {
        Case::new(kind, format!("T={t} B={b} H={h}"), inputs(d, t, b, h), function!(|x| x[0].gru(x[1], x[2], x[3])))
    };
    let mut cases: Vec<Case> = SIZES.iter().map(|&sizes| plain(d, sizes)).collect();
    let [gx, _, w, b] = inputs(d, 3, 5, 7);
    let without_state = function!(|tape, x| {
        let h0 = tape.constant(Tensor::zeros([5, 7]));
        x[0].gru(h0, x[1], x[2])
    });
    cases.push(Case::new(kind, "no initial state", [gx, w, b], without_state));
    cases.push(Case::new(
        kind,
        "the last state alone",
        inputs(d, 4, 2, 3),
        function!(|x| x[0].gru(x[1], x[2], x[3]).select(0, 3)),
    ));
    cases.push(Case::new(
        kind,
        "twice",
        inputs(d, 4, 2, 3),
        function!(|x| {
            let first = x[0].gru(x[1], x[2], x[3]).select(0, 3);
            x[0].gru(first, x[2], x[3])
        }),
    ));
    cases.extend(cases! { Gru:
        "views", [d.normal([2, 4, 9]), d.normal([3, 2]), d.normal([3, 9]), d.normal([2, 9])]:
            |x| x[0].permute(&[1, 0, 2]).gru(x[1].transpose(), x[2].transpose(), x[3].select(0, 1));
        "one input in two places", [d.normal([1, 4, 9]), d.normal([4, 3]), d.normal([9, 3]), d.normal([2, 9])]:
            |x| x[0].gru(x[1], x[2], x[3].select(0, 0)) + x[3].sum_axis(0).slice(0, 0..3) * x[1];
    });
    cases
}

/// gx\[T,B,3H\], h0\[B,H\], w\[3H,H\], b\[3H\].
fn inputs(d: &mut Draw, t: usize, b: usize, h: usize) -> [Input; 4] {
    let gates = &["r", "z", "n"];
    let w = &d.normal([3 * h, h]) * &Tensor::scalar(0.6);
    [
        Input::from(d.normal([t, b, 3 * h])).named("gx").gates(2, gates),
        Input::from(d.normal([b, h])).named("h0"),
        Input::from(w).named("w_hh").gates(0, gates),
        Input::from(d.normal([3 * h])).named("b_hh").gates(0, gates),
    ]
}
