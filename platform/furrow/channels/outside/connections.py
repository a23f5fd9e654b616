"""Accounts elsewhere that assistants answer for: set up by the business, their secrets sealed. Inside `tenant_tx`."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.models import Assistant
from furrow.channels.models import Connection, InboundMessage, OutboundMessage
from furrow.core.context import unscoped
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.core.sealing import seal, unseal
from furrow.tenants.services import Actor, audit

MOST_CONNECTIONS = 20
NAME_LENGTH = 80
Kind = Connection.Kind


@transaction.atomic
def connection_create(
    *,
    actor: Actor,
    kind: str,
    name: str,
    assistant: Assistant,
    values: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> Connection:
    """`values` may be shown; `secrets` are kept encrypted. What belongs into either is the channel's own business
    (`checks.py`).
    """
    if connections_list().count() >= MOST_CONNECTIONS:
        raise Conflict(_("There are twenty channels already; remove one first."))
    if kind not in Kind.values:
        raise Invalid(_("This kind of channel does not exist."), field="kind")
    row = Connection(
        kind=kind, name=_name_checked(name), assistant=assistant, settings=dict(values)
    )
    row.sealed = seal(dict(secrets), place=str(row.id))
    row.save(force_insert=True)
    audit(actor, "channel.created", object_type="channel", object_id=row.id, kind=kind)
    return row


@transaction.atomic
def connection_update(
    *,
    actor: Actor,
    connection: Connection,
    name: str,
    is_enabled: bool,
    values: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> Connection:
    """An empty secret keeps the one there is."""
    row = Connection.objects.select_for_update(of=("self",)).get(id=connection.id)
    kept = secrets_of(row) if not all(secrets.values()) else {}
    new = {key: value or kept.get(key, "") for key, value in secrets.items()}
    row.name, row.is_enabled, row.settings = _name_checked(name), is_enabled, dict(values)
    row.sealed, row.error_code = seal(new, place=str(row.id)), ""
    row.save(update_fields=["name", "is_enabled", "settings", "sealed", "error_code", "updated_at"])
    audit(actor, "channel.updated", object_type="channel", object_id=row.id)
    updated: Connection = row
    return updated


def connection_delete(*, actor: Actor, connection: Connection) -> None:
    Connection.objects.filter(id=connection.id).update(deleted_at=timezone.now())
    audit(actor, "channel.deleted", object_type="channel", object_id=connection.id)


def connection_restore(*, actor: Actor, connection: Connection) -> None:
    Connection.objects.filter(id=connection.id).update(deleted_at=None)
    audit(actor, "channel.restored", object_type="channel", object_id=connection.id)


def connections_list() -> QuerySet[Any]:
    rows: QuerySet[Any] = Connection.objects.filter(deleted_at=None).select_related("assistant")
    return rows.order_by("-created_at", "-id")


def connection_get(connection_id: UUID, *, include_deleted: bool = False) -> Connection:
    rows = Connection.objects.filter(id=connection_id).select_related("assistant")
    found: Connection | None = (rows if include_deleted else rows.filter(deleted_at=None)).first()
    if found is None:
        raise NotFound(_("This channel does not exist."))
    return found


def connection_address(public_key: str, kind: str) -> tuple[UUID, UUID] | None:
    """(tenant id, connection id) of the channel an outside server calls; the call is not trusted by that."""
    with unscoped("find the tenant of a channel by its public key"):
        rows = Connection.objects.filter(public_key=public_key, kind=kind)
        found: tuple[UUID, UUID] | None = rows.values_list("tenant_id", "id").first()
        return found


def connection_on_duty(connection_id: UUID) -> Connection | None:
    """Unless it, its assistant or the business is out of service."""
    found: Connection | None = (
        Connection.objects.filter(
            id=connection_id,
            is_enabled=True,
            deleted_at=None,
            assistant__deleted_at=None,
            tenant__is_suspended=False,
        )
        .select_related("assistant")
        .first()
    )
    return found


def secrets_of(connection: Connection) -> dict[str, str]:
    return unseal(connection.sealed, place=str(connection.id))


def signing_secret(connection: Connection) -> str:
    """`fr_chs_…`, what both sides of a REST channel sign with. Derived, never stored."""
    about = f"furrow.channel:{connection.tenant_id}:{connection.id}"
    digest = hmac.new(settings.SECRET_KEY.encode(), about.encode(), hashlib.sha256).digest()
    return "fr_chs_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def connection_noted(connection_id: UUID, *, error_code: str = "", **changes: Any) -> None:
    """How the last contact with the other side went."""
    Connection.objects.filter(id=connection_id).update(
        checked_at=timezone.now(), error_code=error_code, **changes
    )


def traffic_list(connection: Connection) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """What came in and what went out, newest first."""
    came: QuerySet[Any] = InboundMessage.objects.filter(connection=connection)
    went: QuerySet[Any] = OutboundMessage.objects.filter(connection=connection)
    return (
        came.select_related("user", "turn").order_by("-created_at", "-id"),
        went.select_related("user").order_by("-number"),
    )


def _name_checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(_("Give it a name of up to 80 characters."), field="name")
    return name
