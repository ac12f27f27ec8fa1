//! Masked actions: logits of −∞, and finite logits whose differences overflow.

use gpu_train::GpuLearner;
use rl::a2c::Learner;
use rl::config::{Config, Curriculum};
use rl::policy::Policy;
use rl::train::{Learn, Report};
use tensor::philox::{Philox, Purpose, Stream};
use tensor::{Kernels, Naive, Real, Tensor};

use super::parity::{IN_F32, IN_F64, assert_close};
use super::{GpuRun, advance, device, gpu_run, host_run, run_on_gpu, run_state, small_config};

const NO: f64 = f64::NEG_INFINITY;

/// Settings without clipping, in which the first moment is the gradient.
fn config() -> Config {
    Config { beta1: 0.0, clip: 1e6, validate_every: 9, curriculum: Curriculum::Mix, ..small_config() }
}

/// Sets the bias of the policy head.
fn set_bias<T: Real>(learner: &mut dyn Learn<T, Model = Policy>, logits: [f64; 6]) {
    let Learner { model: policy, params, .. } = learner.host_mut();
    params.set(policy.pi.bias, &Tensor::new([6], logits.map(T::from_f64).to_vec()));
}

/// Sets the logits of every decision, whatever the input is, and the critic's value to zero.
fn set_logits<T: Real>(learner: &mut dyn Learn<T, Model = Policy>, logits: [f64; 6]) {
    let Learner { model: policy, params, .. } = learner.host_mut();
    for head in [policy.pi, policy.v] {
        for param in [head.weight, head.bias] {
            params.set(param, &Tensor::zeros(params.shape(param)));
        }
    }
    set_bias(learner, logits);
}

/// Runs one update on both devices from the same parameters. Returns the GPU's report, gradients and run.
fn compare_one_update<T: Real>(
    config: &Config,
    bound: f64,
    prepare: impl Fn(&mut dyn Learn<T, Model = Policy>),
) -> (Report, Vec<T>, GpuRun<T>) {
    let mut on_host = host_run::<T>(config);
    let mut on_gpu = gpu_run::<T>(config);
    prepare(&mut on_host.learner);
    prepare(&mut on_gpu.learner);
    let (a, b) = (advance(&mut on_host), advance(&mut on_gpu));
    let numbers = |report: &Report| {
        let m = &report.metrics;
        [m.loss, m.policy_loss, m.value_loss, m.entropy, m.grad_norm, m.reward]
    };
    assert_close("metrics", &numbers(&a), &numbers(&b), bound);
    assert_eq!((a.metrics.steps, &a.metrics.stages), (b.metrics.steps, &b.metrics.stages));
    let gradients = on_gpu.learner.update_mut().read_gradients().expect("it works");
    let [_, m, _] = run_state(&on_host);
    assert_close("gradients", &m, &gradients, bound);
    (b, gradients, on_gpu)
}

/// Returns the gradient of the policy head's bias, and the bias after the update.
fn policy_bias<T: Real>(gradients: &[T], learner: &dyn Learn<T, Model = Policy>) -> [Vec<f64>; 2] {
    let Learner { model: policy, params, .. } = learner.host();
    let (bias, from) = (policy.pi.bias, params.offset(policy.pi.bias));
    [gradients[from..from + 6].to_vec(), params.get(bias).to_vec()].map(|all| all.iter().map(|x| x.value()).collect())
}

/// Rewards and values are zero, so the loss is −β·H. ∂H/∂logit at (0.3, −0.2, −∞) is (−0.11750, 0.11750, 0).
fn check_entropy<T: Real>(bound: f64) {
    let config = Config {
        entropy: 1.0,
        reward_correct: 0.0,
        reward_milestone: 0.0,
        reward_step: 0.0,
        normalize_advantages: false,
        ..config()
    };
    let p = 1.0 / (1.0 + (-0.5_f64).exp());
    let h = -p * p.ln() - (1.0 - p) * (1.0 - p).ln();
    let slope = -p * (p.ln() + h);
    assert!((slope + 0.11750).abs() < 1e-5, "{slope}");
    let cases = [
        ([0.0, 0.0, NO, NO, NO, NO], 2_f64.ln(), [0.0; 6]),
        ([0.3, -0.2, NO, NO, NO, NO], h, [-slope, slope, 0.0, 0.0, 0.0, 0.0]),
        ([NO, NO, 0.3, NO, -0.2, NO], h, [0.0, 0.0, -slope, 0.0, slope, 0.0]),
    ];
    for (logits, h, want) in cases {
        let near = |got: f64, want: f64| (got - want).abs() <= bound;
        let (mut on_host, mut on_gpu) = (host_run::<T>(&config), gpu_run::<T>(&config));
        set_logits(&mut on_host.learner, logits);
        set_logits(&mut on_gpu.learner, logits);
        let reports = [advance(&mut on_host), advance(&mut on_gpu)];
        let gradients = on_gpu.learner.update_mut().read_gradients().expect("it works");
        let [_, m, _] = run_state(&on_host);
        let learners: [&dyn Learn<T, Model = Policy>; 2] = [&on_host.learner, &on_gpu.learner];
        for ((report, gradients), learner) in reports.iter().zip([m, gradients]).zip(learners) {
            let m = &report.metrics;
            assert!(near(m.entropy, h) && near(m.loss, -h) && m.policy_loss == 0.0, "{logits:?}: {m:?}");
            assert!(gradients.iter().all(|g| g.is_finite()), "{logits:?}: a gradient is not finite");
            let [gradient, bias] = policy_bias(&gradients, learner);
            assert!(gradient.iter().zip(want).all(|(&g, w)| near(g, w)), "{logits:?}: {gradient:?}, not {want:?}");
            for action in (0..6).filter(|&action| logits[action] == NO) {
                assert_eq!((gradient[action], bias[action]), (0.0, NO), "{logits:?}: action {action}");
            }
        }
    }
}

