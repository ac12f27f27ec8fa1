"""Writes ../golden/w1.safetensors: weights and episodes of W1, and the results of PyTorch in f64. See ../README.md.

The loss is written as the README's formula, not shared with the PyTorch peer. Weights and gradients are stored in f32, losses in f64.
"""

import json, pathlib

import torch, torch.nn as nn, torch.nn.functional as F

from spec import CLIP, CTX, ENTROPY, RATE, STAGES, V, VALUE, WORKLOADS

B, T, H = WORKLOADS["W1"]


def weights():
    """Draws the initial values of PyTorch's layers, rounded to f32: embeddings from N(0, 1), the others from U(−1/√H, 1/√H)."""
    normal = lambda *shape: torch.randn(shape, dtype=torch.float32).double()
    uniform = lambda *shape: ((2 * torch.rand(shape, dtype=torch.float32) - 1) / H**0.5).double()
    return {
        "emb": normal(V, H), "stage_emb": normal(STAGES, H),
        "w_ih": uniform(3 * H, H), "w_hh": uniform(3 * H, H), "b_ih": uniform(3 * H), "b_hh": uniform(3 * H),
        "pi_w": uniform(V, H), "pi_b": uniform(V), "v_w": uniform(1, H), "v_b": uniform(1),
    }


def right_actions(contexts):
    return torch.stack([(contexts[:, t % 3] + t) % V for t in range(T)], 1)


def episodes():
    """Draws contexts [B,4], and actions [B,T] of which about half are right."""
    contexts = torch.cat([torch.randint(0, 10, (B, 3)), torch.full((B, 1), CTX)], 1)
    return contexts, torch.where(torch.rand(B, T) < 0.5, right_actions(contexts), torch.randint(0, V, (B, T)))


def loss(p, contexts, actions):
    rnn = nn.GRUCell(H, H, dtype=torch.float64)
    cell = lambda x, h: torch.func.functional_call(rnn, {"weight_ih": p["w_ih"], "weight_hh": p["w_hh"], "bias_ih": p["b_ih"], "bias_hh": p["b_hh"]}, (x, h))
    rewards = (actions == right_actions(contexts)).double() / T
    h, token = torch.tanh(p["emb"][contexts].mean(1) + p["stage_emb"][0]), torch.full((B,), CTX)
    out = torch.zeros((), dtype=torch.float64)
    for t in range(T):
        h = cell(p["emb"][token], h)
        token = actions[:, t]
        log_probs = F.log_softmax(h @ p["pi_w"].T + p["pi_b"], 1)
        value, target = (h @ p["v_w"].T + p["v_b"])[:, 0], rewards[:, t:].sum(1)
        advantage = (target - value).detach()
        entropy = -(log_probs.exp() * log_probs).sum()
        out = out - (advantage * log_probs[range(B), token]).sum() / B
        out = out + VALUE * ((value - target) ** 2).sum() / (B * T) - ENTROPY * entropy / (B * T)
    return out


def write(path, tensors):
    """A safetensors file is a length, JSON and numbers."""
    names = {torch.float32: "F32", torch.float64: "F64", torch.int32: "I32"}
    head, data = {}, b""
    for name, x in tensors.items():
        raw = x.contiguous().numpy().tobytes()
        head[name] = {"dtype": names[x.dtype], "shape": list(x.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def main():
    torch.manual_seed(0)
    initial, (contexts, actions) = weights(), episodes()
    p = {name: x.clone().requires_grad_() for name, x in initial.items()}
    optimizer, losses, gradients = torch.optim.Adam(p.values(), lr=RATE), [], None
    for _ in range(10):
        optimizer.zero_grad()
        value = loss(p, contexts, actions)
        value.backward()
        gradients = gradients or {f"g.{name}": x.grad.clone().float() for name, x in p.items()}
        nn.utils.clip_grad_norm_(p.values(), CLIP)
        optimizer.step()
        losses.append(value.item())
    losses = torch.tensor(losses, dtype=torch.float64)
    write(pathlib.Path(__file__).parent.parent / "golden/w1.safetensors", {
        **{name: x.float() for name, x in initial.items()}, "ctx": contexts.int(), "actions": actions.int(),
        "loss": losses[:1], "loss_traj": losses, **gradients,
    })
    print(losses.tolist())


main()
