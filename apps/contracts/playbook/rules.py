"""A rule in plain words, as data, and what it finds in a contract.

What `terms` holds, by kind:
    must_have   `words`: one of these phrases has to stand somewhere; `types`: clause types that do as well;
                `place`: words of the clause that the fallback text should come after
    must_not    `words`: none of these may stand, but in a sentence that also has one of `unless`
    threshold, numeric
                in sentences with one of `words`, each figure of `unit` lies between `min` and `max`
    template    the paragraph with one of `words` reads as the fallback text does
A phrase may leave room with "…", and a figure's unit is percent, money, days or months.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from apps.contracts.checks.facts import Sentence, sentences
from apps.contracts.playbook.figures import Figure, figures
from apps.contracts.reading import Contract
from apps.contracts.reading.text import Paragraph

_GAP = r"[^。；;\n]{0,20}?"
_GAP_EN = r"[^.;\n]{0,60}?"
MOST_PIECES = 3
MOST = Decimal(10) ** 12
# Below that the paragraph is about something else.
_ALIKE = 0.2
_LABEL = re.compile(
    r"\s*(?:第[一二三四五六七八九十百\d]+条|[（(]?[一二三四五六七八九十\d]+(?:\.\d+)*[)）、.．]|\d+(?:\.\d+)+)?\s*"
)
_SIGNING = re.compile(
    r"盖章|签字|签署页|签名|以下无正文|IN WITNESS WHEREOF|Signature|By:", re.IGNORECASE
)


@dataclass(frozen=True)
class RuleSpec:
    key: str
    check_kind: str
    level: str
    name: Mapping[str, str]
    side: str = "neutral"
    note: Mapping[str, str] = field(default_factory=dict)
    fallback: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, Any] = field(default_factory=dict)
    statutes: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "RuleSpec":
        names = ("key", "check_kind", "level", "name", "side", "note", "fallback", "terms")
        given = {name: data[name] for name in names if name in data}
        return cls(**given, statutes=tuple(data.get("statutes", ())))

    def name_in(self, language: str) -> str:
        return _in(self.name, language)

    def note_in(self, language: str) -> str:
        return _in(self.note, language)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "statutes": list(self.statutes)}


def _in(words: Mapping[str, str], language: str) -> str:
    """In this language, or else in the one it was written in."""
    return words.get(language) or next(filter(None, words.values()), "")


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A stretch that breaks the rule, or with `start == end == 0` something that is missing. `replacement` is
    what the stretch should read, or what should be put after paragraph `anchor`.
    """

    start: int
    end: int
    replacement: str | None = None
    anchor: int | None = None
    written: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`has_subject` is false when the contract has nothing that the rule is about, or the house has no wording in its
    language: then it neither fails nor passes.
    """

    hits: tuple[RuleHit, ...]
    has_subject: bool = True


def rule_apply(
    rule: RuleSpec, contract: Contract, *, language: str, types: frozenset[str] = frozenset()
) -> Outcome:
    """`types` are the clause types that were found in the contract."""
    if not contract.source.paragraphs:
        return Outcome((), has_subject=False)
    if rule.check_kind == "must_have":
        return _must_have(rule, contract, language, types)
    if rule.check_kind == "must_not":
        return _must_not(rule, contract, language)
    if rule.check_kind == "template":
        return _template(rule, contract, language)
    return _range(rule, contract)


def words_valid(phrase: str) -> bool:
    """Something to look for, with room in it at most twice: more would take a search for ever."""
    pieces = _pieces(phrase)
    return 1 <= len(pieces) <= MOST_PIECES


def _pieces(phrase: str) -> list[str]:
    return [piece.strip() for piece in re.split(r"…+|\.{3,}", phrase) if piece.strip()]


@lru_cache(maxsize=512)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Matches nothing where there are no phrases."""
    parts = [_phrase(phrase.strip()) for phrase in phrases if words_valid(phrase)]
    return re.compile("|".join(parts) if parts else r"(?!)", re.IGNORECASE)


def _phrase(phrase: str) -> str:
    is_latin = phrase.isascii() or bool(re.fullmatch(r"[\x00-\x7f…]+", phrase))
    pieces = [re.sub(r"(?:\\ )+", r"\\s+", re.escape(piece)) for piece in _pieces(phrase)]
    joined = (_GAP_EN if is_latin else _GAP).join(pieces)
    return rf"\b{joined}" if is_latin and joined[:1].isalnum() else joined


def _words(rule: RuleSpec, name: str) -> re.Pattern[str]:
    return _pattern(tuple(rule.terms.get(name, ())))


def _fallback(rule: RuleSpec, language: str) -> str:
    return rule.fallback.get(language) or ""


