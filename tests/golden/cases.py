"""All `.safetensors` cases: how their inputs are drawn, and how PyTorch computes their results."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

import tutorial

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Case:
    """A case: `draw()` returns the inputs and `solve(inputs)` the results, as tensors by their names in the file."""

    name: str
    what: str
    draw: Callable[[], Tensors]
    solve: Callable[[Tensors], Tensors]
    meta: dict[str, str] = field(default_factory=dict)


def under(prefix: str, tensors: Tensors) -> Tensors:
    """Adds a prefix to each name."""
    return {prefix + name: tensor.detach().clone() for name, tensor in tensors.items()}


def part(prefix: str, tensors: Tensors) -> Tensors:
    """Returns the tensors whose names begin with a prefix, without the prefix."""
    return {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}


def leaves(tensors: Tensors) -> Tensors:
    """Copies the tensors. The copies of floats require gradients."""
    return {k: t.clone().requires_grad_() if t.is_floating_point() else t for k, t in tensors.items()}


def grads(tensors: Tensors) -> Tensors:
    """Returns the gradients as `grad.*`."""
    return under("grad.", {k: t.grad for k, t in tensors.items() if t.grad is not None})


def normal(*shape: int, scale: float = 1.0) -> Callable[[], Tensor]:
    return lambda: scale * torch.randn(shape)


def near_one(*shape: int) -> Callable[[], Tensor]:
    return lambda: 0.5 + torch.rand(shape)


def below(limit: int, *shape: int) -> Callable[[], Tensor]:
    return lambda: torch.randint(limit, shape)


# One operation


def op(name: str, what: str, fn: Callable[..., Tensor], **draws: Callable[[], Tensor]) -> Case:
    """A case of y = fn(in.*) and its vector-Jacobian product with up.y."""

    def draw() -> Tensors:
        args = {k: sample() for k, sample in draws.items()}
        return {**under("in.", args), "up.y": torch.randn_like(fn(**args))}

    def solve(given: Tensors) -> Tensors:
        args = leaves(part("in.", given))
        y = fn(**args)
        y.backward(given["up.y"])
        return {"out.y": y.detach(), **grads(args)}

    return Case(name, what, draw, solve)


def entropy(x: Tensor) -> Tensor:
    log_p = F.log_softmax(x, -1)
    return -(log_p.exp() * log_p).sum(-1)


def layer_norm(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], w, b, eps=1e-5)


M, K, N = 4, 6, 5
MATRIX, ROW = normal(M, N), normal(N)

# fmt: off
OPS = [
    op("op_add_broadcast", "y = a + b, a [m,n], b [n]",
       lambda a, b: a + b, a=MATRIX, b=ROW),
    op("op_mul_broadcast", "y = a * b, a [m,n], b [m,1]",
       lambda a, b: a * b, a=MATRIX, b=normal(M, 1)),
    op("op_sub_div", "y = (a - b) / c",
       lambda a, b, c: (a - b) / c, a=MATRIX, b=ROW, c=near_one(M, N)),
    op("op_matmul", "y = a @ b, a [m,k], b [k,n]",
       lambda a, b: a @ b, a=normal(M, K), b=normal(K, N)),
    op("op_linear", "y = x @ w.T + b, w [out,in]",
       lambda x, w, b: F.linear(x, w, b), x=normal(M, K), w=normal(N, K), b=ROW),
    op("op_sigmoid", "y = sigmoid(x), with large |x|",
       lambda x: torch.sigmoid(x), x=normal(M, N, scale=20)),
    op("op_tanh", "y = tanh(x), with large |x|",
       lambda x: torch.tanh(x), x=normal(M, N, scale=10)),
    op("op_exp_log", "y = log(exp(x) + 1e-9)",
       lambda x: torch.log(torch.exp(x) + 1e-9), x=MATRIX),
    op("op_relu", "y = max(x, 0)",
       lambda x: torch.relu(x), x=MATRIX),
    op("op_softmax", "softmax over the last axis, large logits",
       lambda x: F.softmax(x, -1), x=normal(M, N, scale=80)),
    op("op_log_softmax", "log-softmax over the last axis, large logits",
       lambda x: F.log_softmax(x, -1), x=normal(M, N, scale=100)),
    op("op_logsumexp", "logsumexp over the last axis",
       lambda x: torch.logsumexp(x, -1), x=normal(M, N, scale=40)),
    op("op_entropy", "per-row entropy of softmax(x), large logits",
       entropy, x=normal(M, N, scale=15)),
    op("op_embedding", "rows of table [v,d] at idx (repeats)",
       lambda table, idx: F.embedding(idx, table), table=normal(9, N), idx=below(9, 3, 8)),
    op("op_gather", "x [m,n] gathered on axis 1 at idx [m,1]",
       lambda x, idx: x.gather(1, idx), x=MATRIX, idx=below(N, M, 1)),
    op("op_sum_mean", "sum over axis 0 plus mean over axis 0 of x [m,n]",
       lambda x: x.sum(0) + x.mean(0), x=MATRIX),
    op("op_mse", "mean squared error of x against t, both differentiated",
       lambda x, t: F.mse_loss(x, t), x=normal(M), t=normal(M)),
    op("op_cross_entropy", "mean cross entropy of logits [m,n] with class idx",
       lambda x, idx: F.cross_entropy(x, idx), x=MATRIX, idx=below(N, M)),
    op("op_layer_norm", "layer norm over the last axis, eps 1e-5",
       layer_norm, x=MATRIX, w=ROW, b=ROW),
    op("op_concat_slice", "cat([a,b],1)[:,1:-1]",
       lambda a, b: torch.cat([a, b], 1)[:, 1:-1], a=MATRIX, b=normal(M, K)),
]
# fmt: on


# The GRU, one step and through time


def gru_step(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    return torch.gru_cell(x, h, w_ih, w_hh, b_ih, b_hh)


def gru_parameters(i: int, h: int) -> dict[str, Callable[[], Tensor]]:
    shapes = {"w_ih": (3 * h, i), "w_hh": (3 * h, h), "b_ih": (3 * h,), "b_hh": (3 * h,)}
    return {name: normal(*shape, scale=0.4) for name, shape in shapes.items()}


def gru_cell(b: int, i: int, h: int) -> Case:
    what = "one GRU cell step, gates r,z,n (torch.nn.GRUCell)"
    inputs = {"x": normal(b, i), "h": normal(b, h), **gru_parameters(i, h)}
    return op(f"gru_cell_b{b}_i{i}_h{h}", what, gru_step, **inputs)


def gru_bptt(t: int, b: int, i: int, h: int) -> Case:
    """A case over time. Every hidden state receives its own upstream gradient besides the gradient through time."""

    def draw() -> Tensors:
        weights = {name: sample() for name, sample in gru_parameters(i, h).items()}
        inputs = {"x": torch.randn(t, b, i), "h0": torch.randn(b, h)}
        return {**under("in.", inputs), **under("param.", weights), "up.hs": torch.randn(t, b, h)}

    def solve(given: Tensors) -> Tensors:
        inputs, weights = leaves(part("in.", given)), leaves(part("param.", given))
        steps = [inputs["h0"]]
        for x in inputs["x"]:
            steps.append(gru_step(x, steps[-1], **weights))
            steps[-1].retain_grad()
        hs = torch.stack(steps[1:])
        loss = (given["up.hs"] * hs).sum()
        loss.backward()
        dh = torch.stack([step.grad for step in steps[1:]])
        return {**under("out.", {"hs": hs, "loss": loss}), "grad.h_steps": dh, **grads({**inputs, **weights})}

    what = "loss = sum_t <up_t, h_t>; grad.h_steps[t] is dL/dh_t (total, through time)"
    return Case(f"gru_bptt_t{t}_b{b}_i{i}_h{h}", what, draw, solve)


# The tutorial's update

B, D = 5, 12
CHAIN_STAGES = [0, 0, 1, 2] * 5


def agent_with(parameters: Tensors) -> tutorial.Agent:
    agent = tutorial.Agent(D)
    agent.load_state_dict(parameters)
    return agent


def draw_batch(stage: int) -> Tensors:
    """Draws operands and actions, and computes rewards.

    Actions are tools, CTX and EOS. The fourth is ANS, so that some episodes earn something.
    """
    operands = torch.randint(10, (B, 5))
    actions = torch.randint(tutorial.CTX, tutorial.TOKENS, (B, tutorial.EMITTED))
    actions[:, 3] = tutorial.ANS
    actions[0, :4] = torch.tensor([tutorial.MUL, tutorial.ADD, tutorial.SUB, tutorial.ANS])
    reward = tutorial.rewards(stage, operands, actions)
    ctx = tutorial.context(stage, operands)
    return {"operands": operands, "ctx": ctx, "actions": actions, "rewards": reward}


def given_actions(agent: tutorial.Agent, h0: Tensor, actions: Tensor) -> Tensors:
    out = agent.rollout(h0, lambda t, _: actions[:, t])
    return {name: out[name] for name in ["logps", "entropies", "values"]}


def a2c_update(start: str, per_example: bool, stage: int = 2) -> Case:
    def draw() -> Tensors:
        parameters = tutorial.Agent(D).state_dict()
        return {**under("in.", draw_batch(stage)), **under("param.", parameters)}

    def solve(given: Tensors) -> Tensors:
        agent = agent_with(part("param.", given))
        h0 = agent.start(stage, given["in.ctx"], per_example)
        steps = given_actions(agent, h0, given["in.actions"])
        parts = tutorial.losses(steps, given["in.rewards"])
        names, parameters = zip(*agent.named_parameters(), strict=True)
        raw = torch.autograd.grad(parts["loss"], parameters, retain_graph=True)
        norm = tutorial.descend(agent, tutorial.adam(agent), parts["loss"])
        return {
            **under("out.", {"h0": h0, **steps, **parts, "grad_norm": norm}),
            **under("grad.", dict(zip(names, raw, strict=True))),
            **under("clipped.", {name: p.grad for name, p in agent.named_parameters()}),
            **under("after.", agent.state_dict()),
        }

    what = "one A2C update with given actions: loss = pg + 0.5*vloss + 0.01*(-entropy), clip 1.0, Adam 3e-4 first step"
    return Case(f"a2c_update_{start}_h0", what, draw, solve, {"stage": str(stage)})


def a2c_chain() -> Case:
    def draw() -> Tensors:
        batches = [draw_batch(stage) for stage in CHAIN_STAGES]
        widest = max(tutorial.OPERANDS_SHOWN) + 1
        for batch in batches:
            batch["ctx"] = F.pad(batch["ctx"], (0, widest - batch["ctx"].shape[1]), value=-1)
        stacked = {k: torch.stack([batch[k] for batch in batches]) for k in ["ctx", "actions", "rewards"]}
        stage = torch.tensor(CHAIN_STAGES)
        return {**under("in.", {**stacked, "stage": stage}), **under("param.", tutorial.Agent(D).state_dict())}

    def solve(given: Tensors) -> Tensors:
        agent = agent_with(part("param.", given))
        optimiser = tutorial.adam(agent)
        loss, norm = [], []
        columns = [given[f"in.{k}"] for k in ["stage", "ctx", "actions", "rewards"]]
        for stage, ctx, actions, reward in zip(*columns, strict=True):
            h0 = agent.start(int(stage), ctx[:, ctx[0] >= 0])
            steps = given_actions(agent, h0, actions)
            loss.append(tutorial.losses(steps, reward)["loss"])
            norm.append(tutorial.descend(agent, optimiser, loss[-1]))
        figures = {"losses": torch.stack(loss), "grad_norms": torch.stack(norm)}
        return {**under("out.", figures), **under("after.", agent.state_dict())}

    what = "20 updates in a row with given actions and rewards; in.ctx is padded with -1 on the right"
    return Case("a2c_chain", what, draw, solve)


# Optimisers and clipping

OPTIMISERS = {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adam_wd": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.05),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.95, eps=1e-5),
}


def optim(name: str) -> Case:
    def draw() -> Tensors:
        return {"in.start": torch.randn(4), "in.grads": torch.randn(60, 4)}

    def solve(given: Tensors) -> Tensors:
        x = given["in.start"].clone().requires_grad_()
        optimiser = OPTIMISERS[name]([x])
        trajectory = []
        for grad in given["in.grads"]:
            x.grad = grad.clone()
            optimiser.step()
            trajectory.append(x.detach().clone())
        return {"out.trajectory": torch.stack(trajectory)}

    settings = " ".join(str(OPTIMISERS[name]([torch.zeros(1)])).split())
    return Case(f"optim_{name}", settings, draw, solve)


def clip(name: str, scale: float) -> Case:
    def draw() -> Tensors:
        return {"in.g0": scale * torch.randn(3, 4), "in.g1": scale * torch.randn(5)}

    def solve(given: Tensors) -> Tensors:
        parameters = leaves(part("in.", given))
        for p in parameters.values():
            p.grad = p.detach().clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        return under("out.", {**{k: p.grad for k, p in parameters.items()}, "norm": norm})

    what = "global-norm clipping at 1.0 (torch.nn.utils.clip_grad_norm_)"
    return Case(f"clip_grad_norm_{name}", what, draw, solve)


CASES = [
    *OPS,
    *(gru_cell(*sizes) for sizes in [(1, 1, 1), (3, 5, 4), (4, 8, 8), (2, 17, 33)]),
    *(gru_bptt(*sizes) for sizes in [(1, 2, 3, 4), (2, 4, 3, 5), (7, 3, 6, 8), (50, 2, 4, 10)]),
    a2c_update("batch_mean", per_example=False),
    a2c_update("per_example", per_example=True),
    a2c_chain(),
    *(optim(name) for name in OPTIMISERS),
    clip("clips", scale=3.0),
    clip("leaves", scale=0.01),
]
