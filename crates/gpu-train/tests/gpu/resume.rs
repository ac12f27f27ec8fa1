//! A run that was stopped goes on as if it had not been: on the GPU, to the bit; and on the other device.

use rl::a2c::Learner;
use rl::train::{Learn, Run};

use super::{advance, run_on_gpu, small, state, there};

/// What a checkpoint keeps of a run, put into another.
fn copied<A: Learn<f32>, B: Learn<f32>>(from: &Run<f32, A>, mut to: Run<f32, B>) -> Run<f32, B> {
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
fn goes_on_where_it_stopped() {
    let Some(()) = run_on_gpu("resume::goes_on_where_it_stopped") else { return };
    let config = small();
    let mut whole = there::<f32>(&config);
    (0..3).for_each(|_| drop(advance(&mut whole)));
    let mut resumed = copied(&whole, there(&config));
    let mut on_the_host = copied(&whole, Run::new(&config, 7));
    let mut there_again = copied(&on_the_host, there(&config));
    for _ in 0..2 {
        let (a, b) = (advance(&mut whole), advance(&mut resumed));
        assert_eq!((&a.metrics, &a.validation), (&b.metrics, &b.validation));
        assert_eq!(advance(&mut there_again).metrics, a.metrics);
        let host = advance(&mut on_the_host);
        assert_eq!((host.metrics.steps, host.metrics.stages), (a.metrics.steps, a.metrics.stages));
        assert!((host.metrics.loss - a.metrics.loss).abs() < 1e-4);
    }
    assert_eq!(state(&whole), state(&resumed));
    assert_eq!((whole.state(), whole.learner.host.optimizer.steps()), (resumed.state(), 5));
}

/// Parameters that somebody has changed are those that learn.
#[test]
fn what_was_changed_on_the_host_counts() {
    let Some(()) = run_on_gpu("resume::what_was_changed_on_the_host_counts") else { return };
    let config = small();
    let mut run = there::<f32>(&config);
    advance(&mut run);
    let mut fresh = there::<f32>(&config);
    load(&mut run.learner.host, &fresh.learner.host);
    (run.updates, run.steps) = (0, 0);
    assert_eq!(advance(&mut run).metrics, advance(&mut fresh).metrics);
    assert_eq!(state(&run), state(&fresh));
}
