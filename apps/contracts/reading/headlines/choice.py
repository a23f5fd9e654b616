"""Which of several candidates is the fact: small weights over named features, learnt on CUAD.

A candidate's score is the sum of its features' weights, and the highest is taken. "Nothing" is a candidate
too, so that a contract that does not tell stays empty. Training is `tests/bench/contract_facts.py --train`.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

FILE = Path(__file__).parent / "files" / "choices.json"
Value = TypeVar("Value")
Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Value]):
    """`value` is None for "the contract does not tell"."""

    value: Value | None
    features: frozenset[str]


def best(kind: str, candidates: Sequence[Candidate[Value]]) -> Value | None:
    """By the shipped weights of that kind: name, made, effective, ends."""
    return chosen(choice_weights()[kind], candidates)


def chosen(weights: Weights, candidates: Sequence[Candidate[Value]]) -> Value | None:
    """The earlier of two with the same score."""
    return max(candidates, key=lambda one: score(weights, one.features)).value


def score(weights: Weights, features: Iterable[str]) -> float:
    return sum(weights.get(feature, 0.0) for feature in sorted(features))


@lru_cache(maxsize=1)
def choice_weights() -> Mapping[str, Weights]:
    weights: Mapping[str, Weights] = json.loads(FILE.read_text(encoding="utf-8"))
    return weights


def squeezed(text: str) -> str:
    """One blank for many, one line break for many: lines to write on, drawn with blanks, would take searches for ever."""
    return re.sub(r"[^\S\n]+", " ", re.sub(r"[^\S\n]*\n\s*", "\n", text)).strip()


def cues_in(cues: Mapping[str, re.Pattern[str]], words: str) -> set[str]:
    return {name for name, pattern in cues.items() if pattern.search(words)}


def cues_of(**patterns: str) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in patterns.items()}


_WORD = re.compile(r"[a-z]+|\d+|[(\"“”:.,;)_]")


def words_before(words: str, most: int) -> set[str]:
    """The last words, each with its distance, and the last two together."""
    last = _WORD.findall(words.lower())[-most:]
    found = {f"b{distance}={word}" for distance, word in enumerate(reversed(last))}
    return found | ({"bb=" + " ".join(last[-2:])} if len(last) > 1 else set())


def words_after(words: str) -> set[str]:
    first = _WORD.findall(words.lower())[:2]
    found = {f"a0={word}" for word in first[:1]}
    return found | ({"aa=" + " ".join(first)} if len(first) > 1 else set())