def _must_have(rule: RuleSpec, contract: Contract, language: str, types: frozenset[str]) -> Outcome:
    if types & set(rule.terms.get("types", ())) or _words(rule, "words").search(contract.text):
        return Outcome(())
    anchor = _anchor(rule, contract)
    return Outcome((RuleHit(0, 0, _fallback(rule, language) or None, anchor),))


def _must_not(rule: RuleSpec, contract: Contract, language: str) -> Outcome:
    words, unless = _words(rule, "words"), _words(rule, "unless")
    replacement = _fallback(rule, language) or None
    hits = [
        RuleHit(s.start, s.end, replacement)
        for s in _sentences(contract)
        if words.search(s.text) and not unless.search(s.text)
    ]
    return Outcome(tuple(hits))


def _range(rule: RuleSpec, contract: Contract) -> Outcome:
    """A figure out of range is brought to the limit; the rest of its sentence stays as it is."""
    words, unless = _words(rule, "words"), _words(rule, "unless")
    low, high = _number(rule.terms.get("min")), _number(rule.terms.get("max"))
    unit = str(rule.terms.get("unit", "percent"))
    hits: list[RuleHit] = []
    has_subject = False
    for sentence in _sentences(contract):
        if not words.search(sentence.text) or unless.search(sentence.text):
            continue
        for figure in figures(contract, unit, sentence.start, sentence.end):
            has_subject = True
            limit = _broken(figure.value, low, high)
            if limit is not None:
                hits.append(_limited(sentence, figure, limit))
                break
    return Outcome(tuple(hits), has_subject)


def _template(rule: RuleSpec, contract: Contract, language: str) -> Outcome:
    wanted = _fallback(rule, language)
    words = _words(rule, "words")
    candidates = [
        p for p in contract.source.paragraphs if words.search(contract.source.words_of(p))
    ]
    if not wanted:
        return Outcome((), has_subject=False)
    if not candidates:
        return Outcome((RuleHit(0, 0, wanted, _anchor(rule, contract)),))
    best = max(candidates, key=lambda p: _alike(wanted, _unlabelled(contract, p)[1]))
    start, text = _unlabelled(contract, best)
    if _bare(text) == _bare(wanted):
        return Outcome(())
    if _alike(wanted, text) < _ALIKE:
        return Outcome((RuleHit(0, 0, wanted, _anchor(rule, contract)),))
    return Outcome((RuleHit(start, start + len(text), wanted),))


def _sentences(contract: Contract) -> Iterator[Sentence]:
    """In an English text a full stop ends them too."""
    for sentence in sentences(contract):
        start = 0
        for stop in re.finditer(r"(?<=[a-z)\"”])\.\s+(?=[A-Z(\"“])", sentence.text):
            yield Sentence(sentence.text[start : stop.start() + 1], sentence.start + start)
            start = stop.end()
        yield Sentence(sentence.text[start:], sentence.start + start)


def _anchor(rule: RuleSpec, contract: Contract) -> int:
    """The paragraph that the missing text should come after: the end of the clause that `place` names, or else
    the last one before people sign.
    """
    place = _words(rule, "place")
    for clause in contract.all_clauses:
        if clause.label and clause.title and place.search(clause.title):
            return contract.source.paragraph_at(max(clause.end - 1, clause.start)).number
    paragraphs = contract.source.paragraphs
    for paragraph in paragraphs[len(paragraphs) // 2 :]:
        if _SIGNING.search(contract.source.words_of(paragraph)):
            return max(paragraph.number - 1, 0)
    return paragraphs[-1].number


def _broken(value: Decimal, low: Decimal | None, high: Decimal | None) -> Decimal | None:
    """The limit that the figure breaks."""
    if high is not None and value > high:
        return high
    return low if low is not None and value < low else None


def _limited(sentence: Sentence, figure: Figure, limit: Decimal) -> RuleHit:
    at, to = figure.start - sentence.start, figure.end - sentence.start
    text = f"{sentence.text[:at]}{figure.written_as(limit)}{sentence.text[to:]}"
    return RuleHit(sentence.start, sentence.end, text, written=sentence.text[at:to])


def _unlabelled(contract: Contract, paragraph: Paragraph) -> tuple[int, str]:
    words = contract.source.words_of(paragraph)
    label = _LABEL.match(words)
    skipped = label.end() if label else 0
    return paragraph.start + skipped, words[skipped:].rstrip()


def _alike(one: str, other: str) -> float:
    return SequenceMatcher(None, _bare(one), _bare(other), autojunk=False).quick_ratio()


def _bare(text: str) -> str:
    return re.sub(r"[\s，,。.；;：:、]", "", text).lower()


def limit_valid(value: Any) -> bool:
    """Nothing, or a number that a contract may name."""
    if value in (None, ""):
        return True
    number = _number(value)
    if number is None or not number.is_finite() or not 0 <= number <= MOST:
        return False
    return number == number.quantize(Decimal("0.000001"))


def _number(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
