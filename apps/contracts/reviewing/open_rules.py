"""Which rules words alone cannot settle, and what the language model's verdict changes about them.

The model is the last to speak and has the least to say: it may find what no phrase names, and clear a clause that is
there in other words. What a phrase, a figure or a sure classifier has settled it may not undo.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from apps.contracts.asking.passages import Passage, Passages
from apps.contracts.asking.provision import Place, Verdict, gives_orders
from apps.contracts.clauses.model import clause_model
from apps.contracts.playbook.rules import RuleSpec, rule_apply
from apps.contracts.reading import Contract
from furrow.knowledge.sentences import split_sentences

FEWEST, MOST = 3, 5
# Further passages count only if they speak of the rule at least this much, beside the first.
_NEAR = 0.25
# A classifier whose best sentence lies so far below the line is sure that there is none.
SURELY_ABSENT = -0.9

Standing = Literal["missing", "passed", "silent"]
Change = Literal["none", "cleared", "found", "confirmed", "overruled", "distrusted", "unquoted"]


@dataclass(frozen=True, slots=True)
class OpenRule:
    """`standing` is what the rule engine made of it: something is missing, it passed, or there was nothing to look
    at. `is_surely_absent` is the classifier's word for a clause that is missing.
    """

    spec: RuleSpec
    standing: Standing
    passages: tuple[Passage, ...]
    is_surely_absent: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the verdict changes. `places` are the words that a finding or a cleared clause quotes."""

    change: Change
    places: tuple[Place, ...] = ()


def open_rules(
    contract: Contract, specs: Iterable[RuleSpec], *, language: str, types: frozenset[str]
) -> list[OpenRule]:
    """In the order of the playbook. Rules that a figure or a phrase has broken are settled, and are not asked."""
    passages, classifier = Passages(contract), _Classifier(contract, language)
    found = []
    for spec in specs:
        standing = _standing(spec, contract, language, types)
        if standing is None:
            continue
        near = _candidates(spec, passages, language)
        if near:
            absent = standing == "missing" and classifier.is_surely_absent(spec)
            found.append(OpenRule(spec, standing, near, absent))
    return found


def ruled(rule: OpenRule, verdict: Verdict) -> Ruling:
    """Without words of the contract, neither "met" nor "broken" counts."""
    if verdict.verdict == "absent":
        # It tends to see nothing; where a phrase or a classifier found the clause it is there.
        return Ruling("confirmed" if rule.standing == "missing" else "overruled" if rule.standing == "passed" else "none")  # fmt: skip
    if verdict.verdict == "met":
        return _met(rule, verdict)
    return Ruling("found", verdict.places[:1]) if verdict.places else Ruling("unquoted")


def _met(rule: OpenRule, verdict: Verdict) -> Ruling:
    if rule.standing != "missing":
        return Ruling("none")
    if not verdict.places:
        return Ruling("unquoted")
    if rule.is_surely_absent:
        return Ruling("overruled", verdict.places[:1])
    if gives_orders(rule.passages):
        return Ruling("distrusted", verdict.places[:1])
    return Ruling("cleared", verdict.places[:1])


def _standing(
    spec: RuleSpec, contract: Contract, language: str, types: frozenset[str]
) -> Standing | None:
    outcome = rule_apply(spec, contract, language=language, types=types)
    if any(hit.start != hit.end for hit in outcome.hits):
        return None
    if outcome.hits:
        return "missing"
    if spec.check_kind == "must_have":
        return "passed"
    if spec.check_kind == "must_not" or not outcome.has_subject:
        return "silent"
    # A figure within its limits, or our own wording, word for word.
    return None


def _candidates(spec: RuleSpec, passages: Passages, language: str) -> tuple[Passage, ...]:
    """Three to five: the best by the rule's own phrases, its name and our wording."""
    phrases = " ".join(str(word).replace("…", " ") for word in spec.terms.get("words", ()))
    query = " ".join([spec.name_in(language), phrases, spec.fallback.get(language, "")])
    ranked = passages.rank(query)
    least = ranked[0].score * _NEAR if ranked else 0.0
    kept = [one.passage for n, one in enumerate(ranked[:MOST]) if n < FEWEST or one.score >= least]
    return tuple(sorted(kept, key=lambda passage: passage.start))


class _Classifier:
    """Scored once, and only where a rule asks: it takes a second or two for a long contract."""

    def __init__(self, contract: Contract, language: str) -> None:
        self._contract = contract
        self._speaks = language == "en"

    def is_surely_absent(self, spec: RuleSpec) -> bool:
        named: Sequence[str] = spec.terms.get("types", ())
        known = [self._best[name] for name in named if self._speaks and name in self._best]
        return bool(known) and max(known) < SURELY_ABSENT

    @cached_property
    def _best(self) -> dict[str, float]:
        text = self._contract.text
        sentences = [text[start:end] for start, end in split_sentences(text)]
        if not sentences:
            return {}
        model = clause_model()
        highest = model.scores(sentences).max(axis=0)
        return {name: float(score) for name, score in zip(model.types, highest, strict=True)}
