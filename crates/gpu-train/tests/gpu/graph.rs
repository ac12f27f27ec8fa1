//! The recorded graph of an update: replaying it equals launching its kernels, to the bit, and makes no other driver call.

use rl::config::Config;
use tensor::Real;

use super::{advance, gpu_run, is_on_gpu, rerun_emulated, run_state, small_config};

const TEST: &str = "graph::replay_equals_separate_launches";

#[test]
fn replay_equals_separate_launches() {
    if let Some(outcome) = rerun_emulated(TEST, &[]) {
        assert_log_replays(&outcome.log);
    }
    if is_on_gpu() {
        check_replay::<f32>();
        check_replay::<f64>();
    }
}

fn check_replay<T: Real>() {
    let config = small_config();
    let (mut recorded, mut launched, mut together) =
        (gpu_run::<T>(&config), gpu_run::<T>(&config), gpu_run::<T>(&config));
    launched.learner.update_mut().set_graph_replay(false);
    let mut reports = Vec::new();
    for _ in 0..4 {
        let (a, b) = (advance(&mut recorded), advance(&mut launched));
        assert_eq!(
            (&a.metrics, &a.validation, run_state(&recorded)),
            (&b.metrics, &b.validation, run_state(&launched))
        );
        reports.push(a);
    }
    // As many updates as possible before the curriculum advances, without reading results between them.
    let at_once: Vec<_> = (0..2).flat_map(|_| together.advance_up_to(usize::MAX).expect("finite numbers")).collect();
    assert_eq!(at_once.len(), reports.len());
    for (a, b) in reports.iter().zip(&at_once) {
        assert_eq!((a.update, &a.metrics, &a.validation), (b.update, &b.metrics, &b.validation));
    }
    assert_eq!(run_state(&together), run_state(&recorded));
    assert_eq!(together.advance_up_to(1).map(|reports| reports.len()), Ok(1));
}

/// Each replay launches the recorded kernels in their order, and nothing is allocated between the calls of one `advance`.
fn assert_log_replays(log: &[String]) {
    let position = |start: &str| log.iter().position(|line| line.starts_with(start));
    let begins = position("capture begins").expect("it was recorded");
    let recorded: Vec<&str> = log[begins + 1..].iter().map_while(|line| line.strip_prefix("capture launch ")).collect();
    let names: Vec<&str> = recorded.iter().filter_map(|launch| launch.split(' ').next()).collect();
    let expected = "token_table rollout compute_advantages a2c bptt_states bptt_weights bptt_sums bptt_gradients \
        update_norm update_close update_step";
    assert_eq!(names.join(" "), expected);
    assert!(
        log[begins + 1 + recorded.len()].starts_with("capture ends"),
        "nothing else was called during the recording"
    );

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
    // Three runs are created before the first replay, and three more for the other scalar type; the rest are copies.
    let made = log[first..last].iter().filter(|line| line.starts_with("alloc")).count();
    let of_three_runs = log[..first].iter().filter(|line| line.starts_with("alloc")).count();
    assert_eq!(made, of_three_runs, "memory is allocated when a run is created, and not while it runs");
}

/// One block does the work of five, and the sums have the same bits.
#[test]
fn update_does_not_depend_on_the_grid() {
    const NAME: &str = "graph::update_does_not_depend_on_the_grid";
    let read_bits = |outcome: emulator::Outcome| {
        let bits = outcome.stdout.split("bits ").nth(1).and_then(|rest| rest.split('\n').next()).map(String::from);
        bits.expect("the bits are printed")
    };
    let grids = [("GRADUS_CUDA_BLOCKS", "1"), ("GRADUS_CUDA_BLOCKS", "5")];
    let bits: Vec<_> = grids.into_iter().filter_map(|grid| rerun_emulated(NAME, &[grid])).map(read_bits).collect();
    bits.windows(2).for_each(|pair| assert_eq!(pair[0], pair[1]));
    if is_on_gpu() {
        let mut run = gpu_run::<f32>(&Config { batch: 9, ..small_config() });
        (0..2).for_each(|_| drop(advance(&mut run)));
        let sum = run_state(&run).iter().flatten().fold(0_u64, |sum, x| sum.rotate_left(5) ^ u64::from(x.to_bits()));
        println!("bits {sum:x}");
    }
}
