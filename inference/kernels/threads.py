"""How many threads a step is fastest with, found by trying.

Two threads on two shared cores can be ten times slower than one: a step has hundreds of places
where each waits for the other, and a neighbour's work stretches every one of them.
"""

import time
from collections.abc import Callable

import torch

TRIES = 5
# More threads take cores from HTTP and tokenizing, so they must earn it.
MIN_GAIN = 1.1


def threads_choose(
    step: Callable[[], object], most: int, clock: Callable[[], float] = time.perf_counter
) -> int:
    """Set torch to the fastest of 1, 2, 4 .. most threads for a decode step, and return it."""
    chosen, shortest = 1, _middle_time(step, 1, clock)
    count = 2
    while count <= most:
        taken = _middle_time(step, count, clock)
        if taken * MIN_GAIN < shortest:
            chosen, shortest = count, taken
        count = most if count < most < 2 * count else 2 * count
    torch.set_num_threads(chosen)
    return chosen


def _middle_time(step: Callable[[], object], threads: int, clock: Callable[[], float]) -> float:
    """The median: the best would hide exactly the stalls that matter."""
    torch.set_num_threads(threads)
    step()
    times = []
    for _ in range(TRIES):
        started = clock()
        step()
        times.append(clock() - started)
    return sorted(times)[TRIES // 2]
