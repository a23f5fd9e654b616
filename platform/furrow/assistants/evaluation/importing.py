"""Golden questions from a table, and back into one.

Columns by name, in any order: question, expects, facts, forbidden, document, page, rung, note. Several facts are set
apart by `;`, alternatives of one by `|`. Chinese column names and full-width signs do as well.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from furrow.assistants.evaluation.golden import golden_create
from furrow.assistants.evaluation.models import GoldenQuestion
from furrow.assistants.models import Assistant
from furrow.core.errors import AppError, Conflict, Invalid
from furrow.knowledge.models import Document
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.text.folding import fold
from furrow.metering.selectors import defused
from furrow.tenants.services import Actor

COLUMNS = ("question", "expects", "facts", "forbidden", "document", "page", "rung", "note")
MAX_BYTES = 1024 * 1024
_NAMES = {
    "问题": "question",
    "期望": "expects",
    "要点": "facts",
    "不得出现": "forbidden",
    "文档": "document",
    "页码": "page",
    "步骤": "rung",
    "备注": "note",
}
_EXPECTS = {
    "": "answer",
    "answer": "answer",
    "回答": "answer",
    "refusal": "refusal",
    "refuse": "refusal",
    "不知道": "refusal",
    "拒答": "refusal",
    "handover": "handover",
    "转人工": "handover",
}


@dataclass
class Imported:
    """What came of a table: the good lines are kept, each bad one is named with its reason."""

    created: int = 0
    known: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)


def golden_import(*, actor: Actor, assistant: Assistant, data: bytes) -> Imported:
    """Raises `Invalid` when the table as a whole cannot be read."""
    if len(data) > MAX_BYTES:
        raise Invalid(_("The table is larger than 1 MB."), field="file")
    try:
        text, _encoding = decode_text(data)
    except ParseFailure:
        raise Invalid(_("This file is not a text table (CSV)."), field="file") from None
    done = Imported()
    for number, row in _rows(text):
        try:
            golden_create(
                actor=actor,
                assistant=assistant,
                origin=GoldenQuestion.Origin.IMPORTED,
                **_expected(assistant, row),
            )
            done.created += 1
        except Conflict:
            done.known += 1
        except AppError as error:
            done.problems.append((number, str(error.message)))
    return done


def golden_csv(rows: Iterable[GoldenQuestion]) -> str:
    """The set as a table that `golden_import` reads; cells that a spreadsheet would run are defused."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        facts = "; ".join("|".join(wordings) for wordings in row.facts)
        title = row.document.title if row.document else ""
        cells = (row.question, row.expects, facts, "; ".join(row.forbidden), title)
        writer.writerow(
            [*map(defused, cells), row.page or "", defused(row.rung), defused(row.note)]
        )
    return text.getvalue()


def _rows(text: str) -> Iterable[tuple[int, dict[str, str]]]:
    text = text.lstrip("\ufeff")
    first = text.split("\n", 1)[0]
    separator = max(",\t;", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error:
        raise Invalid(_("This file is not a text table (CSV)."), field="file") from None
    names = [_NAMES.get(fold(name).strip(), fold(name).strip()) for name in (lines or [[]])[0]]
    if "question" not in names:
        raise Invalid(
            _("The first line must name the columns; “question” is missing."), field="file"
        )
    for number, cells in enumerate(lines[1:], start=2):
        row = {
            name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in COLUMNS
        }
        if any(row.values()):
            yield number, row


def _expected(assistant: Assistant, row: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "question": row.get("question", "").removeprefix("'"),
        "expects": _EXPECTS.get(fold(row.get("expects", "")), row.get("expects", "")),
        "facts": [_parts(fact, "|｜") for fact in _parts(row.get("facts", ""), ";；\n")],
        "forbidden": _parts(row.get("forbidden", ""), ";；\n"),
        "rung": row.get("rung", ""),
        "note": row.get("note", ""),
    }
    if row.get("document"):
        found["document_id"] = _document_named(assistant, row["document"])
        found["page"] = _page(row.get("page", ""))
    return found


def _parts(text: str, separators: str) -> list[str]:
    for separator in separators[1:]:
        text = text.replace(separator, separators[0])
    return [part.strip() for part in text.split(separators[0]) if part.strip()]


def _page(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or int(text) > 100_000:
        raise Invalid(_("A page is a number."), field="page")
    return int(text)


def _document_named(assistant: Assistant, title: str) -> Any:
    """By its title in the assistant's knowledge, or its file name."""
    bases = assistant.knowledge_bases.filter(deleted_at=None)
    known = Document.objects.filter(knowledge_base__in=bases, deleted_at=None)
    found = known.filter(title=title).first() or known.filter(live_version__file_name=title).first()
    if found is None:
        raise Invalid(
            _("There is no document named “%(title)s” in its knowledge.") % {"title": title},
            field="document",
        )
    return found.id
