"""Shapes of the REST contract's requests. Answers are described where they are made, in `render`."""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from furrow.metering.selectors import GroupBy

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


def _decimal_text(value: object) -> Decimal:
    if not isinstance(value, str) or not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", value):
        raise ValueError("an amount is decimal text such as 12.50")
    return Decimal(value)


Metadata = dict[str, str | int | float | bool | None]

# Text only: a JSON number has been through a float.
AmountText = Annotated[Decimal, BeforeValidator(_decimal_text)]


class Strict(Schema):
    """Unknown fields are an error: a misspelt name must not be ignored in silence."""

    model_config = ConfigDict(extra="forbid")


class KnowledgeBaseIn(Strict):
    name: Name
    language: Literal["zh-hans", "zh", "en"] = "zh-hans"
    description: str = Field("", max_length=400)


class KnowledgeBasePatch(Strict):
    name: Name | None = None
    language: Literal["zh-hans", "zh", "en"] | None = None
    description: str | None = Field(None, max_length=400)


class DocumentIn(Strict):
    """A document given as text or as the address of a page; exactly one of the two."""

    title: str = Field("", max_length=300)
    text: str | None = Field(None, max_length=2_000_000)
    url: str | None = Field(None, max_length=2000)
    external_id: str = Field("", max_length=200)
    metadata: Metadata = {}
    valid_from: date | None = None
    valid_to: date | None = None


class DocumentFileIn(Strict):
    """The form fields beside `file`; `metadata` is a JSON object as text."""

    title: str = Field("", max_length=300)
    external_id: str = Field("", max_length=200)
    metadata: Metadata = {}
    valid_from: date | None = None
    valid_to: date | None = None


class DocumentPatch(Strict):
    title: Title | None = None
    metadata: Metadata | None = None
    valid_from: date | None = None
    valid_to: date | None = None


class SearchFilters(Strict):
    document_ids: list[UUID] | None = Field(None, max_length=200)
    metadata: Metadata | None = None
    valid_on: date | None = None


class SearchIn(Strict):
    query: str = Field(min_length=1, max_length=2000)
    limit: int = Field(8, ge=1, le=100)
    mode: Literal["hybrid", "lexical", "vector"] = "hybrid"
    filters: SearchFilters | None = None


class AssistantIn(Strict):
    name: Name
    template: str = Field("general", max_length=40)
    knowledge_base_ids: list[UUID] = Field(default_factory=list, max_length=50)
    instructions: str = Field("", max_length=8000)
    rungs: list[str] | None = None
    settings: dict[str, Any] | None = None


class AssistantPatch(Strict):
    name: Name | None = None
    knowledge_base_ids: list[UUID] | None = Field(None, max_length=50)
    instructions: str | None = Field(None, max_length=8000)
    rungs: list[str] | None = None
    settings: dict[str, Any] | None = None


class PublicationIn(Strict):
    """`version` publishes an earlier version again; without it the draft is published. `override_reason` publishes
    without waiting for the golden questions, or against what they found.
    """

    note: str = Field("", max_length=300)
    version: int | None = None
    override_reason: str = Field("", max_length=500)


class ApprovedAnswerIn(Strict):
    question: str = Field(min_length=1, max_length=500)
    variants: list[str] = Field(default_factory=list, max_length=50)
    answer: str = Field(min_length=1, max_length=8000)
    valid_from: date | None = None
    valid_to: date | None = None


class ConversationIn(Strict):
    language: str = Field("", max_length=10)


class MessageIn(Strict):
    text: str = Field(min_length=1, max_length=2000)


class FeedbackIn(Strict):
    value: Literal[-1, 1]
    comment: str = Field("", max_length=1000)


class TicketIn(Strict):
    contact: str = Field("", max_length=200)
    note: str = Field("", max_length=2000)


class UsageQuery(Strict):
    since: date | None = Field(None, alias="from")
    until: date | None = Field(None, alias="to")
    group_by: GroupBy = "day"
    format: Literal["json", "csv"] = "json"


class BudgetStep(Strict):
    """From `at` percent of the budget on, answers are shorter, of a cheaper model, quotes, approved answers and
    facts only, or left to a person.
    """

    at: int = Field(ge=1, le=100)
    step: Literal["shorter", "cheaper", "quoted", "approved", "human"]
    max_tokens: int | None = None
    model: str | None = Field(default=None, max_length=160)


class BudgetIn(Strict):
    """Caps are decimal text; `scope_id` "*" limits each one of the kind by itself."""

    scope_kind: Literal["tenant", "assistant", "key", "member", "visitor"]
    scope_id: str = Field("", max_length=64)
    period: Literal["day", "month", "ever"] = "month"
    cap_hard: AmountText | None = None
    cap_soft: AmountText | None = None
    thresholds: list[int] = Field(default=[50, 80, 100], max_length=10)
    steps: list[BudgetStep] | None = Field(default=None, max_length=5)


NewsEvent = Literal["ticket.opened", "budget.threshold", "credit.low", "invoice.closed"]


class WebhookIn(Strict):
    url: str = Field(min_length=1, max_length=500)
    events: list[NewsEvent] = Field(min_length=1, max_length=3)


class WebhookPatch(Strict):
    url: str | None = Field(None, min_length=1, max_length=500)
    events: list[NewsEvent] | None = Field(None, max_length=3)
    is_enabled: bool | None = None
