"""The days of an English contract as candidates for the day it was made and the day it takes effect."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

from apps.contracts.reading.dates import dates
from apps.contracts.reading.headlines.choice import (
    Candidate,
    cues_in,
    cues_of,
    words_after,
    words_before,
)

_MONTH = "jan feb mar apr may jun jul aug sep oct nov dec".split()
# What a scan or a filing makes of a date: `1s t day of June`, `20 March day of 1998`, `March 18. 2021`.
_TORN = (
    re.compile(
        r"\b(?P<d>\d{1,2}) ?(?:s ?t|n ?d|r ?d|t ?h)?[ -]*(?:day )?(?:of )?(?P<m>[A-Z][a-zA-Z]{2,8})\.?[ ,_-]{0,12}(?:day of )?(?:in the year )?(?P<y>(?:19|20)\d\d)\b"
    ),
    re.compile(
        r"\b(?P<m>[A-Z][a-zA-Z]{2,8})\.? ?(?P<d>\d{1,2}) ?(?:s ?t|n ?d|r ?d|t ?h)? ?[,.]? ?(?:of )?(?P<y>(?:19|20)\d\d)\b"
    ),
)
_DIGITS = re.compile(
    r"(?<![\d./-])(?P<a>\d{1,2})(?P<s>[-./])(?P<b>\d{1,2})(?P=s)(?P<y>(?:19|20)?\d\d)(?![\d/-])"
)
_EARLY = 3_000
_MENTIONS = 6
_BEGINS = r"(?:effective|commenc\w+|begin\w*|start\w*|in(?:to)? (?:full )?force|effect|in effect)"
_SUBJECT = r"(?:agreement|term|contract|amendment|joint venture|addendum)\b"
_FIRST_WRITTEN = r"(?:date hereof|(?:date|day) of (?:this|the) (?:agreement|contract|document)|(?:date|day)[^.;]{0,20}first|first (?:set|written|above)|date (?:written |set forth |listed )?(?:above|below))"
_MEANS = (
    r"effective date\W{1,4}(?:of this agreement )?(?:means|is|shall mean|shall be)\b[^.;]{0,60}"
)
_BEFORE = cues_of(
    until=r"\b(?:until|through|thru|expir\w*|terminat\w*|end(?:s|ing)?|no later than)\b[^.;]{0,40}$",
    effective=r"\beffective\b[^.;]{0,40}$",
    effdate=r"effective\s+date\W{0,3}[^.;]{0,40}$",
    asof=r"\bas\s+of\b[^.;]{0,25}$",
    dated=r"\bdated?\b[^.;]{0,25}$",
    made=r"\b(?:made|entered)\b[^.;]{0,60}$",
    exec=r"\b(?:executed|signed|hereunto|witness)\b[^.;]{0,90}$",
    commence=r"\b(?:commenc\w+|begin\w*|start\w*)\b[^.;]{0,40}$",
    certain=r"\bcertain\b[^.;]{0,90}$",
    amend=r"\b(?:amend\w*|restate\w*|prior|original)\b[^.;]{0,60}$",
    source=r"source:|\b(?:8-K|10-[KQ]|S-1|F-1|DRS|SB-2|424B\d)\b",
    filed=r"\b(?:filed|registration|form)\b[^.;]{0,60}$",
    this=r"\bthis\b[^.;]{0,40}agreement\b[^.;]{0,80}$",
    draft=r"\b(?:updated|revised|rev|draft)\b[^.;]{0,20}$",
    sigdate=r"\bdate\s*:?\W{0,6}$",
    to=r"\bto\s*$",
    **{"from": r"\bfrom\s*(?:the\s+)?$"},
    before=r"\b(?:before|by|prior to|after)\s*$",
    term=r"\bterm\b[^.;]{0,80}$",
    means=r"\b(?:mean|means)\s+$",
)
_AFTER = cues_of(
    a_effdate=r"^[^.;]{0,40}[(\"“][^()]{0,40}effective\s*date",
    a_commence=r"^[^.;]{0,40}[(\"“][^()]{0,40}(?:commencement|start|begin\w*)\s*date",
    a_expdate=r"^[^.;]{0,40}[(\"“][^()]{0,40}(?:expir\w+|terminat\w+|end)\s*date",
    a_between=r"^[^.;]{0,60}\b(?:between|among)\b",
    a_agr=r"^[^;]{0,30}\(th(?:is|e)\s+[\"“][^\"”]{0,40}agreement",
    a_paren=r"^\s*,?\s*\(",
    a_datedef=r"^[^.;]{0,40}[(\"“][^()]{0,40}\bdate[\"”]",
    a_and=r"^\s*,?\s*and\b",
    a_unless=r"^\W*(?:unless|or|and any|at)\b",
    a_term=r"^[^.;]{0,40}[(\"“][^()]{0,30}term\b",
)
# How the contract speaks of its first day without naming it.
_SPOKEN = cues_of(
    subj=rf"{_SUBJECT}[^.;]{{0,70}}\b{_BEGINS}\b[^.;]{{0,60}}{_FIRST_WRITTEN}",
    subjsign=rf"{_SUBJECT}[^.;]{{0,60}}\b{_BEGINS}\b[^.;]{{0,50}}(?:of (?:its |the )?(?:execution|signature|signing)|signing date|(?:is|are|been) (?:executed|signed))",
    meanshere=rf"{_MEANS}(?:first|hereof|above|of this agreement)",
    meanssign=rf"{_MEANS}(?:sign|execut|last|later)|(?:last|later|latest)[^.;]{{0,60}}\(\W*(?:the )?\W*effective date",
    hereof=rf"{_BEGINS}[^.;]{{0,90}}{_FIRST_WRITTEN}",
    sign=rf"{_BEGINS}[^.;]{{0,90}}(?:execution|signature|signed|executed|signing)",
    last=r"(?:last|later|latest|most recent|final)\b[^.;]{0,60}(?:date|sign|execut)",
    defterm=r"(?:date hereof|date first (?:above )?written|first above written|date of (?:execution|signature))[^.;]{0,40}[\"“]\s*effective date",
)
_WHOLE = cues_of(
    defeff=r"[\"“]\s*effective date\s*[\"”]",
    eff=r"effective date",
    become=r"(?:become|take|shall be|is) effective",
    first=r"date hereof|date first (?:above )?written|date first set forth|first above written",
    means=r"effective date\W+(?:means|shall mean)|\(\W*the\W+effective date",
)
_BLANK = re.compile(
    r"_{2,}[\s,]*(?:day of|(?:19|20)(?:\d\d|_))|\[[\s_●•*]*\]|(?:19|20)__|_{3,}", re.IGNORECASE
)
_SIGNED = re.compile(r"\bdated?\s*:?\W{0,8}$", re.IGNORECASE)
_STRONG = ("asof", "dated", "made", "effective", "a_effdate", "sigdate", "exec")


@dataclass(frozen=True, slots=True)
class DayFound:
    start: int
    end: int
    value: date


def days_found(text: str) -> list[DayFound]:
    """Every full date of squeezed text, also those that a scan tore and 25/12/2008 or 3-5-98."""
    found = {one.start: DayFound(one.start, one.end, one.value) for one in dates(text) if one.value}
    for pattern in _TORN:
        for match in pattern.finditer(text):
            month = match["m"].lower()[:3]
            if month in _MONTH and match.start() not in found:
                _keep(found, match, int(match["y"]), _MONTH.index(month) + 1, int(match["d"]))
    for match in _DIGITS.finditer(text):
        first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
        is_full = year >= 100
        if match.start() in found or (match["s"] == "." and not is_full):
            continue
        is_day_first = match["s"] == "." or first > 12
        month, day = (second, first) if is_day_first else (first, second)
        _keep(found, match, year if is_full else year + (2000 if year < 50 else 1900), month, day)
    return [found[start] for start in sorted(found)]


def _keep(
    found: dict[int, DayFound], match: re.Match[str], year: int, month: int, day: int
) -> None:
    try:
        found[match.start()] = DayFound(match.start(), match.end(), date(year, month, day))
    except ValueError:
        return


class Days:
    """The days of one contract; each day's mentions are put together."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = days_found(text)
        self._lower = re.sub(r"\s+", " ", text).lower()
        self._count: Counter[date] = Counter()
        self._features: dict[date, set[str]] = defaultdict(set)
        order: dict[date, int] = {}
        for one in self.found:
            order.setdefault(one.value, len(order))
            self._count[one.value] += 1
            if self._count[one.value] <= _MENTIONS:
                self._features[one.value] |= mention(text, one) | {
                    f"order={min(order[one.value], 4)}"
                }

    def candidates(self, made: date | None = None) -> list[Candidate[date]]:
        """`made` is the day that was taken for the day of making, when the day of effect is looked for."""
        spoken = cues_in(_SPOKEN, self._lower)
        whole = cues_in(_WHOLE, self._lower)
        signed = [one.value for one in self.found if one.start > _EARLY and self._is_signed(one)]
        early = next((one.value for one in self.found if one.start < _EARLY), None)
        found: list[Candidate[date]] = []
        for value, mentions in self._features.items():
            roles = {
                role
                for role, has in (
                    ("lastsig", bool(signed) and value == max(signed)),
                    ("sig", value in signed),
                    ("firstearly", value == early),
                    ("agr", value == made),
                )
                if has
            }
            found.append(
                Candidate(value, frozenset(self._of_day(value, mentions, roles, spoken, whole)))
            )
        return [*found, Candidate(None, frozenset(self._of_none(spoken, whole)))]

    def _is_signed(self, one: DayFound) -> bool:
        return bool(_SIGNED.search(self.text[max(one.start - 30, 0) : one.start]))

    def _of_day(
        self, value: date, mentions: set[str], roles: set[str], spoken: set[str], whole: set[str]
    ) -> set[str]:
        features = mentions | roles | {f"count={min(self._count[value], 4)}"}
        features |= {f"{said} {role}" for said in spoken for role in roles}
        if "agr" in roles:
            features |= {f"agr {name}" for name in whole}
            features |= {f"agr& {name}" for name in (*_STRONG, "alone", "this") if name in mentions}
            if self._is_blank():
                features.add("agr blank")
        near = mentions & {"early asof", "early dated", "early made", "order=0"}
        if "defeff" in whole:
            features |= {f"defeff {name}" for name in near}
            if not mentions & {"a_effdate", "effdate"}:
                features.add("elsewhere effdate")
        if "first" in whole:
            features |= {f"first {name}" for name in near}
        return features

    def _of_none(self, spoken: set[str], whole: set[str]) -> set[str]:
        features = {"none"} | {f"none {name}" for name in whole | spoken}
        if self._is_blank():
            features.add("none blank")
        if not self.found:
            features.add("none nodates")
        if not any(one.start < _EARLY + 1_000 for one in self.found):
            features.add("none noearly")
        strongest = {
            "a_effdate", "effdate", "effective", "early asof", "early dated", "early made", "early effective", "commence",
        }  # fmt: skip
        seen: set[str] = set().union(*self._features.values())
        return features | {f"none has {name}" for name in strongest & seen}

    def _is_blank(self) -> bool:
        return bool(_BLANK.search(self.text[: _EARLY + 1_000]))


def mention(text: str, one: DayFound) -> set[str]:
    """What stands around one date."""
    before = text[max(one.start - 160, 0) : one.start].replace("\n", " ")
    after = text[one.end : one.end + 120].replace("\n", " ")
    features = cues_in(_BEFORE, before) | cues_in(_AFTER, after)
    features |= words_before(before, 4) | words_after(after)
    steps = (300, 1_000, _EARLY, 8_000)
    features.add(f"at={sum(one.start >= step for step in steps)}")
    if len(text) - one.start < _EARLY:
        features.add("atend")
    line_end = text.find("\n", one.end)
    line = text[text.rfind("\n", 0, one.start) + 1 : line_end if line_end >= 0 else len(text)]
    if len(line) < one.end - one.start + 12:
        features.add("alone")
    if text[one.start : one.end].replace("/", "").isdigit():
        features.add("digits")
    if one.start < _EARLY:
        features |= {f"early {name}" for name in _STRONG if name in features}
    return features
