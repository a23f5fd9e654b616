"""Which decode steps are captured, under what size, and what their padding does."""

from types import SimpleNamespace

import pytest
from torch import Tensor

from inference.bench.batches import SequenceChunk, batch_pack
from inference.kernels.graphs import LEAST_CONTEXT, SIZES, GraphedModel, graph_size
from inference.model.batch import StepBatch


@pytest.mark.parametrize(
    ("lengths", "size"),
    [
        ([(1, 5)], (1, LEAST_CONTEXT)),
        ([(1, LEAST_CONTEXT)] * 3, (4, LEAST_CONTEXT)),
        ([(1, 9), (1, LEAST_CONTEXT + 1)], (2, 2 * LEAST_CONTEXT)),
        ([(1, 4097)] * 17, (32, 8192)),
        ([(1, 9)] * 256, (256, LEAST_CONTEXT)),
        ([(1, 9)] * 257, None),
        ([(1, 9), (2, 9)], None),
    ],
)
def test_a_step_is_padded_to_the_next_size(lengths, size) -> None:
    assert graph_size(tuple(lengths), len(lengths)) == size


def test_a_step_whose_rows_do_not_all_sample_is_none() -> None:
    # The last token of a prompt that came alone: its logits are not wanted before.
    assert graph_size(((1, 9), (1, 9)), 1) is None


def test_a_large_step_is_padded_by_less_than_sixteen_rows() -> None:
    for count in range(9, 257):
        (size, _) = graph_size(((1, 9),) * count, count)
        assert count <= size < count + 16
    assert SIZES[-1] == 256


class Seen:
    """A model that keeps what it was given."""

    def __init__(self) -> None:
        self.last: StepBatch | None = None

    def forward(self, batch: StepBatch, cache: object) -> Tensor:
        self.last = batch
        return batch.token_ids[:, None].float()


def test_rows_of_a_larger_step_do_not_stay_behind() -> None:
    """A row left over would write into a block that someone else has by now."""
    model, cache = Seen(), SimpleNamespace(num_blocks=11)

    def capture(step):
        kept = step()
        return lambda: kept.copy_(step()), kept

    graphed = GraphedModel(model, block_size=4, capture=capture)

    def run(count: int) -> list[int]:
        chunks = [SequenceChunk([7 + n], 5, [2 * n, 2 * n + 1]) for n in range(count)]
        return graphed.forward(batch_pack(chunks, 4), cache)[:, 0].tolist()

    for count in (4, 4, 3, 3):
        assert run(count) == [7, 8, 9, 10][:count]
    given = model.last
    assert (given.token_ids[3], given.positions[3], given.context_lens[3]) == (0, 0, 1)
    assert given.slots.tolist() == [1 * 4 + 1, 3 * 4 + 1, 5 * 4 + 1, 10 * 4]
    assert given.block_tables[3, 0] == 10
    assert given.block_tables[:3, :2].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert list(graphed.graphs) == [(4, LEAST_CONTEXT)]
