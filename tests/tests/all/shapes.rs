//! Shapes that do not fit together are refused where the caller stands, with all shapes in words; nothing is broadcast and
//! no column is dropped. The GRU in both variants and by every entry, and the other layers.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use autograd::{Scan, Tape, Var};
use nn::{Activation, Builder, Embedding, GruCell, LayerNorm, Linear, Mlp, Params, Variant, Weights};
use tensor::{Real, Tensor};

type W<'t> = Weights<'t, f64>;
type V<'t> = Var<'t, f64>;

thread_local! {
    /// The words of this thread's last panic, and the file where it was raised.
    static PANIC: RefCell<(String, String)> = RefCell::default();
}

/// The words with which `work` is refused; this file must be to blame.
#[track_caller]
fn refusal(what: &str, work: impl FnOnce()) -> String {
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
    assert!(panic::catch_unwind(AssertUnwindSafe(work)).is_err(), "{what}: taken");
    let (words, file) = PANIC.take();
    assert!(file.ends_with("shapes.rs"), "{what}: {file} is to blame: {words}");
    words
}

/// Variables are `Copy`: there is nothing to drop.
fn ignore<T>(_: T) {}

const H: usize = 4;
const VARIANTS: [Variant; 2] = [Variant::ResetAfter, Variant::ResetBefore];

/// A cell of state size 4 over inputs of size 3, whose recurrent weights are of other shapes if they are given.
fn cell(variant: Variant, w: Option<[usize; 2]>, b: Option<usize>) -> (Params<f64>, GruCell) {
    let mut params = Params::new();
    let mut cell = GruCell::new(&mut Builder::new(&mut params, 1), 3, H).with_variant(variant);
    if let Some(w) = w {
        cell.weight_hh = params.add("other w", &Tensor::zeros(w));
    }
    if let Some(b) = b {
        cell.bias_hh = params.add("other b", &Tensor::zeros([b]));
    }
    (params, cell)
}

/// An entry of the GRU: from the input part and the state.
type Entry = for<'t> fn(&GruCell, W<'t>, V<'t>, V<'t>) -> V<'t>;

/// A shape.
type Extents = &'static [usize];

/// Entries over time that take the input part gx[T,B,3H].
const OVER_TIME: [(&str, Entry); 2] = [
    ("scan", |cell, weights, gx, h| cell.scan(weights, gx, h)),
    ("scan_composed", |cell, weights, gx, h| cell.scan_composed(weights, gx, h)),
];

/// Entries of one step that take the input part gx[B,3H].
const OF_ONE_STEP: [(&str, Entry); 2] = [
    ("step_composed", |cell, weights, gx, h| cell.step_composed(weights, gx, h)),
    ("gates", |cell, weights, gx, h| cell.gates(weights, gx, h).r),
];

#[test]
fn gru_shapes_that_do_not_fit_are_refused_by_every_entry() {
    let over_time: [&[usize]; 9] = [
        &[2, 5, 12], // of another batch than [1, 4] and [4, 4]
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
    for (variant, (w, b)) in VARIANTS.into_iter().flat_map(|v| weights.map(|shapes| (v, shapes))) {
        let (params, cell) = cell(variant, w, b);
        let (w, b) = (params.shape(cell.weight_hh), params.shape(cell.bias_hh));
        let entries = [(true, OVER_TIME), (false, OF_ONE_STEP)];
        for (over_time, (entry, work), gx, h) in entries.into_iter().flat_map(|(whole, entries)| {
            let all = entries.into_iter().flat_map(move |entry| over_time.map(|gx| (entry, gx)));
            all.flat_map(move |(entry, gx)| states.map(|h| (whole, entry, if whole { gx } else { &gx[1..] }, h)))
        }) {
            let (batch, fits) = (if over_time { 1 } else { 0 }, *h == [5, 4] || *h == [1, 4]);
            let whole = gx.len() == batch + 2 && gx[batch..] == [h[0], 12];
            let fits = fits && whole && w[..] == [12, 4] && b[..] == [12];
            let tape = Tape::new();
            let (gx, h) = (tape.input(Tensor::zeros(gx)), tape.input(Tensor::zeros(h)));
            let what = format!("{variant:?} {entry} of {} {} {w} {b}", gx.shape(), h.shape());
            if fits {
                work(&cell, params.bind(&tape), gx, h);
                continue;
            }
            let words = refusal(&what, || ignore(work(&cell, params.bind(&tape), gx, h)));
            let (gx, h) = (gx.shape(), h.shape());
            let want = format!("gru: input part {gx}, state {h}, weight {w}, bias {b} do not fit together");
            assert_eq!(words, want, "{what}");
            refused += 1;
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn gru_rows_of_a_table_that_do_not_fit_are_refused() {
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
            let hs = cell.scan_of(params.bind(&tape), table, &tokens, h);
            assert_eq!(hs.shape()[..], [tokens.shape()[0], 5, 4], "{what}");
            continue;
        }
        let words = refusal(&what, || ignore(cell.scan_of(params.bind(&tape), table, &tokens, h)));
        assert!(words.starts_with("gru: input part "), "{what}: {words}");
        assert!(words.contains(&format!("state {}", h.shape())), "{what}: {words}");
    }
}

#[test]
fn gru_forward_of_a_step_that_does_not_fit_is_refused() {
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
            let words = refusal(says, || ignore(cell.forward(params.bind(&tape), of(x), of(h))));
            assert_eq!(words, format!("{says} do not fit together"));
        }
    }
}

