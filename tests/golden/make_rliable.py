"""Creates or checks rliable.json: rliable's statistics of some matrices of scores, runs × tasks. See README.md.

python make_rliable.py --check FILE    recompute every number from the stored scores; exit 1 if any differs
python make_rliable.py --out FILE      create a new file

Each end of an interval is three numbers: rliable's 95 % percentile interval, and the intervals that are a MARGIN
narrower and wider at each end. The 95 % interval of another program uses other random draws. Its ends must lie between
the last two. The fraction of n resamples below a quantile q has the standard deviation sqrt(q(1 - q)/n). With RESAMPLES
here and as many there, the two ends differ in probability by more than 5·sqrt(2·0.025·0.975/20000) = 0.0078 less than
once in a million comparisons. This holds for every distribution, including ties.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rliable import library, metrics

RESAMPLES, CONFIDENCE, MARGIN = 20_000, 0.95, 0.0078
THRESHOLDS = [0.0, 0.25, 0.5, 0.75, 0.9, 0.99, float(np.nextafter(1.0, 0.0)), 1.0]
ESTIMATES = {
    "iqm": metrics.aggregate_iqm,
    "mean": metrics.aggregate_mean,
    "median_of_task_means": metrics.aggregate_median,
    "optimality_gap": metrics.aggregate_optimality_gap,
}
BOUND = 1e-15

Scores = NDArray[np.float64]
Bootstrap = library.StratifiedBootstrap | library.StratifiedIndependentBootstrap


def draw() -> dict[str, Scores]:
    """Draws the matrices, with ties, a number of scores not divisible by four, and every degenerate case."""
    rng = np.random.default_rng(2021)
    return {
        "mostly_solved": np.minimum(1.0, rng.beta(8, 1, (20, 3)) * 1.1).round(3),
        "less_solved": np.minimum(1.0, rng.beta(5, 1, (12, 3)) * 1.1).round(3),
        "seven_runs": rng.uniform(0.0, 1.0, (7, 3)).round(2),
        "five_runs": rng.uniform(0.2, 1.0, (5, 3)).round(1),
        "any_scale": (rng.normal(0.5, 1.0, (6, 4)) * [1, 2, 4, 8]).round(4),
        "three_scores": rng.uniform(0.0, 1.0, (3, 1)),
        "one_run": rng.uniform(0.0, 1.0, (1, 3)),
        "all_equal": np.full((4, 2), 0.5),
    }


PAIRS = [
    ("mostly_solved", "less_solved"),
    ("seven_runs", "five_runs"),
    ("five_runs", "one_run"),
    ("all_equal", "all_equal"),
]


def intervals(bootstrap: Bootstrap, function: Callable[..., Scores], point: Scores) -> list[dict[str, float]]:
    """Returns estimate and intervals of each entry of the function's result. The intervals share their resamples."""

    def limits(margin: float, reuse: bool) -> Scores:
        size = CONFIDENCE - 2 * margin
        return bootstrap.conf_int(function, reps=RESAMPLES, method="percentile", size=size, reuse=reuse)

    np.random.seed(0)  # rliable draws from numpy's global generator
    exact, narrow, wide = limits(0.0, False), limits(MARGIN, True), limits(-MARGIN, True)
    return [
        {
            "estimate": float(point[i]),
            "low": [float(limit[0, i]) for limit in (wide, exact, narrow)],
            "high": [float(limit[1, i]) for limit in (narrow, exact, wide)],
        }
        for i in range(len(point))
    ]


def statistics(scores: Scores) -> dict:
    def everything(scores: Scores) -> Scores:
        estimates = [estimate(scores) for estimate in ESTIMATES.values()]
        return np.concatenate([estimates, library.score_distributions(scores, THRESHOLDS)])

    found = intervals(library.StratifiedBootstrap(scores), everything, everything(scores))
    return {
        "scores": scores.tolist(),
        **dict(zip(ESTIMATES, found, strict=False)),
        "profile": found[len(ESTIMATES) :],
    }


def improvement(x: Scores, y: Scores) -> dict[str, float]:
    def probability(x: Scores, y: Scores) -> Scores:
        return np.array([metrics.probability_of_improvement(x, y)])

    return intervals(library.StratifiedIndependentBootstrap(x, y), probability, probability(x, y))[0]


def solve(matrices: dict[str, Scores]) -> dict:
    return {
        "versions": {name: version(name) for name in ("rliable", "arch", "scipy", "numpy")},
        "resamples": RESAMPLES,
        "confidence": CONFIDENCE,
        "margin": MARGIN,
        "thresholds": THRESHOLDS,
        "matrices": {name: statistics(scores) for name, scores in matrices.items()},
        "improvement": [{"x": x, "y": y, **improvement(matrices[x], matrices[y])} for x, y in PAIRS],
    }


def lines(found: dict) -> str:
    """Formats JSON with each list of numbers on one line."""
    text = json.dumps(found, indent=1)
    return re.sub(r"\[[^][{}]*]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text) + "\n"


def gap(stored: object, found: object) -> float:
    """Returns the largest absolute difference, or infinity if something is missing or has another type."""
    if isinstance(stored, dict) and isinstance(found, dict) and stored.keys() == found.keys():
        return max((gap(stored[key], found[key]) for key in found), default=0.0)
    if isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        return max(map(gap, stored, found), default=0.0)
    if isinstance(stored, int | float) and isinstance(found, int | float):
        return abs(stored - found)
    return 0.0 if stored == found else float("inf")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", type=Path, metavar="FILE")
    mode.add_argument("--out", type=Path, metavar="FILE")
    args = parser.parse_args()
    if args.out:
        args.out.write_text(lines(solve(draw())))
        return 0
    stored = json.loads(args.check.read_text())
    matrices = {name: np.array(matrix["scores"]) for name, matrix in stored["matrices"].items()}
    farthest = gap(stored, solve(matrices))
    print(f"{args.check}: the largest difference is {farthest:.1e}")
    return 0 if farthest <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
