"""Records episodes of POPGym's RepeatFirst, RepeatPrevious and Autoencode, for the tests of this crate.

Recorded with popgym 1.0.7, gymnasium 1.4.0, numpy 2.4.6, Python 3.11.7:

    python3 -m venv /tmp/popgym
    /tmp/popgym/bin/pip install --no-deps popgym==1.0.7 gymnasium==1.4.0 numpy==2.4.6 cloudpickle \\
        farama-notifications typing_extensions
    /tmp/popgym/bin/python record_popgym.py

It writes repeat_first.txt, repeat_previous.txt and autoencode.txt beside itself, in the format of record_bsuite.py. The
variant of an episode is its level. HIDDEN is the suits of the whole deck in the order in which they are dealt. An observation
is a suit; that of Autoencode is 4 * mode + suit, where mode is 0 for PLAY and 1 for WATCH.
"""

import pathlib

import numpy as np
from popgym.envs import autoencode, repeat_first, repeat_previous

HERE = pathlib.Path(__file__).parent
LEVELS = ("easy", "medium", "hard")


def episode(env, level, token, seed, rng):
    """Plays one episode with random actions. Returns its lines and its number of steps."""
    observation, _ = env.reset(seed=seed)
    deck = env.unwrapped.deck
    suits = "".join(str(deck.suits_idx[card]) for card in deck.idx[::-1])
    lines, count, end = [f"episode {level} {suits}", f"= {token(observation)}"], 0, "-"
    while end == "-":
        action = int(rng.integers(4))
        observation, reward, terminated, truncated, _ = env.step(action)
        end = "terminated" if terminated else "truncated" if truncated else "-"
        lines.append(f"{action} {float(reward)!r} {end} = {token(observation)}")
        count += 1
    return lines, count


def save(name, levels, token):
    """Records at least 1,000 transitions of each level."""
    lines, total, rng = [], 0, np.random.default_rng(0)
    for level, make in zip(LEVELS, levels):
        env, steps, seed = make(), 0, 0
        while steps < 1000:
            played, count = episode(env, level, token, seed, rng)
            lines, steps, seed = lines + played, steps + count, seed + 1
        total += steps
    head = [f"# {total} transitions, recorded by record_popgym.py", "# hidden: the suits of the deck as they are dealt"]
    (HERE / f"{name}.txt").write_text("\n".join(head + lines) + "\n")
    print(name, total)


def main():
    first, previous, code = repeat_first, repeat_previous, autoencode
    save("repeat_first", (first.RepeatFirstEasy, first.RepeatFirstMedium, first.RepeatFirstHard), int)
    levels = (previous.RepeatPreviousEasy, previous.RepeatPreviousMedium, previous.RepeatPreviousHard)
    save("repeat_previous", levels, int)
    levels = (code.AutoencodeEasy, code.AutoencodeMedium, code.AutoencodeHard)
    save("autoencode", levels, lambda observation: 4 * observation[0] + observation[1])


if __name__ == "__main__":
    main()
