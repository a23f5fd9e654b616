"""Terms a contract gives a meaning of its own."""

import re
from dataclasses import dataclass

from apps.contracts.reading.parties import ROLES

_OPEN, _CLOSE = '“"「『‘', '”"」』’'
_PATTERNS = (
    # （以下简称“合作产品”） （下称“本项目”） （以下统称为“双方”）
    re.compile(rf"(?:以下|下)(?:简|统|合|并)?称(?:为|作)?\s*[:：]?\s*[{_OPEN}](?P<t>[^{_CLOSE}\n]{{1,20}})[{_CLOSE}]"),
    # “交付日”是指、系指、指、：
    re.compile(rf"[{_OPEN}](?P<t>[^{_CLOSE}\n]{{1,20}})[{_CLOSE}]\s*[，,]?\s*(?:是指|系指|指的是|意指|即指|指|means\b|shall mean\b|has the meaning)"),
    # 交付日：指 …   at the start of a line or an item
    re.compile(r"(?:^|[\n、.．)）])\s*(?P<t>[\u3400-\u9fffA-Za-z]{2,12})\s*[:：]\s*(?:是|系)?指"),
    re.compile(rf"[(（](?:[^()（）]{{0,60}}?)(?:the|each, an?|collectively,? the|an?)?\s*[{_OPEN}](?P<t>[A-Z][^{_CLOSE}\n]{{1,40}})[{_CLOSE}]\s*[)）]"),
)  # fmt: skip
_USED = re.compile(rf"[{_OPEN}](?P<t>[\u3400-\u9fffA-Za-z]{{2,12}})[{_CLOSE}]")


@dataclass(frozen=True, slots=True)
class Definition:
    term: str
    start: int
    end: int


def definitions_read(text: str) -> list[Definition]:
    """In order of place, each term's first definition; `start` and `end` hold the term itself."""
    found: dict[int, Definition] = {}
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            term = match["t"].strip()
            if term:
                found.setdefault(
                    match.start("t"), Definition(term, match.start("t"), match.end("t"))
                )
    first: dict[str, Definition] = {}
    for place in sorted(found):
        first.setdefault(found[place].term, found[place])
    return list(first.values())


def terms_quoted(text: str) -> list[Definition]:
    """Words the contract sets in quotation marks as it does with defined terms."""
    return [
        Definition(match["t"], match.start("t"), match.end("t")) for match in _USED.finditer(text)
    ]


def is_role(term: str) -> bool:
    return term in ROLES
