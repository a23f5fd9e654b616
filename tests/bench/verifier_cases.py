"""Answers with planted falsehoods, built by a seed from real passages and sentences written by hand."""

import csv
import hashlib
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from furrow.knowledge.sentences import split_sentences
from tests.bench.verifier_plants import kinds, language_of
from tests.bench.verifier_sources import Answer, Said, Source, cmrc_sources, demo_sources

HERE = Path(__file__).parent
ANSWERS = 100
_SEEDS = {"dev": 20261125, "held": 71}


def half_of(text: str) -> str:
    return ("dev", "held")[int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2]


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def paraphrases(sources: list[Source], half: str) -> list[Said]:
    found = []
    for row in _rows("verifier_paraphrases.tsv"):
        # Those written later, to learn from, are of the developing half.
        if (row["half"] or half_of(row["text"])) != half:
            continue
        owners = [s for s in sources if s.name == row["source"] and row["key"] in _flat(s.text)]
        if owners:
            found.append(Said(row["text"], owners[0], "paraphrase"))
        elif not row["source"].startswith("cmrc"):
            raise LookupError(f"no passage of {row['source']} has {row['key']!r}")
    return found


def _flat(text: str) -> str:
    return text.replace("\n", " ")


def verbatim(sources: list[Source], half: str) -> list[Said]:
    found = []
    for source in sources:
        for start, end in split_sentences(source.text):
            sentence = source.text[start:end]
            is_prose = " | " not in sentence and not sentence.endswith(("?", "？"))
            if is_prose and 12 <= len(sentence) <= 160 and half_of(sentence) == half:
                is_whole = not re.search("[。！？」』”](?=.)", sentence)
                if is_whole and sentence not in source.heading and re.search("[。.]$", sentence):
                    found.append(
                        Said(re.sub(r"^(?:\d+\.\d+|\d+[.)])\s*", "", sentence), source, "verbatim")
                    )
    return found


def answers(
    half: str, data: Path, *, seed: int | None = None, count: int = ANSWERS
) -> list[Answer]:
    """A hundred answers of three to five sentences, one or two of them planted, over four passages."""
    dice = random.Random(_SEEDS[half] if seed is None else seed)
    sources = demo_sources() + cmrc_sources(data)
    true = paraphrases(sources, half)
    exact = verbatim(sources, half)
    pool = [*true, *true, *dice.sample(exact, min(len(exact), 2 * len(true)))]
    inventions = [row["text"] for row in _rows("verifier_inventions.tsv") if row["half"] == half]
    queue = _endless(true, dice)
    planted_kinds = _endless([*kinds(half), "invention"], dice)
    made = []
    for _ in range(count):
        honest = [next(queue), dice.choice(exact)]
        if dice.random() < 0.5:
            honest.append(dice.choice(exact))
        planted = []
        for _ in range(dice.choice([1, 2])):
            planted.append(_planted(next(planted_kinds), half, pool, inventions, honest, dice))
        sentences = [*honest, *planted]
        dice.shuffle(sentences)
        passages = list({id(s.source): s.source for s in sentences}.values())
        while len(passages) < 4:
            passages.append(dice.choice(sources))
        dice.shuffle(passages)
        made.append(Answer(tuple(sentences), tuple(passages)))
    return made


def _planted(
    kind: str,
    half: str,
    pool: list[Said],
    inventions: list[str],
    honest: list[Said],
    dice: random.Random,
) -> Said:
    if kind == "invention":
        source = honest[0].source
        fitting = [text for text in inventions if language_of(text) == language_of(source.text)]
        return Said(dice.choice(fitting), source, kind)
    mutate = kinds(half)[kind]
    while True:
        base = dice.choice(pool)
        text = mutate(base.text, base.source, dice)
        if text is not None and text != base.text and text not in base.source.text:
            return Said(text, base.source, kind)


def _endless(items: list[Any], dice: random.Random) -> Iterator[Any]:
    while True:
        order = list(items)
        dice.shuffle(order)
        yield from order
