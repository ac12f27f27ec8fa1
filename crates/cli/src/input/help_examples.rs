//! The examples at the end of each command's help. The tests run them all, in this order, in one folder.

/// Of `gradus config`.
pub(crate) const CONFIG: &str = "\
Examples:
  gradus config > run.toml
      All settings, each with its meaning and what it takes
  gradus config --check run.toml
      Whether a file is right, and what in it is not at its default";

/// Of `gradus train`.
pub(crate) const TRAIN: &str = "\
Examples:
  gradus train
      Train with the defaults, into a new folder in runs/, until it is solved
  gradus train --config run.toml --seed 7 --out seven
      With settings from a file, another seed, and a folder of your choice
  gradus train --seed 8 --out eight --stop-after 40
      Stop early, as Ctrl-C does: the update is finished, and everything saved
  gradus train --resume eight
      Go on, to the same bytes as if it had never stopped
  gradus train --seeds 0..2 --width 32 --max-updates 20 --out three
      Three seeds side by side, of a smaller network and for twenty updates
  gradus train --init seven/model.safetensors --actions tools --max-updates 20 --out more
      Begin with the weights of another run
  gradus train --profile --threads 1 --max-updates 20 --out profiled
      Where the time of an update goes, kernel by kernel

--device cuda computes on a graphics card, where gradus devices lists one and gradus was built with the feature cuda;
a run may go on on another device than it began on.
A folder holds config.toml, metrics.jsonl, episodes.jsonl, model.safetensors (the last checkpoint), best.safetensors,
test.json and report.html; docs/run-folder.md says what is in them.
Exit codes: 0, all is well; 1, a run failed; 2, wrong input, or a machine that does not let it; 130, interrupted.";

/// Of `gradus watch`.
pub(crate) const WATCH: &str = "\
Examples:
  gradus watch seven
      Follow a run from another terminal, and print its table when it is over
  gradus watch three --interval 100
      The runs of several seeds, ten looks in a second
  gradus watch seven --once
      How far it is now";

/// Of `gradus eval`.
pub(crate) const EVAL: &str = "\
Examples:
  gradus eval seven
      The test of the run once more: greedy, sampled, and with shuffled contexts
  gradus eval seven --stage 2 --episodes 1000 --seed 99 --json
      One stage, on other episodes, for a program to read";

/// Of `gradus explain`.
pub(crate) const EXPLAIN: &str = "\
Examples:
  gradus explain seven
      A test episode of the last stage, step by step
  gradus explain seven --context 4,2,7
      4·2+7, in the stage that takes three operands
  gradus explain seven --stage 1 --episode 12 --html
      Another test episode, as a page: seven/explain.html
  gradus explain seven --checkpoint seven/best.safetensors --sampled --seed 3
      Actions that are drawn, as in training, by the agent of the best validation
  gradus explain seven --context 4,2,7 --json
      For a program to read";

/// Of `gradus report`.
pub(crate) const REPORT: &str = "\
Examples:
  gradus report seven
      Everything that the folder holds, as a page: seven/report.html; its tables here
  gradus report three
      Three seeds on one page, with interquartile means and 95 % bootstrap intervals
  gradus report seven three --out both.html
      Two configurations beside each other: curves, tables, and which is probably better
  gradus report seven three --out both.html --json
      For a program to read";

/// Of `gradus gradcheck`.
pub(crate) const GRADCHECK: &str = "\
Examples:
  gradus gradcheck
      Every operation and layer: how far off by each method, and whether a small factor would be seen
  gradus gradcheck --op matmul --op Linear
      The cases of an operation and of a layer, one by one
  gradus gradcheck --op softmax --html=gradients.html
      As a page, with rules, shapes, and why a central difference is not enough; without --op, of all
  gradus gradcheck --museum
      Wrong gradients that were published or shipped, and what the checker says of each
  gradus gradcheck --op tanh --json
      For a program to read

--device cuda computes on a graphics card, where gradus devices lists one and gradus was built with the feature cuda.

Exit codes: 0, all gradients agree; 1, one does not; 2, wrong input, or a machine that does not let it.";

/// Of `gradus tasks`.
pub(crate) const TASKS: &str = "\
Examples:
  gradus tasks
      How many states there are, the optimum, and the shortest programs
  gradus tasks --stage 2 --json
      One stage, for a program to read";

/// The examples of `gradus tutorial`.
pub(crate) const TUTORIAL: &str = "\
Examples:
  gradus tutorial
      One run: its 'accuracy', and beside it how often it gives what is printed as the target
  gradus tutorial --seeds 0..2 --stage-updates 2 --out tutorial.json
      Three short runs, for a program to read; 0..39 is compared with forty runs of the tutorial's own Python

docs/tutorial.md lists what is wrong with it. Nothing is kept but the file of --out; Ctrl-C ends it at once.";

/// Of `gradus devices`.
pub(crate) const DEVICES: &str = "\
Examples:
  gradus devices
      The processor with its kernels, and for CUDA the driver, its compiler NVRTC, and each GPU, or what is missing
  gradus devices --json
      For a program to read";

/// Of `gradus completions`.
pub(crate) const COMPLETIONS: &str = "\
Examples:
  gradus completions bash > gradus.bash
      Then put `source gradus.bash` into ~/.bashrc; likewise for the other shells";
