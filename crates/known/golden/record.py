"""Records single steps of Gymnasium's classic control environments, for the tests of the crate `known`.

    pip install gymnasium==1.4.0 numpy==2.4.6
    python record.py            # writes NAME.tsv of each environment beside this file

Each file has 1,000 rows: a random state, a random action, and what the original environment makes of them. Some of the states lie
where a step just ends the episode or just does not. Lines that start with `#` hold facts on the environment: the time limit, and
the lower and upper ends of the state's uniform distribution at the start. Reading a number as f64 gives the original's;
observations, which the original rounds to f32, are to be read as f32.
"""

import math
from pathlib import Path

import gymnasium
import numpy as np

STEPS = 1000
PI = math.pi


def cartpole(rng):
    """Wide states; a third is at the limits, where a step may end the episode."""
    x, speed, angle, spin = rng.uniform([-2.6, -4, -0.25, -4], [2.6, 4, 0.25, 4])
    side = rng.choice([-1, 1])
    match rng.integers(6):
        case 0:
            x = side * rng.uniform(2.37, 2.43)
        case 1:
            angle = side * rng.uniform(0.19, 0.23)
    return [x, speed, angle, spin], int(rng.integers(2))


def acrobot(rng):
    """Wide states; some are at the largest speeds, at half turns, or hang at rest."""
    first, second = rng.uniform(-PI, PI, 2)
    first_speed, second_speed = rng.uniform([-4 * PI, -9 * PI], [4 * PI, 9 * PI]) * rng.choice([0.1, 0.5, 1])
    side = rng.choice([-1, 1])
    match rng.integers(6):
        case 0:
            first_speed = side * 4 * PI
        case 1:
            second_speed = side * 9 * PI
        case 2:
            first, second = side * rng.uniform(3, PI), rng.choice([-1, 1]) * rng.uniform(3, PI)
        case 3:
            first, second, first_speed, second_speed = rng.uniform(-0.1, 0.1, 4)
    return [first, second, first_speed, second_speed], int(rng.integers(3))


def mountain_car(rng):
    """Wide states; some are at the wall, at the goal, or at the largest speeds."""
    position, speed = rng.uniform([-1.2, -0.07], [0.6, 0.07])
    match rng.integers(6):
        case 0:
            position = rng.uniform(-1.2, -1.15)
        case 1:
            position = rng.uniform(0.4, 0.6)
        case 2:
            speed = rng.choice([-1, 1]) * rng.uniform(0.068, 0.07)
    return [position, speed], int(rng.integers(3))


def pendulum(rng):
    """Angles of several turns, speeds up to the largest, and torques beyond the limit."""
    turns, speed, torque = rng.uniform([-10, -8, -3], [10, 8, 3])
    if rng.random() < 0.2:
        speed = rng.choice([-1, 1]) * rng.uniform(7, 8)
    angle = turns * 2 * PI if rng.random() < 0.5 else rng.uniform(-PI, PI)
    return [angle, speed], torque


def take(env, state, action):
    """One step from any state."""
    env.reset(seed=0)  # no episode that has ended goes on
    env.state = np.array(state)
    # A torque in an array of f64: the original computes with the precision of what it gets.
    return env.step(np.array([action]) if isinstance(action, float) else action)


def approach(env, rng, first, second, action):
    """A state next to a limit between two states, if a step from one of them ends the episode; one next to the second, if not."""
    states = np.array([first, second])
    ends = take(env, first, action)[2]
    for _ in range(30):
        middle = states.mean(0)
        states[int(take(env, middle, action)[2] != ends)] = middle
    return rng.choice(states)


class Ends:
    """A generator whose uniform numbers are the lower or the upper end of their range."""

    def __init__(self, is_upper):
        self.is_upper = is_upper

    def uniform(self, low, high, size=None):
        end = high if self.is_upper else low
        return end if size is None else np.full(size, end)


def start_end(env, is_upper):
    """The state at the start, if all random numbers are at one end of their range."""
    env.np_random = Ends(is_upper)
    env.reset()
    return env.state


def shortest(x):
    """The shortest text that gives x again, read as f32 if x is one."""
    return str(x) if isinstance(x, np.float32) else repr(float(x)).removesuffix(".0")


def record(name, env_id, draw):
    rng = np.random.default_rng(18)
    env = gymnasium.make(env_id).unwrapped
    limit = gymnasium.spec(env_id).max_episode_steps
    facts = {"limit": [limit], "start_low": start_end(env, False), "start_high": start_end(env, True)}
    rows = []
    for number in range(STEPS):
        state, action = draw(rng)
        if number % 8 == 0:
            state = approach(env, rng, state, draw(rng)[0], action)
        observation, reward, terminated, truncated, _ = take(env, state, action)
        assert not truncated and observation.dtype == np.float32
        rows.append(
            {f"state{k}": x for k, x in enumerate(state)}
            | {"action": action}
            | {f"next{k}": x for k, x in enumerate(env.state)}
            | {"reward": reward, "terminated": int(terminated)}
            | {f"observation{k}": x for k, x in enumerate(observation)}
        )
    with open(Path(__file__).with_name(f"{name}.tsv"), "w") as out:
        for fact, values in facts.items():
            print("#", fact, *map(shortest, map(float, values)), sep="\t", file=out)
        print(*rows[0], sep="\t", file=out)
        for row in rows:
            print(*map(shortest, row.values()), sep="\t", file=out)


record("cartpole", "CartPole-v1", cartpole)
record("acrobot", "Acrobot-v1", acrobot)
record("mountain_car", "MountainCar-v0", mountain_car)
record("pendulum", "Pendulum-v1", pendulum)
