//! A full disk, simulated by a limit on the size of files. The system reports both in the same way.
#![cfg(unix)]

use crate::sandbox::{CommandResult, Sandbox, assert_same_files, concat_args, small_training};

/// File size limit in units of 512 bytes: enough for the checkpoint, but not for the metrics of all updates.
const FILE_SIZE_LIMIT_BLOCKS: &str = "80";

/// Runs the command with the file size limit. Exceeding it is an error instead of a signal.
fn run_with_file_size_limit(sandbox: &Sandbox, args: &[&str]) -> CommandResult {
    let script = format!("trap '' XFSZ; ulimit -f {FILE_SIZE_LIMIT_BLOCKS}; exec \"$0\" \"$@\"");
    let mut shell = sandbox.command("sh", &["-c", &script, env!("CARGO_BIN_EXE_gradus")]);
    CommandResult::from_output(shell.args(args).output().expect("sh starts"))
}

#[test]
fn train_full_disk_keeps_the_checkpoint_and_stops_or_continues_as_configured() {
    let sandbox = Sandbox::new();
    let train = small_training(&["--max-updates=150", "--save-every=10", "--validate-every=1000"]);
    sandbox.expect_success(&concat_args(&train, &["--out", "whole"]));
    let bytes = |name: &str| sandbox.read(&format!("whole/{name}")).len();
    assert!(bytes("metrics.jsonl") > 80 * 512 && bytes("model.safetensors") < 80 * 512);

    for policy in ["stop", "continue"] {
        let result =
            run_with_file_size_limit(&sandbox, &concat_args(&train, &["--out", policy, "--on-save-error", policy]));
        assert_eq!(result.code, 2, "{result:?}");
        assert!(result.err.contains("cannot write") && result.err.contains("metrics.jsonl"), "{result:?}");
        let hint = format!("gradus train --resume {policy}");
        assert!(result.err.contains(&hint), "{result:?}");
        assert_eq!(result.out.contains("warning: cannot write"), policy == "continue", "{result:?}");
        assert_eq!(result.out.contains("update  150/150"), policy == "continue", "it continues to the end: {result:?}");
        assert!(sandbox.json(&format!("{policy}/clock.json")).is_object());
        sandbox.expect_success(&["eval", policy, "--episodes", "2"]);
        sandbox.expect_success(&["train", "--resume", policy]);
    }
    let edited = sandbox.text("continue/config.toml").replace("= \"continue\"", "= \"stop\"");
    sandbox.write("continue/config.toml", edited);
    assert_same_files(&sandbox, "whole", "stop");
    assert_same_files(&sandbox, "whole", "continue");
}
