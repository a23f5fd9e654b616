"""Endpoints that news is sent to: set up by the business, signed by us. Inside `tenant_tx`."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from furrow.channels.models import WebhookDelivery, WebhookEndpoint
from furrow.core.egress import check_url
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.core.extensions import extensions
from furrow.tenants.services import Actor, audit

EVENTS = ("ticket.opened", "budget.threshold", "credit.low", "invoice.closed")
# Sent by the test button only; nobody chooses it.
PING = "ping"
MAX_ENDPOINTS = 10
# How old a signature may be: receivers refuse older ones, so that a recorded message cannot be played again.
REPLAY_WINDOW_S = 300


def endpoint_create(*, actor: Actor, url: str, events: Iterable[str]) -> WebhookEndpoint:
    if endpoints_list().count() >= MAX_ENDPOINTS:
        raise Conflict("There are ten addresses already; remove one first.")
    made: WebhookEndpoint = WebhookEndpoint.objects.create(
        url=_url_checked(url), events=_events_checked(events)
    )
    audit(actor, "webhook.created", object_type="webhook", object_id=made.id)
    return made


def endpoint_update(
    *,
    actor: Actor,
    endpoint: WebhookEndpoint,
    url: str | None = None,
    events: Iterable[str] | None = None,
    is_enabled: bool | None = None,
) -> WebhookEndpoint:
    """Changes what is given. What is on its way goes to the new address."""
    if url is not None:
        endpoint.url = _url_checked(url)
    if events is not None:
        endpoint.events = _events_checked(events)
    if is_enabled is not None:
        endpoint.is_enabled = is_enabled
    endpoint.save(update_fields=["url", "events", "is_enabled", "updated_at"])
    audit(actor, "webhook.updated", object_type="webhook", object_id=endpoint.id)
    return endpoint


def endpoint_secret_renew(*, actor: Actor, endpoint: WebhookEndpoint) -> str:
    """A new secret, good with the next message; the old one is dead."""
    endpoint.secret_number += 1
    endpoint.save(update_fields=["secret_number", "updated_at"])
    audit(actor, "webhook.secret_renewed", object_type="webhook", object_id=endpoint.id)
    return secret_of(endpoint)


def endpoint_delete(*, actor: Actor, endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(id=endpoint.id).update(deleted_at=Now())
    audit(actor, "webhook.deleted", object_type="webhook", object_id=endpoint.id)


def endpoint_restore(*, actor: Actor, endpoint: WebhookEndpoint) -> None:
    WebhookEndpoint.objects.filter(id=endpoint.id).update(deleted_at=None)
    audit(actor, "webhook.restored", object_type="webhook", object_id=endpoint.id)


def endpoints_list() -> QuerySet[Any]:
    return WebhookEndpoint.objects.filter(deleted_at=None).order_by("-created_at", "-id")


def endpoint_get(endpoint_id: UUID, *, include_deleted: bool = False) -> WebhookEndpoint:
    rows = WebhookEndpoint.objects.filter(id=endpoint_id)
    found: WebhookEndpoint | None = (
        rows if include_deleted else rows.filter(deleted_at=None)
    ).first()
    if found is None:
        raise NotFound("This address does not exist.")
    return found


def deliveries_list(endpoint: WebhookEndpoint | None = None) -> QuerySet[Any]:
    rows: QuerySet[Any] = WebhookDelivery.objects.select_related("endpoint")
    if endpoint is not None:
        rows = rows.filter(endpoint=endpoint)
    return rows.order_by("-created_at", "-id")


def delivery_get(delivery_id: UUID) -> WebhookDelivery:
    found: WebhookDelivery | None = (
        WebhookDelivery.objects.filter(id=delivery_id, endpoint__deleted_at=None)
        .select_related("endpoint")
        .first()
    )
    if found is None:
        raise NotFound("This message does not exist.")
    return found


def secret_of(endpoint: WebhookEndpoint) -> str:
    """`fr_whs_…`, 256 bits. Derived, so that no table holds what could forge a message."""
    about = f"furrow.webhook:{endpoint.tenant_id}:{endpoint.id}:{endpoint.secret_number}"
    digest = hmac.new(settings.SECRET_KEY.encode(), about.encode(), hashlib.sha256).digest()
    return "fr_whs_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def signature(secret: str, *, timestamp: int, body: bytes) -> str:
    """The value of `Furrow-Signature`: when it was signed, and the HMAC of that and the body."""
    signed = f"{timestamp}.".encode() + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _url_checked(url: str) -> str:
    parsed = check_url(url.strip())
    if settings.IS_PRODUCTION and parsed.scheme != "https":
        raise Invalid("The address must begin with https.", field="url")
    if len(str(parsed)) > 500:
        raise Invalid("This address is too long.", field="url")
    return str(parsed)


def events_known() -> list[str]:
    """The platform's events and those of the trades."""
    return [*EVENTS, *sorted(extensions.webhook_events)]


def _events_checked(events: Iterable[str]) -> list[str]:
    wanted, known = sorted(set(events)), events_known()
    if not wanted or not set(wanted) <= set(known):
        raise Invalid("Choose what is sent there.", field="events", known=known)
    return wanted
