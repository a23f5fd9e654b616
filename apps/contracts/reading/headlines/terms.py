"""The last day of an English contract as candidates: days that are written, and lengths counted from the first day."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from apps.contracts.reading.headlines.choice import (
    Candidate,
    cues_in,
    cues_of,
    words_after,
    words_before,
)
from apps.contracts.reading.headlines.days import DayFound, Days, mention

_NUMBERS = dict(
    zip(
        ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen eighteen twenty "
         "twenty-four twenty-five thirty thirty-six forty forty-eight sixty ninety ninety-nine").split(),
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 24, 25, 30, 36, 40, 48, 60, 90, 99),
        strict=True,
    )
)  # fmt: skip
_ORDINALS = dict(
    zip(
        "first second third fourth fifth sixth seventh eighth ninth tenth fifteenth twentieth".split(),
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20),
        strict=True,
    )
)
_LENGTH = re.compile(
    r"\b(?:(?P<word>[a-z]{3,8}(?:[- ](?:four|five|six|eight|nine))?)[\s-]{0,3})?(?:\(\s?(?P<n>\d{1,3})\s?\)|\b(?P<n2>\d{1,3}))?(?(word)|(?(n)|(?(n2)|(?!))))[\s-]{0,3}(?:full |calendar |consecutive |contract |additional |\(\w{3,6}\) )?(?P<unit>years?|months?)\b(?:\s?\(\s?(?P<n3>\d{1,2})\s?\))?",
    re.IGNORECASE,
)
_ANNIVERSARY = re.compile(
    rf"\b(?P<ord>{'|'.join(_ORDINALS)}|\d{{1,2}} ?(?:s ?t|n ?d|r ?d|t ?h))\s?(?:\(\s?\d{{1,2}} ?(?:s ?t|n ?d|r ?d|t ?h)\s?\)\s?)?(?:annual )?(?:year )?anniversary",
    re.IGNORECASE,
)
_YEAR_END = re.compile(
    r"\bend of (?:the )?(?:calendar )?(?:year )?(?P<y>20\d\d|19\d\d|current calendar year)\b", re.IGNORECASE
)  # fmt: skip
_ABOUT_TERM = re.compile(
    r"\bterm\b|expir|terminat|continue|remain|in (?:full )?(?:force|effect)|duration|anniversary|period of",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"(?:^|\n|\.|\d|\()\W{0,9}(?:initial\s+)?(?:term|duration|term and termination|period|contract period|term of (?:this )?(?:agreement|engagement))\b(?: of (?:this )?agreement)?\s?(?:and termination)?\W",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[a-z)\"”])\.\s+(?=[A-Z(\"“])|;\s")
_BEFORE = cues_of(
    initial=r"\binitial\b[^.;]{0,80}$",
    termof=r"\bterm\s+of\s+(?:this|the)\b[^.;]{0,120}$",
    term=r"\bterm\b[^.;]{0,80}$",
    thisagr=r"\b(?:this|the)\s+[^.;]{0,20}(?:agreement|contract)\b[^.;]{0,100}$",
    **{"continue": r"\b(?:continue|remain|force|effect)\b[^.;]{0,80}$"},
    commence=r"\b(?:commenc\w+|begin\w*|start\w*)\b[^.;]{0,100}$",
    effdate=r"\beffective date\b[^.;]{0,60}$",
    hereof=r"\b(?:hereof|of this agreement|date)\b[^.;]{0,60}$",
    forperiod=r"\bfor\s+(?:a|an|the)?\s*(?:initial\s+)?(?:period|term)\s+of\s*$",
    renew=r"\b(?:renew\w*|additional|successive|extend\w*|further)\b[^.;]{0,60}$",
    renewnear=r"\b(?:renew\w*|additional|successive|extend\w*|further|another)\b[^.;]{0,15}$",
    afterexp=r"\b(?:after|following)\s+(?:the\s+)?(?:expir|terminat)[^.;]{0,60}$",
    notice=r"\b(?:notice|within|prior)\b[^.;]{0,50}$",
    surviv=r"\b(?:surviv\w*|confiden\w*|warrant\w*|non-compet\w*|retain\w*|records)\b[^.;]{0,160}$",
    terminate=r"\bterminat\w*\b[^.;]{0,60}$",
    expire=r"\bexpir\w*\b[^.;]{0,60}$",
    until=r"\buntil\b[^.;]{0,50}$",
    launch=r"\b(?:launch|delivery|acceptance|completion|closing|commercial|opening|rollout|approval|first (?:sale|shipment))\b[^.;]{0,80}$",
    license=r"\blicen[sc]e\b[^.;]{0,80}$",
    unless=r"\bunless\b[^.;]{0,80}$",
    least=r"(?:at least|more than|less than|than|every|each|per|up to)\s*$",
    earlier=r"\b(?:earlier|earliest|sooner|later|latest)\b[^.;]{0,60}$",
)
_AFTER = cues_of(
    a_from=r"^\W*(?:from|after|following|commencing|beginning|starting|thereafter|hereafter|therefrom)\b",
    a_effdate=r"^[^.;]{0,60}effective date",
    a_hereof=r"^[^.;]{0,60}(?:hereof|of this agreement|of execution|of signature|thereafter)",
    a_initial=r"^[^.;]{0,40}[(\"“][^)]{0,20}term",
    a_unless=r"^[^.;]{0,30}\bunless",
    a_renew=r"^[^.;]{0,90}\b(?:renew|successive|thereafter|extend)",
    a_notice=r"^[^.;]{0,40}\b(?:notice|prior|before)\b",
    a_periods=r"^\W*(?:renewal\s+)?(?:periods|terms)",
    a_period=r"^\W*(?:period|term)",
    a_launch=r"^[^.;]{0,60}(?:launch|delivery|acceptance|completion|closing|commercial|opening|approval|first)",
    a_anniv=r"^\W*anniversary",
    a_exp=r"^[^.;]{0,40}(?:expir|terminat)",
    a_dot=r"^\W*[.;)]",
    a_ending=r"^[^.;]{0,140}\b(?:ending|end|ends|concluding|until|through|expir\w+|terminating)\s+(?:on\s+|at\s+)?(?:[A-Z][a-z]{2,8} \d|\d{1,2} [A-Z])",
)
_WHOLE = cues_of(
    perpetual=r"\b(?:perpetual|indefinite\w*)\b",
    until=r"until (?:the )?(?:terminated|termination|completion)",
    blank=r"_{3,}|\[[\s_●•*]*\]",
    renew=r"\brenew",
    thisterm=r"term of this agreement",
    initial=r"initial term",
    offering=r"\boffering\b",
    royalty=r"royalty term|last[- ]to[- ]expire",
)
_OPENS = ("termof", "initial", "thisagr", "continue", "commence", "headterm", "forperiod")
_CLOSES = ("a_from", "a_effdate", "a_hereof", "a_initial", "a_unless", "a_renew", "a_dot")
_MENTIONS = 5


@dataclass(frozen=True, slots=True)
class Length:
    start: int
    end: int
    months: int
    unit: str


def term_candidates(days: Days, first: date | None) -> list[Candidate[date]]:
    """`first` is the day that lengths are counted from; without it only written days are candidates."""
    text = days.text
    features: dict[date, set[str]] = defaultdict(set)
    if first:
        for months, found in _lengths(text).items():
            ends = later(first, months)
            if ends:
                features[ends] |= found
        for ends, found in _year_ends(text, first):
            features[ends] |= found
    for value, found in _written(days, first).items():
        features[value] |= found
    for found in features.values():
        if {"len", "day"} <= found:
            found.add("both")
    nothing = {"none"} | {f"none {name}" for name in cues_in(_WHOLE, text)}
    if first is None:
        nothing.add("none nofirst")
    return [
        *(Candidate(value, frozenset(found)) for value, found in features.items()),
        Candidate(None, frozenset(nothing)),
    ]


def _lengths(text: str) -> dict[int, set[str]]:
    """By their months; the mentions of the same length are put together."""
    features: dict[int, set[str]] = defaultdict(set)
    count: Counter[int] = Counter()
    order = 0
    for one in lengths_found(text):
        before, after = _around(text, one.start, one.end)
        if not _ABOUT_TERM.search(before + text[one.start : one.end] + after[:80]):
            continue
        order += 1
        count[one.months] += 1
        if count[one.months] <= _MENTIONS:
            features[one.months] |= _of_length(text, one, before, after) | {
                f"lorder={min(order - 1, 5)}"
            }
    for months, found in features.items():
        found.add(f"lcount={min(count[months], 4)}")
    return features


def lengths_found(text: str) -> Iterator[Length]:
    """`three (3) years`, `36 months`, `the fifth anniversary`."""
    for match in _LENGTH.finditer(text):
        digits = match["n"] or match["n2"] or match["n3"]
        number = int(digits) if digits else _in_words((match["word"] or "").lower())
        is_years = match["unit"].lower().startswith("y")
        if 0 < number < (100 if is_years else 400):
            yield Length(
                match.start(), match.end(), number * (12 if is_years else 1), "y" if is_years else "m"
            )  # fmt: skip
    for match in _ANNIVERSARY.finditer(text):
        word = match["ord"].lower()
        number = _ORDINALS.get(word) or int(re.sub(r"\D", "", word))
        yield Length(match.start(), match.end(), number * 12, "a")


def _in_words(word: str) -> int:
    last = re.split(r"[- ]", word)[-1]
    return _NUMBERS.get(word.replace(" ", "-")) or _NUMBERS.get(last) or 0


def _of_length(text: str, one: Length, before: str, after: str) -> set[str]:
    features = cues_in(_BEFORE, before) | cues_in(_AFTER, after)
    features |= words_before(before, 3) | words_after(after)
    number = one.months // 12 if one.unit != "m" else one.months
    features |= {
        "len", f"unit={one.unit}", f"num={min(number, 11)}{one.unit}", f"at={10 * one.start // max(len(text), 1)}",
    }  # fmt: skip
    if _is_headed(text, one.start):
        features.add("headterm")
    opens, closes = features.intersection(_OPENS), features.intersection(_CLOSES)
    return features | {f"{left}..{right}" for left in opens for right in closes}


def _year_ends(text: str, first: date) -> Iterator[tuple[date, set[str]]]:
    for match in _YEAR_END.finditer(text):
        before, after = _around(text, match.start(), match.end())
        year = int(match["y"]) if match["y"].isdigit() else first.year
        cues = cues_in(_BEFORE, before) | cues_in(_AFTER, after)
        yield date(year, 12, 31), {"yearend"} | {f"d {name}" for name in cues}


def _written(days: Days, first: date | None) -> dict[date, set[str]]:
    features: dict[date, set[str]] = defaultdict(set)
    count: Counter[date] = Counter()
    for one in days.found:
        count[one.value] += 1
        if count[one.value] <= _MENTIONS:
            features[one.value] |= _of_day(days.text, one, first)
    return features


def _of_day(text: str, one: DayFound, first: date | None) -> set[str]:
    before, _after = _around(text, one.start, one.end)
    near = {name for name in mention(text, one) if not name.startswith("at=")}
    features = {f"d {name}" for name in near | cues_in(_BEFORE, before)} | {"day"}
    if _is_headed(text, one.start):
        features.add("d headterm")
    if re.search(r"\b(?:years?|months?|anniversary)\b", before[-120:], re.IGNORECASE):
        features.add("d length before")
    if first:
        gap = (one.value - first).days
        steps = (0, 1, 30, 400, 4_000)
        features.add(f"d gap={sum(gap >= step for step in steps)}")
    if (one.value.month, one.value.day) in ((12, 31), (6, 30), (3, 31), (9, 30)):
        features.add("d quarterend")
    return features


def _around(text: str, start: int, end: int) -> tuple[str, str]:
    """What of its sentence stands before, and what follows."""
    before = text[max(start - 300, 0) : start].replace("\n", " ")
    return _SENTENCE.split(before)[-1][-220:], text[end : end + 160].replace("\n", " ")


def _is_headed(text: str, start: int) -> bool:
    return bool(_HEADING.search(text[max(start - 400, 0) : start]))


def later(day: date, months: int) -> date | None:
    """The same day of a later month, or that month's last."""
    month = day.month - 1 + months
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + month // 12, month % 12 + 1, min(day.day, last))
        except ValueError:
            continue
    return None
