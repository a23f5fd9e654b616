"""How many threads a step is fastest with, found by trying.

Two threads on two shared cores can be ten times slower than one: a step has hundreds of places
where each waits for the other, and a neighbour's work stretches every one of them.
"""

import os
import time
from collections.abc import Callable

import torch

TRIES = 4
# One core must beat all cores by this much to be kept: at start the machine is often busy.
ONE_CORE_GAIN = 0.85


def threads_set(
    step: Callable[[], object],
    wanted: int | None,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Set torch to `wanted` threads, or to one or all cores, whichever runs the step faster."""
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(wanted or cores)
    step()
    if wanted is not None or cores == 1:
        return
    best_s = {1: float("inf"), cores: float("inf")}
    # Alternating, so that a neighbour's burst cannot fall on one side only.
    for _ in range(TRIES):
        for count in best_s:
            torch.set_num_threads(count)
            started = clock()
            step()
            best_s[count] = min(best_s[count], clock() - started)
    torch.set_num_threads(1 if best_s[1] < best_s[cores] * ONE_CORE_GAIN else cores)
