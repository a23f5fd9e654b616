"""Who owns which block of the key-value cache, and which full blocks can be found again.

A block is free (its content means nothing), used (a sequence holds it) or cached (nobody holds
it, its content can still be found by hash). Plain bookkeeping: no tensors.
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b


class OutOfBlocks(Exception):
    """Fewer blocks can be had than were asked for; none was taken."""


def chain_root(salt: bytes) -> bytes:
    """Where the chain of a salt starts: sequences under different salts share no block."""
    return blake2b(salt, digest_size=32).digest()


def chain_next(parent: bytes, tokens: "array[int]") -> bytes:
    """The name of a full block: equal names mean equal tokens from the start, under one salt.

    Cryptographic, because a collision would show one tenant's context to another.
    """
    return blake2b(parent + tokens.tobytes(), digest_size=32).digest()


@dataclass(slots=True)
class Block:
    """`holders` counts the sequences that read it; `name` is set once it can be found."""

    holders: int = 0
    name: bytes | None = field(default=None)


class BlockPool:
    """Hands out block numbers 0..`total`-1; free + cached + used is always `total`."""

    def __init__(self, total: int, block_size: int) -> None:
        self.total = total
        self.block_size = block_size
        self._blocks = [Block() for _ in range(total)]
        self._free = list(range(total - 1, -1, -1))
        # Cached blocks, the least recently released first.
        self._cached: OrderedDict[int, None] = OrderedDict()
        self._by_name: dict[bytes, int] = {}
        self.evictions = 0

    @property
    def available(self) -> int:
        """Blocks that `take` can hand out: the free ones, then cached ones as evictions."""
        return len(self._free) + len(self._cached)

    @property
    def cached(self) -> int:
        return len(self._cached)

    @property
    def used(self) -> int:
        return self.total - self.available

    def blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.block_size)

    def find(self, names: Iterable[bytes]) -> list[int]:
        """The blocks of the longest known prefix; they are not held yet."""
        found = []
        for name in names:
            number = self._by_name.get(name)
            if number is None:
                break
            found.append(number)
        return found

    def idle_among(self, numbers: Iterable[int]) -> int:
        """How many of these count as `available` until they are held."""
        return sum(self._blocks[number].holders == 0 for number in numbers)

    def hold(self, numbers: Iterable[int]) -> None:
        """Keep found blocks from being evicted."""
        for number in numbers:
            block = self._blocks[number]
            if block.holders == 0:
                del self._cached[number]
            block.holders += 1

    def take(self, count: int) -> list[int]:
        """Blocks for new content; raises OutOfBlocks."""
        if count > self.available:
            raise OutOfBlocks
        taken = []
        for _ in range(count):
            number = self._free.pop() if self._free else self._evict()
            self._blocks[number].holders = 1
            taken.append(number)
        return taken

    def publish(self, number: int, name: bytes) -> None:
        """Let a full, computed block be found. A second block of the same content stays
        private: the first one is already shared."""
        block = self._blocks[number]
        if block.name is None and name not in self._by_name:
            block.name = name
            self._by_name[name] = number

    def release(self, numbers: Sequence[int]) -> None:
        """Let go of a sequence's blocks, given in order: its end is evicted before its start."""
        for number in reversed(numbers):
            block = self._blocks[number]
            block.holders -= 1
            if block.holders == 0:
                if block.name is None:
                    self._free.append(number)
                else:
                    self._cached[number] = None

    def check_integrity(self) -> None:
        """Raises AssertionError when a block is lost, doubled or wrongly named."""
        free, cached = set(self._free), set(self._cached)
        used = {n for n, block in enumerate(self._blocks) if block.holders > 0}
        named = {block.name: n for n, block in enumerate(self._blocks) if block.name}
        problems = {
            "a free block is listed twice": len(free) != len(self._free),
            "a block is in two states": bool(free & cached or free & used or cached & used),
            "a block is in no state": len(free) + len(cached) + len(used) != self.total,
            "a block has negative holders": any(b.holders < 0 for b in self._blocks),
            "a free block has a name": any(self._blocks[n].name for n in free),
            "a cached block has no name": not all(self._blocks[n].name for n in cached),
            "the names disagree": named != self._by_name,
        }
        broken = [problem for problem, is_so in problems.items() if is_so]
        if broken:
            raise AssertionError(", ".join(broken))

    def _evict(self) -> int:
        number, _ = self._cached.popitem(last=False)
        block = self._blocks[number]
        assert block.name is not None  # noqa: S101 - cached blocks are named
        del self._by_name[block.name]
        block.name = None
        self.evictions += 1
        return number
