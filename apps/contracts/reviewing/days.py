"""The days of a contract: what begins, ends, is due, and until when notice must be given."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from apps.contracts.checks.facts import Sentence, sentences
from apps.contracts.reading import Contract
from apps.contracts.reading.parties import ROLES

# The first that the words around the day name.
_WHAT = (
    ("delivery", re.compile(r"交付|交货|送[至达到]|发货|供货日|deliver", re.IGNORECASE)),
    ("payment", re.compile(r"支付|付款|付清|缴纳|付至|还款|归还|偿还|结清|\bpa(?:y|id|yment)\b|repay", re.IGNORECASE)),
    ("notice", re.compile(r"通知|notice", re.IGNORECASE)),
    ("signing", re.compile(r"签订|签署|签约|dated|entered into|made (?:as of|this)", re.IGNORECASE)),
    ("ending", re.compile(r"届满|终止|到期|截止|expir|terminat", re.IGNORECASE)),
    ("beginning", re.compile(r"生效|起租|开始|起算|入职|effective|commenc", re.IGNORECASE)),
)  # fmt: skip
_TO = re.compile(r"(?:至|到|止|through|until|to)\s*$", re.IGNORECASE)
_FROM = re.compile(r"(?:自|从|from)\s*$", re.IGNORECASE)
_AHEAD = re.compile(
    r"(?:届满|期满|到期|终止|续约|续签|续租|不再续|解除)[^。；;\n]{0,24}?(?:提前|前)\s*"
)
_AHEAD_EN = re.compile(
    r"\b(\d{1,3})\)?\s*days?\b[^.;\n]{0,40}?\b(?:prior to|before)\b[^.;\n]{0,40}?\b(?:expir|end of|renewal)",
    re.IGNORECASE,
)
_ROLE = re.compile("|".join(sorted(ROLES, key=len, reverse=True)))
_MOST = 200


@dataclass(frozen=True, slots=True)
class Day:
    """`start` and `end` are the quote's place; `reckoned` says how the day follows where no date says it."""

    what: str
    due_on: date
    who: str
    reckoned: str
    quote: str
    start: int
    end: int


def days_of(contract: Contract) -> list[Day]:
    found = list(_written(contract))
    found += _notices(contract, found)
    return found[:_MOST]


def _written(contract: Contract) -> Iterator[Day]:
    all_sentences = list(sentences(contract))
    for found in contract.dates:
        if found.value is None:
            continue
        around = next((s for s in all_sentences if s.start <= found.start < s.end), None)
        if around is not None:
            what = _what(contract, found.start, found.end, around)
            yield Day(what, found.value, _who(around), "", around.text, around.start, around.end)


def _what(contract: Contract, start: int, end: int, around: Sentence) -> str:
    before, after = contract.text[max(start - 12, 0) : start], contract.text[end : end + 8]
    if _TO.search(before) or re.match(r"\s*(?:止|届满)", after):
        return "ending"
    if _FROM.search(before) or re.match(r"\s*起", after):
        return "beginning"
    near = contract.text[max(start - 30, around.start) : min(end + 20, around.end)]
    for text in (near, around.text):
        for what, pattern in _WHAT:
            if pattern.search(text):
                return what
    return "other"


def _who(sentence: Sentence) -> str:
    role = _ROLE.search(sentence.text)
    return role[0] if role else ""


def _notices(contract: Contract, written: list[Day]) -> list[Day]:
    """`届满前30日` counted back from the one day the contract ends on."""
    ends = {day.due_on for day in written if day.what == "ending"}
    if len(ends) != 1:
        return []
    end = ends.pop()
    found = []
    for sentence in sentences(contract, rf"{_AHEAD.pattern}|(?i:{_AHEAD_EN.pattern})"):
        days = _ahead(contract, sentence)
        if days:
            reckoned = f"{end.isoformat()} − {days} d"
            found.append(
                Day("notice", end - timedelta(days=days), _who(sentence), reckoned, sentence.text, sentence.start, sentence.end)
            )  # fmt: skip
    return found


def _ahead(contract: Contract, sentence: Sentence) -> int:
    english = _AHEAD_EN.search(sentence.text)
    if english:
        return int(english[1])
    match = _AHEAD.search(sentence.text)
    if match is None:
        return 0
    place = sentence.start + match.end()
    for span in contract.spans:
        if place - 2 <= span.start <= place + 4 and span.unit != "小时":
            return int(span.days)
    return 0
