//! Tests of frames: their exact text, and that they fit into every terminal size.

use std::time::Duration;

use console::{measure_text_width, strip_ansi_codes};

use super::progress::StopCondition;
use super::*;
use crate::folder::metrics::StageStats;
use crate::folder::{UpdateLine, ValidationLine};

const RULE: Option<StopCondition> = Some(StopCondition { patience: 3, exploration_updates: 190 });
const ASCII: Style = Style { colour: false, unicode: false };
const UNICODE: Style = Style { colour: false, unicode: true };
const COLOUR: Style = Style { colour: true, unicode: true };

/// Makes a run after `updates` of at most 200 updates, at ten per second, with a validation after every tenth update.
fn progress(seed: u64, updates: usize) -> RunProgress {
    let (task, score) = ("calculator-stages".to_owned(), Score::ExactMatch);
    let mut progress = RunProgress::new(seed, RunLimits { task, score, max_updates: 200, stop_condition: RULE });
    progress.started = Some(Duration::ZERO);
    progress.record_time(Duration::ZERO);
    for update in 1..=updates {
        let done = update as f64 / 100.0;
        progress.record_update(&UpdateLine {
            update,
            entropy: 1.75 - done,
            grad_norm: 0.5 + (update % 4) as f64 / 10.0,
            reward: 2.5 * done,
            steps: 1_000,
            episodes: vec![48, 48, 96],
            ..UpdateLine::default()
        });
        if update.is_multiple_of(10) {
            let stage = |stage| StageStats {
                stage,
                exact: Some((3.0 * done - stage as f64).clamp(0.0, 1.0)),
                ..StageStats::default()
            };
            progress.record_validation(&ValidationLine { validation: update, stages: (0..3).map(stage).collect() });
        }
        progress.record_time(Duration::from_millis(100 * update as u64));
    }
    progress
}

fn single_run(updates: usize) -> Scene {
    Scene { now: Duration::from_millis(100 * updates as u64), runs: vec![progress(0, updates)], ..Scene::default() }
}

fn many_runs() -> Scene {
    let runs = vec![progress(2, 100), progress(11, 50), progress(12, 5)];
    Scene {
        now: Duration::from_secs(10),
        runs,
        tally: Some(Tally { total: 20, finished: 2, perfect: Some(1), failed: 1 }),
        ..Scene::default()
    }
}

fn draw(scene: &Scene, width: usize, style: Style) -> String {
    frame(scene, Size { width, height: 23 }, style).join("\n")
}

#[test]
fn frame_single_run_at_80_columns() {
    let want = "\
calculator-stages  seed 0  update 60/200
#####################....................................................  30 %
exact 0    1.000  :=*###
exact 1    0.800  ___.-+
exact 2    0.000  ______
return     1.500  _________........:::::::::--------=========++++++++********#
entropy    1.150  #********++++++++=========--------:::::::::........_________
gradient   0.500  :=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_:=#_
at most 14 s left  10000 steps/s  6 s elapsed  0 of 3 perfect";
    assert_eq!(draw(&single_run(60), 79, ASCII), want);
}

#[test]
fn frame_single_run_at_40_columns() {
    let want = "\
calculator-stages  seed 0  update 60/200
██████████░░░░░░░░░░░░░░░░░░░░░░░░  30 %
exact 0    1.000  ▃▅▇███
exact 1    0.800  ▁▁▁▂▄▆
exact 2    0.000  ▁▁▁▁▁▁
return     1.500  ▁▁▁▁▂▂▂▃▃▃▄▄▄▅▅▆▆▆▆▇▇█
entropy    1.150  █▇▇▇▆▆▆▅▅▅▄▄▄▃▃▃▂▂▂▁▁▁
gradient   0.500  █▁▃▅█▁▃▅█▁▃▅█▁▃▅█▁▃▅█▁
at most 14 s left  10000 steps/s";
    let drawn = draw(&single_run(60), 40, UNICODE);
    for (drawn, want) in drawn.lines().zip(want.lines()) {
        assert_eq!(drawn, want);
    }
    assert_eq!(drawn.lines().count(), want.lines().count());
}

