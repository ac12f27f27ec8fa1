//! A GRU over time at the size of one chunk: fused, and composed from small operations. One element is one flop of the
//! matrix products; gates are not counted.
#![forbid(unsafe_code)]

use autograd::{Tape, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::{Contest, Outcome, criterion, matmul_flops, uniform};
use nn::{Builder, GruCell, Params, Weights};
use tensor::{Real, Tensor};

const TIME: usize = 14;
const BATCH: usize = 48;
const WIDTH: usize = 96;
/// Of the largest number: sums of 288 and, in dW, 672 terms, and rounding that 14 steps hand on.
const TOLERANCE: f64 = 1e-5;

#[derive(Clone, Copy)]
enum Form {
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
    fn new() -> Self {
        let mut params = Params::new();
        let cell = GruCell::new(&mut Builder::new(&mut params, 42), WIDTH, WIDTH);
        for unused in [cell.weight_ih, cell.bias_ih] {
            params.set_trainable(unused, false);
        }
        let gx = uniform([TIME, BATCH, 3 * WIDTH], 0);
        let (h, dy) = (uniform([BATCH, WIDTH], 1), uniform([TIME, BATCH, WIDTH], 2));
        Self { cell, params, gx, h, dy }
    }

    fn in_f64(&self) -> Problem<f64> {
        let Self { cell, params, gx, h, dy } = self;
        Problem { cell: *cell, params: params.cast(), gx: gx.cast(), h: h.cast(), dy: dy.cast() }
    }
}

impl<T: Real> Problem<T> {
    /// The states, hs\[T,B,H\], without recording.
    fn forward(&self, form: Form) -> impl FnMut() -> Tensor<T> {
        let mut tape = Tape::evaluating();
        move || {
            let weights = self.params.bind(&tape);
            let states = self.scan(form, weights, tape.constant(self.gx.clone()), tape.constant(self.h.clone()));
            let states = states.value();
            tape.clear();
            states
        }
    }

    /// The states, and the gradients of input parts, state, weights and biases.
    fn forward_and_backward(&self, form: Form) -> impl FnMut() -> Vec<Tensor<T>> {
        let mut tape = Tape::new();
        move || {
            let weights = self.params.bind(&tape);
            let (gx, h) = (tape.input(self.gx.clone()), tape.input(self.h.clone()));
            let states = self.scan(form, weights, gx, h);
            states.backward_from(&self.dy).expect("every trainable parameter is used");
            let learned = [self.cell.weight_hh, self.cell.bias_hh].map(|param| weights.get(param));
            let gradients = [gx, h].into_iter().chain(learned).map(|x| x.grad().expect("reached"));
            let result = [states.value()].into_iter().chain(gradients).collect();
            tape.clear();
            result
        }
    }

    fn scan<'t>(&self, form: Form, weights: Weights<'t, T>, gx: Var<'t, T>, h: Var<'t, T>) -> Var<'t, T> {
        match form {
            Form::Fused => self.cell.scan(weights, gx, h),
            Form::Composed => self.cell.scan_composed(weights, gx, h),
        }
    }
}

fn gru(c: &mut Criterion) {
    let problem = Problem::new();
    let exact = problem.in_f64();
    let flops = TIME as u64 * matmul_flops(BATCH, WIDTH, 3 * WIDTH);

    let reference = || exact.forward(Form::Composed)().numbers();
    let mut forward = Contest::new(c, "gru/forward", Throughput::Elements(flops), TOLERANCE, reference);
    forward.enter("composed", problem.forward(Form::Composed));
    forward.enter("fused", problem.forward(Form::Fused));
    drop(forward);

    let reference = || exact.forward_and_backward(Form::Composed)().numbers();
    let work = Throughput::Elements(3 * flops); // dh and dW take a product each of the same size
    let mut both = Contest::new(c, "gru/forward+backward", work, TOLERANCE, reference);
    both.enter("composed", problem.forward_and_backward(Form::Composed));
    both.enter("fused", problem.forward_and_backward(Form::Fused));
}

criterion_group! { name = benches; config = criterion(); targets = gru }
criterion_main!(benches);
