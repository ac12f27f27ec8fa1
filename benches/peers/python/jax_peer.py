"""The JAX peer: an update is one compiled function, with lax.scan over the steps, and optax. See ../README.md."""

import os

import harness
from spec import CLIP, CTX, RATE, WORKLOADS

args = harness.arguments()
if args.threads == 1:  # before JAX is imported
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

from functools import partial

import jax, jax.numpy as jnp, numpy as np, optax

import jax_net

optimizer = optax.chain(optax.clip_by_global_norm(CLIP), optax.adam(RATE))
differentiate = jax.value_and_grad(jax_net.loss, has_aux=True)


@partial(jax.jit, static_argnames=("batch", "steps"), donate_argnums=(0, 1, 2))
def update(p, moments, key, batch, steps):
    key, draw, act = jax.random.split(key, 3)
    contexts = jax.random.randint(draw, (batch, 4), 0, 10).at[:, 3].set(CTX)
    (loss, reward), g = differentiate(p, contexts, jnp.zeros(batch, jnp.int32), act, steps, args.table)
    step, moments = optimizer.update(g, moments, p)
    return optax.apply_updates(p, step), moments, key, loss, reward


def updater(batch, steps, hidden_size):
    p = jax_net.initial(jax.random.PRNGKey(0), hidden_size)
    state = (p, optimizer.init(p), jax.random.PRNGKey(1))

    def once():
        nonlocal state
        *state, loss, reward = update(*state, batch, steps)
        return float(loss), float(reward)

    return once


def player(steps, hidden_size):
    p = jax_net.initial(jax.random.PRNGKey(0), hidden_size)
    rows = jax.block_until_ready(jax_net.inputs(p, args.table))
    given, stage = jnp.array([[3, 5, 7, CTX]], jnp.int32), jnp.zeros(1, jnp.int32)
    greedy = jax.jit(jax_net.greedy, static_argnums=(4, 5))
    return lambda: np.asarray(greedy(p, rows, given, stage, steps, args.table)).tolist()


def verify(name, path):
    want = harness.golden(path)
    batch, steps, hidden_size = WORKLOADS["W1"]
    p = {key: jnp.asarray(want[key]) for key in jax_net.initial(jax.random.PRNGKey(0), hidden_size)}
    stage, key = jnp.zeros(batch, jnp.int32), jax.random.PRNGKey(0)
    given, forced = jnp.asarray(want["ctx"]), jnp.asarray(want["actions"])
    gradients_of = jax.jit(lambda p: differentiate(p, given, stage, key, steps, args.table, forced))
    (loss, _), gradients = gradients_of(p)
    moments, losses = optimizer.init(p), []
    for _ in range(10):
        (value, _), g = gradients_of(p)
        losses.append(float(value))
        step, moments = optimizer.update(g, moments, p)
        p = optax.apply_updates(p, step)
    harness.verify(name, want, loss, gradients, losses)


def main():
    name = "jax" + "-table" * args.table
    if args.golden:
        return verify(name, args.golden)
    if args.learn:
        once = updater(*WORKLOADS["W1"])
        return harness.learn(name, args.learn, lambda: once()[1])
    for workload in args.workloads.split(","):
        batch, steps, hidden_size = WORKLOADS[workload]
        make = lambda: player(steps, hidden_size) if batch == 1 else updater(batch, steps, hidden_size)
        harness.clock(name, workload, args.threads, make)


main()
