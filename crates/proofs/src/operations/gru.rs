//! The fused GRU: one step and many, batches of three and more, and H that is no multiple of four.

use autograd::function;
use autograd::gradcheck::Input;
use autograd::ops::Kind;
use tensor::Tensor;

use crate::{Case, Draw, Of};

const KIND: Of = Of::Operation(Kind::Gru);

/// T, B, H: with 3H pairwise distinct, but for the smallest.
const SIZES: [[usize; 3]; 8] =
    [[1, 1, 1], [1, 3, 5], [2, 4, 3], [7, 3, 4], [7, 2, 5], [2, 5, 7], [3, 2, 8], [50, 2, 3]];

/// Which axis of gx, h0, w and b counts the rows of the batch.
const ROWS: [Option<usize>; 4] = [Some(1), Some(0), None, None];

pub(super) fn gru(d: &mut Draw) -> Vec<Case> {
    let mut cases: Vec<Case> = SIZES.iter().map(|&sizes| all_states(d, sizes)).collect();
    cases.extend([of_tokens(d), without_a_state(d), last_state(d), twice(d)]);
    cases.extend(cases! { Gru:
        "views", [d.normal([2, 4, 9]), d.normal([3, 2]), d.normal([3, 9]), d.normal([2, 9])]:
            |x| x[0].permute(&[1, 0, 2]).gru(x[1].transpose(), x[2].transpose(), x[3].select(0, 1));
        "one input in two places", [d.normal([1, 4, 9]), d.normal([4, 3]), d.normal([9, 3]), d.normal([2, 9])]:
            |x| x[0].gru(x[1], x[2], x[3].select(0, 0)) + x[3].sum_axis(0).slice(0, 0..3) * x[1];
    });
    cases
}

/// gx\[T,B,3H\], h0\[B,H\], w\[3H,H\], b\[3H\].
fn inputs(d: &mut Draw, [t, b, h]: [usize; 3]) -> [Input; 4] {
    let gates = &["r", "z", "n"];
    let w = &d.normal([3 * h, h]) * &Tensor::scalar(1.0 / (h as f64).sqrt());
    [
        Input::from(d.normal([t, b, 3 * h])).named("gx").gates(2, gates),
        Input::from(d.normal([b, h])).named("h0"),
        Input::from(w).named("w_hh").gates(0, gates),
        Input::from(d.normal([3 * h])).named("b_hh").gates(0, gates),
    ]
}

/// What the engine trains with.
pub(crate) fn all_states(d: &mut Draw, sizes: [usize; 3]) -> Case {
    let [t, b, h] = sizes;
    let f = function!(|x| x[0].gru(x[1], x[2], x[3]));
    Case::new(KIND, format!("T={t} B={b} H={h}"), inputs(d, sizes), f).by_rows(&ROWS, 1).recurrent()
}

/// Rows of a table: one read by both examples at once, one again and again, one never.
fn of_tokens(d: &mut Draw) -> Case {
    let tokens = Tensor::from([[1, 1], [4, 0], [1, 3], [3, 1]]);
    let [_, h0, w, b] = inputs(d, [4, 2, 3]);
    let table = Input::from(d.normal([5, 9])).named("table").gates(1, &["r", "z", "n"]);
    let f = function!([tokens: Tensor<u32>] |x| x[0].gru_of(tokens, x[1], x[2], x[3]));
    Case::new(KIND, "rows of a table", [table, h0, w, b], f)
}

/// With B ≥ 3, where ONNX Runtime's was wrong without a state (microsoft/onnxruntime#3893).
fn without_a_state(d: &mut Draw) -> Case {
    let [gx, _, w, b] = inputs(d, [3, 5, 7]);
    let f = function!(|tape, x| {
        let h0 = tape.constant(Tensor::zeros([5, 7]));
        x[0].gru(h0, x[1], x[2])
    });
    Case::new(KIND, "no initial state", [gx, w, b], f)
}

/// A slice of the states with H no multiple of four: there cuDNN's backward failed (pytorch/pytorch#54307).
fn last_state(d: &mut Draw) -> Case {
    let f = function!(|x| x[0].gru(x[1], x[2], x[3]).select(0, 3));
    Case::new(KIND, "the last state alone", inputs(d, [4, 2, 3]), f).by_rows(&ROWS, 0)
}

fn twice(d: &mut Draw) -> Case {
    let f = function!(|x| {
        let first = x[0].gru(x[1], x[2], x[3]).select(0, 3);
        x[0].gru(first, x[2], x[3])
    });
    Case::new(KIND, "twice", inputs(d, [4, 2, 3]), f).by_rows(&ROWS, 1)
}
