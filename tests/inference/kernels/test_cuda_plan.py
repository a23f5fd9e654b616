import pytest
import torch

from inference.kernels.cuda_plan import expert_blocks, key_parts, split_count


@pytest.mark.parametrize(
    ("programs", "context", "expected"),
    [(1, 100, 1), (1, 8192, 32), (4, 8192, 32), (64, 8192, 5), (4096, 8192, 1), (8, 300, 3)],
)
def test_contexts_are_split_until_the_device_is_full(
    programs: int, context: int, expected: int
) -> None:
    assert split_count(programs, context, processors=132) == expected


@pytest.mark.parametrize(
    ("width", "parts"), [(64, (64, 0)), (128, (128, 0)), (576, (512, 64)), (80, (64, 16))]
)
def test_a_key_is_cut_at_a_power_of_two(width: int, parts: tuple[int, int]) -> None:
    assert key_parts(width) == parts


@pytest.mark.parametrize(("tokens", "rows"), [(1, 16), (7, 4), (40, 4), (40, 16)])
def test_blocks_hold_every_pair_once_and_one_expert_each(tokens: int, rows: int) -> None:
    generator = torch.Generator().manual_seed(tokens)
    chosen = torch.stack([torch.randperm(8, generator=generator)[:3] for _ in range(tokens)])
    blocks = expert_blocks(chosen, 8, rows)
    seen = []
    for expert, first, end in zip(
        blocks.experts.tolist(), blocks.first.tolist(), blocks.end.tolist(), strict=True
    ):
        pairs = blocks.order[first:end].tolist() if first < end else []
        assert len(pairs) <= rows
        assert all(chosen.flatten()[pair] == expert for pair in pairs)
        seen += pairs
    assert sorted(seen) == list(range(tokens * 3))


def test_the_number_of_blocks_depends_on_shapes_alone() -> None:
    spread = torch.arange(24).view(8, 3) % 8
    crowded = torch.zeros(8, 3, dtype=torch.int64)
    sizes = {len(expert_blocks(chosen, 8, 4).experts) for chosen in (spread, crowded)}
    assert len(sizes) == 1