#[test]
fn entropy_masked_logits_is_that_of_the_others() {
    let Some(()) = run_on_gpu("masked::entropy_masked_logits_is_that_of_the_others") else { return };
    check_entropy::<f32>(1e-6);
    check_entropy::<f64>(1e-13);
}

/// Compares updates with rewards and a network that reads its input, with and without an entropy term.
fn check_masked<T: Real>(bound: f64) {
    for entropy in [0.3, 0.0] {
        let logits = [NO, 0.3, -0.2, NO, 0.1, NO];
        let (report, gradients, run) =
            compare_one_update::<T>(&Config { entropy, ..config() }, bound, |learner| set_bias(learner, logits));
        assert!(report.metrics.policy_loss != 0.0 && report.metrics.entropy > 0.1, "{report:?}");
        let [gradient, bias] = policy_bias(&gradients, &run.learner);
        for action in 0..6 {
            let free = logits[action] != NO;
            assert_eq!((gradient[action] != 0.0, bias[action].is_finite()), (free, free), "{gradient:?}, {bias:?}");
            assert!(free || bias[action] == NO, "{bias:?}");
        }
    }
}

#[test]
fn update_masked_logits_matches_the_host() {
    let Some(()) = run_on_gpu("masked::update_masked_logits_matches_the_host") else { return };
    check_masked::<f32>(IN_F32);
    check_masked::<f64>(IN_F64);
    // The differences of these logits are −∞ in f32.
    for logits in [[1.75e38, -1.75e38, 0.0, -1.75e38, NO, 0.0], [-1.75e38, 1.75e38, 1.75e38, 0.0, 0.0, NO]] {
        let (report, ..) = compare_one_update::<f32>(&config(), IN_F32, |learner| set_bias(learner, logits));
        let shares = logits.iter().filter(|&&logit| logit == 1.75e38).count() as f64;
        assert!((report.metrics.entropy - shares.ln()).abs() < 1e-6, "{report:?}");
    }
}

/// Returns the actions of the last update's decisions.
fn drawn_actions<T: Real>(run: &mut GpuRun<T>) -> Vec<u32> {
    let played = run.learner.update_mut().read_episodes().expect("it works");
    let all =
        (0..played.episodes).flat_map(|b| (played.begin[b] as usize..played.end[b] as usize).map(move |s| (s, b)));
    all.map(|(s, b)| played.actions[s * played.episodes + b]).collect()
}

/// χ² with 2 degrees of freedom exceeds 13.8 once in a thousand streams; this stream is fixed.
#[test]
fn rollout_shares_of_zero_first_middle_and_last_are_never_drawn() {
    let Some(()) = run_on_gpu("masked::rollout_shares_of_zero_first_middle_and_last_are_never_drawn") else { return };
    let shares = [0.0_f64, 0.2, 0.0, 0.5, 0.3, 0.0];
    let (_, _, mut run) = compare_one_update::<f32>(&Config { batch: 259, chunk: 48, ..config() }, IN_F32, |learner| {
        set_logits(learner, shares.map(f64::ln))
    });
    let mut counts = [0.0; 6];
    let actions = drawn_actions(&mut run);
    actions.iter().for_each(|&action| counts[action as usize] += 1.0);
    let (all, positive) = (actions.len() as f64, [1, 3, 4]);
    assert_eq!(positive.map(|action| counts[action]).iter().sum::<f64>(), all, "{counts:?}");
    let chi2: f64 = positive.map(|a| (counts[a] - shares[a] * all).powi(2) / (shares[a] * all)).iter().sum();
    assert!(all > 400.0 && chi2 < 13.8, "{chi2}: {counts:?}");
}

/// Three shares of 1/3 that f32 rounds down, and an episode whose first draw is above their sum.
#[test]
fn rollout_draw_above_the_sum_of_shares_is_the_last_action_with_a_share() {
    let Some(()) = run_on_gpu("masked::rollout_draw_above_the_sum_of_shares_is_the_last_action_with_a_share") else {
        return;
    };
    const SEED: u64 = 6_358_931;
    const EPISODE: u32 = 9;
    let logits = [NO, 0.0, NO, 0.0, 0.0, NO];
    let u = Philox::stream(SEED, Stream { purpose: Purpose::ACTIONS, update: 0, episode: EPISODE }).uniform_f64();
    let mut row = Tensor::zeros([1, 6]);
    Naive.log_softmax(Tensor::new([1, 6], logits.map(|x| x as f32).to_vec()).view(), row.view_mut());
    let sum: f64 = row.to_vec().iter().map(|x| f64::from(x.exp())).sum();
    assert!(sum < u && sum > 0.9999999, "{sum}, {u}");
    let mut run = GpuLearner::<f32>::run(&config(), SEED, device()).expect("a GPU");
    set_logits(&mut run.learner, logits);
    advance(&mut run);
    let played = run.learner.update_mut().read_episodes().expect("it works");
    let b = EPISODE as usize;
    assert_eq!(played.actions[played.begin[b] as usize * played.episodes + b], 4);
    assert!(drawn_actions(&mut run).iter().all(|action| [1, 3, 4].contains(action)));
}
