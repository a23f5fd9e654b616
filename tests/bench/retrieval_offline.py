"""Measures retrieval and quoting on the public data sets, without a database or a model.

    python tests/bench/retrieval_offline.py [statutes|reading]

The data folder is FURROW_DATA_DIR, or `../shared/data` beside the checkout.
"""

import hashlib
import json
import lzma
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from math import log2
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "platform"))

from furrow.knowledge.lexical.scoring import Hit, SegmentView, score  # noqa: E402
from furrow.knowledge.lexical.segments import build_segment  # noqa: E402
from furrow.knowledge.quoting import Passage, Quote, pick_sentences  # noqa: E402
from furrow.knowledge.sentences import split_sentences  # noqa: E402
from furrow.knowledge.text.analysis import Term  # noqa: E402
from furrow.knowledge.text.synonyms import search_terms  # noqa: E402

DATA = Path(os.environ.get("FURROW_DATA_DIR", ROOT.parent / "shared" / "data"))
THRESHOLD = 0.4


class Reading(NamedTuple):
    id: str
    question: str
    passage: int
    answer: str


class Index:
    """One segment over (header, text) pairs."""

    def __init__(self, docs: Sequence[tuple[str, str]]) -> None:
        started = time.perf_counter()
        segment = build_segment((UUID(int=n), *doc) for n, doc in enumerate(docs))
        self.build_s = time.perf_counter() - started
        self.bytes = sum(map(len, segment.postings.values()))
        self.terms = len(segment.postings)
        self.views = [SegmentView(0, segment.chunk_ids, segment.lengths)]
        self.postings = {(0, term): packed for term, packed in segment.postings.items()}
        self.times_ms: list[float] = []

    def search(
        self, question: str, limit: int, terms: Callable[[str], list[Term]] = search_terms
    ) -> list[Hit]:
        """By the words that the product looks for, or by those that `terms` gives."""
        started = time.perf_counter()
        hits = score(terms(question), self.views, self.postings, limit)
        self.times_ms.append(1000 * (time.perf_counter() - started))
        return hits


def main() -> None:
    wanted = sys.argv[1:] or ["reading", "statutes"]
    parts: dict[str, tuple[str, Callable[[], object]]] = {
        "reading": ("cmrc2018_trial", measure_reading),
        "statutes": ("stard_train", measure_statutes),
    }
    for name in wanted:
        folder, measure = parts[name]
        if not (DATA / folder).is_dir():
            say(f"{name}: no data at {DATA / folder}; set FURROW_DATA_DIR. Nothing was measured.")
            continue
        measure()


def measure_reading() -> dict[str, float]:
    """Reports, and returns the figures that the tests hold a floor under."""
    figures: dict[str, float] = {}
    passages, readings = read_cmrc()
    index = Index(passages)
    found = {r.id: index.search(r.question, 6) for r in readings}
    say(f"reading: {len(passages)} passages, {len(readings)} questions")
    for k in (1, 5):
        hits = sum(r.passage in [h.chunk_id.int for h in found[r.id][:k]] for r in readings)
        figures[f"recall@{k}"] = hits / len(readings)
        say(f"  passage recall@{k} {hits / len(readings):.4f}")
    report_ceiling(passages, readings)
    started = time.perf_counter()
    quotes = {r.id: quote(passages, r.question, found[r.id][:5]) for r in readings}
    each_ms = 1000 * (time.perf_counter() - started) / len(readings)
    for label, half in (("all", None), ("half A, weights fitted here", 0), ("half B, unseen", 1)):
        chosen = [r for r in readings if half in (None, half_of(r.id))]
        figures[label] = report_quotes(label, quotes, chosen)
    say(f"  picking takes {each_ms:.1f} ms a question")
    report_threshold(passages, readings, quotes, found, index)
    return figures


def report_ceiling(passages: Sequence[tuple[str, str]], readings: Sequence[Reading]) -> None:
    held = 0
    for reading in readings:
        text = passages[reading.passage][1]
        held += any(reading.answer in text[start:end] for start, end in split_sentences(text))
    say(f"  answers that lie within one sentence at all {held / len(readings):.4f}")


def report_quotes(label: str, quotes: dict[str, list[Quote]], readings: list[Reading]) -> float:
    first = shown = characters = count = 0
    for reading in readings:
        texts = [q.text for q in quotes[reading.id]]
        first += any(reading.answer in text for text in texts[:1])
        shown += any(reading.answer in text for text in texts)
        characters += sum(map(len, texts))
        count += len(texts)
    n = len(readings)
    say(
        f"  {label}: first quote holds the answer {first / n:.4f}, shown quotes {shown / n:.4f}"
        f" ({count / n:.2f} quotes, {characters / n:.0f} characters on average)"
    )
    return first / n


