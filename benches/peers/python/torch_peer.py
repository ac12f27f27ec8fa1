"""The PyTorch peer: eager or compiled; on a GPU also as one CUDA graph. See ../README.md."""

import torch, torch._dynamo

import harness, torch_net
from spec import CLIP, CTX, RATE, WORKLOADS, sizes


def contexts(batch, device):
    out = torch.randint(0, 10, (batch, 4), device=device)
    out[:, 3] = CTX
    return out


def launcher(net, batch, steps, loss, **options):
    """Returns an update that does not read loss and reward back."""
    params = list(net.parameters())
    device = params[0].device
    optimizer = torch.optim.Adam(params, lr=RATE, fused=True, **options)
    stage = torch.zeros(batch, dtype=torch.long, device=device)

    def update(given=None, forced=None):
        optimizer.zero_grad(set_to_none=True)
        value, reward = loss(net, contexts(batch, device) if given is None else given, stage, steps, forced)
        value.backward()
        torch.nn.utils.clip_grad_norm_(params, CLIP)
        optimizer.step()
        return value.detach(), reward

    return update


def updater(net, batch, steps, loss):
    update = launcher(net, batch, steps, loss)
    return lambda given=None, forced=None: tuple(x.item() for x in update(given, forced))


def graphed(net, batch, steps, loss):
    """Returns a complete update, sampling included, as one CUDA graph. Its results are not read back."""
    update, side = launcher(net, batch, steps, loss, capturable=True), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            update()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        last = update()
    return lambda: (graph.replay(), last)[1]


def player(net, steps, compiled):
    net.requires_grad_(False)
    device = next(net.parameters()).device
    given, stage = contexts(1, device), torch.zeros(1, dtype=torch.long, device=device)
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
    batch, steps, hidden_size = WORKLOADS["W1"]
    net = make(hidden_size)
    params = dict(net.named_parameters())
    for key, ours in torch_net.NAMES.items():
        params[ours].data.copy_(torch.from_numpy(want[key]))
    device = params["emb.weight"].device
    given, forced = (torch.from_numpy(want[name]).long().to(device) for name in ("ctx", "actions"))
    value, _ = loss(net, given, torch.zeros(batch, dtype=torch.long, device=device), steps, forced)
    value.backward()
    gradients = {key: params[ours].grad.cpu().numpy().copy() for key, ours in torch_net.NAMES.items()}
    update = updater(net, batch, steps, loss)
    harness.verify(name, want, value.item(), gradients, [update(given, forced)[0] for _ in range(10)])


def main():
    args = harness.arguments(
        ("--mode", {"choices": ["eager", "compile"], "default": "eager"}),
        ("--device", {"default": "cpu", "help": "cpu or cuda"}),
        ("--graph", {"action": "store_true", "help": "replay one CUDA graph per update"}),
    )
    compiled = args.mode == "compile"
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    torch._dynamo.config.cache_size_limit = 64
    loss = torch.compile(torch_net.loss, dynamic=False) if compiled else torch_net.loss
    sampler = torch_net.exponential if compiled or args.graph else torch_net.multinomial
    kind = torch_net.WithTable if args.table else torch_net.ActorCritic
    make = lambda hidden_size: kind(hidden_size, sampler).to(args.device)
    on_a_gpu = args.device != "cpu"
    way = "graph" if args.graph else args.mode
    name = f"torch-{way}" + "-table" * args.table + f"-{args.device}" * on_a_gpu

    if args.golden:
        return verify(name, args.golden, make, loss)
    if args.learn:
        update = updater(make(WORKLOADS["W1"][2]), *WORKLOADS["W1"][:2], loss)
        return harness.learn(name, args.learn, lambda: update()[1])
    for workload in args.workloads.split(","):
        batch, steps, hidden_size = sizes(workload)
        train = graphed if args.graph else updater
        once = lambda: player(make(hidden_size), steps, compiled) if batch == 1 else train(make(hidden_size), batch, steps, loss)
        harness.clock(name, workload, args.threads, once, torch.cuda.synchronize if on_a_gpu else lambda: None)


main()
