"""Sentences with their features, to train the verifier's decision by and to measure it on trades it has not seen."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from furrow.assistants.verifier.answer import says_unknown
from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.features import features_of
from furrow.assistants.verifier.judge import contradiction, is_copy, veto
from furrow.assistants.verifier.openings import without_opening
from furrow.assistants.verifier.statements import Statements
from furrow.assistants.verifier.stream import draft_of
from furrow.knowledge.sentences import split_sentences
from tests.bench.verifier_cases import answers
from tests.bench.verifier_sources import Said, Source, written_by_hand

SETS = (
    "learning",
    "unseen",
    *(f"learn_{n:02}" for n in range(1, 7)),
    "close_1",
    "close_learn_1",
    "close_learn_2",
    "close_learn_3",
)
# The demo's answers were what earlier rules were written by; more seeds plant more sorts of falsehood in the same text.
_DEMO = (("dev", None, 100), ("dev", 5, 150), ("held", None, 100))
_VERBATIM = 3


@dataclass(frozen=True)
class Row:
    """`trade` keeps what speaks of one shop together; of what is vetoed or copied no model is asked."""

    part: str
    trade: str
    kind: str
    text: str
    is_true: bool
    is_vetoed: bool
    is_copied: bool
    features: dict[str, float]


def rows(data: Path) -> list[Row]:
    found: list[Row] = []
    for part, trade, source, said in _sentences(data):
        evidence = Evidence(source.text, source.heading)
        statements = Statements(evidence)
        for each in said:
            found.append(_row(part, trade, each, evidence, statements))
    return found


def _row(part: str, trade: str, said: Said, evidence: Evidence, statements: Statements) -> Row:
    text = draft_of(said.text).text
    body, opening = without_opening(text)
    features = features_of(body, statements, opening)
    is_vetoed = veto(body, evidence) or contradiction(body, features, statements)
    return Row(
        part,
        trade,
        said.kind,
        text,
        said.is_true,
        bool(is_vetoed or says_unknown(text)),
        is_copy(text, statements),
        features,
    )


def _sentences(data: Path) -> Iterator[tuple[str, str, Source, list[Said]]]:
    for name in SETS:
        for answer in written_by_hand(name):
            source = answer.passages[0]
            yield name, source.name, source, [*answer.sentences, *copies(source)]
    by_source: dict[Source, dict[str, Said]] = {}
    for half, seed, count in _DEMO:
        for answer in answers(half, data, seed=seed, count=count):
            for said in answer.sentences:
                by_source.setdefault(said.source, {})[said.text] = said
    for source, texts in by_source.items():
        yield "demo", source.name.partition(":")[0], source, list(texts.values())


def copies(source: Source) -> list[Said]:
    """Some sentences of the passage itself: most composed answers are near to them."""
    spans = [source.text[start:end] for start, end in split_sentences(source.text)]
    fitting = [text for text in spans if 8 <= len(text) <= 220 and " | " not in text]
    dice = random.Random(source.name)
    chosen = dice.sample(fitting, min(_VERBATIM, len(fitting)))
    return [Said(text, source, "verbatim") for text in chosen]