/// The scan step by step takes the weights first and the tokens last.
#[test]
fn scan_shapes_that_do_not_fit_are_refused_where_they_are_given() {
    let kernels = f64::kernels();
    for (w, b, h, says) in [
        ([12, 4], 12, &[5, 3][..], "gru: input part [5, 12], state [5, 3], weight [12, 4], bias [12]"),
        ([12, 4], 12, &[4], "gru: input part [4, 12], state [4], weight [12, 4], bias [12]"),
        ([12, 4], 13, &[5, 4], "gru: input part [5, 13], state [5, 4], weight [12, 4], bias [13]"),
        ([12, 5], 12, &[5, 4], "gru: input part [5, 12], state [5, 4], weight [12, 5], bias [12]"),
    ] {
        let mut scan = Scan::default();
        scan.load(kernels, Tensor::zeros(w).view(), Tensor::zeros([b]).view());
        let words = refusal(says, || scan.begin(kernels, Tensor::zeros(h).view()));
        assert_eq!(words, format!("{says} do not fit together"));
    }
    let mut scan = Scan::<f64>::default();
    let words = refusal("a vector", || scan.load(kernels, Tensor::zeros([12]).view(), Tensor::zeros([12]).view()));
    assert_eq!(words, "scan: the weight [12] is no matrix");
    let words = refusal("nothing loaded", || scan.begin(kernels, Tensor::zeros([5, 4]).view()));
    assert_eq!(words, "scan: no weights were loaded");
}

/// What was read by the equations of one variant is not recorded as the other.
#[test]
fn scan_known_of_the_variant_without_fused_form_is_refused() {
    let (params, cell) = cell(Variant::ResetBefore, None, None);
    let (tape, mut scan, tokens) = (Tape::new(), Scan::default(), Tensor::<u32>::zeros([0, 5]));
    let (table, h) = (tape.input(Tensor::zeros([7, 12])), tape.input(Tensor::zeros([5, 4])));
    let words = refusal("known", || ignore(cell.scan_known(params.bind(&tape), table, &tokens, h, &mut scan)));
    assert_eq!(words, "scan_known: ResetBefore has no fused form; read it by scan_of");
}

/// Widths, biases and tokens that a broadcast would take.
#[test]
fn layers_refuse_what_a_broadcast_would_take() {
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
        ("linear: input [5, 1], weight [2, 3], bias [2] do not fit together", &|| {
            ignore(linear.forward(weights, of(&[5, 1])))
        }),
        ("linear: input [], weight [2, 3], bias [2] do not fit together", &|| ignore(linear.forward(weights, of(&[])))),
        ("linear: input [5, 3], weight [2, 3], bias [1] do not fit together", &|| {
            ignore(Linear { bias: one, ..linear }.forward(weights, of(&[5, 3])));
        }),
        ("linear: input [5, 3], weight [2, 3], bias [5, 2] do not fit together", &|| {
            ignore(Linear { bias: matrix, ..linear }.forward(weights, of(&[5, 3])));
        }),
        ("layer_norm: rows of [5, 1] with weight [3] and bias [3]", &|| ignore(norm.forward(weights, of(&[5, 1])))),
        ("layer_norm: rows of [5, 3] with weight [3] and bias [1]", &|| {
            ignore(LayerNorm { bias: one, ..norm }.forward(weights, of(&[5, 3])));
        }),
        ("embedding: [7, 3] has no row 7", &|| ignore(embedding.forward(weights, &Tensor::from([7])))),
        ("linear: input [5, 1], weight [4, 3], bias [4] do not fit together", &|| {
            ignore(mlp.forward(weights, of(&[5, 1])))
        }),
    ];
    for (says, work) in works {
        assert_eq!(refusal(says, work), says);
    }
}

/// Operations that bring parts together, whose shapes must be the same: none of them is stretched.
#[test]
fn operations_that_do_not_broadcast_refuse_what_would() {
    let tape = Tape::<f64>::new();
    let of = |shape: &[usize]| tape.input(Tensor::<f64>::zeros(shape));
    let works: [(&str, &dyn Fn()); 5] = [
        ("stack: [5, 2] and [1, 2] differ", &|| ignore(Var::stack(&[of(&[5, 2]), of(&[1, 2])]))),
        ("concat along axis 1: [5, 2] and [1, 2] differ elsewhere", &|| {
            ignore(Var::concat(&[of(&[5, 2]), of(&[1, 2])], 1))
        }),
        ("gather: rows of [5, 2] at indices [1, 1]", &|| ignore(of(&[5, 2]).gather(&Tensor::from([[0]])))),
        ("matmul: [5, 3] and [1, 2] in form NN are no product of matrices", &|| {
            ignore(of(&[5, 3]).matmul(of(&[1, 2])))
        }),
        ("layer_norm: rows of [5, 3] with weight [1] and bias [3]", &|| {
            ignore(of(&[5, 3]).layer_norm(of(&[1]), of(&[3]), 1e-5));
        }),
    ];
    for (says, work) in works {
        assert_eq!(refusal(says, work), says);
    }
}
