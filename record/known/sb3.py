#!/usr/bin/env python3
"""Trains Stable-Baselines3's A2C on CartPole-v1 with the settings of its zoo, on one thread, and prints one line of JSON.

The seconds are CPU seconds of the whole process during learn(), after a warm-up of 2,000 steps: without start and import.
"""
import argparse, json, time

import torch
from stable_baselines3 import A2C
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=50_000)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--score", action="store_true", help="also play 100 greedy episodes after the steps")
args = parser.parse_args()

torch.set_num_threads(1)
# The defaults of A2C are those of the zoo, which sets 8 environments and no entropy: rate 7e-4, 5 steps, gamma 0.99, lambda 1,
# value coefficient 0.5, maximum norm 0.5, RMSprop with epsilon 1e-5, separate networks of two tanh layers of width 64.
model = A2C("MlpPolicy", make_vec_env("CartPole-v1", n_envs=8, seed=args.seed), ent_coef=0.0, seed=args.seed, device="cpu")
model.learn(2_000)
before, started = model.num_timesteps, time.process_time()
model.learn(args.steps, reset_num_timesteps=False)
seconds, steps = time.process_time() - started, model.num_timesteps - before
found = {"steps": steps, "cpu_seconds": seconds, "steps_per_cpu_second": steps / seconds}
if args.score:
    env = make_vec_env("CartPole-v1", n_envs=1, seed=args.seed + 1000)
    found["score"] = float(evaluate_policy(model, env, n_eval_episodes=100, deterministic=True)[0])
print(json.dumps(found))
