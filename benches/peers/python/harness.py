"""Shared code of the Python peers: command line, timing, and verification against the golden file."""

import argparse, json, time

import numpy as np

from spec import OTHER, PLAN, WORKLOADS


def arguments(*extra):
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workloads", default=",".join(WORKLOADS))
    parser.add_argument("--golden", help="verify against this file instead of timing")
    parser.add_argument("--learn", type=int, default=0, help="make this many updates of W1; print first and last rewards")
    parser.add_argument("--table", action="store_true", help="compute the GRU's input part of the 18 tokens once, as a table")
    for name, options in extra:
        parser.add_argument(name, **options)
    return parser.parse_args()


def golden(path):
    """Reads weights, contexts, actions and results by name. A safetensors file is a length, JSON and numbers."""
    raw = open(path, "rb").read()
    start = 8 + int.from_bytes(raw[:8], "little")
    dtypes = {"F32": np.float32, "F64": np.float64, "I32": np.int32}
    head = json.loads(raw[8:start])
    part = lambda entry: raw[slice(*(start + x for x in entry["data_offsets"]))]
    return {name: np.frombuffer(part(e), dtypes[e["dtype"]]).reshape(e["shape"]).copy() for name, e in head.items()}


def verify(peer, want, loss, gradients, losses):
    """Prints the errors of loss, gradients and losses, each relative to the largest golden value."""
    relative = lambda got, want: float(np.abs(np.asarray(got, np.float64) - want).max() / np.abs(want).max())
    errors = {name: relative(g, want["g." + name].astype(np.float64)) for name, g in gradients.items()}
    worst = max(errors, key=lambda name: errors[name] if errors[name] == errors[name] else np.inf)
    say(peer=peer, golden=1, loss=float(loss), loss_rel=relative([loss], want["loss"]), grad_max_rel=errors[worst],
        worst=worst, traj_rel=relative(losses, want["loss_traj"]), tensors=len(gradients))


def clock(peer, workload, threads, make, wait=lambda: None):
    """Prints the runs per second of the function that `make` returns.

    `per_cpu_s` divides by the CPU seconds of all threads. `wait` waits for a GPU.
    """
    warm_up, seconds, least = PLAN.get(workload, OTHER)
    start = time.perf_counter()
    once = make()
    once()
    first = time.perf_counter() - start
    for _ in range(warm_up - 1):
        once()
    wait()
    n, start, cpu = 0, time.perf_counter(), time.process_time()
    while n < least or time.perf_counter() - start < seconds:
        once()
        n += 1
    wait()
    wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    say(peer=peer, w=workload, threads=threads, per_s=n / wall, per_cpu_s=n / cpu, n=n, first_s=first)


def learn(peer, updates, once):
    rewards = [once() for _ in range(updates)]
    ends = min(updates, 20)
    say(peer=peer, learn=updates, R_first20=sum(rewards[:ends]) / ends, R_last20=sum(rewards[-ends:]) / ends)


def say(**what):
    print(json.dumps(what), flush=True)
