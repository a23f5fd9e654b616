"""Where a contract points at another place of itself: clauses and annexes."""

import re
from dataclasses import dataclass

from apps.contracts.reading.numbering import key_of
from apps.contracts.reading.numerals import whole

_HAN = "一二三四五六七八九十百零〇两"
_ARTICLE = re.compile(
    rf"第\s*(?P<n>[{_HAN}]+|\d{{1,3}}(?:[.．]\d{{1,3}}){{0,3}})\s*条(?:\s*第?\s*(?:[（(]\s*)?(?P<p>[{_HAN}]+|\d{{1,2}}(?:[.．]\d{{1,3}}){{0,2}})(?:\s*[)）])?\s*(?P<unit>款|项|目))?"
)
_DOTTED = re.compile(r"(?<![\d.第])(?:第\s*)?(?P<n>\d{1,2}(?:[.．]\d{1,2}){1,3})\s*(?:条|款|项)")
_ANNEX = re.compile(
    rf"附\s*件\s*(?P<n>[{_HAN}]{{1,3}}|\d{{1,2}})?|附\s*表\s*(?P<m>[{_HAN}]{{1,3}}|\d{{1,2}})?"
)
_ENGLISH = re.compile(r"\b(?:Section|Article|Clause)s?\s+(?P<n>\d{1,2}(?:\.\d{1,2}){0,3})\b")
# 《民法典》第五百八十五条 names a statute, not this contract.
_STATUTE = re.compile(r"》\s*(?:[（(][^）)]{1,30}[）)])?\s*$|(?:法|条例|规定|办法|解释)\s*$")
_LIST = re.compile(
    r"(?:第[^条]{1,8}条(?:之[一二三])?(?:第[^款项]{1,4}[款项])*(?:规定)?[、和及与或至，]\s*)+$"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """`key` like a clause's; `kind` is `article` or `annex`; an annex without a number has (0,)."""

    kind: str
    key: tuple[int, ...]
    start: int
    end: int


def references_read(text: str) -> list[Reference]:
    """In order; numbers that clauses begin with are among them and are the caller's to leave out."""
    found: dict[int, Reference] = {}
    for match in _ARTICLE.finditer(text):
        if not _is_statute(text, match.start()):
            found[match.start()] = Reference("article", _key(match), match.start(), match.end())
    for pattern in (_DOTTED, _ENGLISH):
        for match in pattern.finditer(text):
            if not any(r.start <= match.start() < r.end for r in _near(found, match.start())):
                key = key_of(match["n"])
                found[match.start()] = Reference("article", key, match.start(), match.end())
    for match in _ANNEX.finditer(text):
        key = key_of(match["n"] or match["m"] or "")
        found[match.start()] = Reference("annex", key, match.start(), match.end())
    return [found[place] for place in sorted(found)]


def _key(match: re.Match[str]) -> tuple[int, ...]:
    key = key_of(match["n"])
    if match["p"]:
        step = key_of(match["p"])
        # 第3条第3.2款 names 3.2
        key = step if len(step) > 1 else (*key, whole(match["p"]) or 0)
    return key


def _is_statute(text: str, start: int) -> bool:
    before = text[max(start - 60, 0) : start]
    before = _LIST.sub("", before)
    return bool(_STATUTE.search(before))


def _near(found: dict[int, Reference], place: int) -> list[Reference]:
    return [found[n] for n in range(max(place - 16, 0), place + 1) if n in found]
