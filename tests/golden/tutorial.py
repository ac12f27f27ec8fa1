"""The tutorial's environment, agent and update, including its errors. It computes the files `a2c_*` and `tutorial_*`.

The tutorial is 'How to Build a Model-Native Agent That Learns Internal Planning, Memory, and Multi-Tool Reasoning
Through End-to-End Reinforcement Learning' (MarkTechPost).
This is a reimplementation from a description of its behaviour.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.nn import functional as F

CTX, MUL, ADD, SUB, ANS, STO, RCL, EOS = range(10, 18)
TOKENS = 18
TOOLS = [MUL, ADD, SUB, ANS, STO, RCL]
OPERANDS_SHOWN = [3, 4, 5]  # the number of operands in the context by stage; CTX follows them
STEP_LIMIT = 7
EMITTED = 6
CURRICULUM = [0] * 30 + [1] * 20 + [2] * 10  # the stage of each update


def episode(stage: int, operands: list[int], actions: list[int]) -> tuple[float, int]:
    """Returns the reward and the number of steps of one sequence of tokens."""
    a, b, c, d, e = operands
    last, mem = None, None
    for step, token in enumerate(actions[:STEP_LIMIT], start=1):
        if token == ANS:
            return reward(stage, operands, last), step
        if token == MUL:
            last = a * b if last is None else last * (d if stage else 1)
        elif token == ADD and last is not None:
            last += c
        elif token == SUB and last is not None:
            last -= 0 if stage == 0 else e if stage == 2 and mem else d
        elif token == STO:
            mem = True  # a flag: no value is stored
        elif token == RCL and mem:
            last = d * e if stage == 2 else last or 0
    return 0.0, min(len(actions), STEP_LIMIT)


def reward(stage: int, operands: list[int], last: int | None) -> float:
    """Computes the reward of an answer: 1 if the environment accepts it as correct, plus 0.2 times a shaped part."""
    a, b, c, d, e = operands
    g0, g1, g2, g3 = a * b, a * b + c, a * b + c - d, d * e
    g4 = g1 - g3
    correct = [g0, g1, g2][stage]  # the printed targets are g1, g2, g4
    shares = [
        [(0.25, g0), (0.5, g1)],
        [(0.25, g0), (0.5, g1), (0.75, g2)],
        [(0.2, g0), (0.4, g1), (0.6, g4), (0.6, g3)],
    ]
    shaped = sum(share for share, goal in shares[stage] if last == goal)
    return (last == correct) + 0.2 * shaped


def rewards(stage: int, operands: Tensor, actions: Tensor) -> Tensor:
    """Computes the rewards of a batch: `operands` [B,5], `actions` [B,T] → [B]."""
    rows = zip(operands.tolist(), actions.tolist(), strict=True)
    return torch.tensor([episode(stage, *row)[0] for row in rows])


def context(stage: int, operands: Tensor) -> Tensor:
    """Returns the tokens of the context for operands [B,5], [B, 4..6]."""
    shown = operands[:, : OPERANDS_SHOWN[stage]]
    return F.pad(shown, (0, 1), value=CTX)


class Agent(nn.Module):
    """One GRU cell with a policy head and a value head, with PyTorch's default initialisation."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.emb = nn.Embedding(TOKENS, d)
        self.stage_emb = nn.Embedding(3, d)
        self.rnn = nn.GRUCell(d, d)
        self.pi = nn.Linear(d, TOKENS)
        self.v = nn.Linear(d, 1)

    def start(self, stage: int, ctx: Tensor, per_example: bool = False) -> Tensor:
        """Computes h0 [B,d]. Without `per_example`, every row is the mean over the batch: the tutorial's mistake."""
        mean = self.emb(ctx).mean(1)
        if not per_example:
            mean = mean.mean(0).expand_as(mean)
        return torch.tanh(mean + self.stage_emb.weight[stage])

    def rollout(self, h: Tensor, choose: Callable[[int, Categorical], Tensor]) -> dict[str, Tensor]:
        """Emits tokens from state `h` and feeds each back. `choose(t, policy)` returns the [B] tokens of step t."""
        token = torch.full((len(h),), CTX)
        steps = []
        for t in range(EMITTED):
            h = self.rnn(self.emb(token), h)
            policy = Categorical(logits=self.pi(h))
            token = choose(t, policy)
            p = policy.probs
            entropy = -(p * torch.log(p + 1e-9)).sum(-1)
            steps.append((token, policy.log_prob(token), entropy, self.v(h).squeeze(-1)))
        names = ["actions", "logps", "entropies", "values"]
        return {name: torch.stack(column, 1) for name, column in zip(names, zip(*steps, strict=True), strict=True)}


def losses(out: dict[str, Tensor], reward: Tensor) -> dict[str, Tensor]:
    """Computes the A2C loss and its terms. The baseline is the sum of all six values, as in the tutorial."""
    value = out["values"].sum(1)
    advantage = (reward - value).detach()
    pg = -(out["logps"].sum(1) * advantage).mean()
    vloss = F.mse_loss(value, reward)
    return {"pg": pg, "vloss": vloss, "loss": pg + 0.5 * vloss - 0.01 * out["entropies"].mean()}


def adam(agent: Agent) -> torch.optim.Adam:
    """The tutorial's optimiser."""
    return torch.optim.Adam(agent.parameters(), lr=3e-4)


def descend(agent: Agent, optimiser: torch.optim.Adam, loss: Tensor) -> Tensor:
    """Performs backward, clipping at global norm 1, and a step. Returns the norm; clipped gradients stay in `grad`."""
    optimiser.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(agent.parameters(), 1.0)
    optimiser.step()
    return norm


def update(agent: Agent, optimiser: torch.optim.Adam, stage: int, batch: int = 192) -> None:
    """Performs one update on a newly drawn batch with sampled actions."""
    operands = torch.randint(10, (batch, 5))
    h0 = agent.start(stage, context(stage, operands))
    out = agent.rollout(h0, lambda _, policy: policy.sample())
    reward = rewards(stage, operands, out["actions"])
    descend(agent, optimiser, losses(out, reward)["loss"])


@torch.no_grad()
def greedy_mean_reward(agent: Agent, stage: int, batch: int = 1000) -> float:
    """Returns the number that the tutorial prints as accuracy."""
    operands = torch.randint(10, (batch, 5))
    h0 = agent.start(stage, context(stage, operands))
    out = agent.rollout(h0, lambda _, policy: policy.logits.argmax(-1))
    return rewards(stage, operands, out["actions"]).mean().item()


def train(seed: int) -> list[float]:
    """Performs a complete run, 60 updates at d=96. Returns the final greedy mean reward in each stage."""
    torch.manual_seed(seed)
    agent = Agent(96)
    optimiser = adam(agent)
    for stage in CURRICULUM:
        update(agent, optimiser, stage)
    return [greedy_mean_reward(agent, stage) for stage in range(3)]
