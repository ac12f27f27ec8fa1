//! Tests of the optimisers and of gradient clipping against PyTorch.

use gradus_tests::golden::{Case, assert_close, load_cases};
use nn::{Grads, Optimizer, Params, UpdateRule, clip_global_norm};
use tensor::Tensor;

/// Parses the update rule and the learning rate from a file's `what`.
///
/// `what` is PyTorch's text for an optimiser: a name, then `key: value` pairs. Options that `nn` does not have must be off.
fn parse_settings(what: &str) -> (UpdateRule, f64) {
    let words: Vec<&str> = what.split_whitespace().collect();
    let after = |key: &str| {
        let at = words.iter().position(|word| word.strip_suffix(':') == Some(key));
        at.map(|at| &words[at + 1..])
    };
    let text = |key: &str| after(key).unwrap_or_else(|| panic!("no {key} in {what}"))[0].trim_matches(['(', ')', ',']);
    let number = |key: &str| text(key).parse::<f64>().unwrap_or_else(|e| panic!("{key} in {what}: {e}"));
    for off in ["amsgrad", "maximize", "nesterov", "centered"].into_iter().filter(|&key| after(key).is_some()) {
        assert_eq!(text(off), "False", "{off} in {what}");
    }
    let rule = match words[0] {
        "Adam" | "AdamW" => UpdateRule::Adam {
            beta1: number("betas"),
            beta2: after("betas").expect("it exists")[1].trim_end_matches(')').parse().expect("a number"),
            epsilon: number("eps"),
            decay: number("weight_decay"),
            decoupled: text("decoupled_weight_decay") == "True",
        },
        "SGD" => {
            assert_eq!([number("dampening"), number("weight_decay")], [0.0; 2], "{what}");
            UpdateRule::Sgd { momentum: number("momentum") }
        }
        "RMSprop" => {
            assert_eq!([number("momentum"), number("weight_decay")], [0.0; 2], "{what}");
            UpdateRule::RmsProp { alpha: number("alpha"), epsilon: number("eps") }
        }
        other => panic!("no rule for {other}"),
    };
    (rule, number("lr"))
}

#[test]
fn golden_optim_files_hold_their_settings() {
    let rule_of = |name: &str| parse_settings(Case::load(name).meta("what"));
    assert_eq!(rule_of("optim_adam"), (UpdateRule::adam(), 0.01));
    assert_eq!(rule_of("optim_adamw"), (UpdateRule::adamw(0.05), 0.01));
    assert_eq!(rule_of("optim_sgd_momentum"), (UpdateRule::Sgd { momentum: 0.9 }, 0.01));
    assert_eq!(rule_of("optim_rmsprop"), (UpdateRule::RmsProp { alpha: 0.95, epsilon: 1e-5 }, 0.01));
    let l2 = UpdateRule::Adam { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, decay: 0.1, decoupled: false };
    assert_eq!(rule_of("optim_adam_wd"), (l2, 0.01));
}

/// The parameters are split in two, with a frozen one between them. The frozen one must not change or disturb the others.
#[test]
fn optimizers_sixty_steps_match_pytorch() {
    for (name, case) in load_cases("optim_", 5) {
        let (rule, rate) = parse_settings(case.meta("what"));
        let (_, start) = case.f64("in.start");
        let (shape, grads_in) = case.f64("in.grads");
        assert_eq!(shape, [60, 4]);

        let mut params = Params::<f64>::new();
        params.add("a", &Tensor::new([1], start[..1].to_vec()));
        let frozen = params.add("frozen", &Tensor::from([7.0, -7.0]));
        params.add("b", &Tensor::new([3, 1], start[1..].to_vec()));
        params.set_trainable(frozen, false);
        let mut grads = Grads::zeros(&params);
        let mut optimizer = Optimizer::new(rule, &params);
        let mut got = Vec::new();
        for g in grads_in.chunks(4) {
            *grads.flat_mut() = Tensor::from([g[0], 100.0, -100.0, g[1], g[2], g[3]]);
            optimizer.step(rate, &mut params, &grads);
            let p = params.flat().to_vec();
            got.extend([p[0], p[3], p[4], p[5]]);
        }
        assert_close(&name, &got, &case.f64("out.trajectory").1, 1e-12);
        assert_eq!(params.get(frozen).to_vec(), [7.0, -7.0], "{name}");
        assert_eq!(optimizer.steps(), 60);
    }
}

#[test]
fn clip_global_norm_matches_pytorch() {
    for (name, case) in load_cases("clip_grad_norm_", 2) {
        assert!(case.meta("what").starts_with("global-norm clipping at 1.0 "), "{name}: {}", case.meta("what"));
        let mut params = Params::<f64>::new();
        let handles = ["g0", "g1"].map(|g| params.add(g, &case.read(&format!("in.{g}"))));
        let mut grads = Grads::zeros(&params);
        *grads.flat_mut() = params.flat().clone(); // the numbers in the file, laid out as parameters are
        let norm = clip_global_norm(&params, &mut grads, 1.0).expect("finite");
        assert_close("norm", &[norm], &case.f64("out.norm").1, 1e-13);
        for handle in handles {
            let out = format!("out.{}", params.name(handle));
            assert_close(&out, &grads.get(&params, handle).to_vec(), &case.f64(&out).1, 1e-13);
        }
        assert_eq!(name.ends_with("clips"), norm > 1.0, "{name}: {norm}");
        assert_eq!(name.ends_with("leaves"), grads.flat() == params.flat(), "{name}");
    }
}
