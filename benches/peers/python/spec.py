"""The sizes; ../common/src/workload.rs has the same."""

V, CTX, STAGES = 18, 10, 3
# (B, T, d); W5 is greedy inference. The golden file is of W1.
WORKLOADS = {"W1": (192, 6, 96), "W2": (4096, 8, 96), "W3": (1024, 8, 256), "W4": (512, 32, 512), "W5": (1, 7, 96)}
# Runs before the clock starts; seconds and runs on the clock at least.
PLAN = {"W1": (20, 2.0, 10), "W2": (2, 2.0, 3), "W3": (2, 2.0, 3), "W4": (1, 2.0, 2), "W5": (300, 0.5, 200)}
# Of other sizes.
OTHER = (3, 2.0, 3)
RATE, CLIP, VALUE, ENTROPY = 3e-4, 1.0, 0.5, 0.01


def sizes(workload):
    """(B, T, d) of one of those, or of "BxTxd"."""
    return WORKLOADS[workload] if workload in WORKLOADS else tuple(int(n) for n in workload.split("x"))
