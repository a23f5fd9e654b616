"""Shapes of the inbox's operations."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from furrow.api.schemas import Strict
from furrow.tenants.hours import DEFAULT_ZONE


class ReplyIn(Strict):
    """`member` is the e-mail address of the member in whose name it goes out."""

    member: str = Field(max_length=254)
    text: str = Field(max_length=4000)
    is_note: bool = False
    key: str = Field(default="", max_length=64)


class OwnerIn(Strict):
    member: str = Field(max_length=254)
    force: bool = False


class CsatIn(Strict):
    score: Literal[1, 2, 3]
    comment: str = Field(default="", max_length=500)


class CannedIn(Strict):
    title: str = Field(max_length=60)
    text_zh: str = Field(default="", max_length=2000)
    text_en: str = Field(default="", max_length=2000)


class HoursIn(Strict):
    """Seven days from Monday, each two times or null."""

    zone: str = Field(default=DEFAULT_ZONE, max_length=40)
    weekly: list[list[str] | None] = Field(min_length=7, max_length=7)


class Waiting(Schema):
    id: UUID
    assistant_id: UUID
    channel: str
    state: str
    owner: str | None
    waiting_since: datetime | None
    topic: str
    mood: str
    is_urgent: bool
    last_text: str | None
    created_at: datetime


class Reply(Schema):
    id: UUID
    number: int
    after_turn: int
    is_note: bool
    name: str
    text: str
    created_at: datetime


class Status(Schema):
    state: str
    owner: str
    name: str
    wait: dict[str, Any] | None


class CsatKept(Schema):
    score: int
    comment: str


class Canned(Schema):
    id: UUID
    title: str
    text_zh: str
    text_en: str


class Served(Schema):
    conversations: int
    confirmed: int
    reopened: int
    assumed: int
    open: int
    handed_over: int
    first_reply_s: float | None
    prompt: int
    tokens: int
    machine_ms: int
    handoffs: int
    handoffs_answered: int
    wait_s: float | None
    waits_prompt: int
    human_s: float
    replies: int
    unhappy: int
    so_so: int
    happy: int


class CostParts(Schema):
    """None before there is a conversation to divide by."""

    assistant: str | None
    people: str | None
    together: str | None


class ServiceCost(Schema):
    currency: str
    conversations: int
    resolved: int
    confirmed: int
    tokens: int
    machine_s: float
    human_s: float
    assistant: str
    people: str
    together: str
    people_only: str
    saved_share: float | None
    wage_per_hour: str
    minutes_per_chat: str
    each_resolved: CostParts
    each_confirmed: CostParts


class Season(Schema):
    name: str
    starts_on: date
    ends_on: date
    is_yearly: bool
    hours: tuple[str, str] | None


class Hours(Schema):
    zone: str
    weekly: list[tuple[str, str] | None]
    seasons: list[Season]
