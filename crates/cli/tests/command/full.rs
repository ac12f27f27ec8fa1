//! A disk that is full: here a limit on the size of files, which the system enforces as it does the size of a disk.
#![cfg(unix)]

use crate::place::{Called, Place, small, with};
use crate::resume::assert_same;

/// Room for the checkpoint, but not for the metrics of all updates. In units of 512 bytes.
const BLOCKS: &str = "80";

/// Calls the command where no file can grow beyond the limit, and writing more is an error rather than a signal.
fn limited(place: &Place, args: &[&str]) -> Called {
    let script = format!("trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" \"$@\"");
    let mut shell = place.command("sh", &["-c", &script, env!("CARGO_BIN_EXE_gradus")]);
    Called::of(shell.args(args).output().expect("there is a shell"))
}

#[test]
fn training_says_so_keeps_the_checkpoint_and_stops_or_goes_on_as_configured() {
    let place = Place::new();
    let train = small(&["--max-updates=150", "--save-every=10", "--validate-every=1000"]);
    place.succeeds(&with(&train, &["--out", "whole"]));
    let bytes = |name: &str| place.read(&format!("whole/{name}")).len();
    assert!(bytes("metrics.jsonl") > 80 * 512 && bytes("model.safetensors") < 80 * 512);

    for policy in ["stop", "continue"] {
        let called = limited(&place, &with(&train, &["--out", policy, "--on-save-error", policy]));
        assert_eq!(called.code, 2, "{called:?}");
        assert!(called.err.contains("cannot write") && called.err.contains("metrics.jsonl"), "{called:?}");
        let hint = format!("gradus train --resume {policy}");
        assert!(called.err.contains(&hint), "{called:?}");
        assert_eq!(called.out.contains("warning: cannot write"), policy == "continue", "{called:?}");
        assert_eq!(called.out.contains("update  150/150"), policy == "continue", "it goes on to its end: {called:?}");
        assert!(place.json(&format!("{policy}/clock.json")).is_object());
        place.succeeds(&["eval", policy, "--episodes", "2"]);
        place.succeeds(&["train", "--resume", policy]);
    }
    let edited = place.text("continue/config.toml").replace("= \"continue\"", "= \"stop\"");
    place.write("continue/config.toml", edited);
    assert_same(&place, "whole", "stop");
    assert_same(&place, "whole", "continue");
}
