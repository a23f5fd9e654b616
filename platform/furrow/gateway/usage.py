"""What one chat call used, from any server's way of saying it, in four buckets that never overlap.

Servers differ: some count cached input inside the prompt, some beside it, some say null where they do not
count, and 0 is a count. What a server did not say is taken from the text that was seen, and then the basis is
`estimated`. What contradicts itself is refused with `UsageInvalid`, never sorted into a bucket.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from furrow.metering.counts import MAX_TOKENS, Counts, UsageInvalid

Basis = Literal["reported", "estimated"]


@dataclass(frozen=True, slots=True)
class Seen:
    """Tokens estimated from the text that went out and came back."""

    prompt: int = 0
    out: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """`estimated` when any bucket rests on something the server did not say."""

    usage: Counts
    basis: Basis


@dataclass(frozen=True, slots=True)
class Reported:
    """A server's counts with None for what it did not say; `prompt` includes `cached`."""

    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    reasoning: int | None = None


Reader = Callable[[Mapping[str, Any], Seen], Reported]


def usage_count(read: Reader, message: Mapping[str, Any], seen: Seen) -> Counted:
    """The buckets of a whole answer or of the chunk that carries usage. Raises `UsageInvalid`."""
    told = read(message, seen)
    is_estimated = told.prompt is None or told.completion is None or told.cached is None
    prompt = seen.prompt if told.prompt is None else told.prompt
    completion = seen.out + seen.reasoning if told.completion is None else told.completion
    cached = told.cached or 0
    reasoning = told.reasoning
    if reasoning is None:
        reasoning = _share(completion, seen)
        is_estimated |= seen.reasoning > 0
    if cached > prompt:
        raise UsageInvalid("more tokens were cached than the prompt has")
    if reasoning > completion:
        raise UsageInvalid("more tokens were thought than written")
    usage = Counts(cached, prompt - cached, completion - reasoning, reasoning)
    return Counted(usage, "estimated" if is_estimated else "reported")


def usage_estimate(seen: Seen) -> Counted:
    """For a call whose server said nothing of use."""
    return Counted(Counts(0, seen.prompt, seen.out, seen.reasoning), "estimated")


def embedding_count(message: Any, estimate: int) -> Counted:
    """An answer of vectors has a prompt and nothing else; `estimate` is paid when the server did not count."""
    try:
        usage = _object(message if isinstance(message, Mapping) else {}, "usage")
        prompt = _count(usage, "prompt_tokens")
        cached = _count(_object(usage, "prompt_tokens_details"), "cached_tokens") or 0
        if prompt is not None and cached <= prompt:
            return Counted(Counts(cached, prompt - cached), "reported")
    except UsageInvalid:
        pass
    return Counted(Counts(in_miss=estimate), "estimated")


def _share(completion: int, seen: Seen) -> int:
    """The part of an answer that was thought, when only the text can tell."""
    total = seen.out + seen.reasoning
    return completion * seen.reasoning // total if total else 0


def read_openai(message: Mapping[str, Any], _: Seen) -> Reported:
    """OpenAI, vLLM and our own server: the prompt includes the cached part.

    vLLM leaves the details null unless it is started to give them.
    """
    usage = _object(message, "usage")
    told = Reported(
        prompt=_count(usage, "prompt_tokens"),
        cached=_count(_object(usage, "prompt_tokens_details"), "cached_tokens"),
        completion=_count(usage, "completion_tokens"),
        reasoning=_count(_object(usage, "completion_tokens_details"), "reasoning_tokens"),
    )
    _check_total(usage, told)
    return told


def read_deepseek(message: Mapping[str, Any], seen: Seen) -> Reported:
    """DeepSeek names both parts of the prompt; together they are the prompt."""
    usage = _object(message, "usage")
    told = read_openai(message, seen)
    hit = _count(usage, "prompt_cache_hit_tokens")
    miss = _count(usage, "prompt_cache_miss_tokens")
    if hit is None or miss is None:
        return told
    if told.prompt not in {None, hit + miss}:
        raise UsageInvalid("hit and miss are not the prompt")
    return Reported(hit + miss, hit, told.completion, told.reasoning)


def read_sglang(message: Mapping[str, Any], seen: Seen) -> Reported:
    """SGLang counts thoughts beside the details; versions that cannot count them say 0."""
    usage = _object(message, "usage")
    told = read_openai(message, seen)
    reasoning = told.reasoning
    if reasoning is None:
        reasoning = _count(usage, "reasoning_tokens")
        if reasoning == 0 and seen.reasoning:
            reasoning = None
    return Reported(told.prompt, told.cached, told.completion, reasoning)


def read_llamacpp(message: Mapping[str, Any], seen: Seen) -> Reported:
    """llama.cpp's server gives `timings` beside the usage, with what it read anew and what it reused."""
    told = read_openai(message, seen)
    timings = _object(message, "timings")
    reused, computed = _count(timings, "cache_n"), _count(timings, "prompt_n")
    both = None if reused is None or computed is None else reused + computed
    return Reported(
        prompt=both if told.prompt is None else told.prompt,
        cached=reused if told.cached is None else told.cached,
        completion=_count(timings, "predicted_n") if told.completion is None else told.completion,
        reasoning=told.reasoning,
    )


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside another; null and absent are the same, anything else is an error."""
    value = holder.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise UsageInvalid(f"{name} is no object")
    return value


def _count(holder: Mapping[str, Any], name: str) -> int | None:
    value = holder.get(name)
    if value is None:
        return None
    # True is an int for Python, and "12" or 12.0 would mean that something else rewrote the answer.
    if type(value) is not int or not 0 <= value <= MAX_TOKENS:
        raise UsageInvalid(f"{name} is not a possible count of tokens")
    return value


def _check_total(usage: Mapping[str, Any], told: Reported) -> None:
    total = _count(usage, "total_tokens")
    if total is None or told.prompt is None or told.completion is None:
        return
    if total != told.prompt + told.completion:
        raise UsageInvalid("the total is not the sum of its parts")


_WIDE = re.compile("[\u2e80-\U0010ffff]+")


class TextWeight:
    """Adds texts up and estimates their tokens: three in four for a wide character, one in four for others.

    Only for what a server did not count; real tokenizers differ by model.
    """

    def __init__(self) -> None:
        self._quarters = 0

    def add(self, text: str) -> None:
        wide = 0 if text.isascii() else sum(map(len, _WIDE.findall(text)))
        self._quarters += 2 * wide + len(text)

    @property
    def tokens(self) -> int:
        return -(-self._quarters // 4)
