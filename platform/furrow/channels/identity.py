"""Who the site says its visitor is: a short signed statement that the site's own server makes.

A statement is `base64url(JSON {"id", "name", "exp"}) + "." + hex HMAC-SHA256` of that first part, with the widget's
identity secret as key. It names an end, so that a copied one stops opening somebody's conversation.
"""

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from furrow.channels.models import Widget
from furrow.core.errors import Refused
from furrow.tenants.services import Actor, audit

MOST_LENGTH = 1000
MOST_AHEAD_S = 7 * 24 * 3600
ID_LENGTH, NAME_LENGTH = 100, 120


@dataclass(frozen=True)
class Customer:
    id: str
    name: str


def identity_secret(widget: Widget) -> str:
    """`fr_idn_…`, 256 bits. Derived, so that no table holds what could forge a customer."""
    about = f"furrow.identity:{widget.tenant_id}:{widget.id}:{widget.identity_number}"
    digest = hmac.new(settings.SECRET_KEY.encode(), about.encode(), hashlib.sha256).digest()
    return "fr_idn_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


@transaction.atomic
def identity_secret_renew(*, actor: Actor, widget: Widget) -> str:
    """The old secret is dead with this: statements made with it count no more."""
    widget.identity_number += 1
    widget.save(update_fields=["identity_number", "updated_at"])
    audit(actor, "widget.identity_renewed", object_type="widget", object_id=widget.id)
    return identity_secret(widget)


def statement(secret: str, *, customer_id: str, name: str = "", expires_at: int) -> str:
    """What the site's server has to write; the dashboard shows the same in other languages."""
    claims = {"id": customer_id, "name": name, "exp": expires_at}
    head = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{head}.{_mac(secret, head)}"


def customer_of(widget: Widget, text: str) -> Customer | None:
    """The customer a statement vouches for. Without a valid one None, or a refusal where one is required."""
    if widget.identity == Widget.Identity.OFF:
        return None
    customer = _read(identity_secret(widget), text)
    if customer is None and widget.identity == Widget.Identity.REQUIRED:
        raise Refused("The site has to say who its visitor is.", code="identity_required")
    return customer


def _read(secret: str, text: str) -> Customer | None:
    head, _, mac = text.partition(".")
    if len(text) > MOST_LENGTH or not constant_time_compare(mac, _mac(secret, head)):
        return None
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        expires, customer_id = int(claims["exp"]), str(claims["id"]).strip()
        name = " ".join(str(claims.get("name") or "").split())
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        return None
    now = time.time()
    is_timely = now < expires <= now + MOST_AHEAD_S
    if not is_timely or not 0 < len(customer_id) <= ID_LENGTH or "\x00" in customer_id + name:
        return None
    return Customer(customer_id, name[:NAME_LENGTH])


def _mac(secret: str, head: str) -> str:
    return hmac.new(secret.encode(), head.encode(), hashlib.sha256).hexdigest()
