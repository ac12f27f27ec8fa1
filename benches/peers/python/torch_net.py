"""The network in PyTorch: as written, and with the GRU's input part as a table."""

import torch, torch.nn as nn, torch.nn.functional as F

from spec import CTX, ENTROPY, STAGES, V, VALUE

# The golden file's names and PyTorch's.
NAMES = {
    "emb": "emb.weight", "stage_emb": "stage_emb.weight", "w_ih": "rnn.weight_ih", "w_hh": "rnn.weight_hh",
    "b_ih": "rnn.bias_ih", "b_hh": "rnn.bias_hh", "pi_w": "pi.weight", "pi_b": "pi.bias", "v_w": "v.weight", "v_b": "v.bias",
}


class ActorCritic(nn.Module):
    def __init__(self, hidden_size, sampler):
        super().__init__()
        self.emb, self.stage_emb = nn.Embedding(V, hidden_size), nn.Embedding(STAGES, hidden_size)
        self.rnn, self.pi, self.v = nn.GRUCell(hidden_size, hidden_size), nn.Linear(hidden_size, V), nn.Linear(hidden_size, 1)
        self.sampler = sampler

    def inputs(self):
        """The input of a step for each token: here its embedding."""
        return self.emb.weight

    def cell(self, x, h_prev):
        return self.rnn(x, h_prev)

    def start(self, inputs, contexts, stage):
        h = torch.tanh(self.emb(contexts).mean(1) + self.stage_emb(stage))
        return h, F.embedding(torch.full((contexts.shape[0],), CTX, device=contexts.device), inputs)

    def rollout(self, contexts, stage, steps, forced=None):
        inputs = self.inputs()
        h, x = self.start(inputs, contexts, stage)
        actions, log_probs, entropies, states = [], [], [], []
        for t in range(steps):
            h = self.cell(x, h)
            lsm = F.log_softmax(self.pi(h), -1)
            p = lsm.exp()
            a = self.sampler(lsm.detach(), p.detach()) if forced is None else forced[:, t]
            x = F.embedding(a, inputs)
            actions.append(a)
            states.append(h)
            log_probs.append(lsm.gather(1, a.unsqueeze(1)).squeeze(1))
            entropies.append(-(p * lsm).sum(1))
        values = self.v(torch.stack(states, 1)).squeeze(-1)  # one product for the values of all steps
        return torch.stack(actions, 1), torch.stack(log_probs, 1), torch.stack(entropies, 1), values

    def greedy(self, inputs, contexts, stage, steps):
        h, x = self.start(inputs, contexts, stage)
        actions = []
        for _ in range(steps):
            h = self.cell(x, h)
            a = self.pi(h).argmax(-1)
            x = F.embedding(a, inputs)
            actions.append(a)
        return torch.stack(actions, 1)


class WithTable(ActorCritic):
    def inputs(self):
        """gx = x·W_ihᵀ + b_ih of each of the 18 tokens, [V,3H]: one product per update."""
        return F.linear(self.emb.weight, self.rnn.weight_ih, self.rnn.bias_ih)

    def cell(self, gx, h_prev):
        # GRUCell does not accept a precomputed input part, so the gates are composed.
        gh = F.linear(h_prev, self.rnn.weight_hh, self.rnn.bias_hh)
        return gates(gx, gh, h_prev)


def gates(gx, gh, h_prev):
    (gx_r, gx_z, gx_n), (gh_r, gh_z, gh_n) = gx.chunk(3, 1), gh.chunk(3, 1)
    r, z = torch.sigmoid(gx_r + gh_r), torch.sigmoid(gx_z + gh_z)
    return torch.lerp(torch.tanh(gx_n + r * gh_n), h_prev, z)


def multinomial(_, p):
    return torch.multinomial(p, 1).squeeze(1)


def exponential(lsm, _):
    """Samples by a race of exponential clocks: the same distribution, and the compiler can fuse it."""
    return (lsm - torch.log(torch.empty_like(lsm).exponential_())).argmax(-1)


def returns(contexts, actions, dtype):
    """Computes G of each step, [B,T]: the sum of the rewards from that step on."""
    t = torch.arange(actions.shape[1], device=actions.device)
    rewards = (actions == (contexts[:, t % 3] + t) % V).to(dtype) / len(t)
    return rewards.flip(1).cumsum(1).flip(1)


def loss(net, contexts, stage, steps, forced=None):
    actions, log_probs, entropies, values = net.rollout(contexts, stage, steps, forced)
    targets = returns(contexts, actions, values.dtype)
    policy = -(log_probs * (targets - values).detach()).sum(1).mean()
    return policy + VALUE * F.mse_loss(values, targets) - ENTROPY * entropies.mean(), targets[:, 0].mean()
