"""Articles of statutes by name: those that were loaded, and behind them the few the rules themselves cite."""

import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from django.db.models import Q

from apps.contracts.models import LawArticle

SHIPPED = Path(__file__).parent / "files" / "cited.jsonl"
# The day of a wording that collections of laws leave out: the Civil Code was adopted then and not changed since.
_DAYS = {"中华人民共和国民法典": "2020-05-28"}
_BATCH = 2000


@dataclass(frozen=True)
class Article:
    """`version` is the day of the wording; `text` is empty where the library does not hold the article."""

    law: str
    article: str
    version: str = ""
    text: str = ""


def articles_of(cited: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], Article]:
    """The newest wording of each cited article, by law and article, in one query."""
    wanted = {(entry["law"], entry["article"]) for entry in cited}
    if not wanted:
        return {}
    found = {key: _shipped().get(key, Article(*key)) for key in wanted}
    named = Q()
    for law, article in wanted:
        named |= Q(law=law, article=article)
    for row in LawArticle.objects.filter(named).order_by("version"):
        key = (row.law, row.article)
        if row.version >= found[key].version:
            found[key] = Article(row.law, row.article, row.version, row.text)
    return found


def laws_load(path: Path) -> tuple[int, int]:
    """Adds the articles of a file of JSON lines, plain or `.xz`; how many were new, and how many lines there were.
    What is there already stays as it is.
    """
    before = LawArticle.objects.count()
    lines = 0
    for batch in _batches(path):
        lines += len(batch)
        LawArticle.objects.bulk_create(batch, ignore_conflicts=True)
    return LawArticle.objects.count() - before, lines


def _batches(path: Path) -> Iterator[list[LawArticle]]:
    batch: list[LawArticle] = []
    with _opened(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                batch.append(_row(line, number))
            if len(batch) >= _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _row(line: str, number: int) -> LawArticle:
    try:
        data: dict[str, Any] = json.loads(line)
        law, article, text = data["law"], data["article"], data["text"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"Line {number} is no article: law, article and text are needed."
        ) from error
    version = str(data.get("version") or _DAYS.get(law, ""))[:10]
    path = str(data.get("path", ""))[:300]
    return LawArticle(law=law[:200], article=article[:40], version=version, path=path, text=text)


@lru_cache(maxsize=1)
def _shipped() -> dict[tuple[str, str], Article]:
    with SHIPPED.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {
        (r["law"], r["article"]): Article(r["law"], r["article"], r["version"], r["text"])
        for r in rows
    }
