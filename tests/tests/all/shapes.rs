//! Tests of mismatched shapes. Each call panics at the caller's location with all shapes in the message; nothing is broadcast,
//! and no column is dropped. The tests cover the GRU (both variants, every entry point) and the other layers.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use autograd::{GruStepper, Tape, Var};
use nn::{Activation, Attention, BoundParams, Builder, Embedding, GruCell, LayerNorm, Linear, Mlp, Params, Variant};
use tensor::{Real, Tensor};

type W<'t> = BoundParams<'t, f64>;
type V<'t> = Var<'t, f64>;

thread_local! {
    /// The message of this thread's last panic, and the file of its location.
    static PANIC: RefCell<(String, String)> = RefCell::default();
}

/// Returns the panic message of `work`. The panic's location must be in this file.
#[track_caller]
fn panic_message(what: &str, work: impl FnOnce()) -> String {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let words = info.payload_as_str().unwrap_or_default().to_owned();
            let file = info.location().map(|at| at.file().to_owned()).unwrap_or_default();
            PANIC.set((words, file));
            before(info);
        }));
    });
    assert!(panic::catch_unwind(AssertUnwindSafe(work)).is_err(), "{what}: no panic");
    let (words, file) = PANIC.take();
    assert!(file.ends_with("shapes.rs"), "{what}: the location is in {file}: {words}");
    words
}

/// Ignores a value. Variables are `Copy`, so `drop` would cause a warning.
fn ignore<T>(_: T) {}

const H: usize = 4;
/// The ends of messages about the GRU.
const OVER_TIME_RULE: &str = ": they must be [T, B, 3H], [B, H], [3H, H], [3H]";
const ONE_STEP_RULE: &str = ": they must be [B, 3H], [B, H], [3H, H], [3H]";
const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

/// Builds a cell with E = 3 and H = 4. W_hh and b_hh have other shapes if `w_hh` or `b_hh` is given.
fn cell(variant: Variant, w_hh: Option<[usize; 2]>, b_hh: Option<usize>) -> (Params<f64>, GruCell) {
    let mut params = Params::new();
    let mut cell = GruCell::new(&mut Builder::new(&mut params, 1), 3, H).with_variant(variant);
    if let Some(w_hh) = w_hh {
        cell.weight_hh = params.add("other w_hh", &Tensor::zeros(w_hh));
    }
    if let Some(b_hh) = b_hh {
        cell.bias_hh = params.add("other b_hh", &Tensor::zeros([b_hh]));
    }
    (params, cell)
}

/// An entry point of the GRU: a function of the input part and the state.
type Entry = for<'t> fn(&GruCell, W<'t>, V<'t>, V<'t>) -> V<'t>;

/// A shape.
type Extents = &'static [usize];

/// Entry points over time. They take the input part gx[T,B,3H].
const OVER_TIME: [(&str, Entry); 2] = [
    ("unroll", |cell, weights, gx, h| cell.unroll(weights, gx, h)),
    ("unroll_composed", |cell, weights, gx, h| cell.unroll_composed(weights, gx, h)),
];

/// Entry points of one step. They take the input part gx[B,3H].
const ONE_STEP: [(&str, Entry); 2] = [
    ("step_composed", |cell, weights, gx, h| cell.step_composed(weights, gx, h)),
    ("gates", |cell, weights, gx, h| cell.gates(weights, gx, h).r),
];

