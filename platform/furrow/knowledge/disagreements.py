"""Prices and dates that documents of one base state differently, listed on both sides and kept in step as documents
come, go and change their dates.

What a version states was noted when it was read (`stages["facts"]`). One job a base holds all of it together, so that
the older document is told too, and a difference that was settled leaves the list by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from furrow.core.context import tenant_tx
from furrow.core.extensions import JobRun
from furrow.knowledge.bulk import insert_rows
from furrow.knowledge.cleaning.contradictions import KIND, Fact
from furrow.knowledge.cleaning.flag import words_hash
from furrow.knowledge.jobs import disagreements_enqueue
from furrow.knowledge.models import Document, DocumentVersion, Finding, FindingChoice

MAX_COMPARED = 200
MAX_LISTED = 2_000
_MAX_OTHERS = 5
_SURENESS = 0.9
_EXCERPT = 300


class DisagreementsHandler:
    """Runs "knowledge.disagreements" on a knowledge base."""

    def run(self, job: JobRun) -> None:
        is_behind = True
        while is_behind:
            with tenant_tx(job.tenant_id):
                seen = disagreements_refresh(job.subject_id)
                job.renew()
            # What went live meanwhile asked for this very job, for it was still active. Not by time: a change may have
            # been written before this job began and be seen only now.
            with tenant_tx(job.tenant_id):
                is_behind = _seen(_stating(job.subject_id)) != seen

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        """The list is not quite up to date; the next document brings it in line."""


def disagreements_due(knowledge_base_id: UUID, *version_ids: UUID | None) -> None:
    """Asks for a new look when one of these versions, which came or went, states anything."""
    stated = DocumentVersion.objects.filter(id__in=[one for one in version_ids if one])
    if any(stated.values_list("stages__facts", flat=True)):
        disagreements_enqueue(knowledge_base_id)


@dataclass(frozen=True)
class Stated:
    """A document with what it states."""

    document: Document
    version_id: UUID
    facts: Sequence[Fact]

    def meets(self, other: "Stated") -> bool:
        """Whether both are valid on some day: last year's price list does not contradict this year's."""
        return overlap(self.document, other.document)


def overlap(one: Document, other: Document) -> bool:
    return _begins(one) <= _ends(other) and _begins(other) <= _ends(one)


def stated_in(knowledge_base_id: UUID) -> list[Stated]:
    """The documents of a base that are or will be valid and state something, newest changes first."""
    documents = {row.live_version_id: row for row in _stating(knowledge_base_id)}
    versions = DocumentVersion.objects.filter(id__in=list(documents))
    facts = dict(versions.values_list("id", "stages__facts"))
    return [
        Stated(document, version_id, [Fact(*fact) for fact in facts.get(version_id) or []])
        for version_id, document in documents.items()
        if version_id is not None
    ]


def _stating(knowledge_base_id: UUID) -> list[Document]:
    """Those documents alone, without what they state."""
    rows = (
        Document.objects.filter(
            Q(valid_to=None) | Q(valid_to__gte=timezone.localdate()),
            knowledge_base_id=knowledge_base_id,
            deleted_at=None,
            live_version__stages__has_key="facts",
        )
        .only("id", "title", "valid_from", "valid_to", "live_version_id", "knowledge_base_id")
        .order_by("-updated_at", "id")[:MAX_COMPARED]
    )
    return list(rows)


Seen = set[tuple[UUID | None, date, date]]


def _seen(documents: Iterable[Document]) -> Seen:
    """What a comparison depends on."""
    return {(row.live_version_id, _begins(row), _ends(row)) for row in documents}


@transaction.atomic
def disagreements_refresh(knowledge_base_id: UUID) -> Seen:
    """Brings the list in line with what it returns. Rows that the owner left out stay: their words are out of the
    answers, and only the list can bring them back.
    """
    stated = stated_in(knowledge_base_id)
    wanted = disagreements(stated)
    # Also of documents that are compared no more, as those that have expired.
    rows = Finding.objects.filter(
        knowledge_base_id=knowledge_base_id,
        kind=KIND,
        document__deleted_at=None,
        document__live_version_id=F("version_id"),
    )
    known = {}
    for row in rows.select_for_update(of=("self",)):
        place = (row.version_id, row.start, row.end)
        known[place] = row
        if place in wanted:
            _bring_in_line(row, wanted[place])
        elif row.state != Finding.State.REMOVED:
            row.delete()
    documents = {one.version_id: one.document for one in stated}
    new = {place: told for place, told in wanted.items() if place not in known}
    insert_rows(_rows(new, documents), skip_existing=True)
    return _seen(documents.values())


Place = tuple[UUID, int, int]
Saying = tuple[Stated, Fact]
Pair = tuple[Stated, Fact, Stated, Fact]


def disagreements(stated: Sequence[Stated]) -> dict[Place, dict[str, Any]]:
    """By version and place, what others say there instead: the `reason` of a finding."""
    by_key: dict[str, dict[str, list[Saying]]] = defaultdict(lambda: defaultdict(list))
    for one in stated:
        for fact in one.facts:
            by_key[fact.key][fact.value].append((one, fact))
    told: dict[Place, list[Pair]] = defaultdict(list)
    for by_value in by_key.values():
        if len(told) >= MAX_LISTED:
            break
        # By value, so that two hundred lists that agree cost no more than one.
        for value, sayings in by_value.items():
            others = [said for other, pairs in by_value.items() if other != value for said in pairs]
            for one, fact in sayings if others else ():
                place = (one.version_id, fact.start, fact.end)
                told[place] += islice(_against(one, fact, others), _MAX_OTHERS)
    return {place: _reason(pairs) for place, pairs in told.items() if pairs}


def _against(one: Stated, fact: Fact, others: Sequence[Saying]) -> Iterator[Pair]:
    for other, said in others:
        if other.document.id != one.document.id and one.meets(other):
            yield one, fact, other, said


def _reason(pairs: Sequence[Pair]) -> dict[str, Any]:
    one, own, first, said = pairs[0]
    others = {
        (other.document.id, fact.start): {
            "document": str(other.document.id),
            "title": other.document.title,
            "said": fact.said,
            "start": fact.start,
            "end": fact.end,
        }
        for _, _, other, fact in pairs
    }
    until = min(_ends(one.document), max(_ends(other.document) for _, _, other, _ in pairs))
    return {
        "text": "another document says otherwise",
        "detail": f"{own.said} ≠ {first.document.title}: {said.said}"[:200],
        "times": 1,
        "said": own.said,
        "about": own.key.replace("|", " · "),
        "others": list(others.values())[:_MAX_OTHERS],
        # The last day of the dispute: then one of them has expired.
        "until": until.isoformat(),
    }


def _begins(document: Document) -> date:
    return document.valid_from or date.min


def _ends(document: Document) -> date:
    return document.valid_to or date.max


def _bring_in_line(row: Finding, reason: dict[str, Any]) -> None:
    if row.reason != reason:
        row.reason = reason
        row.save(update_fields=["reason"])


def _rows(wanted: dict[Place, dict[str, Any]], documents: dict[UUID, Document]) -> list[Finding]:
    if not wanted:
        return []
    versions = DocumentVersion.objects.filter(id__in={place[0] for place in wanted})
    texts = {version.id: version for version in versions.only("id", "text", "pages")}
    rows = []
    for (version_id, start, end), reason in wanted.items():
        words = texts[version_id].text[start:end]
        document = documents[version_id]
        rows.append(
            Finding(
                knowledge_base_id=document.knowledge_base_id,
                document_id=document.id,
                version_id=version_id,
                kind=KIND,
                reason=reason,
                score=_SURENESS,
                start=start,
                end=end,
                page=_page_at(texts[version_id].pages, start),
                excerpt=words[:_EXCERPT],
                sha256=words_hash(KIND, words),
            )
        )
    _states_set(rows)
    return rows


def _states_set(rows: Sequence[Finding]) -> None:
    """What the owner once chose about these words."""
    if not rows:
        return
    choices = FindingChoice.objects.filter(
        knowledge_base_id=rows[0].knowledge_base_id, sha256__in=[row.sha256 for row in rows]
    )
    chosen = dict(choices.values_list("sha256", "state"))
    for row in rows:
        row.state = chosen.get(row.sha256, Finding.State.OPEN)


def _page_at(pages: Iterable[dict[str, Any]], start: int) -> int | None:
    return next((page["number"] for page in pages if page["start"] <= start < page["end"]), None)
