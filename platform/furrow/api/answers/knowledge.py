"""Shapes of documents, searches and what cleaning found, as the OpenAPI document shows them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Schema


class KnowledgeBase(Schema):
    id: UUID
    name: str
    language: str
    description: str
    created_at: datetime


class DocumentAccepted(Schema):
    id: UUID
    status: str


class Progress(Schema):
    done: int
    total: int


class DocumentError(Schema):
    code: str
    message: str


class Document(Schema):
    id: UUID
    knowledge_base_id: UUID
    title: str
    external_id: str
    source_url: str
    metadata: dict[str, Any]
    valid_from: date | None
    valid_to: date | None
    status: str
    progress: Progress
    place_in_queue: int | None
    error: DocumentError | None
    created_at: datetime


class Chunk(Schema):
    """`start` and `end` are character offsets in the document's text."""

    id: UUID
    ordinal: int
    page: int | None
    start: int
    end: int
    kind: str
    heading_path: list[str]
    text: str
    is_enabled: bool
    flags: list[Any]


class Scores(Schema):
    lexical: float | None
    vector: float | None


class SearchHit(Schema):
    chunk_id: UUID
    document_id: UUID
    external_id: str
    title: str
    score: float
    scores: Scores
    text: str
    page: int | None
    start: int
    end: int
    heading_path: list[str]
    matched_terms: list[str]
    reasons: dict[str, float]
    also_in: list[str]


class Addition(Schema):
    kind: str
    said: str
    meant: str


class SearchResults(Schema):
    """`notes` are codes of what was left out, for example when vectors were not at hand; `additions` are words that
    were put right or looked for besides.
    """

    results: list[SearchHit]
    notes: list[str]
    additions: list[Addition]


class Synonyms(Schema):
    id: UUID
    words: list[str]


class Disputed(Schema):
    """What another document says instead, and where."""

    document_id: UUID
    title: str
    said: str
    start: int
    end: int


class Finding(Schema):
    id: UUID
    kind: str
    state: str
    score: float
    reason: str
    detail: str
    document_id: UUID
    page: int | None
    start: int
    end: int
    excerpt: str
    others: list[Disputed]


class Decided(Schema):
    changed: int


class KnownQuestion(Schema):
    id: UUID
    text: str
    document_id: UUID