#[test]
fn gru_mismatched_shapes_every_entry_panics() {
    let over_time: [&[usize]; 9] = [
        &[2, 5, 12], // another batch than the states [1, 4] and [4, 4]
        &[2, 1, 12],
        &[2, 5, 13],
        &[2, 5, 11],
        &[2, 5, 15],
        &[2, 5, 1],
        &[0, 1, 12],
        &[5, 12],
        &[1, 2, 5, 12],
    ];
    let states: [&[usize]; 7] = [&[1, 4], &[5, 4], &[5, 3], &[5, 1], &[4], &[1, 5, 4], &[5, 5]];
    let weights = [(None, None), (Some([15, 4]), None), (Some([12, 3]), None), (None, Some(1)), (None, Some(13))];
    let mut refused = 0;
    for (variant, (w_hh, b_hh)) in VARIANTS.into_iter().flat_map(|v| weights.map(|shapes| (v, shapes))) {
        let (params, cell) = cell(variant, w_hh, b_hh);
        let (w_hh, b_hh) = (params.shape(cell.weight_hh), params.shape(cell.bias_hh));
        let entries = [(true, OVER_TIME), (false, ONE_STEP)];
        for (over_time, (entry, work), gx, h) in entries.into_iter().flat_map(|(whole, entries)| {
            let all = entries.into_iter().flat_map(move |entry| over_time.map(|gx| (entry, gx)));
            all.flat_map(move |(entry, gx)| states.map(|h| (whole, entry, if whole { gx } else { &gx[1..] }, h)))
        }) {
            let (batch, fits) = (if over_time { 1 } else { 0 }, *h == [5, 4] || *h == [1, 4]);
            let whole = gx.len() == batch + 2 && gx[batch..] == [h[0], 12];
            let fits = fits && whole && w_hh[..] == [12, 4] && b_hh[..] == [12];
            let tape = Tape::new();
            let (gx, h) = (tape.input(Tensor::zeros(gx)), tape.input(Tensor::zeros(h)));
            let what = format!("{variant:?} {entry} of {} {} {w_hh} {b_hh}", gx.shape(), h.shape());
            if fits {
                work(&cell, params.bind(&tape), gx, h);
                continue;
            }
            let words = panic_message(&what, || ignore(work(&cell, params.bind(&tape), gx, h)));
            let (gx, h) = (gx.shape(), h.shape());
            let shapes = format!("gru: input part {gx}, state {h}, weight {w_hh}, bias {b_hh}");
            let want = shapes + if over_time { OVER_TIME_RULE } else { ONE_STEP_RULE };
            assert_eq!(words, want, "{what}");
            refused += 1;
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn gru_mismatched_table_or_tokens_panic() {
    for (variant, (table, tokens, h, fits)) in VARIANTS.into_iter().flat_map(|variant| {
        let cases: [(Extents, Extents, Extents, bool); 8] = [
            (&[7, 12], &[2, 5], &[5, 4], true),
            (&[7, 12], &[0, 5], &[5, 4], true),
            (&[7, 12], &[2, 5], &[1, 4], false),
            (&[7, 12], &[2, 1], &[5, 4], false),
            (&[7, 13], &[2, 5], &[5, 4], false),
            (&[7, 12], &[5], &[5, 4], false),
            (&[7, 12], &[1, 2, 5], &[5, 4], false),
            (&[7, 12], &[0, 5], &[1, 4], false),
        ];
        cases.map(|case| (variant, case))
    }) {
        let (params, cell) = cell(variant, None, None);
        let tape = Tape::new();
        let (table, h) = (tape.input(Tensor::zeros(table)), tape.input(Tensor::zeros(h)));
        let tokens = Tensor::<u32>::zeros(tokens);
        let what = format!("{variant:?} of {} {} {}", table.shape(), tokens.shape(), h.shape());
        if fits {
            let hs = cell.unroll_tokens(params.bind(&tape), table, &tokens, h);
            assert_eq!(hs.shape()[..], [tokens.shape()[0], 5, 4], "{what}");
            continue;
        }
        let words = panic_message(&what, || ignore(cell.unroll_tokens(params.bind(&tape), table, &tokens, h)));
        assert!(words.starts_with("gru: input part "), "{what}: {words}");
        assert!(words.contains(&format!("state {}", h.shape())), "{what}: {words}");
    }
}

#[test]
fn gru_cell_forward_mismatched_shapes_panic() {
    for variant in VARIANTS {
        let (params, cell) = cell(variant, None, None);
        let tape = Tape::new();
        let of = |shape: &[usize]| tape.input(Tensor::<f64>::zeros(shape));
        assert_eq!(cell.forward(params.bind(&tape), of(&[5, 3]), of(&[5, 4])).shape()[..], [5, 4]);
        for (x, h, says) in [
            (&[5, 3][..], &[1, 4][..], "gru: input part [5, 12], state [1, 4], weight [12, 4], bias [12]"),
            (&[1, 3], &[5, 4], "gru: input part [1, 12], state [5, 4], weight [12, 4], bias [12]"),
            (&[3], &[1, 4], "gru: input part [12], state [1, 4], weight [12, 4], bias [12]"),
            (&[1, 5, 3], &[5, 4], "gru: input part [1, 5, 12], state [5, 4], weight [12, 4], bias [12]"),
            (&[5, 2], &[5, 4], "linear: input [5, 2], weight [12, 3], bias [12]"),
        ] {
            let words = panic_message(says, || ignore(cell.forward(params.bind(&tape), of(x), of(h))));
            let rule = if says.starts_with("gru") { ONE_STEP_RULE } else { ": they must be […, I], [O, I], [O]" };
            assert_eq!(words, format!("{says}{rule}"));
        }
    }
}

/// A stepper compares shapes in `begin`, after `load`.
#[test]
fn gru_stepper_mismatched_shapes_panic_at_the_call() {
    let kernels = f64::kernels();
    for (w_hh, b_hh, h, says) in [
        ([12, 4], 12, &[5, 3][..], "gru: input part [5, 12], state [5, 3], weight [12, 4], bias [12]"),
        ([12, 4], 12, &[4], "gru: input part [4, 12], state [4], weight [12, 4], bias [12]"),
        ([12, 4], 13, &[5, 4], "gru: input part [5, 13], state [5, 4], weight [12, 4], bias [13]"),
        ([12, 5], 12, &[5, 4], "gru: input part [5, 12], state [5, 4], weight [12, 5], bias [12]"),
    ] {
        let mut stepper = GruStepper::default();
        stepper.load(kernels, Tensor::zeros(w_hh).view(), Tensor::zeros([b_hh]).view());
        let words = panic_message(says, || stepper.begin(kernels, Tensor::zeros(h).view()));
        assert_eq!(words, format!("{says}{ONE_STEP_RULE}"));
    }
    let mut stepper = GruStepper::<f64>::default();
    let words =
        panic_message("a vector", || stepper.load(kernels, Tensor::zeros([12]).view(), Tensor::zeros([12]).view()));
    assert_eq!(words, "GruStepper: the weight [12] is not a matrix");
    let words = panic_message("nothing loaded", || stepper.begin(kernels, Tensor::zeros([5, 4]).view()));
    assert_eq!(words, "GruStepper: no weights were loaded");
}

/// A stepper runs the fused form, which `ResetBefore` does not have.
#[test]
fn unroll_from_steps_reset_before_panics() {
    let (params, cell) = cell(Variant::ResetBefore, None, None);
    let (tape, mut stepper, tokens) = (Tape::new(), GruStepper::default(), Tensor::<u32>::zeros([0, 5]));
    let (table, h) = (tape.input(Tensor::zeros([7, 12])), tape.input(Tensor::zeros([5, 4])));
    let words =
        panic_message("known", || ignore(cell.unroll_from_steps(params.bind(&tape), table, &tokens, h, &mut stepper)));
    assert_eq!(words, "unroll_from_steps: ResetBefore has no fused form; use unroll_tokens");
}

/// Covers widths and biases that broadcasting would accept, and a token without a row.
#[test]
fn layers_broadcastable_shapes_panic() {
    let mut params = Params::<f64>::new();
    let mut builder = Builder::new(&mut params, 1);
    let linear = Linear::new(&mut builder.scope("linear"), 3, 2);
    let norm = LayerNorm::new(&mut builder.scope("norm"), 3);
    let embedding = Embedding::new(&mut builder.scope("embedding"), 7, 3);
    let mlp = Mlp::new(&mut builder.scope("mlp"), &[3, 4, 2], Activation::Tanh);
    let [one, matrix] = [&[1][..], &[5, 2]].map(|shape| params.add(format!("{shape:?}"), &Tensor::zeros(shape)));
    let tape = Tape::new();
    let weights = params.bind(&tape);
    let of = |shape: &[usize]| tape.input(Tensor::<f64>::zeros(shape));
    let works: [(&str, &dyn Fn()); 8] = [
        ("linear: input [5, 1], weight [2, 3], bias [2]: they must be […, I], [O, I], [O]", &|| {
            ignore(linear.forward(weights, of(&[5, 1])))
        }),
        ("linear: input [], weight [2, 3], bias [2]: they must be […, I], [O, I], [O]", &|| {
            ignore(linear.forward(weights, of(&[])))
        }),
        ("linear: input [5, 3], weight [2, 3], bias [1]: they must be […, I], [O, I], [O]", &|| {
            ignore(Linear { bias: one, ..linear }.forward(weights, of(&[5, 3])));
        }),
        ("linear: input [5, 3], weight [2, 3], bias [5, 2]: they must be […, I], [O, I], [O]", &|| {
            ignore(Linear { bias: matrix, ..linear }.forward(weights, of(&[5, 3])));
        }),
        ("layer_norm: x [5, 1], weight [3], bias [3]: weight and bias must be as long as a row of x", &|| {
            ignore(norm.forward(weights, of(&[5, 1])))
        }),
        ("layer_norm: x [5, 3], weight [3], bias [1]: weight and bias must be as long as a row of x", &|| {
            ignore(LayerNorm { bias: one, ..norm }.forward(weights, of(&[5, 3])));
        }),
        ("embedding: token 7 at [0] is outside the vocabulary of 7", &|| {
            ignore(embedding.forward(weights, &Tensor::from([7])));
        }),
        ("linear: input [5, 1], weight [4, 3], bias [4]: they must be […, I], [O, I], [O]", &|| {
            ignore(mlp.forward(weights, of(&[5, 1])))
        }),
    ];
    for (says, work) in works {
        assert_eq!(panic_message(says, work), says);
    }
}

/// Covers batches, sizes and lengths that broadcasting would accept. The words for other shapes are tested beside the layer.
#[test]
fn attention_broadcastable_shapes_panic_at_the_call() {
    let mut params = Params::<f64>::new();
    let layer = Attention::new(&mut Builder::new(&mut params, 1), 7, 4);
    let tape = Tape::new();
    let weights = params.bind(&tape);
    let of = |shape: &[usize]| tape.input(Tensor::<f64>::zeros(shape));
    let read = |states: &[usize], lengths: &[usize]| {
        layer.read(weights, &Tensor::zeros([3, lengths.len()]), of(states), lengths)
    };
    let keys = read(&[3, 2, 4], &[3, 1]);
    let unmasked = nn::Keys { mask: Some(of(&[2, 1, 1])), ..keys };
    let works: [(&str, &dyn Fn()); 7] = [
        ("attention: tokens [3, 2], states [3, 1, 4]", &|| ignore(read(&[3, 1, 4], &[3, 1]))),
        ("attention: tokens [3, 1], states [3, 2, 4]", &|| ignore(read(&[3, 2, 4], &[3]))),
        ("attention: row 1 of tokens [3, 2] has length 0", &|| ignore(read(&[3, 2, 4], &[3, 0]))),
        ("attention: states [5, 1, 4], keys [2, 3, 4]", &|| ignore(layer.forward(weights, of(&[5, 1, 4]), keys))),
        ("attention: states [5, 2, 1], keys [2, 3, 4]", &|| ignore(layer.weights(weights, of(&[5, 2, 1]), keys))),
        ("attention: keys [2, 3, 4], mask [2, 1, 1]", &|| ignore(layer.forward(weights, of(&[5, 2, 4]), unmasked))),
        ("embedding: token 9 at [2, 1] is outside the vocabulary of 7", &|| {
            let tokens = Tensor::from([[0, 0], [0, 0], [0, 9]]);
            ignore(layer.read(weights, &tokens, of(&[3, 2, 4]), &[3, 1]));
        }),
    ];
    for (says, work) in works {
        let words = panic_message(says, work);
        assert!(words.starts_with(says), "{says}: {words}");
    }
}

/// Operations that combine tensors of equal shapes do not broadcast.
#[test]
fn operations_without_broadcast_mismatched_shapes_panic() {
    let tape = Tape::<f64>::new();
    let of = |shape: &[usize]| tape.input(Tensor::<f64>::zeros(shape));
    let works: [(&str, &dyn Fn()); 5] = [
        ("stack: [5, 2] and [1, 2] differ", &|| ignore(Var::stack(&[of(&[5, 2]), of(&[1, 2])]))),
        ("concat along axis 1: [5, 2] and [1, 2] must have the same sizes along the other axes", &|| {
            ignore(Var::concat(&[of(&[5, 2]), of(&[1, 2])], 1))
        }),
        ("gather: x [5, 2] and indices [1, 1] must have the same shape, apart from the last axis", &|| {
            ignore(of(&[5, 2]).gather(&Tensor::from([[0]])))
        }),
        ("matmul: the inner sizes of [5, 3] · [1, 2] must agree: 3 is not 1", &|| {
            ignore(of(&[5, 3]).matmul(of(&[1, 2])))
        }),
        ("layer_norm: x [5, 3], weight [1], bias [3]: weight and bias must be as long as a row of x", &|| {
            ignore(of(&[5, 3]).layer_norm(of(&[1]), of(&[3]), 1e-5));
        }),
    ];
    for (says, work) in works {
        assert_eq!(panic_message(says, work), says);
    }
}
