"""Bulk loading of short texts: batches go live whole, one index segment each, vectors follow later.

A batch takes one transaction, so a load that is cut short leaves whole batches, and loading the file again
goes on: texts that are there already are skipped, changed ones replace their document's version.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.knowledge import vectors
from furrow.knowledge.bulk import insert_rows
from furrow.knowledge.chunking import chunk_document
from furrow.knowledge.jobs import compaction_enqueue, embed_enqueue, relations_enqueue
from furrow.knowledge.lexical import store
from furrow.knowledge.lexical.segments import build_segment
from furrow.knowledge.models import Chunk, Document, DocumentVersion
from furrow.knowledge.parsing.builder import guess_language
from furrow.knowledge.parsing.document import Block, ParsedDocument
from furrow.knowledge.reading import chunk_row
from furrow.knowledge.relations import relations_note
from furrow.knowledge.services.details import Details, text_cleaned

BATCH_DOCUMENTS = 4_000
# Building a segment takes some 60 bytes a character.
BATCH_CHARS = 2_000_000
MAX_CHARS = 2_000_000
MAX_HEADING, MAX_HEADINGS = 300, 8


@dataclass(frozen=True)
class Entry:
    """One checked line of the file. `headings` are those that the text stands under, the outermost first."""

    details: Details
    text: str
    headings: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of everything that is indexed; dates and metadata may change without a new version."""
        indexed = "\0".join([self.details.title, self.text, *self.headings])
        return hashlib.sha256(indexed.encode()).hexdigest()


@dataclass
class LoadReport:
    """`bad_lines` are (line number, reason)."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    bad_lines: list[tuple[int, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.added + self.replaced + self.unchanged


class Loader:
    """Loads into one knowledge base. Runs outside any transaction."""

    def __init__(self, tenant_id: UUID, knowledge_base_id: UUID) -> None:
        self._tenant_id = tenant_id
        self._base_id = knowledge_base_id
        self.report = LoadReport()

    def load(
        self,
        lines: Iterable[str],
        *,
        is_embedding: bool = True,
        on_batch: Callable[[LoadReport], None] | None = None,
    ) -> LoadReport:
        for batch in _batches(self._entries(lines)):
            self._batch_load(batch)
            if on_batch is not None:
                on_batch(self.report)
        with tenant_tx(self._tenant_id):
            compaction_enqueue(self._base_id)
            if self.report.added + self.report.replaced:
                relations_enqueue(self._base_id)
            if is_embedding and self.report.added + self.report.replaced:
                embed_enqueue(self._base_id)
        return self.report

    def _entries(self, lines: Iterable[str]) -> Iterator[Entry]:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    yield entry_parse(line)
                except Invalid as error:
                    self.report.bad_lines.append((number, error.message))

    def _batch_load(self, batch: Mapping[str, Entry]) -> None:
        with tenant_tx(self._tenant_id):
            known = self._known(list(batch))
            fresh = {
                external_id: entry
                for external_id, entry in batch.items()
                if external_id not in known or known[external_id][1] != entry.sha256
            }
            self._unchanged_update({i: e for i, e in batch.items() if i not in fresh}, known)
            documents, versions, chunks = self._rows(fresh, known)
            segment = build_segment((c.id, c.header, c.text) for c in chunks)
            self._old_retire([known[i][0] for i in fresh if i in known])
            insert_rows([document for document in documents if document.external_id not in known])
            insert_rows(versions)
            insert_rows(chunks)
            store.segment_insert(self._base_id, segment)
            self._known_update([d for d in documents if d.external_id in known])
        replaced = sum(external_id in known for external_id in fresh)
        self.report.added += len(fresh) - replaced
        self.report.replaced += replaced
        self.report.unchanged += len(batch) - len(fresh)

    def _known(self, external_ids: list[str]) -> dict[str, tuple[UUID, str, int]]:
        """Document id, hash of the live version and highest version number, with the rows locked."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT d.external_id, d.id, coalesce(v.sha256, ''), coalesce(n.number, 0)"
                " FROM knowledge_document d"
                " LEFT JOIN knowledge_documentversion v ON v.id = d.live_version_id"
                " LEFT JOIN LATERAL (SELECT max(number) AS number FROM knowledge_documentversion m"
                "  WHERE m.tenant_id = d.tenant_id AND m.document_id = d.id) n ON true"
                " WHERE d.tenant_id = %s AND d.knowledge_base_id = %s"
                " AND d.external_id = ANY(%s) AND d.deleted_at IS NULL FOR NO KEY UPDATE OF d",
                [self._tenant_id, self._base_id, external_ids],
            )
            return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}

    def _rows(
        self, entries: Mapping[str, Entry], known: Mapping[str, tuple[UUID, str, int]]
    ) -> tuple[list[Document], list[DocumentVersion], list[Chunk]]:
        documents, versions, chunks = [], [], []
        for external_id, entry in entries.items():
            document_id, _, number = known.get(external_id, (uuid.uuid4(), "", 0))
            document = Document(id=document_id, knowledge_base_id=self._base_id)
            entry.details.write_to(document)
            relations_note(document, entry.text)
            version = _version(document, entry, number + 1)
            document.live_version_id = version.id
            cut = _chunks(document, version)
            version.chunk_count = len(cut)
            document.status = Document.Status.READY
            document.progress_done = document.progress_total = len(cut)
            documents.append(document)
            versions.append(version)
            chunks += cut
        return documents, versions, chunks

    def _old_retire(self, document_ids: list[UUID]) -> None:
        if not document_ids:
            return
        old = Chunk.objects.filter(document_id__in=document_ids)
        chunk_ids = list(old.values_list("id", flat=True))
        store.chunks_remove(self._base_id, chunk_ids)
        vectors.vectors_remove(chunk_ids)
        old.delete()
        DocumentVersion.objects.filter(
            document_id__in=document_ids,
            state__in=[DocumentVersion.State.LIVE, DocumentVersion.State.BUILDING],
        ).update(state=DocumentVersion.State.RETIRED)

    def _known_update(self, documents: list[Document]) -> None:
        """The rows of replaced documents; new ones are inserted as they should be."""
        fields = ["title", "metadata", "valid_from", "valid_to", "live_version", "status"]
        fields += ["family", "cites"]
        Document.objects.bulk_update(
            documents,
            [*fields, "progress_done", "progress_total"],
            batch_size=1000,
        )

    def _unchanged_update(
        self, entries: Mapping[str, Entry], known: Mapping[str, tuple[UUID, str, int]]
    ) -> None:
        """Metadata and dates may differ though the words are the same."""
        documents = []
        for external_id, entry in entries.items():
            document = Document(id=known[external_id][0], knowledge_base_id=self._base_id)
            entry.details.write_to(document)
            documents.append(document)
        fields = ["metadata", "valid_from", "valid_to"]
        Document.objects.bulk_update(documents, fields, batch_size=1000)


