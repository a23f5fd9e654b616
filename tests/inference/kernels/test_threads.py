from collections.abc import Iterator

import pytest
import torch

from inference.kernels.threads import threads_choose


@pytest.fixture(autouse=True)
def threads_restored() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("costs", "most", "expected"),
    [
        ({1: 10.0, 2: 6.0}, 2, 2),
        ({1: 10.0, 2: 40.0}, 2, 1),
        ({1: 10.0, 2: 9.9}, 2, 1),
        ({1: 10.0, 2: 6.0, 4: 4.0, 6: 3.0}, 6, 6),
        ({1: 10.0}, 1, 1),
    ],
)
def test_the_fastest_count_is_taken_when_it_pays(
    costs: dict[int, float], most: int, expected: int
) -> None:
    now = 0.0

    def step() -> None:
        nonlocal now
        now += costs[torch.get_num_threads()]

    assert threads_choose(step, most, clock=lambda: now) == expected
    assert torch.get_num_threads() == expected
