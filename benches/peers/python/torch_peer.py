"""PyTorch, eager or compiled; see ../README.md."""

import torch, torch._dynamo

import harness, torch_net
from spec import CLIP, CTX, RATE, WORKLOADS


def contexts(batch):
    out = torch.randint(0, 10, (batch, 4))
    out[:, 3] = CTX
    return out


def updater(net, batch, steps, loss):
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    stage, params = torch.zeros(batch, dtype=torch.long), list(net.parameters())

    def update(given=None, forced=None):
        optimizer.zero_grad(set_to_none=True)
        value, reward = loss(net, contexts(batch) if given is None else given, stage, steps, forced)
        value.backward()
        torch.nn.utils.clip_grad_norm_(params, CLIP)
        optimizer.step()
        return value.item(), reward.item()

    return update


def player(net, steps, compiled):
    net.requires_grad_(False)
    given, stage = contexts(1), torch.zeros(1, dtype=torch.long)
    with torch.inference_mode():
        inputs = net.inputs().clone()
    greedy = lambda inputs, given: net.greedy(inputs, given, stage, steps)
    greedy = torch.compile(greedy, dynamic=False) if compiled else greedy

    def episode():
        with torch.inference_mode():
            return greedy(inputs, given).tolist()

    return episode


def verify(name, path, make, loss):
    want = harness.golden(path)
    batch, steps, width = WORKLOADS["W1"]
    net = make(width)
    params = dict(net.named_parameters())
    for key, ours in torch_net.NAMES.items():
        params[ours].data.copy_(torch.from_numpy(want[key]))
    given, forced = torch.from_numpy(want["ctx"]).long(), torch.from_numpy(want["actions"]).long()
    value, _ = loss(net, given, torch.zeros(batch, dtype=torch.long), steps, forced)
    value.backward()
    gradients = {key: params[ours].grad.numpy().copy() for key, ours in torch_net.NAMES.items()}
    update = updater(net, batch, steps, loss)
    harness.verify(name, want, value.item(), gradients, [update(given, forced)[0] for _ in range(10)])


def main():
    args = harness.arguments(("--mode", {"choices": ["eager", "compile"], "default": "eager"}))
    compiled = args.mode == "compile"
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    torch._dynamo.config.cache_size_limit = 64
    loss = torch.compile(torch_net.loss, dynamic=False) if compiled else torch_net.loss
    sampler = torch_net.exponential if compiled else torch_net.multinomial
    kind = torch_net.WithTable if args.table else torch_net.ActorCritic
    make = lambda width: kind(width, sampler)
    name = f"torch-{args.mode}" + "-table" * args.table

    if args.golden:
        return verify(name, args.golden, make, loss)
    train = lambda batch, steps, width: updater(make(width), batch, steps, loss)
    if args.learn:
        update = train(*WORKLOADS["W1"])
        return harness.learn(name, args.learn, lambda: update()[1])
    for workload in args.workloads.split(","):
        batch, steps, width = WORKLOADS[workload]
        once = lambda: player(make(width), steps, compiled) if batch == 1 else train(batch, steps, width)
        harness.clock(name, workload, args.threads, once)


main()
