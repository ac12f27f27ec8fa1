//! A GRU over time at the size of one chunk. One element is one flop of the matrix products; gates are not counted.
//!
//! `gru/tokens` is the ladder: states from tokens, forward only. At its top stand `tensor`'s kernels for each instruction
//! set, called as the fused operation calls them. `gru/step` and `gru/sequence` are the operations on the tape, fused and
//! composed from small ones: forward, and with backward.
#![forbid(unsafe_code)]

use autograd::{Tape, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::ladder::gru::{Problem as Tokens, RUNGS, Size};
use gradus_benches::{Contest, Outcome, criterion, kernels, matmul_flops, uniform};
use nn::{Builder, GruCell, Params, Weights};
use tensor::{Form, Kernels, Map, Real, Tensor};

const TIME: usize = 14;
const BATCH: usize = 48;
const WIDTH: usize = 96;
const VOCABULARY: usize = 18;
/// Of the largest number: sums of 288 and, in dW, 672 terms, and rounding that 14 steps hand on.
const TOLERANCE: f64 = 1e-5;

#[derive(Clone, Copy)]
enum Style {
    Fused,
    Composed,
}

/// A cell and what it is run on: input parts gx\[T,B,3H\], a state h\[B,H\], and the gradient dy\[T,B,H\] of its states.
struct Problem<T: Real> {
    cell: GruCell,
    params: Params<T>,
    gx: Tensor<T>,
    h: Tensor<T>,
    dy: Tensor<T>,
}

impl Problem<f32> {
    fn new(time: usize) -> Self {
        let mut params = Params::new();
        let cell = GruCell::new(&mut Builder::new(&mut params, 42), WIDTH, WIDTH);
        for unused in [cell.weight_ih, cell.bias_ih] {
            params.set_trainable(unused, false);
        }
        let gx = uniform([time, BATCH, 3 * WIDTH], 0);
        let (h, dy) = (uniform([BATCH, WIDTH], 1), uniform([time, BATCH, WIDTH], 2));
        Self { cell, params, gx, h, dy }
    }

    fn in_f64(&self) -> Problem<f64> {
        let Self { cell, params, gx, h, dy } = self;
        Problem { cell: *cell, params: params.cast(), gx: gx.cast(), h: h.cast(), dy: dy.cast() }
    }
}

impl<T: Real> Problem<T> {
    /// The states, hs\[T,B,H\], without recording.
    fn forward(&self, style: Style) -> impl FnMut() -> Tensor<T> {
        let mut tape = Tape::evaluating();
        move || {
            let weights = self.params.bind(&tape);
            let states = self.scan(style, weights, tape.constant(self.gx.clone()), tape.constant(self.h.clone()));
            let states = states.value();
            tape.clear();
            states
        }
    }

    /// The states, and the gradients of input parts, state, weights and biases.
    fn forward_and_backward(&self, style: Style, mut tape: Tape<T>) -> impl FnMut() -> Vec<Tensor<T>> {
        move || {
            let weights = self.params.bind(&tape);
            let (gx, h) = (tape.input(self.gx.clone()), tape.input(self.h.clone()));
            let states = self.scan(style, weights, gx, h);
            states.backward_from(&self.dy).expect("every trainable parameter is used");
            let learned = [self.cell.weight_hh, self.cell.bias_hh].map(|param| weights.get(param));
            let gradients = [gx, h].into_iter().chain(learned).map(|x| x.grad().expect("reached"));
            let result = [states.value()].into_iter().chain(gradients).collect();
            tape.clear();
            result
        }
    }

    fn scan<'t>(&self, style: Style, weights: Weights<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        match style {
            Style::Fused => self.cell.scan(weights, gx, h),
            Style::Composed => self.cell.scan_composed(weights, gx, h),
        }
    }
}

fn gru(c: &mut Criterion) {
    on_the_tape(c, "gru/step", 1);
    on_the_tape(c, "gru/sequence", TIME);
    ladder(c);
}