def entry_parse(line: str) -> Entry:
    """Raises `Invalid` with the reason."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise Invalid("not JSON") from None
    if not isinstance(data, dict):
        raise Invalid("not an object")
    for name in ("external_id", "title", "text"):
        if not isinstance(data.get(name), str) or not data[name].strip():
            raise Invalid(f"{name} is missing or no text")
    text = text_cleaned(data["text"]).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text or len(text) > MAX_CHARS:
        raise Invalid("text is empty or too long")
    details = Details.checked(
        data["title"],
        data["external_id"],
        data.get("metadata") or {},
        _day(data.get("valid_from")),
        _day(data.get("valid_to")),
    )
    return Entry(details, text, _headings(data.get("headings")))


def _headings(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(heading, str) for heading in value):
        raise Invalid("headings is no list of texts")
    headings = (" ".join(text_cleaned(heading).split())[:MAX_HEADING] for heading in value)
    return tuple(heading for heading in headings if heading)[:MAX_HEADINGS]


def _day(value: Any) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise Invalid("a date is not YYYY-MM-DD") from None


def _batches(entries: Iterable[Entry]) -> Iterator[dict[str, Entry]]:
    """By external id; of two lines with one id in a batch the later counts, as it would across batches."""
    batch: dict[str, Entry] = {}
    chars = 0
    for entry in entries:
        batch[entry.details.external_id] = entry
        chars += len(entry.text)
        if len(batch) >= BATCH_DOCUMENTS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = {}, 0
    if batch:
        yield batch


def _version(document: Document, entry: Entry, number: int) -> DocumentVersion:
    blocks = _blocks(entry)
    return DocumentVersion(
        document_id=document.id,
        number=number,
        state=DocumentVersion.State.LIVE,
        size_bytes=len(entry.text.encode()),
        sha256=entry.sha256,
        text=entry.text,
        blocks=blocks,
        language=guess_language(entry.text),
        stages={
            "named": True,
            "parsing": {"state": "done"},
            "cleaning": {"state": "done"},
            "embedding": {"state": "postponed"},
        },
        published_at=timezone.now(),
    )


def _blocks(entry: Entry) -> list[dict[str, Any]]:
    """A paragraph a line, in the form the parser would give."""
    blocks, start = [], 0
    for line in entry.text.split("\n"):
        words = line.strip()
        if words:
            at = start + line.index(words)
            blocks.append(
                {
                    "kind": "paragraph",
                    "level": 0,
                    "page": None,
                    "start": at,
                    "end": at + len(words),
                    "heading_path": list(entry.headings),
                    "table": None,
                }
            )
        start += len(line) + 1
    return blocks


def _chunks(document: Document, version: DocumentVersion) -> list[Chunk]:
    text = version.text
    blocks = tuple(
        Block(
            "paragraph",
            text[b["start"] : b["end"]],
            0,
            None,
            b["start"],
            b["end"],
            tuple(b["heading_path"]),
        )
        for b in version.blocks
    )
    parsed = ParsedDocument(text=text, blocks=blocks, language=version.language)
    drafts = chunk_document(parsed, title=document.title)
    return [chunk_row(draft, version, document) for draft in drafts]
