"""Messages to webhook endpoints: written once, tried until they arrive or a day is over."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db.models import F
from django.db.models.functions import Now

from furrow.channels.models import WebhookDelivery, WebhookEndpoint
from furrow.channels.webhooks import PING, endpoints_list, secret_of, signature
from furrow.core.context import tenant_tx
from furrow.core.egress import post_public
from furrow.core.errors import AppError, Conflict, UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.jobs import job_enqueue
from furrow.tenants.services import Actor, audit

DELIVERY_JOB = "webhook.deliver"
LANE = "notify"
RETRY_DELAYS = (
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=14),
)
ATTEMPTS = len(RETRY_DELAYS) + 1

State = WebhookDelivery.State


def deliveries_begin(*, event: str, facts: dict[str, Any]) -> int:
    """Writes a message for every endpoint that wants this event, in the caller's transaction; how many."""
    wanted = [row for row in endpoints_list().filter(is_enabled=True) if event in row.events]
    for endpoint in wanted:
        _write(endpoint, event, facts)
    return len(wanted)


def delivery_test(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """A message that means nothing, to see whether it arrives."""
    if not endpoint.is_enabled:
        raise Conflict("This address is switched off.")
    audit(actor, "webhook.tested", object_type="webhook", object_id=endpoint.id)
    return _write(endpoint, PING, {"text": "This is a test."})


def delivery_resend(*, actor: Actor, delivery: WebhookDelivery) -> None:
    """Sends the same message again, from the first attempt on."""
    if delivery.state == State.WAITING:
        raise Conflict("This message is on its way already.")
    WebhookDelivery.objects.filter(id=delivery.id).update(
        state=State.WAITING, attempts=0, next_attempt_at=Now(), error_code="", last_status=None
    )
    audit(actor, "webhook.resent", object_type="webhook", object_id=delivery.endpoint_id)
    _enqueue(delivery.id)


def _write(endpoint: WebhookEndpoint, event: str, facts: dict[str, Any]) -> WebhookDelivery:
    delivery = WebhookDelivery(id=uuid4(), endpoint=endpoint, event=event, next_attempt_at=Now())
    message = {
        "id": str(delivery.id),
        "event": event,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": facts,
    }
    delivery.body = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    delivery.save(force_insert=True)
    _enqueue(delivery.id)
    return delivery


def _enqueue(delivery_id: UUID) -> None:
    job_enqueue(kind=DELIVERY_JOB, subject_id=delivery_id, lane=LANE, max_attempts=ATTEMPTS)


class DeliveryHandler:
    """Running twice sends twice: receivers know a repetition by the message's id."""

    retry_delays = RETRY_DELAYS

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            found = self._load(job.subject_id)
        if found is None or found.state == State.DELIVERED:
            return
        if found.endpoint.deleted_at or not found.endpoint.is_enabled:
            raise Conflict("This address is switched off.", code="switched_off")
        try:
            status = _send(found)
        except AppError as error:
            with tenant_tx(job.tenant_id):
                _attempted(job, None, error.code)
            raise
        is_delivered = 200 <= status < 300
        with tenant_tx(job.tenant_id):
            _attempted(job, status, "" if is_delivered else "refused")
        if not is_delivered:
            raise UpstreamFailed("The address did not accept the message.", code="refused")

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        WebhookDelivery.objects.filter(id=subject_id).exclude(state=State.DELIVERED).update(
            state=State.FAILED, error_code=code, next_attempt_at=None
        )

    def _load(self, delivery_id: UUID) -> WebhookDelivery | None:
        rows = WebhookDelivery.objects.filter(id=delivery_id).select_related("endpoint")
        found: WebhookDelivery | None = rows.first()
        return found


def _send(delivery: WebhookDelivery) -> int:
    body = delivery.body.encode()
    timestamp = int(datetime.now(UTC).timestamp())
    headers = {
        "Content-Type": "application/json",
        "Furrow-Event": delivery.event,
        "Furrow-Delivery": str(delivery.id),
        "Furrow-Signature": signature(secret_of(delivery.endpoint), timestamp=timestamp, body=body),
    }
    return post_public(delivery.endpoint.url, body, headers=headers)


def _attempted(job: JobRun, status: int | None, code: str) -> None:
    is_last = job.attempt >= ATTEMPTS
    waits = None if not code or is_last else Now() + RETRY_DELAYS[job.attempt - 1]
    WebhookDelivery.objects.filter(id=job.subject_id).update(
        attempts=F("attempts") + 1,
        last_status=status,
        error_code=code,
        attempted_at=Now(),
        next_attempt_at=waits,
        state=State.WAITING if code else State.DELIVERED,
    )
