"""What one request used. Answers, receipts and counters all read this and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by how they were made; `in_hit` were served from a cache, `in_miss` computed."""

    in_hit: int = 0
    in_miss: int = 0
    out: int = 0
    reasoning: int = 0

    def for_embeddings(self) -> dict[str, int]:
        """The `usage` object of an OpenAI embeddings answer."""
        prompt = self.in_hit + self.in_miss
        return {"prompt_tokens": prompt, "total_tokens": prompt + self.out}


def usage_build(*, computed: int, cached: int = 0, sampled: int = 0, thought: int = 0) -> Usage:
    """The one place where counted work becomes usage; `thought` is the part of `sampled`
    spent on reasoning."""
    assert thought <= sampled, "reasoning tokens are sampled tokens"  # noqa: S101 - invariant
    return Usage(in_hit=cached, in_miss=computed, out=sampled, reasoning=thought)
