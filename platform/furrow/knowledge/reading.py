"""Between the pure parser and the rows: what was parsed becomes a version, what was cut becomes chunks."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from furrow.knowledge.chunking import ChunkDraft, chunk_document
from furrow.knowledge.cleaning.flag import LEFT_OUT, Flag
from furrow.knowledge.findings import Review
from furrow.knowledge.models import Chunk, Document, DocumentVersion
from furrow.knowledge.parsing.document import ParsedDocument

# A chunk that consists of these nearly throughout is shown with its reason, and not searched.
_UNFIT_SHARE = 0.8


def parsed_apply(version: DocumentVersion, parsed: ParsedDocument) -> None:
    """Writes what was read to the version, unsaved."""
    data: dict[str, Any] = json.loads(parsed.to_json())
    version.text = data["text"]
    version.blocks, version.pages = data["blocks"], data["pages"]
    version.page_count, version.language = data["page_count"], data["language"]
    version.warnings = data["warnings"]
    version.stages["parsed"] = {"title": data["title"], "meta": data["meta"]}


def parsed_restore(version: DocumentVersion) -> ParsedDocument:
    """The parsed document as it was, from the version's row."""
    noted = version.stages.get("parsed", {})
    data = {
        "text": version.text,
        "blocks": version.blocks,
        "pages": version.pages,
        "page_count": version.page_count,
        "language": version.language,
        "title": noted.get("title", ""),
        "meta": noted.get("meta", {}),
        "warnings": [],
    }
    return ParsedDocument.from_json(json.dumps(data))


def chunk_rows(
    version: DocumentVersion, document: Document, parsed: ParsedDocument, review: Review
) -> list[Chunk]:
    """The version's chunks, unsaved; those unfit for answers are switched off and keep their reason."""
    drafts = chunk_document(
        parsed,
        title=document.title,
        flags=review.flags,
        left_out=review.left_out,
        kept=review.kept,
    )
    return [chunk_row(draft, version, document) for draft in drafts]


def chunk_row(draft: ChunkDraft, version: DocumentVersion, document: Document) -> Chunk:
    return Chunk(
        knowledge_base_id=document.knowledge_base_id,
        document_id=document.id,
        version_id=version.id,
        ordinal=draft.ordinal,
        page=draft.page,
        start=draft.start,
        end=draft.end,
        kind=draft.kind,
        heading_path=[heading[:300] for heading in draft.heading_path],
        header=draft.header,
        text=draft.text,
        flags=[asdict(flag) for flag in draft.flags],
        is_enabled=not _is_unfit(draft.flags, draft.start, draft.end),
    )


def _is_unfit(flags: Sequence[Flag], start: int, end: int) -> bool:
    spans = sorted(
        (max(flag.start, start), min(flag.end, end)) for flag in flags if flag.code in LEFT_OUT
    )
    covered, reached = 0, start
    for low, high in spans:
        covered += max(high - max(low, reached), 0)
        reached = max(reached, high)
    return covered > _UNFIT_SHARE * (end - start)
