//! Tests of optimisers, clipping and schedules over many steps against plain loops in `f64`, with random settings.

use nn::{Grads, Optimizer, Params, Schedule, UpdateRule, clip_global_norm};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Real, Tensor};

struct Draw(Philox);

impl Draw {
    fn new(case: u32) -> Self {
        Self(Philox::stream(16, Stream { purpose: Purpose(301), update: 0, episode: case }))
    }

    fn below(&mut self, n: u32) -> usize {
        self.0.below(n) as usize
    }

    /// Draws a number in [−1, 1), rounded to the scalar type.
    fn number<T: Real>(&mut self) -> f64 {
        T::from_f64(2.0 * self.0.uniform_f64() - 1.0).value()
    }

    /// Draws 10^u with u uniform in [low, high).
    fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        10_f64.powf(low + (high - low) * self.0.uniform_f64())
    }
}

/// Draws an update rule. A weight decay removes at most half of a parameter per step.
fn rule<T: Real>(draw: &mut Draw, rate: f64) -> UpdateRule {
    let held = |x: f64| T::from_f64(x).value();
    let [beta1, beta2, alpha] = [(); 3].map(|()| 1.0 - draw.log_uniform(-3.0, -0.1));
    let epsilon = held(draw.log_uniform(-6.0, -1.0));
    let decay = [0.0, draw.log_uniform(-3.0, 1.0).min(0.5 / rate)][draw.below(2)];
    match draw.below(4) {
        0 => UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled: false },
        1 => UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled: true },
        2 => UpdateRule::Sgd { momentum: [0.0, held(beta1)][draw.below(2)] },
        _ => UpdateRule::RmsProp { alpha: held(alpha), epsilon },
    }
}

/// Computes one step of one parameter by the equations of the papers.
fn plain_step(rule: UpdateRule, rate: f64, step: i32, g: f64, (m, v, p): (&mut f64, &mut f64, &mut f64)) {
    match rule {
        UpdateRule::Adam { beta1, beta2, epsilon, decay, decoupled } => {
            let mut g = g;
            if decoupled {
                *p -= rate * decay * *p;
            } else {
                g += decay * *p;
            }
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            let (m, v) = (*m / (1.0 - beta1.powi(step)), *v / (1.0 - beta2.powi(step)));
            *p -= rate * m / (v.sqrt() + epsilon);
        }
        UpdateRule::Sgd { momentum } => {
            *m = momentum * *m + g;
            *p -= rate * *m;
        }
        UpdateRule::RmsProp { alpha, epsilon } => {
            *v = alpha * *v + (1.0 - alpha) * g * g;
            *p -= rate * g / (v.sqrt() + epsilon);
        }
    }
}

/// Runs many steps with clipping and a learning-rate schedule. `tolerance` is relative to the largest parameter so far.
fn assert_many_steps_match<T: Real>(tolerance: f64) {
    for case in 0..150 {
        let draw = &mut Draw::new(case);
        let n = [1, 2, 7, 16, 33, 1000][draw.below(6)];
        let from = draw.log_uniform(-6.0, 0.0);
        let (to, over) = (from * draw.log_uniform(-2.0, 0.0), 1 + draw.below(30) as u64);
        let schedule =
            [Schedule::Constant(from), Schedule::Linear { from, to, over }, Schedule::Cosine { from, to, over }]
                [draw.below(3)];
        let rule = rule::<T>(draw, from);
        let clip = draw.log_uniform(-2.0, 2.0);
        let what = format!("case {case}, {n} parameters, {rule:?}, {schedule:?}, clipped at {clip}");

        let mut p: Vec<f64> = (0..n).map(|_| draw.number::<T>()).collect();
        let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
        let mut params = Params::<T>::new();
        params.add("p", &Tensor::new([n], p.iter().map(|&p| T::from_f64(p)).collect()));
        let mut grads = Grads::zeros(&params);
        let mut optimizer = Optimizer::new(rule, &params);
        let mut largest = 1.0_f64;
        for step in 1..=40 {
            let still = step % 5 == 0; // a zero gradient: only weight decay and momentum change the parameters
            let g: Vec<f64> = (0..n).map(|_| if still { 0.0 } else { draw.number::<T>() }).collect();
            *grads.flat_mut() = Tensor::new([n], g.iter().map(|&g| T::from_f64(g)).collect());

            let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
            let factor = (clip / (norm + 1e-6)).min(1.0);
            let found = clip_global_norm(&params, &mut grads, clip).expect("finite").value();
            assert!((found - norm).abs() <= tolerance * norm, "{what}: the norm is {found}, not {norm}");

            let t = step as u64 - 1;
            let share = (t as f64 / over as f64).min(1.0);
            let rate = match schedule {
                Schedule::Constant(rate) => rate,
                Schedule::Linear { .. } => (1.0 - share) * from + share * to,
                Schedule::Cosine { .. } => to + 0.5 * (from - to) * (1.0 + (std::f64::consts::PI * share).cos()),
            };
            assert!((schedule.value_at(t) - rate).abs() <= 1e-15 * from, "{what}: at {t}");

            optimizer.step(schedule.value_at(optimizer.steps()), &mut params, &grads);
            for i in 0..n {
                plain_step(rule, rate, step, factor * g[i], (&mut m[i], &mut v[i], &mut p[i]));
            }
            for (i, (got, want)) in params.flat().to_vec().into_iter().zip(&p).enumerate() {
                largest = largest.max(want.abs());
                let off = (got.value() - want).abs();
                assert!(off <= tolerance * largest, "{what}: step {step}, parameter {i} is {got}, not {want}");
            }
        }
    }
}

#[test]
fn optimizers_in_f64_match_plain_loops() {
    assert_many_steps_match::<f64>(1e-12);
}

#[test]
fn optimizers_in_f32_match_plain_loops() {
    assert_many_steps_match::<f32>(2e-4);
}

/// With weight decay alone, a parameter is p·(1 − αλ)ᵗ. The rates lie on both sides of 1e-3.
#[test]
fn adamw_zero_gradient_decays_by_rate_times_decay() {
    for rate in [1e-6, 1e-5, 1e-4, 9e-4, 1e-3, 2e-3, 1e-2, 0.1, 0.9] {
        for decay in [1e-3, 0.01, 0.1, 1.0] {
            let mut params = Params::<f64>::new();
            params.add("p", &Tensor::from([2.0]));
            let grads = Grads::zeros(&params);
            let mut optimizer = Optimizer::new(UpdateRule::adamw(decay), &params);
            (0..10).for_each(|_| optimizer.step(rate, &mut params, &grads));
            let (got, want) = (params.flat().get(&[0]), 2.0 * (1.0 - rate * decay).powi(10));
            assert!((got - want).abs() < 1e-14, "{decay} at {rate}: {got} is not {want}");
        }
    }
}