#[test]
fn frame_of_a_solved_run_ends_with_a_full_bar() {
    let mut scene = single_run(190);
    scene.runs[0].perfect = 3;
    assert!(draw(&scene, 79, ASCII).contains("testing"));
    scene.runs[0].record_end(false);
    let drawn = draw(&scene, 79, ASCII);
    assert!(drawn.lines().nth(1).is_some_and(|bar| bar.starts_with("####") && bar.ends_with("# 100 %")), "{drawn}");
    assert!(drawn.contains("\nsolved after 190 updates  "), "{drawn}");
    assert_eq!(draw(&scene, 38, ASCII), "solved after 190 updates");
}

#[test]
fn frame_in_small_terminal_is_one_line() {
    assert_eq!(draw(&single_run(60), 38, ASCII), "60/200  1.000 0.800 0.000  14 s left");
    assert_eq!(draw(&single_run(60), 20, ASCII), "60/200  14 s left");
    assert_eq!(frame(&single_run(60), Size { width: 79, height: 3 }, ASCII).len(), 1);
    assert_eq!(frame(&single_run(60), Size { width: 79, height: 0 }, ASCII).len(), 0);
    assert_eq!(draw(&many_runs(), 30, ASCII), "2/20 finished  1 perfect");
}

#[test]
fn frame_many_runs_at_80_columns() {
    let want = "\
seed 2     100/200  exact 1.000 1.000 1.000  return  2.500  10 s left  __.:-+*#
seed 11     50/200  exact 1.000 0.500 0.000  return  1.250  10 s left  _.:--=*#
seed 12      5/200  return  0.125  10 s left  _.-+#
2 of 20 finished  1 perfect  1 failed  at most 110 s left  3 running";
    assert_eq!(draw(&many_runs(), 79, ASCII), want);
}

#[test]
fn frame_many_runs_leaves_out_seeds_that_do_not_fit() {
    let lines = frame(&many_runs(), Size { width: 79, height: 3 }, ASCII);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("seed 2") && lines[1].starts_with("2 of 20 finished"), "{lines:?}");
}

#[test]
fn frame_without_runs_is_empty_and_note_is_last_line() {
    assert_eq!(draw(&Scene::default(), 79, ASCII), "");
    let mut scene = single_run(10);
    scene.note = Some("stopping".into());
    assert!(draw(&scene, 79, ASCII).ends_with("\nstopping"));
}

/// Tests runs before the first update, in the middle and at the end, non-finite metrics, several seeds, and a note, at all
/// widths and some heights.
#[test]
fn frame_fits_into_every_terminal_size() {
    let mut wild = single_run(30);
    wild.runs[0].limits.max_updates = 0;
    wild.runs[0].steps = u64::MAX / 2;
    wild.runs[0].record_update(&UpdateLine { reward: f64::NAN, entropy: f64::MAX, ..UpdateLine::default() });
    let mut noted = single_run(30);
    noted.note = Some("finishing the update, then saving; once more to stop at once".into());
    for scene in
        [Scene::default(), single_run(0), single_run(1), single_run(60), single_run(200), wild, noted, many_runs()]
    {
        for width in 0..=200 {
            for height in [0, 1, 2, 5, 9, 10, 23, 100] {
                let draw = |style| frame(&scene, Size { width, height }, style);
                let (plain, coloured, ascii) = (draw(UNICODE), draw(COLOUR), draw(ASCII));
                assert!(plain.len() <= height, "{plain:?}");
                for line in plain.iter().chain(&ascii) {
                    assert!(measure_text_width(line) <= width, "{width}: {line:?}");
                    assert!(line.chars().all(|c| !c.is_control()), "{line:?}");
                }
                assert!(ascii.iter().all(|line| line.is_ascii()), "{ascii:?}");
                let stripped: Vec<_> = coloured.iter().map(|line| strip_ansi_codes(line).into_owned()).collect();
                assert_eq!(stripped, plain);
                assert!(width < 20 || height == 0 || scene.runs.is_empty() || !plain.is_empty());
            }
        }
    }
}
