//! The sizes of a training run: 192 episodes of seven steps, width 96, 18 tokens, 6 actions.

use autograd::function;
use nn::{BoundParams, GruCell, Variant};
use tensor::Tensor;

use crate::layers::build_layer;
use crate::operations::gru;
use crate::{Case, RandomTensors, Target};

/// Returns the operations of one update of the default run, in its sizes. They are too large for a check of every
/// entry. One GRU has more steps and more episodes than any block of a kernel.
pub fn production_cases() -> Vec<Case> {
    let d = &mut RandomTensors::new(200);
    let mut cases =
        vec![gru::all_states_case(d, [7, 192, 96]), gru::all_states_case(d, [70, 66, 3]), composed_gru_case(d)];
    cases.extend(cases! { MatMul:
        "nn, [1344, 96] × [96, 288]", [d.normal([1344, 96]), d.normal([96, 288])]: |x| x[0].matmul(x[1]);
        "nt, the input part of the gates", [d.normal([18, 96]), d.normal([288, 96])]: |x| x[0].matmul_nt(x[1]);
        "tn, the weights' gradient", [d.normal([1344, 96]), d.normal([1344, 288])]: |x| x[0].matmul_tn(x[1]);
    });
    cases.extend(cases! { Softmax: "[1344, 18]", [d.normal([1344, 18])]: |x| x[0].softmax(); });
    cases.extend(cases! { LogSoftmax: "[1344, 6]", [d.normal([1344, 6])]: |x| x[0].log_softmax(); });
    cases.extend(cases! { Entropy: "[1344, 18]", [d.normal([1344, 18])]: |x| x[0].log_softmax().entropy(); });
    cases.extend(cases! { LogSumExp: "[1344, 18]", [d.normal([1344, 18])]: |x| x[0].logsumexp(); });
    cases.extend(cases! { LayerNorm:
        "[1344, 96]", [d.normal([1344, 96]), d.normal([96]), d.normal([96])]:
            |x| x[0].layer_norm(x[1], x[2], T::from_f64(1e-5));
    });
    cases.extend(cases! { Embedding:
        "1344 of 18 tokens", [d.normal([18, 96])]:
            |x| x[0].embedding(&Tensor::from_fn([7, 192], |k| (k * 5 % 18) as u32)).square();
    });
    cases.extend(cases! { Gather:
        "the actions", [d.normal([1344, 6])]:
            |x| x[0].gather(&Tensor::from_fn([1344, 1], |k| (k * 5 % 6) as u32)).square();
    });
    cases.extend(cases! { Add: "a bias", [d.normal([1344, 288]), d.normal([288])]: |x| x[0] + x[1]; });
    cases.extend(cases! { Mul: "a mask", [d.normal([7, 192, 96]), d.normal([192, 1])]: |x| x[0] * x[1]; });
    cases
}

/// One step of the GRU variant that has no fused form.
fn composed_gru_case(d: &mut RandomTensors) -> Case {
    let (layer, params) = build_layer(d, |b| GruCell::new(b, 96, 96).with_variant(Variant::ResetBefore));
    let f = function!([layer: GruCell] |x| layer.forward(BoundParams::from_vars(&x[2..]), x[0], x[1]));
    let inputs = [d.normal([192, 96]), d.normal([192, 96])].map(Into::into).into_iter().chain(params);
    Case::new(Target::Layer("GruCell"), "ResetBefore B=192 E=96 H=96", inputs, f)
}
