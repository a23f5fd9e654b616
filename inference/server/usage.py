"""What one request used. Answers, receipts and counters all read this and nothing else."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens in four disjoint buckets: `in_hit` were served from a cache, `in_miss` computed;
    `reasoning` were sampled inside thoughts, `out` outside of them."""

    in_hit: int = 0
    in_miss: int = 0
    out: int = 0
    reasoning: int = 0

    def for_embeddings(self) -> dict[str, int]:
        """The `usage` object of an OpenAI embeddings answer."""
        prompt = self.in_hit + self.in_miss
        return {"prompt_tokens": prompt, "total_tokens": prompt + self.out}

    def for_chat(self) -> dict[str, object]:
        """The `usage` object of a generated answer, with DeepSeek's names for hit and miss."""
        prompt, completion = self.in_hit + self.in_miss, self.out + self.reasoning
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": self.in_hit},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
            "prompt_cache_hit_tokens": self.in_hit,
            "prompt_cache_miss_tokens": self.in_miss,
        }


def usage_build(*, computed: int, cached: int = 0, sampled: int = 0, thought: int = 0) -> Usage:
    """The one place where counted work becomes usage; `thought` is the part of `sampled`
    spent on reasoning."""
    assert thought <= sampled, "reasoning tokens are sampled tokens"  # noqa: S101 - invariant
    return Usage(in_hit=cached, in_miss=computed, out=sampled - thought, reasoning=thought)
