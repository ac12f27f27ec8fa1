//! The record of an update: replaying it does what launching its kernels does, to the bit, and asks the driver for nothing else.

use rl::config::Config;
use tensor::Real;

use super::{advance, again, is_on_gpu, small, state, there};

const TEST: &str = "graph::replayed_as_launched";

#[test]
fn replayed_as_launched() {
    if let Some(outcome) = again(TEST, &[]) {
        replays_alone(&outcome.log);
    }
    if is_on_gpu() {
        replayed::<f32>();
        replayed::<f64>();
    }
}

fn replayed<T: Real>() {
    let config = small();
    let (mut recorded, mut launched, mut together) = (there::<T>(&config), there::<T>(&config), there::<T>(&config));
    launched.learner.inside().replay(false);
    let mut reports = Vec::new();
    for _ in 0..4 {
        let (a, b) = (advance(&mut recorded), advance(&mut launched));
        assert_eq!((&a.metrics, &a.validation, state(&recorded)), (&b.metrics, &b.validation, state(&launched)));
        reports.push(a);
    }
    // As many as can be done before the curriculum moves, without a look at them.
    let at_once: Vec<_> = (0..2).flat_map(|_| together.advance_by(usize::MAX).expect("finite numbers")).collect();
    assert_eq!(at_once.len(), reports.len());
    for (a, b) in reports.iter().zip(&at_once) {
        assert_eq!((a.update, &a.metrics, &a.validation), (b.update, &b.metrics, &b.validation));
    }
    assert_eq!(state(&together), state(&recorded));
    assert_eq!(together.advance_by(1).map(|reports| reports.len()), Ok(1));
}

/// Each replay launches what was recorded, in its order, and between the calls of one `advance` nothing is allocated.
fn replays_alone(log: &[String]) {
    let position = |start: &str| log.iter().position(|line| line.starts_with(start));
    let begins = position("capture begins").expect("it was recorded");
    let recorded: Vec<&str> = log[begins + 1..].iter().map_while(|line| line.strip_prefix("capture launch ")).collect();
    let names: Vec<&str> = recorded.iter().filter_map(|launch| launch.split(' ').next()).collect();
    let expected = "token_table rollout judge a2c bptt_states bptt_weights bptt_sums bptt_gradients \
        update_norm update_close update_step";
    assert_eq!(names.join(" "), expected);
    assert!(log[begins + 1 + recorded.len()].starts_with("capture ends"), "nothing else was asked for meanwhile");

    let mut replays = 0;
    for (at, line) in log.iter().enumerate().filter(|(_, line)| line.starts_with("graph launch 1 ")) {
        let replayed: Vec<&str> =
            log[at + 1..].iter().take(11).map_while(|line| line.strip_prefix("replay launch ")).collect();
        assert_eq!(replayed, recorded, "after {line}");
        let after = &log[at + 12..];
        let until = after.iter().position(|line| line.starts_with("synchronize")).expect("it is waited for");
        assert!(after[..until].iter().all(|line| !line.contains("alloc") && !line.contains("free")), "{after:?}");
        replays += 1;
    }
    assert_eq!(replays, 4);
    let first = position("graph launch").expect("it was replayed");
    let last = log.iter().rposition(|line| line.starts_with("graph launch")).expect("it was replayed");
    // Three runs are made before the first replay, and so on for the other scalar; the rest are copies.
    let made = log[first..last].iter().filter(|line| line.starts_with("alloc")).count();
    let of_three = log[..first].iter().filter(|line| line.starts_with("alloc")).count();
    assert_eq!(made, of_three, "memory is taken when a run is made, and not while it goes on");
}

/// On one block all work is done by the same threads: the sums are the same.
#[test]
fn the_grid_decides_nothing() {
    const NAME: &str = "graph::the_grid_decides_nothing";
    let told = |outcome: emulator::Outcome| {
        let bits = outcome.stdout.split("bits ").nth(1).and_then(|rest| rest.split('\n').next()).map(String::from);
        bits.expect("it says what came out")
    };
    let grids = [("GRADUS_CUDA_BLOCKS", "1"), ("GRADUS_CUDA_BLOCKS", "5")];
    let bits: Vec<_> = grids.into_iter().filter_map(|grid| again(NAME, &[grid])).map(told).collect();
    bits.windows(2).for_each(|pair| assert_eq!(pair[0], pair[1]));
    if is_on_gpu() {
        let mut run = there::<f32>(&Config { batch: 9, ..small() });
        (0..2).for_each(|_| drop(advance(&mut run)));
        let sum = state(&run).iter().flatten().fold(0_u64, |sum, x| sum.rotate_left(5) ^ u64::from(x.to_bits()));
        println!("bits {sum:x}");
    }
}
