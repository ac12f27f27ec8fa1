"""Measures cuBLAS matrix products on a GPU through PyTorch, in flop/s: in f32, and with tf32 inputs."""

import argparse, json, statistics, time

import torch


def seconds(once):
    """Returns the seconds per run: the median of five rounds of about 0.2 s each."""

    def round_of(times):
        start = time.perf_counter()
        for _ in range(times):
            once()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    round_of(1)
    times = min(int(0.2 / round_of(1)) + 1, 1 << 16)
    return statistics.median(round_of(times) for _ in range(5)) / times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", required=True, help="MxKxN,…")
    for size in parser.parse_args().sizes.split(","):
        m, k, n = (int(extent) for extent in size.split("x"))
        a, b, y = (torch.rand(*shape, device="cuda") * 2 - 1 for shape in [(m, k), (k, n), (m, n)])
        rates = {}
        for name, allowed in [("f32", False), ("tf32", True)]:
            torch.backends.cuda.matmul.allow_tf32 = allowed
            rates[name] = 2 * m * k * n / seconds(lambda: torch.mm(a, b, out=y))
        print(json.dumps({"size": size, **rates}), flush=True)


main()
