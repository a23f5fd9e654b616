"""Token counts in four disjoint buckets, however an engine names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from furrow.core.errors import UpstreamFailed
from furrow.metering.models.usage import BUCKETS

# Nothing a model can do in one call; a larger number is a fault of the engine, not usage.
MOST = 10**12


@dataclass(frozen=True)
class Counts:
    """prompt = in_hit + in_miss, completion = out + reasoning."""

    in_hit: int = 0
    in_miss: int = 0
    out: int = 0
    reasoning: int = 0

    def __post_init__(self) -> None:
        for bucket in BUCKETS:
            value = getattr(self, bucket)
            if type(value) is not int or not 0 <= value <= MOST:
                raise _unusable(bucket)

    @property
    def total(self) -> int:
        return self.in_hit + self.in_miss + self.out + self.reasoning

    @classmethod
    def of_receipt(cls, receipt: Mapping[str, Any]) -> Self:
        return cls(**{bucket: receipt[bucket] for bucket in BUCKETS})

    @classmethod
    def of_openai(cls, usage: Mapping[str, Any] | None) -> Self | None:
        """From a `usage` object, whose prompt includes what was cached and completion what was thought.
        None when there is none, which is not the same as one that says 0.
        """
        if usage is None or usage.get("prompt_tokens") is None:
            return None
        if not isinstance(usage.get("prompt_tokens_details") or {}, Mapping) or not isinstance(
            usage.get("completion_tokens_details") or {}, Mapping
        ):
            raise _unusable("details")
        prompt, completion = usage["prompt_tokens"], usage.get("completion_tokens") or 0
        hit = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
        thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
        if not all(type(n) is int for n in (prompt, completion, hit, thought)):
            raise _unusable("type")
        return cls(hit, prompt - hit, completion - thought, thought)

    @classmethod
    def of_anthropic(cls, usage: Mapping[str, Any] | None) -> Self | None:
        """From a `usage` object whose `input_tokens` exclude what was read from the cache."""
        if usage is None or usage.get("input_tokens") is None:
            return None
        read = usage.get("cache_read_input_tokens") or 0
        written = usage.get("cache_creation_input_tokens") or 0
        if type(usage["input_tokens"]) is not int or type(written) is not int:
            raise _unusable("type")
        return cls(read, usage["input_tokens"] + written, usage.get("output_tokens") or 0, 0)


def _unusable(where: str) -> UpstreamFailed:
    return UpstreamFailed(
        "The model server counted in a way that cannot be.",
        code="usage_unusable",
        permanent=True,
        where=where,
    )
