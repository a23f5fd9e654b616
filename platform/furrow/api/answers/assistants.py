"""Shapes of assistants and of what their owners wrote."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Schema


class Assistant(Schema):
    id: UUID
    name: str
    template: str
    instructions: str
    rungs: list[str]
    settings: dict[str, Any]
    knowledge_base_ids: list[UUID]
    published_version: int | None
    created_at: datetime


class AssistantVersion(Schema):
    version: int
    note: str
    created_at: datetime


class ApprovedAnswer(Schema):
    id: UUID
    question: str
    variants: list[str]
    answer: str
    valid_from: date | None
    valid_to: date | None
    used_count: int


class Gap(Schema):
    """`head_id` names the first gap in near-identical words, which shares its line; null for that one."""

    id: UUID
    head_id: UUID | None
    question: str
    asked_count: int
    last_asked_at: datetime
    state: str
