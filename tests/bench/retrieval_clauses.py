"""Measures how contracts are searched: `python tests/bench/retrieval_clauses.py [--all] [500|product]`.

Loads the 408 contracts of cuad_rest into one index of passages and asks "Consider the <title>; <what the
annotators were asked>" for contract and category pairs that have a clause (a fixed quarter, or --all). The title
is the file's name without dates and filing numbers, in words. Character recall at k is the share of the marked
characters that lie in the first k passages; a passage of another contract counts nothing. Passages are the
product's own (about 900 characters) or of at most 500 characters, as the published figures use. Nothing is learnt.
"""

import csv
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

import numpy as np  # noqa: E402

from furrow.knowledge.chunking import chunk_document  # noqa: E402
from furrow.knowledge.lexical.scoring import Hit, SegmentView, score  # noqa: E402
from furrow.knowledge.parsing.document import Block, ParsedDocument  # noqa: E402
from furrow.knowledge.ranking.naming import documents_named  # noqa: E402
from furrow.knowledge.ranking.rescoring import Facts, depth_for, rescore, titles_of  # noqa: E402
from furrow.knowledge.text.analysis import analyse_query  # noqa: E402
from tests.bench import retrieval_offline as offline  # noqa: E402

DEPTHS = (1, 8, 16, 64)
_NUMBERING = re.compile(r"[\d.]+|EX[\d. ]*|10 ?[KQ]|8 ?K|S 1A?|[SF]|1A?|[A-Z0-9]{1,4}")


class Question(NamedTuple):
    contract: int
    text: str
    spans: tuple[tuple[int, int], ...]


class Passage(NamedTuple):
    contract: int
    start: int
    end: int


def main(arguments: list[str]) -> None:
    contracts = list(offline.read_lines(offline.DATA / "cuad_rest" / "cuad_rest.jsonl.xz"))
    questions = [q for q in questions_of(contracts) if "--all" in arguments or is_chosen(q.text)]
    offline.say(f"{len(contracts)} contracts, {len(questions)} questions\n")
    offline.say("| passages | row | " + " | ".join(f"@{k}" for k in DEPTHS) + " |")
    offline.say("|---|---|" + "--:|" * len(DEPTHS))
    for size in (500, None):
        if arguments and {"500", "product"} & set(arguments):
            if ("500" if size else "product") not in arguments:
                continue
        measure(contracts, questions, size)


def measure(contracts: list[dict[str, Any]], questions: list[Question], size: int | None) -> None:
    passages, docs = passages_of(contracts, size)
    index = offline.Index(docs)
    facts = {
        UUID(int=place): Facts(UUID(int=p.contract), contracts[p.contract]["file"][:-4], "", "", 0)
        for place, p in enumerate(passages)
    }
    of_contract: dict[UUID, list[int]] = {}
    for place, passage in enumerate(passages):
        of_contract.setdefault(UUID(int=passage.contract), []).append(place)
    words, named = [], []
    for question in questions:
        hits = index.search(question.text, depth_for(max(DEPTHS)))
        words.append(recalls(question, [passages[h.chunk_id.int] for h in hits]))
        found = with_named(index, question.text, hits, facts, of_contract)
        rows = rescore(analyse_query(question.text), found, facts)
        named.append(recalls(question, [passages[row.chunk_id.int] for row in rows]))
    label = f"{len(passages)}, {'at most 500' if size else 'as the product cuts'}"
    for row, values in (("words, names in words", words), ("and the named contract first", named)):
        figures = " | ".join(f"{sum(v[k] for v in values) / len(values):.3f}" for k in DEPTHS)
        offline.say(f"| {label} | {row} | {figures} |")


def with_named(
    index: offline.Index,
    text: str,
    hits: list[Hit],
    facts: dict[UUID, Facts],
    of_contract: dict[UUID, list[int]],
) -> list[Hit]:
    """As `furrow.knowledge.words` does it: of a named document every passage may answer."""
    named = documents_named(analyse_query(text), titles_of(hits, facts))
    if not 0 < len(named) <= 8:
        return hits
    view = index.views[0]

    alive = np.zeros(len(view.lengths), np.bool_)
    for document in named:
        alive[of_contract[document]] = True
    inside = SegmentView(view.key, view.chunk_ids, view.lengths, alive)
    more = score(analyse_query(text), [inside], index.postings, depth_for(max(DEPTHS)))
    known = {hit.chunk_id for hit in hits}
    return [*hits, *(hit for hit in more if hit.chunk_id not in known)]


def recalls(question: Question, passages: list[Passage]) -> dict[int, float]:
    whole = sum(end - start for start, end in question.spans)
    return {
        k: sum(
            max(0, min(passage.end, end) - max(passage.start, start))
            for passage in passages[:k]
            if passage.contract == question.contract
            for start, end in question.spans
        )
        / whole
        for k in DEPTHS
    }


def passages_of(
    contracts: list[dict[str, Any]], size: int | None
) -> tuple[list[Passage], list[tuple[str, str]]]:
    passages, docs = [], []
    for number, contract in enumerate(contracts):
        parsed = ParsedDocument(
            text=contract["text"], blocks=tuple(blocks_of(contract["text"])), language="en"
        )
        title = contract["file"].removesuffix(".txt")
        for draft in chunk_document(
            parsed, title=title, language="en", target_chars=size, max_chars=size
        ):
            passages.append(Passage(number, draft.start, draft.end))
            docs.append((draft.header, draft.text))
    return passages, docs


def blocks_of(text: str) -> Iterator[Block]:
    """A paragraph a line, so that offsets stay those of the data."""
    start = 0
    for line in text.split("\n"):
        if words := line.strip():
            at = start + line.index(words)
            yield Block("paragraph", words, 0, None, at, at + len(words))
        start += len(line) + 1


def questions_of(contracts: list[dict[str, Any]]) -> Iterator[Question]:
    asked = categories_read()
    for number, contract in enumerate(contracts):
        for category, label in contract["labels"].items():
            spans = tuple(dict.fromkeys((s["start"], s["end"]) for s in label["spans"]))
            if spans:
                text = f"Consider the {title_of(contract['file'])}; {asked[category.lower()]}"
                yield Question(number, text, spans)


def categories_read() -> dict[str, str]:
    path = offline.DATA / "cuad_rest" / "category_descriptions.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    return {
        row[0].removeprefix("Category: ").strip().lower(): " ".join(
            row[1].removeprefix("Description: ").split()
        )
        for row in rows
    }


def title_of(file: str) -> str:
    """What a person would call it: the file's name without what only the filing needs."""
    parts = re.split(r"[_\-]+", file.removesuffix(".txt").strip())
    kept = [part for part in parts if part and not _NUMBERING.fullmatch(part.strip())]
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", " ".join(kept)).split())


def is_chosen(text: str) -> bool:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 4 == 0


if __name__ == "__main__":
    main(sys.argv[1:])
