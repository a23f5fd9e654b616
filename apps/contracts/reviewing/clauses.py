"""Which clauses a contract has: by the trained classifiers in English, by the words of headings in Chinese."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from apps.contracts.clauses.model import clause_model
from apps.contracts.reading import Contract
from furrow.knowledge.sentences import split_sentences

_BATCH = 200
_MOST_EACH = 5
# CUAD's types where a Chinese heading means the same, and the few it lacks.
_HEADINGS = (
    ("Parties", r"当事人|双方"), ("Price", r"价款|价格|租金|费用|报酬|金额"), ("Payment", r"付款|支付|结算"),
    ("Delivery", r"交付|交货|运输"), ("Quality", r"质量|标准"), ("Inspection", r"验收|检验"),
    ("Liability", r"违约"), ("Disputes", r"争议|纠纷|管辖"), ("Governing Law", r"适用法律|法律适用"),
    ("Confidentiality", r"保密"), ("Termination", r"解除|终止"), ("Force Majeure", r"不可抗力"),
    ("Ip Ownership Assignment", r"知识产权|著作权|成果归属"), ("Term", r"期限|有效期"), ("Warranty Duration", r"质保|售后|维护"),
    ("Anti-Assignment", r"转让|转租"), ("Exclusivity", r"独家|排他"), ("Insurance", r"保险"), ("Notices", r"通知|送达"),
)  # fmt: skip
_PATTERNS = tuple((kind, re.compile(words)) for kind, words in _HEADINGS)


@dataclass(frozen=True, slots=True)
class ClauseFound:
    kind: str
    start: int
    end: int
    source: str
    score: float


def clauses_find(
    contract: Contract, language: str, on_progress: Callable[[int, int], None]
) -> list[ClauseFound]:
    if language == "zh":
        found = list(_by_heading(contract))
        on_progress(1, 1)
        return found
    return _by_classifier(contract, on_progress)


def _by_heading(contract: Contract) -> Iterator[ClauseFound]:
    for clause in contract.all_clauses:
        if clause.label and clause.title and clause.start < clause.end:
            for kind, pattern in _PATTERNS:
                if pattern.search(clause.title):
                    yield ClauseFound(kind, clause.start, clause.end, "rule", 1.0)
                    break


def _by_classifier(
    contract: Contract, on_progress: Callable[[int, int], None]
) -> list[ClauseFound]:
    """The most certain sentences of each type."""
    places = split_sentences(contract.text)
    model = clause_model()
    best: dict[str, list[ClauseFound]] = {name: [] for name in model.types}
    # Neighbours count as features, so that the whole contract is scored in one go.
    scores = model.scores([contract.text[start:end] for start, end in places])
    for number, (start, end) in enumerate(places):
        for column in (scores[number] > 0).nonzero()[0]:
            name = model.types[int(column)]
            score = float(scores[number][column])
            best[name].append(ClauseFound(name, start, end, "classifier", round(score, 3)))
        if number % _BATCH == 0:
            on_progress(number, len(places))
    on_progress(len(places), len(places))
    return [
        one for found in best.values() for one in sorted(found, key=lambda c: -c.score)[:_MOST_EACH]
    ]
