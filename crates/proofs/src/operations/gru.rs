//! Cases of the fused GRU: one step and many, batches of three and more, and H that is no multiple of four.

use autograd::function;
use autograd::gradcheck::Input;
use autograd::ops::Kind;
use tensor::Tensor;

use crate::{Case, RandomTensors, Target};

const TARGET: Target = Target::Operation(Kind::Gru);

/// T, B, H. The extents, with 3H, are pairwise distinct, except in the smallest case.
const SIZES: [[usize; 3]; 8] =
    [[1, 1, 1], [1, 3, 5], [2, 4, 3], [7, 3, 4], [7, 2, 5], [2, 5, 7], [3, 2, 8], [50, 1, 2]];

/// The batch axes of gx, h0, W_hh and b_hh.
const BATCH_AXES: [Option<usize>; 4] = [Some(1), Some(0), None, None];

pub(super) fn gru(d: &mut RandomTensors) -> Vec<Case> {
    let mut cases: Vec<Case> = SIZES.iter().map(|&sizes| all_states_case(d, sizes)).collect();
    cases.extend([token_table_case(d), no_initial_state_case(d), last_state_case(d), twice_case(d)]);
    cases.extend(cases! { Gru:
        "views", [d.normal([2, 4, 9]), d.normal([3, 2]), d.normal([3, 9]), d.normal([2, 9])]:
            |x| x[0].permute(&[1, 0, 2]).gru(x[1].transpose(), x[2].transpose(), x[3].select(0, 1));
        "one input in two places", [d.normal([1, 4, 9]), d.normal([4, 3]), d.normal([9, 3]), d.normal([2, 9])]:
            |x| x[0].gru(x[1], x[2], x[3].select(0, 0)) + x[3].sum_axis(0).slice(0, 0..3) * x[1];
    });
    cases
}

/// Creates gx\[T,B,3H\], h0\[B,H\], W_hh\[3H,H\] and b_hh\[3H\].
fn inputs(d: &mut RandomTensors, [t, b, h]: [usize; 3]) -> [Input; 4] {
    let gates = &["r", "z", "n"];
    let w_hh = &d.normal([3 * h, h]) * (1.0 / (h as f64).sqrt());
    [
        Input::from(d.normal([t, b, 3 * h])).named("gx").gates(2, gates),
        Input::from(d.normal([b, h])).named("h0"),
        Input::from(w_hh).named("w_hh").gates(0, gates),
        Input::from(d.normal([3 * h])).named("b_hh").gates(0, gates),
    ]
}

/// A case whose value is the states after each step, as in training.
pub(crate) fn all_states_case(d: &mut RandomTensors, sizes: [usize; 3]) -> Case {
    let [t, b, h] = sizes;
    let f = function!(|x| x[0].gru(x[1], x[2], x[3]));
    Case::new(TARGET, format!("T={t} B={b} H={h}"), inputs(d, sizes), f).with_batch(&BATCH_AXES, 1).into_recurrent()
}

/// A case that reads rows of a table: one is read by both examples at once, one repeatedly, one never.
fn token_table_case(d: &mut RandomTensors) -> Case {
    let tokens = Tensor::from([[1, 1], [4, 0], [1, 3], [3, 1]]);
    let [_, h0, w_hh, b_hh] = inputs(d, [4, 2, 3]);
    let table = Input::from(d.normal([5, 9])).named("table").gates(1, &["r", "z", "n"]);
    let f = function!([tokens: Tensor<u32>] |x| x[0].embedding_gru(tokens, x[1], x[2], x[3]));
    Case::new(TARGET, "rows of a table", [table, h0, w_hh, b_hh], f)
}

/// A case without an initial state, with B ≥ 3. ONNX Runtime's GRU was wrong there (microsoft/onnxruntime#3893).
fn no_initial_state_case(d: &mut RandomTensors) -> Case {
    let [gx, _, w_hh, b_hh] = inputs(d, [3, 5, 7]);
    let f = function!(|tape, x| {
        let h0 = tape.constant(Tensor::zeros([5, 7]));
        x[0].gru(h0, x[1], x[2])
    });
    Case::new(TARGET, "no initial state", [gx, w_hh, b_hh], f)
}

/// A case of a slice of the states, with H no multiple of four. cuDNN's backward failed there (pytorch/pytorch#54307).
fn last_state_case(d: &mut RandomTensors) -> Case {
    let f = function!(|x| x[0].gru(x[1], x[2], x[3]).select(0, 3));
    Case::new(TARGET, "the last state alone", inputs(d, [4, 2, 3]), f).with_batch(&BATCH_AXES, 0)
}

fn twice_case(d: &mut RandomTensors) -> Case {
    let f = function!(|x| {
        let first = x[0].gru(x[1], x[2], x[3]).select(0, 3);
        x[0].gru(first, x[2], x[3])
    });
    Case::new(TARGET, "twice", inputs(d, [4, 2, 3]), f).with_batch(&BATCH_AXES, 1)
}
