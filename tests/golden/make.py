"""Creates or checks the reference numbers in this folder. See README.md.

python make.py --check DIR             recompute every result from the stored inputs; exit 1 if any differs
python make.py --out DIR [--seeds N]   create a complete new set
python make.py --finals [--seeds N]    train the tutorial's agent N times and print a summary of the final rewards
"""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from zlib import crc32

import torch
from safetensors import safe_open
from safetensors.torch import save_file

import tutorial
from cases import CASES, Case, Tensors

ENV, FINALS = "tutorial_env.jsonl", "tutorial_finals.json"
RLIABLE = "rliable.json"  # written by make_rliable.py
BOUND = 1e-12


def check(folder: Path) -> bool:
    """Returns True if the folder has exactly the files of the set, and their results match their inputs."""
    expected = {f"{case.name}.safetensors" for case in CASES} | {ENV, FINALS, RLIABLE}
    found = {file.name for file in folder.iterdir() if file.suffix in {".safetensors", ".json", ".jsonl"}}
    for name in sorted(expected ^ found):
        print(f"{name:40} {'missing' if name in expected else 'belongs to no case'}")
    if expected != found:
        return False
    gaps = {f"{case.name}.safetensors": check_case(folder, case) for case in CASES}
    gaps[ENV] = check_env(folder / ENV)
    for name, gap in gaps.items():
        print(f"{name:40} {gap:.1e}{'' if gap <= BOUND else '  TOO FAR'}")
    runs = json.loads((folder / FINALS).read_text())["runs"]
    print(f"{FINALS:40} {summary(runs)}; not recomputed, see --finals")
    print(f"{RLIABLE:40} not recomputed, see make_rliable.py")
    return all(gap <= BOUND for gap in gaps.values())


def check_case(folder: Path, case: Case) -> float:
    """Returns the largest absolute difference, or infinity if names, shapes, types or metadata differ."""
    with safe_open(folder / f"{case.name}.safetensors", "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        meta = file.metadata() or {}
    if not case.meta.items() <= meta.items() or not layout(inputs(case)).items() <= layout(stored).items():
        return float("inf")
    results = case.solve(stored)
    if layout(results | inputs(case)) != layout(stored):
        return float("inf")
    return max(farthest(stored[name], result) for name, result in results.items())


def layout(tensors: Tensors) -> dict[str, tuple]:
    return {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}


def farthest(a: torch.Tensor, b: torch.Tensor) -> float:
    """Returns the largest absolute difference, or infinity if any number is NaN."""
    return (a - b).abs().nan_to_num(nan=float("inf")).max().item()


def check_env(file: Path) -> float:
    """Returns the largest difference in reward, or infinity if a number of steps differs."""
    gap = 0.0
    for transcript in map(json.loads, file.read_text().splitlines()):
        reward, steps = tutorial.episode(transcript["stage"], transcript["operands"], transcript["actions"])
        gap = max(gap, abs(reward - transcript["reward"]) if steps == transcript["steps"] else float("inf"))
    return gap


def inputs(case: Case) -> Tensors:
    """Draws the inputs of a case. The seed is the case's name, so that adding a case changes no other."""
    torch.manual_seed(crc32(case.name.encode()))
    return case.draw()


def write(folder: Path, seeds: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        given = inputs(case)
        meta = {"case": case.name, "what": case.what, "torch": torch.__version__, **case.meta}
        tensors = {name: t.contiguous() for name, t in {**given, **case.solve(given)}.items()}
        save_file(tensors, folder / f"{case.name}.safetensors", meta)
    lines = [json.dumps(transcript, separators=(",", ":")) for transcript in transcripts()]
    (folder / ENV).write_text("\n".join(lines) + "\n")
    what = "final greedy mean reward per stage of the tutorial's training, 60 updates, batch of 1000 per stage"
    finals = {"what": what, "torch": torch.__version__, "runs": run_finals(seeds)}
    (folder / FINALS).write_text(json.dumps(finals, indent=1) + "\n")


def transcripts() -> Iterator[dict]:
    """Yields transcripts of each stage.

    Every program of one to three tools, then 700 random programs of up to nine tokens, half of them tools only.
    """
    torch.manual_seed(crc32(ENV.encode()))
    tools = torch.tensor(tutorial.TOOLS)
    for stage in range(3):
        programs = [list(program) for n in (1, 2, 3) for program in product(tutorial.TOOLS, repeat=n)]
        for i in range(700):
            alphabet = tools if i % 2 else torch.arange(tutorial.TOKENS)
            length = int(torch.randint(1, 10, ()))
            programs.append(alphabet[torch.randint(len(alphabet), (length,))].tolist())
        for actions in programs:
            operands = torch.randint(10, (5,)).tolist()
            reward, steps = tutorial.episode(stage, operands, actions)
            yield {"stage": stage, "operands": operands, "actions": actions, "reward": reward, "steps": steps}


def run_finals(seeds: int) -> list[dict]:
    """Trains in float32, as the tutorial does."""
    torch.set_default_dtype(torch.float32)
    runs = []
    for seed in range(seeds):
        runs.append({"seed": seed, "final": tutorial.train(seed)})
        print(f"seed {seed}: " + " ".join(f"{reward:.4f}" for reward in runs[-1]["final"]), flush=True)
    torch.set_default_dtype(torch.float64)
    return runs


def summary(runs: list[dict]) -> str:
    return f"{sum(run['final'][0] > 1 for run in runs)} of {len(runs)} runs end above 1 in stage 0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", type=Path, metavar="DIR")
    mode.add_argument("--out", type=Path, metavar="DIR")
    mode.add_argument("--finals", action="store_true")
    parser.add_argument("--seeds", type=int, default=40, metavar="N")
    args = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    if args.check:
        return 0 if check(args.check) else 1
    if args.out:
        write(args.out, args.seeds)
    else:
        print(summary(run_finals(args.seeds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
