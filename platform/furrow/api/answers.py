"""Shapes of the REST contract's answers, as the OpenAPI document shows them."""

from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from ninja import Field, Schema

T = TypeVar("T")


class Page(Schema, Generic[T]):
    items: list[T]
    next_cursor: str | None


class Items(Schema, Generic[T]):
    items: list[T]


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


class Usage(Schema):
    """Tokens in four disjoint buckets."""

    input_hit: int
    input_miss: int
    output: int
    reasoning: int


class Cost(Schema):
    """`amount` is a decimal as text: it is exact and must not become a float."""

    amount: str
    currency: str


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


class UsageRow(Schema):
    """`key` is the value grouped by, empty where the usage had none."""

    key: str
    calls: int
    usage: Usage
    cost: Cost


class UsageReport(Schema):
    since: date = Field(alias="from")
    until: date = Field(alias="to")
    group_by: str
    computed_at: datetime | None
    items: list[UsageRow]


class BudgetBalance(Schema):
    """What is spent and held in the period that runs now."""

    scope: str
    period_start: date
    posted: str
    held: str


class Budget(Schema):
    id: UUID
    scope_kind: str
    scope_id: str
    period: str
    currency: str
    cap_hard: str | None
    cap_soft: str | None
    thresholds: list[int]
    steps: list[dict[str, Any]]
    balances: list[BudgetBalance]


class Price(Schema):
    """`model` "*" is for every model without a price of its own; `window` names hours of the day."""

    model: str
    kind: str
    currency: str
    window: str
    per_million: str
    valid_from: datetime
    valid_to: datetime | None


class Model(Schema):
    """A chat model; the default one writes where an assistant names none."""

    id: str
    is_default: bool


class Invoice(Schema):
    """`period_end` is the first day after the period."""

    id: UUID
    number: int
    period_start: date
    period_end: date
    currency: str
    total: str
    digest: str
    closed_at: datetime


class InvoiceLine(Schema):
    position: int
    kind: str
    model: str
    bucket: str
    tokens: int
    per_million: str | None
    exact: str
    amount: str


class InvoiceWithLines(Invoice):
    lines: list[InvoiceLine]


class Webhook(Schema):
    id: UUID
    url: str
    events: list[str]
    is_enabled: bool
    created_at: datetime


class WebhookWithSecret(Webhook):
    secret: str


class Delivery(Schema):
    """`status` is what the address answered, null when nobody did; `error` is empty once it was delivered."""

    id: UUID
    webhook_id: UUID
    event: str
    state: str
    attempts: int
    status: int | None
    error: str
    created_at: datetime
    next_attempt_at: datetime | None


class Error(Schema):
    code: str
    message: str
    details: dict[str, Any]
    request_id: str


class ErrorBody(Schema):
    """Every failure, whatever its status."""

    error: Error
