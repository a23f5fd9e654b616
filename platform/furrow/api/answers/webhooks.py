"""Shapes of addresses for messages and of their deliveries."""

from datetime import datetime
from uuid import UUID

from ninja import Schema


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
