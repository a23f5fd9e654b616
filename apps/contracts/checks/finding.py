"""What a check says about a contract."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from django.utils.functional import Promise

from apps.contracts.reading import Contract, ContractText

Level = Literal["high", "medium", "low"]
Source = Literal["check", "playbook", "classifier", "model"]


@dataclass(frozen=True, slots=True)
class Statute:
    """A law by its full name and the article as the law counts it: 第五百八十六条."""

    law: str
    article: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A stretch of the text, and the values that the check's message names.

    `replacement` is what the stretch should read where that is beyond doubt.
    """

    start: int
    end: int
    values: Mapping[str, str] = field(default_factory=dict)
    replacement: str | None = None
    confidence: float = 0.9


@dataclass(frozen=True)
class Check:
    """`find` gives the hits; `applies` tells whether the contract has what the check looks at."""

    key: str
    level: Level
    title: str | Promise
    message: str | Promise
    suggestion: str | Promise
    find: Callable[[Contract], Iterable[Hit]]
    applies: Callable[[Contract], bool] = lambda contract: True
    statutes: tuple[Statute, ...] = ()


@dataclass(frozen=True)
class Finding:
    """`quote` is the text between `start` and `end`; both are empty where something is missing."""

    rule: str
    level: Level
    source: Source
    title: str | Promise
    message: str | Promise
    suggestion: str | Promise
    values: Mapping[str, str]
    quote: str
    start: int
    end: int
    page: int | None
    paragraph: int | None
    statutes: tuple[Statute, ...] = ()
    replacement: str | None = None
    confidence: float = 0.9

    @property
    def explanation(self) -> str:
        return str(self.message) % self.values

    @property
    def advice(self) -> str:
        return str(self.suggestion) % self.values


@dataclass(frozen=True)
class Passed:
    """Something that was looked at and is in order."""

    rule: str
    source: Source
    title: str | Promise


def finding_of(check: Check, hit: Hit, source: ContractText) -> Finding:
    place = source.place_of(hit.start)
    return Finding(
        rule=check.key,
        level=check.level,
        source="check",
        title=check.title,
        message=check.message,
        suggestion=check.suggestion,
        values=hit.values,
        quote=source.text[hit.start : hit.end],
        start=hit.start,
        end=hit.end,
        page=place.page,
        paragraph=place.paragraph,
        statutes=check.statutes,
        replacement=hit.replacement,
        confidence=hit.confidence,
    )


def is_verbatim(finding: Finding, source: ContractText) -> bool:
    """Whether the quote stands, character by character, where the finding says it does."""
    if not finding.quote:
        return finding.start == finding.end
    if source.text[finding.start : finding.end] != finding.quote:
        return False
    place = source.place_of(finding.start)
    return (place.page, place.paragraph) == (finding.page, finding.paragraph)
