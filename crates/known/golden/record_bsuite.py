"""Records episodes of bsuite's environments catch, memory_len and deep_sea, for the tests of this crate.

Recorded with bsuite 0.3.6, numpy 2.4.6, Python 3.11.7:

    python3 -m venv /tmp/bsuite
    /tmp/bsuite/bin/pip install --no-deps bsuite==0.3.6 dm-env==1.6 numpy==2.4.6
    /tmp/bsuite/bin/python record_bsuite.py

The start of bsuite's package imports plots and image libraries, which the environments do not need; the program skips it.
It writes catch.txt, memory_len.txt and deep_sea.txt beside itself. Format:

    # a comment
    episode VARIANT HIDDEN ...          starts an episode; HIDDEN is what its reset drew
    = OBSERVATION ...                   the first observation
    ACTION REWARD END = OBSERVATION ... a step; END is "-", "terminated" or "truncated"

An observation of catch or deep_sea is the list of the indices whose number is 1; all others are 0.
"""

import importlib.util
import pathlib
import sys

import numpy as np

bsuite = importlib.util.module_from_spec(importlib.util.find_spec("bsuite"))
sys.modules["bsuite"] = bsuite  # the package, without running its __init__.py

from bsuite.environments.catch import Catch
from bsuite.environments.deep_sea import DeepSea
from bsuite.environments.memory_chain import MemoryChain
from bsuite.experiments.memory_len import sweep

HERE = pathlib.Path(__file__).parent


def ones(observation):
    """The indices of the ones of an observation that has no other numbers but zeros."""
    flat = observation.ravel()
    assert set(np.unique(flat)) <= {0.0, 1.0}
    return " ".join(str(index) for index in np.flatnonzero(flat))


def numbers(observation):
    """The shortest decimals that round to the numbers in float32."""
    assert observation.dtype == np.float32
    return " ".join(str(x) for x in observation.ravel())


def episode(env, write_observation, variant, read_hidden, act):
    """Plays one episode. Returns its lines and its number of steps."""
    step, lines, count = env.reset(), [], 0
    hidden = " ".join(str(x) for x in read_hidden(env))
    lines.append(f"episode {variant} {hidden}".rstrip())
    lines.append(f"= {write_observation(step.observation)}".rstrip())
    while not step.last():
        action = act(env)
        step = env.step(action)
        end = "-"
        if step.last():
            end = "terminated" if step.discount == 0 else "truncated"
        lines.append(f"{action} {float(step.reward)!r} {end} = {write_observation(step.observation)}".rstrip())
        count += 1
    return lines, count


def save(name, comments, episodes):
    """Writes the episodes to NAME.txt."""
    steps = sum(count for _, count in episodes)
    head = [f"# {steps} transitions, recorded by record_bsuite.py", *(f"# {comment}" for comment in comments)]
    lines = head + [line for lines, _ in episodes for line in lines]
    (HERE / f"{name}.txt").write_text("\n".join(lines) + "\n")
    print(name, steps)


def main():
    rng = np.random.RandomState(0)

    env = Catch(seed=0)
    played = [episode(env, ones, "catch", lambda env: [env._ball_x], lambda _: rng.randint(3)) for _ in range(120)]
    save("catch", ["hidden: the column of the ball"], played)

    played = []
    for setting in sweep.SETTINGS:
        length = setting["memory_length"]
        env = MemoryChain(length, seed=length)
        context = lambda env: env._context
        played += [episode(env, numbers, length, context, lambda _: rng.randint(2)) for _ in range(3)]
    save("memory_len", ["variant: the memory length; hidden: the context as a bit"], played)

    played, maps = [], []
    for size in (10, 6):
        env = DeepSea(size, mapping_seed=42)
        mapping = env._action_mapping
        rows = ["".join(str(bit) for bit in row) for row in mapping]
        maps.append(f"map {size} {' '.join(rows)}")
        for k in range(100):
            # Episode k moves right with probability k / 99: the last one finds the treasure.
            right = lambda env: bool(rng.random_sample() < k / 99)
            cell = lambda env: mapping[env._row, env._column]
            act = lambda env: int(cell(env) if right(env) else 1 - cell(env))
            played.append(episode(env, ones, size, lambda _: [], act))
    save("deep_sea", [*maps, "variant: the size"], played)


if __name__ == "__main__":
    main()