def report_threshold(
    passages: Sequence[tuple[str, str]],
    readings: Sequence[Reading],
    quotes: dict[str, list[Quote]],
    found: dict[str, list[Hit]],
    index: Index,
) -> None:
    """How often the threshold lets an answer through, for three kinds of question."""
    unseen = [r for r in readings if half_of(r.id)]
    right = [r for r in unseen if is_sure(quotes[r.id])]
    good = sum(r.answer in quotes[r.id][0].text for r in right)
    without = [
        quote(passages, r.question, [h for h in found[r.id] if h.chunk_id.int != r.passage])
        for r in unseen
    ]
    say(
        f"  at confidence {THRESHOLD}, half B: answers {len(right) / len(unseen):.3f} of questions,"
    )
    say(f"    {good / len(right):.3f} of those rightly;")
    say(f"    {share_sure(without):.3f} when the passage with the answer is taken away;")
    if (DATA / "stard_train").is_dir():
        strangers = [quote(passages, q, index.search(q, 5)) for _, q in read_questions()]
        say(f"    {share_sure(strangers):.3f} of questions about other matters (law)")


def quote(passages: Sequence[tuple[str, str]], question: str, hits: Sequence[Hit]) -> list[Quote]:
    picked = [
        Passage(
            hit.chunk_id,
            passages[hit.chunk_id.int][1],
            passages[hit.chunk_id.int][0],
            "",
            hit.score,
        )
        for hit in hits
    ]
    return pick_sentences(question, picked)


def is_sure(quotes: Sequence[Quote]) -> bool:
    return bool(quotes) and quotes[0].confidence >= THRESHOLD


def share_sure(answers: Sequence[Sequence[Quote]]) -> float:
    return sum(map(is_sure, answers)) / len(answers)


def measure_statutes() -> None:
    articles = list(read_articles())
    relevant = read_relevant()
    index = Index([(name, text) for name, text, _ in articles])
    say(f"statutes: {len(articles)} articles, built in {index.build_s:.1f} s,")
    say(f"  {index.terms} terms, {index.bytes / 1e6:.1f} MB of postings")
    totals: dict[str, float] = defaultdict(float)
    questions = read_questions()
    for number, question in questions:
        ranked = [articles[hit.chunk_id.int][2] for hit in index.search(question, 100)]
        for name, value in rank_measures(ranked, relevant[number]).items():
            totals[name] += value / len(questions)
    say("  " + ", ".join(f"{name} {value:.4f}" for name, value in totals.items()))
    times = sorted(index.times_ms)
    say(f"  search takes {sum(times) / len(times):.1f} ms, p95 {times[int(0.95 * len(times))]:.1f}")


def rank_measures(ranked: Sequence[int | None], relevant: set[int]) -> dict[str, float]:
    gain = sum(1 / log2(at + 2) for at, number in enumerate(ranked[:10]) if number in relevant)
    ideal = sum(1 / log2(at + 2) for at in range(min(10, len(relevant))))
    measures = {"nDCG@10": gain / ideal}
    for k in (1, 5, 10, 100):
        measures[f"recall@{k}"] = len(relevant & {n for n in ranked[:k] if n}) / len(relevant)
    return measures


def read_cmrc() -> tuple[list[tuple[str, str]], list[Reading]]:
    with lzma.open(
        DATA / "cmrc2018_trial" / "cmrc2018_trial.squad.json.xz", "rt", encoding="utf-8"
    ) as file:
        groups = json.load(file)["data"]
    passages: list[tuple[str, str]] = []
    readings: list[Reading] = []
    for group in groups:
        for paragraph in group["paragraphs"]:
            for qa in paragraph["qas"]:
                answer = qa["answers"][0]["text"]
                readings.append(Reading(qa["id"], qa["question"], len(passages), answer))
            passages.append((group["title"], paragraph["context"]))
    return passages, readings


def read_articles() -> Iterator[tuple[str, str, int | None]]:
    """The stand-in collection: (name, text, id), the id only for articles that questions name."""
    names: set[str] = set()
    texts: set[str] = set()
    for row in read_lines(DATA / "stard_train" / "articles.jsonl.xz"):
        names.add(plain_name(row["name"]))
        texts.add(plain_text(row["text"]))
        yield row["name"], row["text"], row["id"]
    for row in read_lines(DATA / "laws_zh" / "laws_articles.jsonl.xz"):
        name, text = plain_name(row["law"] + row["article"]), plain_text(row["text"])
        if row["latest"] and name not in names and text not in texts and len(text) >= 5:
            names.add(name)
            texts.add(text)
            yield row["law"] + row["article"], row["text"], None


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def read_questions() -> list[tuple[str, str]]:
    lines = (DATA / "stard_train" / "train.query.txt").read_text("utf-8").splitlines()
    return [(number, question) for number, question in (line.split("\t", 1) for line in lines)]


def read_relevant() -> dict[str, set[int]]:
    relevant: dict[str, set[int]] = defaultdict(set)
    for line in (DATA / "stard_train" / "qrels.train.tsv").read_text("utf-8").splitlines():
        question, _, article, _ = line.split()
        relevant[question].add(int(article))
    return relevant


def plain_name(name: str) -> str:
    return name.replace("中华人民共和国", "")


def plain_text(text: str) -> str:
    return re.sub(r"\s", "", text)


def half_of(question_id: str) -> int:
    return int(hashlib.sha256(question_id.encode()).hexdigest(), 16) % 2


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
