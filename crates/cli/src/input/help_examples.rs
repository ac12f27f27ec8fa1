//! Examples at the end of each command's help. A test runs all of them in one folder.

use crate::error::program;
use crate::output::width::{wrap, wrap_command};

/// Fits the end of a command's help to `columns`, with the name of the program. Its examples stay commands of the shell.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let (command, quoted) = (format!("  {} ", program()), format!("`{} ", program()));
    let text = text.replace("  gradus ", &command).replace("`gradus ", &quoted);
    let fit_line = |line: &str| match line.starts_with(&command) {
        true => wrap_command(line, columns),
        false => wrap(line, columns),
    };
    text.lines().flat_map(fit_line).collect::<Vec<_>>().join("\n")
}

/// Examples of `gradus config`.
pub(crate) const CONFIG: &str = "\
Examples:
  gradus config --task calculator > run.toml
      Write a file with all settings, their meanings and their valid values
  gradus config --check run.toml
      Check a file and list its settings that differ from the defaults";

/// Examples of `gradus train`.
pub(crate) const TRAIN: &str = "\
Examples:
  gradus train
      Learn to compute expressions until every context is right; the files are in a new folder in runs/
  gradus train --task calculator
      Train on another task, with the settings that suit it; `gradus config --task calculator` prints them
  gradus train --task cartpole --max-updates 4 --test-episodes 10 --out pole
      Train on a known problem; `gradus tasks` lists them, and record/known has good settings
  gradus train --config run.toml --seed 7 --out seven
      Take settings from a file, and choose the seed and the folder
  gradus train --task calculator --seed 8 --out eight --stop-after 40
      Stop after 40 updates, as Ctrl-C does: the current update is finished and saved
  gradus train --resume eight
      Resume the run; its files get the same bytes as without the stop
  gradus train --task calculator --seeds 0..2 --width 32 --max-updates 20 --out three
      Train three seeds in parallel, with a smaller network, for twenty updates
  gradus train --resume three --updates 30
      Go on with the finished runs, up to thirty updates in all
  gradus train --task calculator --init seven/model.safetensors --max-updates 20 --out more
      Start with the weights of another run
  gradus train --profile --threads 1 --max-updates 20 --out profiled
      Show where the updates spend their time, kernel by kernel

--device cuda computes on a GPU, for the task calculator-stages. It needs a gradus built with the feature cuda, and a GPU in the list of `gradus devices`. A run may be resumed on another device.

Files of the run folder (docs/run-folder.md describes them):
  config.toml, metrics.jsonl, episodes.jsonl, best.safetensors, test.json, report.html, model.safetensors (the last checkpoint)

docs/glossary.md explains the terms.

Exit codes:
  0    success
  1    a run failed
  2    invalid input, or a failure of the machine (memory, disk, GPU)
  130  interrupted";

/// Examples of `gradus watch`.
pub(crate) const WATCH: &str = "\
Examples:
  gradus watch seven
      Follow a run from another terminal, and print its table when it has finished
  gradus watch three --interval 100
      Follow the runs of several seeds, with ten updates of the view per second
  gradus watch seven --once
      Show the current state and exit";

/// Examples of `gradus eval`.
pub(crate) const EVAL: &str = "\
Examples:
  gradus eval seven
      Repeat the test of the run: greedy, sampled, and with shuffled contexts
  gradus eval seven --stage 2 --episodes 1000 --seed 99 --json
      Test one stage on other episodes, and print JSON";

/// Examples of `gradus explain`.
pub(crate) const EXPLAIN: &str = "\
Examples:
  gradus explain seven
      Show a test episode of the last stage, step by step
  gradus explain seven --context 4,2,7
      Show how the agent computes 4·2+7, in the stage with three operands
  gradus explain seven --stage 1 --episode 12 --html
      Write another test episode as a page: seven/explain.html
  gradus explain seven --checkpoint seven/best.safetensors --sampled --seed 3
      Sample actions, as in training, from the checkpoint of the best validation
  gradus explain seven --context 4,2,7 --json
      Print JSON";

/// Examples of `gradus report`.
pub(crate) const REPORT: &str = "\
Examples:
  gradus report seven
      Write a page with all contents of the folder, seven/report.html, and print its tables
  gradus report three
      Show three seeds on one page, with interquartile means and 95 % bootstrap intervals
  gradus report seven three --out both.html
      Compare two configurations: curves, tables, and the probability that one is better
  gradus report seven three --out both.html --json
      Print JSON";

/// Examples of `gradus gradcheck`.
pub(crate) const GRADCHECK: &str = "\
Examples:
  gradus gradcheck
      Check every operation and layer: the error by each method, and the smallest wrong factor that is found
  gradus gradcheck --op matmul --op Linear
      Show the cases of one operation and one layer
  gradus gradcheck --list
      List the operations and layers, with the names that --op takes
  gradus gradcheck --op softmax --html=gradients.html
      Write a page with formulas, shapes, and the limits of central differences; without --op, for everything
  gradus gradcheck --museum
      Show wrong gradients that were published or shipped, and the checker's result for each
  gradus gradcheck --op tanh --json
      Print JSON

--device cuda computes on a GPU. It needs a gradus built with the feature cuda, and a GPU in the list of `gradus devices`.

Exit codes:
  0  all gradients agree
  1  a gradient is wrong
  2  invalid input, or a failure of the machine";

/// Examples of `gradus tasks`.
pub(crate) const TASKS: &str = "\
Examples:
  gradus tasks
      List the tasks: expression, calculator, calculator-stages, and known problems such as cartpole
  gradus tasks --task calculator
      Show the number of states, the optimum, and the shortest programs of each stage
  gradus tasks --task calculator --stage 2 --json
      Print one stage as JSON";

/// Examples of `gradus tutorial`.
pub(crate) const TUTORIAL: &str = "\
Examples:
  gradus tutorial
      Train one run; show its 'accuracy' beside the rate at which it gives the printed target
  gradus tutorial --seeds 0..2 --stage-updates 2 --out tutorial.json
      Train three short runs and write JSON; seeds 0..39 are compared with forty runs of the original Python code

docs/tutorial.md lists the tutorial's bugs. Only the file of --out is written; Ctrl-C ends the command at once.";

/// Examples of `gradus devices`.
pub(crate) const DEVICES: &str = "\
Examples:
  gradus devices
      List the CPU with its kernels, the CUDA driver, the compiler NVRTC and each GPU, or what is missing
  gradus devices --json
      Print JSON";

/// Examples of `gradus completions`.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  gradus completions bash > gradus.bash
      Write the script; then add `source gradus.bash` to ~/.bashrc. Other shells work alike";
