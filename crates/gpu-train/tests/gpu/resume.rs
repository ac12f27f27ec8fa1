//! A stopped run resumes unchanged: to the bit on the GPU, and up to rounding on the host.

use rl::a2c::Learner;
use rl::policy::Policy;
use rl::tasks::CalculatorStages;
use rl::train::{Learn, Run};

use super::{advance, gpu_run, host_run, run_on_gpu, run_state, small_config};

/// Copies the state that a checkpoint stores to another run.
fn copied<A: Learn<f32, Model = Policy>, B: Learn<f32, Model = Policy>>(
    from: &Run<f32, CalculatorStages, A>,
    mut to: Run<f32, CalculatorStages, B>,
) -> Run<f32, CalculatorStages, B> {
    load(to.learner.host_mut(), from.learner.host());
    to.restore(from.state()).expect("it is of the same settings");
    to
}

fn load(to: &mut Learner<f32>, from: &Learner<f32>) {
    *to.params.flat_mut() = from.params.flat().clone();
    let moments = from.optimizer.moments().map(|(_, moment)| moment.clone()).collect();
    to.optimizer.restore(from.optimizer.steps(), moments);
}

#[test]
fn resumed_run_continues_to_the_bit() {
    let Some(()) = run_on_gpu("resume::resumed_run_continues_to_the_bit") else { return };
    let config = small_config();
    let mut whole = gpu_run::<f32>(&config);
    (0..3).for_each(|_| drop(advance(&mut whole)));
    let mut resumed = copied(&whole, gpu_run(&config));
    let mut on_the_host = copied(&whole, host_run(&config));
    let mut there_again = copied(&on_the_host, gpu_run(&config));
    for _ in 0..2 {
        let (a, b) = (advance(&mut whole), advance(&mut resumed));
        assert_eq!((&a.metrics, &a.validation), (&b.metrics, &b.validation));
        assert_eq!(advance(&mut there_again).metrics, a.metrics);
        let host = advance(&mut on_the_host);
        assert_eq!((host.metrics.steps, host.metrics.stages), (a.metrics.steps, a.metrics.stages));
        assert!((host.metrics.loss - a.metrics.loss).abs() < 1e-4);
    }
    assert_eq!(run_state(&whole), run_state(&resumed));
    assert_eq!((whole.state(), whole.learner.host.optimizer.steps()), (resumed.state(), 5));
}

/// After parameters were changed on the host, the GPU trains with the changed ones.
#[test]
fn update_uses_parameters_changed_on_the_host() {
    let Some(()) = run_on_gpu("resume::update_uses_parameters_changed_on_the_host") else { return };
    let config = small_config();
    let mut run = gpu_run::<f32>(&config);
    advance(&mut run);
    let mut fresh = gpu_run::<f32>(&config);
    load(&mut run.learner.host, &fresh.learner.host);
    (run.updates, run.steps) = (0, 0);
    assert_eq!(advance(&mut run).metrics, advance(&mut fresh).metrics);
    assert_eq!(run_state(&run), run_state(&fresh));
}
