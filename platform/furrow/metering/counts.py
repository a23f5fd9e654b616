"""Token counts in four disjoint buckets. `gateway.usage` makes them of whatever an engine says."""

from dataclasses import dataclass

# No model reads or writes as much in one call; above it a count is a fault of the engine, not usage.
MAX_TOKENS = 1_000_000_000


class UsageInvalid(ValueError):
    """The server's counts cannot be true; the message holds no content of the call."""


@dataclass(frozen=True, slots=True)
class Counts:
    """prompt = in_hit + in_miss, completion = out + reasoning."""

    in_hit: int = 0
    in_miss: int = 0
    out: int = 0
    reasoning: int = 0

    def __post_init__(self) -> None:
        for count in self.buckets:
            # True is an int for Python, and 12.0 would mean that something else rewrote the answer.
            if type(count) is not int or not 0 <= count <= MAX_TOKENS:
                raise UsageInvalid("a bucket is not a possible count of tokens")

    @property
    def buckets(self) -> tuple[int, int, int, int]:
        return self.in_hit, self.in_miss, self.out, self.reasoning

    @property
    def prompt(self) -> int:
        return self.in_hit + self.in_miss

    @property
    def completion(self) -> int:
        return self.out + self.reasoning

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    def as_dict(self) -> dict[str, int]:
        return dict(zip(("in_hit", "in_miss", "out", "reasoning"), self.buckets, strict=True))
