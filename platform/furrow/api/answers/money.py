"""Shapes of usage, prices, limits and invoices. Amounts are decimal text."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Field, Schema


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
