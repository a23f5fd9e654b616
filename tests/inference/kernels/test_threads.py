import os
from collections.abc import Iterator

import pytest
import torch

from inference.kernels.threads import threads_set


@pytest.fixture(autouse=True)
def threads_restored() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("costs", "wanted", "expected"),
    [
        ({1: 10.0, 2: 6.0}, None, 2),
        ({1: 10.0, 2: 40.0}, None, 1),
        # At start the machine is often busy, so one core must win clearly.
        ({1: 10.0, 2: 11.0}, None, 2),
        ({1: 10.0, 2: 6.0}, 1, 1),
    ],
)
def test_one_core_or_all_whichever_is_faster(
    costs: dict[int, float],
    wanted: int | None,
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    now = 0.0

    def step() -> None:
        nonlocal now
        now += costs[torch.get_num_threads()]

    threads_set(step, wanted, clock=lambda: now)
    assert torch.get_num_threads() == expected
