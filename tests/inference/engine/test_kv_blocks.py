from array import array

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from inference.engine.kv_blocks import BlockPool, OutOfBlocks, chain_next, chain_root


def names(tokens: list[int], salt: bytes = b"", size: int = 2) -> list[bytes]:
    found, parent = [], chain_root(salt)
    for n in range(len(tokens) // size):
        parent = chain_next(parent, array("q", tokens[n * size : (n + 1) * size]))
        found.append(parent)
    return found


def test_equal_tokens_after_different_beginnings_have_different_names() -> None:
    first, second = names([1, 2, 5, 6]), names([3, 4, 5, 6])
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert names([1, 2, 5, 6]) == first


def test_a_salt_changes_every_name() -> None:
    assert not set(names([1, 2, 3, 4], b"a")) & set(names([1, 2, 3, 4], b"b"))


def test_released_blocks_are_found_again_until_they_are_needed() -> None:
    pool = BlockPool(3, 2)
    chain = names([1, 2, 3, 4])
    blocks = pool.take(2)
    for block, name in zip(blocks, chain, strict=True):
        pool.publish(block, name)
    pool.release(blocks)
    assert (pool.used, pool.cached, pool.available) == (0, 2, 3)
    assert pool.find(chain) == blocks
    pool.take(2)
    # The end of the chain went first: its start is still of use.
    assert pool.find(chain) == blocks[:1]
    assert pool.evictions == 1


def test_a_shared_block_lives_until_its_last_holder_leaves() -> None:
    pool = BlockPool(2, 2)
    blocks = pool.take(1)
    pool.publish(blocks[0], names([1, 2])[0])
    pool.hold(blocks)
    pool.release(blocks)
    assert pool.used == 1
    with pytest.raises(OutOfBlocks):
        pool.take(2)
    pool.release(blocks)
    assert (pool.used, pool.available) == (0, 2)


def test_lost_and_doubled_blocks_are_noticed() -> None:
    pool = BlockPool(4, 2)
    taken = pool.take(2)
    pool.release(taken)
    pool.check_integrity()
    pool.release(taken)
    with pytest.raises(AssertionError, match="negative holders"):
        pool.check_integrity()


class PoolMachine(RuleBasedStateMachine):
    """Sequences that come, grow, share and go; the pool must always add up."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = BlockPool(12, 2)
        self.held: list[tuple[list[int], list[bytes]]] = []

    @rule(tokens=st.lists(st.integers(0, 2), max_size=12), salt=st.sampled_from([b"a", b"b"]))
    def admit(self, tokens: list[int], salt: bytes) -> None:
        chain = names(tokens, salt)
        found = self.pool.find(chain)
        need = len(chain) - len(found)
        if need + self.pool.idle_among(found) > self.pool.available:
            return
        self.pool.hold(found)
        self.held.append(([*found, *self.pool.take(need)], chain))

    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        if self.held:
            blocks, chain = data.draw(st.sampled_from(self.held))
            for block, name in zip(blocks, chain, strict=False):
                self.pool.publish(block, name)

    @rule(data=st.data())
    def grow(self, data: st.DataObject) -> None:
        if self.held and self.pool.available:
            data.draw(st.sampled_from(self.held))[0].extend(self.pool.take(1))

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        if self.held:
            at = data.draw(st.integers(0, len(self.held) - 1))
            self.pool.release(self.held.pop(at)[0])

    @rule(count=st.integers(13, 20))
    def too_many(self, count: int) -> None:
        before = self.pool.available
        with pytest.raises(OutOfBlocks):
            self.pool.take(count)
        assert self.pool.available == before

    @invariant()
    def adds_up(self) -> None:
        self.pool.check_integrity()
        assert self.pool.used == len({block for blocks, _ in self.held for block in blocks})


@pytest.mark.parametrize("examples", [10, pytest.param(60, marks=pytest.mark.slow)])
def test_pool_keeps_its_rules_through_any_steps(examples: int) -> None:
    run_state_machine_as_test(
        PoolMachine,
        settings=settings(max_examples=examples, stateful_step_count=30, deadline=None),
    )
