"""Measures statute search step by step: `python tests/bench/retrieval_statutes.py`.

Lay questions of stard_train over the 57,808 articles that the data's README describes, without a database. Rows:
words alone; with the headings of each article; with other words besides, among them formal ones for everyday ones;
with works that others cite counting more (nothing is learnt so far); with known questions. That last row is learnt:
in five folds by question, each question sees only the questions of the other four and what answered them. The
weights were chosen, and the list of everyday words was checked, on half A of the questions; half B is shown apart.
"""

import hashlib
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from furrow.knowledge.ranking.known import Known, KnownQuestions, Lessons, Place  # noqa: E402
from furrow.knowledge.ranking.rescoring import Facts, depth_for, rescore  # noqa: E402
from furrow.knowledge.text.analysis import Term, analyse_query  # noqa: E402
from furrow.knowledge.text.names import families_cited, family  # noqa: E402
from furrow.knowledge.text.synonyms import search_terms  # noqa: E402
from tests.bench import retrieval_offline as offline  # noqa: E402

FOLDS = 5
MEASURES = ("recall@1", "recall@5", "recall@10", "recall@100", "nDCG@10")


class Article(NamedTuple):
    name: str
    path: str
    text: str
    number: int | None


def main() -> None:
    articles = articles_read()
    relevant = offline.read_relevant()
    questions = offline.read_questions()
    offline.say(f"{len(articles)} articles, {len(questions)} questions\n")
    offline.say("| row | learnt | " + " | ".join(MEASURES) + " | p95 ms |")
    offline.say("|---|---|" + "--:|" * (len(MEASURES) + 1))
    bare = offline.Index([(a.name, a.text) for a in articles])
    full = offline.Index([(f"{a.name}\n{a.path}", a.text) for a in articles])
    facts = facts_of(articles)
    lessons = lessons_of(articles, questions, relevant)

    def words(
        index: offline.Index, terms: Callable[[str], list[Term]]
    ) -> Callable[[str, str], list[int]]:
        return lambda _, text: [hit.chunk_id.int for hit in index.search(text, 100, terms)]

    def with_facts(number: str, text: str, taught: Lessons | None = None) -> list[int]:
        hits = full.search(text, depth_for(100))
        known = {h.chunk_id: facts[h.chunk_id.int] for h in hits}
        known |= {c: facts[c.int] for c in (taught.chunks if taught else ())}
        rows = rescore(analyse_query(text), hits, known, taught)
        return [row.chunk_id.int for row in rows[:100]]

    def taught(number: str, text: str) -> list[int]:
        return with_facts(number, text, lessons[number](text))

    for name, learnt, search in (
        ("words of name and text", "no", words(bare, analyse_query)),
        ("and of the headings", "no", words(full, analyse_query)),
        ("and other words for what is named", "no", words(full, search_terms)),
        ("cited works count more", "no", with_facts),
        ("known questions", f"{FOLDS} folds", taught),
    ):
        report(name, learnt, search, articles, questions, relevant)


def report(
    name: str,
    learnt: str,
    search: Callable[[str, str], list[int]],
    articles: Sequence[Article],
    questions: Sequence[tuple[str, str]],
    relevant: dict[str, set[int]],
) -> dict[str, float]:
    measured, times = {}, []
    for number, text in questions:
        started = time.perf_counter()
        ranked = [articles[place].number for place in search(number, text)]
        times.append(1000 * (time.perf_counter() - started))
        measured[number] = offline.rank_measures(ranked, relevant[number])
    p95 = sorted(times)[int(0.95 * len(times))]
    say_row(name, learnt, list(measured.values()), f"{p95:.1f}")
    unseen = [row for number, row in measured.items() if offline.half_of(number)]
    say_row(f"{name}, half B", learnt, unseen, "")
    return means(list(measured.values()))


def say_row(name: str, learnt: str, rows: list[dict[str, float]], p95: str) -> None:
    figures = " | ".join(f"{means(rows)[measure]:.3f}" for measure in MEASURES)
    offline.say(f"| {name} | {learnt} | {figures} | {p95} |")


def means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def articles_read() -> list[Article]:
    """With the headings that the collection of laws gives for the same article."""
    paths: dict[str, str] = {}
    for row in offline.read_lines(offline.DATA / "laws_zh" / "laws_articles.jsonl.xz"):
        path = " / ".join(part for part in (row["part"], row["path"]) if part)
        if row["latest"]:
            paths.setdefault(offline.plain_name(row["law"] + row["article"]), path)
            paths.setdefault(offline.plain_text(row["text"]), path)
    return [
        Article(
            name,
            paths.get(offline.plain_name(name)) or paths.get(offline.plain_text(text), ""),
            text,
            number,
        )
        for name, text, number in offline.read_articles()
    ]


def facts_of(articles: Sequence[Article]) -> list[Facts]:
    citing: dict[str, set[str]] = defaultdict(set)
    for article in articles:
        own = family(article.name)
        for cited in families_cited(article.text):
            citing[cited] |= {own} - {cited}
    return [
        Facts(
            UUID(int=place),
            article.name,
            family(article.name),
            article.path,
            len(citing.get(family(article.name), ())),
        )
        for place, article in enumerate(articles)
    ]


def lessons_of(
    articles: Sequence[Article],
    questions: Sequence[tuple[str, str]],
    relevant: dict[str, set[int]],
) -> dict[str, Callable[[str], Lessons]]:
    """For each question the teacher that never saw it."""
    places = {article.number: place for place, article in enumerate(articles) if article.number}
    sizes = Counter(family(article.name) for article in articles)
    teachers = []
    for fold in range(FOLDS):
        known = [
            Known(text, tuple(place_of(articles, places[n]) for n in sorted(relevant[number])))
            for number, text in questions
            if fold_of(number) != fold
        ]
        teachers.append(KnownQuestions(known, sizes, len(articles)))

    def teacher(number: str) -> Callable[[str], Lessons]:
        return lambda text: teachers[fold_of(number)].lessons(analyse_query(text))

    return {number: teacher(number) for number, _ in questions}


def place_of(articles: Sequence[Article], place: int) -> Place:
    return Place(UUID(int=place), family(articles[place].name), articles[place].path)


def fold_of(question: str) -> int:
    digest = hashlib.sha256(re.sub(r"\D", "", question).encode()).hexdigest()
    return int(digest, 16) % FOLDS


if __name__ == "__main__":
    main()
