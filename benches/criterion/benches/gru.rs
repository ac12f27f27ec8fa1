//! Benchmarks of a GRU over time at the size of one chunk.
//!
//! One element is one flop of the matrix products; gates are not counted. `gru/tokens` is the ladder: states from tokens,
//! forward only. Its last contestants are `tensor`'s kernels for each instruction set, called as the fused operation calls
//! them. `gru/step` and `gru/sequence` are operations on the tape, fused and composed: forward, and forward with backward.
#![forbid(unsafe_code)]

use autograd::{Tape, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::ladder::gru::{Problem as LadderProblem, RUNGS, Size};
use gradus_benches::{Contest, Outcome, criterion, kernels, matmul_flops, uniform};
use nn::{BoundParams, Builder, GruCell, Params};
use tensor::{Form, Kernels, Map, Real, Tensor};

const TIME: usize = 14;
const BATCH: usize = 48;
const HIDDEN_SIZE: usize = 96;
const VOCABULARY: usize = 18;
/// The tolerance, relative to the largest number. Sums have 288 terms, in dW_hh 672, and 14 steps pass rounding errors on.
const TOLERANCE: f64 = 1e-5;

#[derive(Clone, Copy)]
enum Style {
    Fused,
    Composed,
}

/// A cell and its data: input parts gx\[T,B,3H\], a state h\[B,H\], and the gradient dy\[T,B,H\] of its states.
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
        let cell = GruCell::new(&mut Builder::new(&mut params, 42), HIDDEN_SIZE, HIDDEN_SIZE);
        for unused in [cell.weight_ih, cell.bias_ih] {
            params.set_trainable(unused, false);
        }
        let gx = uniform([time, BATCH, 3 * HIDDEN_SIZE], 0);
        let (h, dy) = (uniform([BATCH, HIDDEN_SIZE], 1), uniform([time, BATCH, HIDDEN_SIZE], 2));
        Self { cell, params, gx, h, dy }
    }

    fn in_f64(&self) -> Problem<f64> {
        let Self { cell, params, gx, h, dy } = self;
        Problem { cell: *cell, params: params.cast(), gx: gx.cast(), h: h.cast(), dy: dy.cast() }
    }
}

impl<T: Real> Problem<T> {
    /// Returns a closure that computes the states hs\[T,B,H\] without recording.
    fn forward(&self, style: Style) -> impl FnMut() -> Tensor<T> {
        let mut tape = Tape::no_grad();
        move || {
            let weights = self.params.bind(&tape);
            let states = self.unroll(style, weights, tape.constant(self.gx.clone()), tape.constant(self.h.clone()));
            let states = states.value();
            tape.clear();
            states
        }
    }

    /// Returns a closure that computes the states and the gradients of input parts, initial state, weights and biases.
    fn forward_and_backward(&self, style: Style, mut tape: Tape<T>) -> impl FnMut() -> Vec<Tensor<T>> {
        move || {
            let weights = self.params.bind(&tape);
            let (gx, h) = (tape.input(self.gx.clone()), tape.input(self.h.clone()));
            let states = self.unroll(style, weights, gx, h);
            states.backward_from(&self.dy).expect("every trainable parameter is used");
            let learned = [self.cell.weight_hh, self.cell.bias_hh].map(|param| weights.get(param));
            let gradients = [gx, h].into_iter().chain(learned).map(|x| x.grad().expect("reached"));
            let result = [states.value()].into_iter().chain(gradients).collect();
            tape.clear();
            result
        }
    }

    fn unroll<'t>(&self, style: Style, weights: BoundParams<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        match style {
            Style::Fused => self.cell.unroll(weights, gx, h),
            Style::Composed => self.cell.unroll_composed(weights, gx, h),
        }
    }
}

fn gru(c: &mut Criterion) {
    bench_tape(c, "gru/step", 1);
    bench_tape(c, "gru/sequence", TIME);
    bench_ladder(c);
}

