"""Webhooks over REST, under /api/v1/webhooks: here, because `api` and `channels` do not know each other."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from furrow.api import schemas
from furrow.api.answers import Items, Page
from furrow.api.answers import webhooks as answers
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.channels import deliveries
from furrow.channels import webhooks as services
from furrow.channels.models import WebhookDelivery, WebhookEndpoint

router = Router(tags=["webhooks"])


@router.get("", response={200: Items[answers.Webhook]}, summary="List webhooks")
@operation("webhooks:read")
def webhook_list(request: ApiRequest) -> Any:
    return 200, {"items": [_webhook(row) for row in services.endpoints_list()]}


@router.post("", response={201: answers.WebhookWithSecret}, summary="Add a webhook")
@operation("webhooks:write")
def webhook_create(request: ApiRequest, body: schemas.WebhookIn) -> Any:
    """The answer carries the secret, this once."""
    row = services.endpoint_create(actor=request.auth.actor, url=body.url, events=body.events)
    return 201, {**_webhook(row), "secret": services.secret_of(row)}


@router.get("/{uuid:webhook_id}", response={200: answers.Webhook}, summary="Read a webhook")
@operation("webhooks:read")
def webhook_read(request: ApiRequest, webhook_id: UUID) -> Any:
    return 200, _webhook(services.endpoint_get(webhook_id))


@router.patch("/{uuid:webhook_id}", response={200: answers.Webhook}, summary="Change a webhook")
@operation("webhooks:write")
def webhook_update(request: ApiRequest, webhook_id: UUID, body: schemas.WebhookPatch) -> Any:
    row = services.endpoint_update(
        actor=request.auth.actor,
        endpoint=services.endpoint_get(webhook_id),
        url=body.url,
        events=body.events,
        is_enabled=body.is_enabled,
    )
    return 200, _webhook(row)


@router.delete("/{uuid:webhook_id}", response={204: None}, summary="Remove a webhook")
@operation("webhooks:write")
def webhook_delete(request: ApiRequest, webhook_id: UUID) -> HttpResponse:
    row = services.endpoint_get(webhook_id)
    services.endpoint_delete(actor=request.auth.actor, endpoint=row)
    return no_content()


@router.post(
    "/{uuid:webhook_id}/secrets",
    response={201: answers.WebhookWithSecret},
    summary="Make a new secret; the old one ends",
)
@operation("webhooks:write")
def webhook_secret(request: ApiRequest, webhook_id: UUID) -> Any:
    row = services.endpoint_get(webhook_id)
    secret = services.endpoint_secret_renew(actor=request.auth.actor, endpoint=row)
    return 201, {**_webhook(row), "secret": secret}


@router.post(
    "/{uuid:webhook_id}/tests",
    response={202: answers.Delivery},
    summary="Send a test message",
)
@operation("webhooks:write")
def webhook_test(request: ApiRequest, webhook_id: UUID) -> Any:
    row = services.endpoint_get(webhook_id)
    delivery = deliveries.delivery_test(actor=request.auth.actor, endpoint=row)
    return 202, _delivery(services.delivery_get(delivery.id))


@router.get(
    "/{uuid:webhook_id}/deliveries",
    response={200: Page[answers.Delivery]},
    summary="What was sent there",
)
@operation("webhooks:read")
def delivery_list(request: ApiRequest, webhook_id: UUID, cursor: str = "", limit: int = 50) -> Any:
    rows = services.deliveries_list(services.endpoint_get(webhook_id))
    return 200, page(rows, cursor=cursor, limit=limit, render=_delivery)


@router.post(
    "/deliveries/{uuid:delivery_id}/resends",
    response={202: answers.Delivery},
    summary="Send a message again",
)
@operation("webhooks:write")
def delivery_resend(request: ApiRequest, delivery_id: UUID) -> Any:
    row = services.delivery_get(delivery_id)
    deliveries.delivery_resend(actor=request.auth.actor, delivery=row)
    return 202, _delivery(services.delivery_get(delivery_id))


def _webhook(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "events": row.events,
        "is_enabled": row.is_enabled,
        "created_at": row.created_at,
    }


def _delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.id,
        "webhook_id": row.endpoint_id,
        "event": row.event,
        "state": row.state,
        "attempts": row.attempts,
        "status": row.last_status,
        "error": row.error_code,
        "created_at": row.created_at,
        "next_attempt_at": row.next_attempt_at,
    }
