"""Whether every figure of a sentence stands in its evidence."""

import re
from collections import Counter

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.units import UNITS

Failure = tuple[str, str] | None

_DAY_MINUTES, _MONTH_DAYS = 1440, 30
_DENIED_FIGURE = re.compile(
    r"(?:不是|并非|不等于|\bnot|n't be|isn't)\s*(?:about|for|the|at|只有)?\s*$"
)
# What is granted, "you may two days", is an upper end.
_LEAST_GRANTED = re.compile(
    r"(?:至少|最少|起码)都?(?:可以|能|允许)[^,;。]{0,8}$|\b(?:can|may) [a-z]+(?: [a-z]+){0,3} at least $"
)


def missing_figure(sentence: str, evidence: Evidence) -> Failure:
    said = normal(sentence)
    days = Counter(f.value for f in figures_of(sentence) if f.kind == "date")
    known_days = [f for f in evidence.figures if f.kind == "date"]
    for day, times in days.items():
        held = sum(_dates_agree(Figure("date", day, "", 0, 0), known) for known in known_days)
        if times > max(held, 1):
            return "date_not_in_passage", str(day)
    for figure in figures_of(sentence):
        if figure.kind == "number" and figure.value == 1 and figure.unit in {"count", ""}:
            # "a box" and "one box" say the same.
            continue
        if figure.is_one and not figure.in_range and _is_each(figure.unit, evidence.said):
            # "12 a year", "12 for one year", "12 each year".
            continue
        if not any(equal(figure, known) for known in evidence.figures) and not _stands_as_text(
            figure, evidence
        ):
            return f"{figure.kind}_not_in_passage", str(figure.value)
        if _DENIED_FIGURE.search(said[: figure.start]) and not _denies_figures(evidence):
            return "figure_denied", str(figure.value)
    return None


def turned_bound(sentence: str, evidence: Evidence) -> str:
    """A figure told as an upper end that the passage gives as a lower end alone, or the other way round."""
    said = normal(sentence)
    for figure in figures_of(sentence):
        if figure.kind != "number" or not figure.bound:
            continue
        mine = _end(figure)
        theirs = {_end(known) for known in evidence.figures if equal(figure, known)}
        if "ge" not in theirs and _LEAST_GRANTED.search(said[: figure.start]):
            return f"{figure.value} granted"
        if theirs == {"ge" if mine == "le" else "le"}:
            return f"{figure.value} {mine}"
    return ""


def _end(figure: Figure) -> str:
    return figure.bound if figure.bound in {"", "le"} else "ge"


def _is_each(unit: str, said: str) -> bool:
    """Whether the evidence counts by this unit: "12 a year" may be told as "12 for one year"."""
    words = "|".join(re.escape(word) for word, known in UNITS.items() if known[0] == unit)
    return bool(words) and bool(
        re.search(rf"(?:每|按|一|/ ?)(?:{words})|\b(?:per|each|every|an?) (?:{words})\b", said)
    )


def _denies_figures(evidence: Evidence) -> bool:
    """Whether the passage itself says of a figure that it is not so."""
    return any(
        _DENIED_FIGURE.search(normal(text)[: figure.start])
        for text in evidence.texts
        for figure in figures_of(text)
    )


def equal(figure: Figure, known: Figure) -> bool:
    if figure.kind == "date" or known.kind == "date":
        return _dates_agree(figure, known)
    if "time" == figure.kind == known.kind and (figure.is_vague or known.is_vague):
        return _dial(figure) == _dial(known)
    if figure.kind != known.kind:
        return False
    if figure.kind == "contact":
        return figure.value == known.value or str(known.value).startswith(f"{figure.value}/")
    if figure.kind != "number":
        return figure.value == known.value
    if {figure.unit, known.unit} == {"month", "time"}:
        return _days(figure) == _days(known)
    if "" in {figure.unit, known.unit} and figure.raw == known.raw:
        # "4 hours for hot desks, 10 for others": ten hours.
        return True
    return figure.value == known.value and units_agree(figure.unit, known.unit)


def _dial(figure: Figure) -> tuple[int, int]:
    """What a clock with hands shows."""
    hour, minute = figure.value  # type: ignore[misc,str-unpack]
    return int(hour) % 12, int(minute)


def _days(figure: Figure) -> float:
    """A month and thirty days are the same in speech."""
    value = float(figure.value)  # type: ignore[arg-type]
    return value * _MONTH_DAYS if figure.unit == "month" else value / _DAY_MINUTES


def units_agree(left: str, right: str) -> bool:
    if left == right or "" in {left, right}:
        return True
    return {left, right} <= {"degree", "age", "count", "times"} and "count" in {left, right}


def _dates_agree(figure: Figure, known: Figure) -> bool:
    if figure.kind == known.kind == "date":
        pairs = zip(figure.value, known.value, strict=True)  # type: ignore[arg-type]
        return all(not said or said == held for said, held in pairs)
    date, other = (figure, known) if figure.kind == "date" else (known, figure)
    if not any(date.value[:2]):  # type: ignore[index]
        # 15日 is a day of the month as much as a span.
        return other.kind == "number" and other.value == date.value[2] * _DAY_MINUTES  # type: ignore[index]
    # A year may be written without its word.
    return other.kind == "number" and not other.unit and date.value[0] == other.value  # type: ignore[index]


def _stands_as_text(figure: Figure, evidence: Evidence) -> bool:
    if figure.kind in {"code", "contact", "lunar"}:
        bare = re.sub(r"[^a-z0-9\u4e00-\u9fff]", "", str(figure.value))
        codes = {str(known.value) for known in evidence.figures if known.kind == figure.kind}
        return bare in {re.sub(r"[^a-z0-9\u4e00-\u9fff]", "", code) for code in codes}
    return False
