"""The sizes of the workloads, the same as in ../common/src/workload.rs."""

V, CTX, STAGES = 18, 10, 3
# (B, T, H). W5 is greedy inference. The golden file belongs to W1.
WORKLOADS = {"W1": (192, 6, 96), "W2": (4096, 8, 96), "W3": (1024, 8, 256), "W4": (512, 32, 512), "W5": (1, 7, 96)}
# Warm-up runs; the minimum of timed seconds; the minimum of timed runs.
PLAN = {"W1": (20, 2.0, 10), "W2": (2, 2.0, 3), "W3": (2, 2.0, 3), "W4": (1, 2.0, 2), "W5": (300, 0.5, 200)}
# The same for other sizes.
OTHER = (3, 2.0, 3)
RATE, CLIP, VALUE, ENTROPY = 3e-4, 1.0, 0.5, 0.01


def sizes(workload):
    """Returns (B, T, H) of a workload's name, or of "BxTxH"."""
    return WORKLOADS[workload] if workload in WORKLOADS else tuple(int(n) for n in workload.split("x"))
