"""Questions that are known to be answered by a passage: reading them for a search, inside `tenant_tx`.

A process keeps what it learnt from a set of bases until one of their questions comes or goes.
"""

import hashlib
import threading
from collections import OrderedDict, defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from furrow.core.context import current_tenant_id
from furrow.knowledge.models import Chunk, Document, KnownQuestion
from furrow.knowledge.ranking.known import Known, KnownQuestions, Lessons, Place
from furrow.knowledge.text.analysis import Term
from furrow.knowledge.text.folding import fold

# The newest count; more would make the first search after a change slow.
MAX_KNOWN = 2_000
_KEPT = 64


class _Taught:
    """The latest used teachers of this process; the tenant is part of the key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[Any, tuple[Any, KnownQuestions]] = OrderedDict()

    def get(self, key: Any, stamp: Any) -> KnownQuestions | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry[0] != stamp:
                return None
            self._entries.move_to_end(key)
            return entry[1]

    def put(self, key: Any, stamp: Any, teacher: KnownQuestions) -> None:
        with self._lock:
            self._entries[key] = (stamp, teacher)
            self._entries.move_to_end(key)
            while len(self._entries) > _KEPT:
                self._entries.popitem(last=False)


_taught = _Taught()


def lessons_for(knowledge_base_ids: list[UUID], query: list[Term]) -> Lessons | None:
    """None when nothing is known of these bases, which costs one query."""
    rows = KnownQuestion.objects.filter(knowledge_base_id__in=knowledge_base_ids)
    stamp = rows.aggregate(count=Count("id"), linked=Count("chunk_id"), last=Max("created_at"))
    if not stamp["count"]:
        return None
    key = (current_tenant_id(), tuple(sorted(knowledge_base_ids)))
    marks = tuple(stamp.values())
    teacher = _taught.get(key, marks)
    if teacher is None:
        teacher = _teacher(knowledge_base_ids, rows)
        _taught.put(key, marks, teacher)
    return teacher.lessons(query)


def _teacher(knowledge_base_ids: list[UUID], rows: Any) -> KnownQuestions:
    places: dict[str, list[Place]] = defaultdict(list)
    newest = rows.filter(document__deleted_at=None).order_by("-created_at")
    values = newest.values_list("text", "chunk_id", "document__family", "section")
    for text, chunk_id, family, section in values[:MAX_KNOWN]:
        places[text].append(Place(chunk_id, family, section))
    families = {place.family for row in places.values() for place in row}
    chunks = Chunk.objects.filter(knowledge_base_id__in=knowledge_base_ids, is_enabled=True)
    sizes = dict(
        chunks.filter(document__family__in=families)
        .values_list("document__family")
        .annotate(Count("id"))
    )
    known = [Known(text, tuple(row)) for text, row in places.items()]
    return KnownQuestions(known, sizes, chunks.count())


def relink(document: Document) -> None:
    """After a version went live: finds the passages of the document's known questions by their words."""
    questions = list(
        KnownQuestion.objects.filter(document=document).only("id", "sha256", "chunk_id")
    )
    if not questions:
        return
    wanted = {question.sha256 for question in questions}
    passages: dict[str, UUID] = {}
    for chunk in Chunk.objects.filter(version_id=document.live_version_id).only("id", "text"):
        if (digest := passage_hash(chunk.text)) in wanted:
            passages.setdefault(digest, chunk.id)
    for question in questions:
        question.chunk_id = passages.get(question.sha256)
    KnownQuestion.objects.bulk_update(questions, ["chunk"])


def passage_hash(text: str) -> str:
    """The same for the same words, however they are spaced and wide."""
    return hashlib.sha256("".join(fold(text).split()).encode()).hexdigest()
