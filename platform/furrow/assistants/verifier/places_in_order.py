"""Places in an order and days of the week: the second is not the third, and Monday to Sunday is more than to Saturday."""

import re

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.numerals import normal

_NUMERALS = "一二三四五六七八九十"
_ZH = re.compile(rf"第([{_NUMERALS}]+|\d+)([\u4e00-\u9fff])")
_EN = re.compile(
    r"\b(first|second|third|fourth|fifth|last|1st|2nd|3rd|4th|5th) (?!of\b|and\b|or\b|the\b|to\b)([a-z]{3,})"
)
_WORDS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"}
_ALL_DAYS = re.compile(
    r"每天|每日|天天|全年|全周|\bdaily\b|\bevery day\b|\beach day\b|\bseven days\b|\b7 days\b"
)


def other_place(sentence: str, evidence: Evidence) -> str:
    """An ordinal that the passage never gives to this noun though it gives it others; empty without one."""
    known = _ordinals(evidence.said)
    for place, noun in sorted(_ordinals(normal(sentence))):
        theirs = {where for where, what in known if what == noun}
        if theirs and place not in theirs:
            return f"{place} {noun}"
    return ""


def _ordinals(said: str) -> set[tuple[str, str]]:
    found = {(_number(m[1]), m[2]) for m in _ZH.finditer(said)}
    found |= {(_WORDS.get(m[1], m[1]), m[2].removesuffix("s")) for m in _EN.finditer(said)}
    return found


def _number(text: str) -> str:
    return str(_NUMERALS.index(text) + 1) if text in _NUMERALS else text


def more_days(sentence: str, evidence: Evidence) -> str:
    """A span of weekdays that no clause of the passage covers; empty without one."""
    said = sorted(_days(sentence))
    spans = [figure for figure in figures_of(sentence) if figure.kind == "weekday"]
    if len(said) < 3 or len({figure.start for figure in spans}) > 2:
        return ""
    if _ALL_DAYS.search(evidence.said):
        return ""
    covered = any(
        set(said) <= _days(clause.text) for line in evidence.lines for clause in line.clauses
    )
    return "" if covered else "days " + ",".join(map(str, said))


def _days(text: str) -> set[int]:
    return {int(f.value[0]) for f in figures_of(text) if f.kind == "weekday"}  # type: ignore[index]
