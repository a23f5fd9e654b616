"""Shapes of what visitors and assistants say to each other."""

from datetime import datetime
from uuid import UUID

from ninja import Schema

from furrow.api.answers.knowledge import DocumentError
from furrow.api.answers.money import Cost, Usage


class Conversation(Schema):
    id: UUID
    assistant_id: UUID
    channel: str
    state: str
    language: str
    created_at: datetime


class Citation(Schema):
    """`start` and `end` are character offsets of `quote` in the document's text."""

    n: int
    document_id: UUID
    title: str
    page: int | None
    quote: str
    start: int
    end: int
    chunk_id: UUID | None = None


class Answer(Schema):
    """`suggestions` are approved questions that may be meant instead; each has its answer when asked word for word."""

    id: UUID
    status: str
    rung: str
    text: str
    citations: list[Citation]
    suggestions: list[str]
    usage: Usage
    cost: Cost
    error: DocumentError | None = None


class Message(Answer):
    question: str


class FeedbackKept(Schema):
    turn_id: UUID
    value: int


class Ticket(Schema):
    id: UUID
    number: int
    conversation_id: UUID
    state: str
    reason: str
    created_at: datetime
