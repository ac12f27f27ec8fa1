"""The network in JAX: as written, and with the GRU's input part as a table."""

import jax, jax.numpy as jnp, numpy as np

from spec import CTX, ENTROPY, STAGES, V, VALUE


def initial(key, hidden_size):
    keys, bound = jax.random.split(key, 8), 1 / np.sqrt(hidden_size)
    uniform = lambda k, *shape: jax.random.uniform(keys[k], shape, minval=-bound, maxval=bound)
    return {
        "emb": jax.random.normal(keys[0], (V, hidden_size)), "stage_emb": jax.random.normal(keys[1], (STAGES, hidden_size)),
        "w_ih": uniform(2, 3 * hidden_size, hidden_size), "w_hh": uniform(3, 3 * hidden_size, hidden_size), "b_ih": uniform(4, 3 * hidden_size), "b_hh": uniform(5, 3 * hidden_size),
        "pi_w": uniform(6, V, hidden_size), "pi_b": jnp.zeros(V), "v_w": uniform(7, 1, hidden_size), "v_b": jnp.zeros(1),
    }


def inputs(p, table):
    """The input of a step for each token: its embedding, or its input part gx = x·W_ihᵀ + b_ih, one product per update."""
    return p["emb"] @ p["w_ih"].T + p["b_ih"] if table else p["emb"]


def gru(p, x, h_prev, table):
    gx = x if table else x @ p["w_ih"].T + p["b_ih"]
    gh = h_prev @ p["w_hh"].T + p["b_hh"]
    (gx_r, gx_z, gx_n), (gh_r, gh_z, gh_n) = jnp.split(gx, 3, -1), jnp.split(gh, 3, -1)
    r, z = jax.nn.sigmoid(gx_r + gh_r), jax.nn.sigmoid(gx_z + gh_z)
    return (1 - z) * jnp.tanh(gx_n + r * gh_n) + z * h_prev


def start(p, rows, contexts, stage):
    h = jnp.tanh(p["emb"][contexts].mean(1) + p["stage_emb"][stage])
    return h, jnp.broadcast_to(rows[CTX], (h.shape[0], rows.shape[1]))


def loss(p, contexts, stage, key, steps, table, forced=None):
    rows = inputs(p, table)

    def step(carry, drawn):
        h, x = carry
        h = gru(p, x, h, table)
        lsm = jax.nn.log_softmax(h @ p["pi_w"].T + p["pi_b"])
        a = jax.random.categorical(drawn, jax.lax.stop_gradient(lsm)) if forced is None else drawn
        log_prob = jnp.take_along_axis(lsm, a[:, None], 1)[:, 0]
        return (h, rows[a]), (a, log_prob, -(jnp.exp(lsm) * lsm).sum(1), (h @ p["v_w"].T)[:, 0] + p["v_b"][0])

    drawn = jax.random.split(key, steps) if forced is None else forced.T
    _, (actions, log_probs, entropies, values) = jax.lax.scan(step, start(p, rows, contexts, stage), drawn)
    t = jnp.arange(steps)
    rewards = (actions == ((contexts[:, t % 3] + t) % V).T).astype(values.dtype) / steps
    returns = jnp.cumsum(rewards[::-1], 0)[::-1]  # G of each step, [T,B]: the sum of the rewards from that step on
    policy = -(log_probs * jax.lax.stop_gradient(returns - values)).sum(0).mean()
    return policy + VALUE * ((values - returns) ** 2).mean() - ENTROPY * entropies.mean(), returns[0].mean()


def greedy(p, rows, contexts, stage, steps, table):
    def step(carry, _):
        h, x = carry
        h = gru(p, x, h, table)
        a = jnp.argmax(h @ p["pi_w"].T + p["pi_b"], -1)
        return (h, rows[a]), a

    return jax.lax.scan(step, start(p, rows, contexts, stage), None, length=steps)[1].T