fn bench_tape(c: &mut Criterion, name: &str, time: usize) {
    let problem = Problem::new(time);
    let exact = problem.in_f64();
    let flops = time as u64 * matmul_flops(BATCH, HIDDEN_SIZE, 3 * HIDDEN_SIZE);

    let reference = || exact.forward(Style::Composed)().numbers();
    let name_of = |part: &str| format!("{name}/{part}");
    let mut forward = Contest::new(c, name_of("forward"), Throughput::Elements(flops), TOLERANCE, reference);
    forward.bench("composed", problem.forward(Style::Composed));
    forward.bench("fused", problem.forward(Style::Fused));
    drop(forward);

    let reference = || exact.forward_and_backward(Style::Composed, Tape::new())().numbers();
    let work = Throughput::Elements(3 * flops); // dh_prev and dW_hh need one product of the same size each
    let mut both = Contest::new(c, name_of("forward+backward"), work, TOLERANCE, reference);
    both.bench("composed", problem.forward_and_backward(Style::Composed, Tape::new()));
    both.bench("fused", problem.forward_and_backward(Style::Fused, Tape::new()));
    for kernels in kernels() {
        let name = format!("fused, {}", kernels.name());
        both.bench(&name, problem.forward_and_backward(Style::Fused, Tape::with_kernels(kernels)));
    }
}

fn bench_ladder(c: &mut Criterion) {
    let size = Size { time: TIME, batch: BATCH, hidden_size: HIDDEN_SIZE, vocabulary: VOCABULARY };
    let problem = LadderProblem::new(size);
    // The flops of the lowest rung: both products of every step. Higher rungs compute less for the same states.
    let flops = 2 * TIME as u64 * matmul_flops(BATCH, HIDDEN_SIZE, 3 * HIDDEN_SIZE);
    let reference = || run_kernels(&tensor::Naive, LadderTensors::<f64>::from_problem(&problem))().numbers();
    let mut contest = Contest::new(c, "gru/tokens", Throughput::Elements(flops), TOLERANCE, reference);
    for (name, gru_forward) in RUNGS {
        contest.bench_slice(name, TIME * BATCH * HIDDEN_SIZE, |hs| gru_forward(&problem, hs));
    }
    for kernels in kernels() {
        contest.bench(kernels.name(), run_kernels(kernels, LadderTensors::<f32>::from_problem(&problem)));
    }
}

/// The ladder's problem as tensors.
struct LadderTensors<T: Real> {
    tokens: Tensor<u32>,
    embedding: Tensor<T>,
    w_ih: Tensor<T>,
    w_hh: Tensor<T>,
    b_ih: Tensor<T>,
    b_hh: Tensor<T>,
    h0: Tensor<T>,
}

impl<T: Real> LadderTensors<T> {
    fn from_problem(p: &LadderProblem) -> Self {
        let Size { batch, hidden_size, vocabulary, .. } = p.size;
        let tensor = |shape: [usize; 2], numbers: &[f32]| Tensor::new(shape, numbers.to_vec()).cast::<T>();
        Self {
            tokens: p.token_tensor(),
            embedding: tensor([vocabulary, hidden_size], &p.embedding),
            w_ih: tensor([3 * hidden_size, hidden_size], &p.w_ih),
            w_hh: tensor([3 * hidden_size, hidden_size], &p.w_hh),
            b_ih: tensor([1, 3 * hidden_size], &p.b_ih),
            b_hh: tensor([1, 3 * hidden_size], &p.b_hh),
            h0: tensor([batch, hidden_size], &p.h0),
        }
    }
}

/// Returns a closure that calls the kernels of the fused operation without a tape.
fn run_kernels<T: Real>(kernels: &dyn Kernels<T>, p: LadderTensors<T>) -> impl FnMut() -> Tensor<T> {
    let nan = |shape: &[usize]| Tensor::full(shape, T::from_f64(f64::NAN));
    let mut table = nan(&[VOCABULARY, 3 * HIDDEN_SIZE]);
    let mut hw = nan(&[BATCH, 3 * HIDDEN_SIZE]); // without its bias, which the gates add
    let mut kept = nan(&[BATCH, 4 * HIDDEN_SIZE]);
    let mut hs = nan(&[TIME, BATCH, HIDDEN_SIZE]);
    move || {
        kernels.map(Map::Identity, p.b_ih.view().broadcast_to(table.shape()), table.view_mut());
        kernels.matmul(Form::NT, p.embedding.view(), p.w_ih.view(), true, table.view_mut());
        for t in 0..TIME {
            let (past, rest) = hs.view_mut().split_at(t);
            let h_prev = if t == 0 { p.h0.view() } else { past.view().select(0, t - 1) };
            kernels.matmul(Form::NT, h_prev, p.w_hh.view(), false, hw.view_mut());
            let (rows, b_hh) = (Some(p.tokens.view().select(0, t)), p.b_hh.view().select(0, 0));
            let (kept, h) = (kept.view_mut(), rest.select(0, 0));
            kernels.gru_gates(table.view(), rows, hw.view(), b_hh, h_prev, kept, h);
        }
        hs.clone()
    }
}

criterion_group! { name = benches; config = criterion(); targets = gru }
criterion_main!(benches);
