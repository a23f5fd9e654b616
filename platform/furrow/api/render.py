"""The JSON of each noun of the REST contract."""

from typing import Any

from furrow.assistants.models import ApprovedAnswer, Assistant, AssistantVersion, Gap
from furrow.conversations.models import Conversation, Ticket
from furrow.knowledge.models import Chunk, Document, KnowledgeBase
from furrow.knowledge.search import Hit
from furrow.knowledge.selectors import DocumentStatus


def knowledge_base(row: KnowledgeBase) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "language": row.language,
        "description": row.description,
        "created_at": row.created_at,
    }


def document(row: Document, status: DocumentStatus) -> dict[str, Any]:
    return {
        "id": row.id,
        "knowledge_base_id": row.knowledge_base_id,
        "title": row.title,
        "external_id": row.external_id,
        "source_url": row.source_url,
        "metadata": row.metadata,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "status": status.status,
        "progress": {"done": status.done, "total": status.total},
        "place_in_queue": status.place_in_queue,
        "error": status.error,
        "created_at": row.created_at,
    }


def chunk(row: Chunk) -> dict[str, Any]:
    return {
        "id": row.id,
        "ordinal": row.ordinal,
        "page": row.page,
        "start": row.start,
        "end": row.end,
        "kind": row.kind,
        "heading_path": row.heading_path,
        "text": row.text,
        "is_enabled": row.is_enabled,
        "flags": row.flags,
    }


def hit(found: Hit) -> dict[str, Any]:
    return {
        "chunk_id": found.chunk_id,
        "document_id": found.document_id,
        "external_id": found.external_id,
        "title": found.title,
        "score": found.score,
        "scores": found.scores,
        "text": found.text,
        "page": found.page,
        "start": found.start,
        "end": found.end,
        "heading_path": list(found.heading_path),
        "matched_terms": found.matched_terms,
        "reasons": found.reasons,
        "also_in": found.also_in,
    }


def assistant(row: Assistant, knowledge_base_ids: list[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "template": row.template,
        "instructions": row.instructions,
        "rungs": row.rungs,
        "settings": row.settings,
        "knowledge_base_ids": knowledge_base_ids,
        "published_version": row.published.number if row.published else None,
        "created_at": row.created_at,
    }


def assistant_version(row: AssistantVersion) -> dict[str, Any]:
    return {"version": row.number, "note": row.note, "created_at": row.created_at}


def approved_answer(row: ApprovedAnswer) -> dict[str, Any]:
    return {
        "id": row.id,
        "question": row.question,
        "variants": row.variants,
        "answer": row.answer,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "used_count": row.used_count,
    }


def gap(row: Gap) -> dict[str, Any]:
    return {
        "id": row.id,
        "head_id": row.head_id,
        "question": row.question,
        "asked_count": row.asked_count,
        "last_asked_at": row.last_asked_at,
        "state": row.state,
    }


def conversation(row: Conversation) -> dict[str, Any]:
    return {
        "id": row.id,
        "assistant_id": row.assistant_id,
        "channel": row.channel,
        "state": row.state,
        "language": row.language,
        "created_at": row.created_at,
    }


def ticket(row: Ticket) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "conversation_id": row.conversation_id,
        "state": row.state,
        "reason": row.reason,
        "created_at": row.created_at,
    }