fn on_the_tape(c: &mut Criterion, name: &str, time: usize) {
    let problem = Problem::new(time);
    let exact = problem.in_f64();
    let flops = time as u64 * matmul_flops(BATCH, WIDTH, 3 * WIDTH);

    let reference = || exact.forward(Style::Composed)().numbers();
    let name_of = |part: &str| format!("{name}/{part}");
    let mut forward = Contest::new(c, name_of("forward"), Throughput::Elements(flops), TOLERANCE, reference);
    forward.enter("composed", problem.forward(Style::Composed));
    forward.enter("fused", problem.forward(Style::Fused));
    drop(forward);

    let reference = || exact.forward_and_backward(Style::Composed, Tape::new())().numbers();
    let work = Throughput::Elements(3 * flops); // dh and dW take a product each of the same size
    let mut both = Contest::new(c, name_of("forward+backward"), work, TOLERANCE, reference);
    both.enter("composed", problem.forward_and_backward(Style::Composed, Tape::new()));
    both.enter("fused", problem.forward_and_backward(Style::Fused, Tape::new()));
    for kernels in kernels() {
        let name = format!("fused, {}", kernels.name());
        both.enter(&name, problem.forward_and_backward(Style::Fused, Tape::with_kernels(kernels)));
    }
}

fn ladder(c: &mut Criterion) {
    let size = Size { time: TIME, batch: BATCH, width: WIDTH, vocabulary: VOCABULARY };
    let tokens = Tokens::new(size);
    // Both products of every step, as the lowest rung takes them: higher rungs do less for the same states.
    let flops = 2 * TIME as u64 * matmul_flops(BATCH, WIDTH, 3 * WIDTH);
    let reference = || by_kernel(&tensor::Naive, Numbers::<f64>::of(&tokens))().numbers();
    let mut contest = Contest::new(c, "gru/tokens", Throughput::Elements(flops), TOLERANCE, reference);
    for (name, scan) in RUNGS {
        contest.enter_slice(name, TIME * BATCH * WIDTH, |hs| scan(&tokens, hs));
    }
    for kernels in kernels() {
        contest.enter(kernels.name(), by_kernel(kernels, Numbers::<f32>::of(&tokens)));
    }
}

/// The ladder's problem as tensors.
struct Numbers<T: Real> {
    tokens: Tensor<u32>,
    embedding: Tensor<T>,
    w: Tensor<T>,
    u: Tensor<T>,
    b_i: Tensor<T>,
    b_h: Tensor<T>,
    h0: Tensor<T>,
}

impl<T: Real> Numbers<T> {
    fn of(p: &Tokens) -> Self {
        let Size { batch, width, vocabulary, .. } = p.size;
        let tensor = |shape: [usize; 2], numbers: &[f32]| Tensor::new(shape, numbers.to_vec()).cast::<T>();
        Self {
            tokens: p.token_tensor(),
            embedding: tensor([vocabulary, width], &p.embedding),
            w: tensor([3 * width, width], &p.w),
            u: tensor([3 * width, width], &p.u),
            b_i: tensor([1, 3 * width], &p.b_i),
            b_h: tensor([1, 3 * width], &p.b_h),
            h0: tensor([batch, width], &p.h0),
        }
    }
}

/// What the fused operation does, without a tape.
fn by_kernel<T: Real>(kernels: &dyn Kernels<T>, p: Numbers<T>) -> impl FnMut() -> Tensor<T> {
    let nan = |shape: &[usize]| Tensor::full(shape, T::of(f64::NAN));
    let mut table = nan(&[VOCABULARY, 3 * WIDTH]);
    let mut hw = nan(&[BATCH, 3 * WIDTH]);
    let mut kept = nan(&[BATCH, 4 * WIDTH]);
    let mut hs = nan(&[TIME, BATCH, WIDTH]);
    move || {
        kernels.map(Map::Identity, p.b_i.view().broadcast_to(table.shape()), table.view_mut());
        kernels.matmul(Form::NT, p.embedding.view(), p.w.view(), true, table.view_mut());
        for t in 0..TIME {
            let (past, now) = hs.view_mut().split_at(t);
            let h = if t == 0 { p.h0.view() } else { past.view().select(0, t - 1) };
            kernels.matmul(Form::NT, h, p.u.view(), false, hw.view_mut());
            let (rows, to) = (Some(p.tokens.view().select(0, t)), (kept.view_mut(), now.select(0, 0)));
            kernels.gru_gates(table.view(), rows, hw.view(), p.b_h.view().select(0, 0), h, to.0, to.1);
        }
        hs.clone()
    }
}

criterion_group! { name = benches; config = criterion(); targets = gru }
criterion_main!(benches);
