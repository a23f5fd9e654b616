"""Who a visitor is: a short-lived signed session, bound to widget, tenant, visitor and site.

The token is a signature, not a row, but opens nothing by itself: every call looks at the widget again, so that
switching it off or taking a site off the list ends its sessions at once. Its prefix and its salt are its own, so
no other credential of this installation can be taken for one, nor one for another.
"""

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from furrow.accounts.services import hash_token
from furrow.channels.identity import Customer, customer_of
from furrow.channels.models import Widget, WidgetVisitor
from furrow.channels.selectors import widget_address, widget_on_duty
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, NotSignedIn, Refused
from furrow.core.keys import tenant_key
from furrow.core.rates import rate_check

LIFETIME = timedelta(minutes=15)
SESSIONS_PER_HOUR = 300
GLANCES_PER_HOUR = 150
PREFIX = "fr_session_"
_SALT = "furrow.channels.sessions.v1"
_KIND = "widget-session"
_TOKEN_LENGTH = 800


@dataclass(frozen=True)
class Session:
    """What a token says. `language` is `zh` or `en`."""

    tenant_id: UUID
    widget_id: UUID
    visitor_id: UUID
    origin: str
    language: str


@dataclass(frozen=True)
class Visit:
    """A call whose session, widget and site were checked."""

    session: Session
    widget: Widget
    visitor: WidgetVisitor

    @property
    def tenant_id(self) -> UUID:
        return self.session.tenant_id

    @property
    def language(self) -> str:
        return self.session.language

    @property
    def caller(self) -> str:
        """Separates the idempotency keys of different visitors."""
        return f"visitor:{self.visitor.id}"


@dataclass(frozen=True)
class Opened:
    """A new session. `visitor_token` is what the browser keeps to be known again; empty for a customer whom the site
    vouches for, who is known by that alone and by nothing that stays on a shared computer.
    """

    visit: Visit
    token: str
    expires_at: datetime
    visitor_token: str


def session_open(
    *, public_key: str, origin: str, visitor_token: str, language: str, ip: str, identity: str = ""
) -> Opened:
    """Raises the same refusal for an unknown key, a widget that is off and a site that is not on its list: who
    may not come in learns nothing about the house.
    """
    address = widget_address(public_key)
    if address is None:
        raise origin_refused()
    tenant_id, widget_id = address
    rate_check(
        f"{SESSIONS_PER_HOUR}/hour",
        tenant_key(tenant_id, "widget-sessions", ip),
        message="Too many sessions from one address.",
    )
    with tenant_tx(tenant_id):
        widget = _widget_for(widget_id, origin)
        if widget.assistant.published_id is None:
            raise Conflict("This assistant is not published yet.", code="not_published")
        customer = customer_of(widget, identity)
        if customer is not None:
            visitor, visitor_token = _customer_ensure(widget, origin, visitor_token, customer), ""
        else:
            visitor, visitor_token = _visitor_ensure(widget, origin, visitor_token)
    session = Session(tenant_id, widget_id, visitor.id, origin, language)
    token, expires_at = session_token(session)
    return Opened(Visit(session, widget, visitor), token, expires_at, visitor_token)


def glance(
    *, public_key: str, origin: str, visitor_token: str, identity: str
) -> WidgetVisitor | None:
    """The visitor a page asks about without opening a session; nobody is made here, and a refusal looks the same."""
    address = widget_address(public_key)
    if address is None:
        raise origin_refused()
    tenant_id, widget_id = address
    known_as = hash_token(visitor_token or identity)
    rate_check(
        f"{GLANCES_PER_HOUR}/hour",
        tenant_key(tenant_id, "widget-glances", known_as),
        message="Too many requests from this visitor.",
    )
    with tenant_tx(tenant_id):
        widget = _widget_for(widget_id, origin)
        customer = customer_of(widget, identity) if identity else None
        if customer is not None:
            rows = WidgetVisitor.objects.filter(widget=widget, customer_id=customer.id)
            found: WidgetVisitor | None = rows.first()
            return found
        return _known_by(visitor_token, widget, origin) if visitor_token else None


def session_check(*, token: str, origin: str) -> Visit:
    """The door of every later call. Raises `NotSignedIn` for a token that is not ours, changed or too old, and
    `Refused` when the widget or its list does not allow this site (any more).
    """
    session = session_of(token)
    if origin != session.origin:
        raise origin_refused()
    with tenant_tx(session.tenant_id):
        widget = _widget_for(session.widget_id, origin)
        visitor = WidgetVisitor.objects.filter(id=session.visitor_id, widget=widget).first()
    if visitor is None:
        raise session_ended()
    return Visit(session, widget, visitor)


def session_token(session: Session) -> tuple[str, datetime]:
    claims = {"kind": _KIND, **{name: str(value) for name, value in asdict(session).items()}}
    return PREFIX + signing.dumps(claims, salt=_SALT), timezone.now() + LIFETIME


def session_of(token: str) -> Session:
    """What a token of ours says; anything else fails alike, whatever is wrong with it."""
    if not token.startswith(PREFIX) or len(token) > _TOKEN_LENGTH:
        raise session_ended()
    try:
        claims: Any = signing.loads(token.removeprefix(PREFIX), salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        raise session_ended() from None
    if not isinstance(claims, dict) or claims.pop("kind", "") != _KIND:
        raise session_ended()
    ids = {name: UUID(claims[name]) for name in ("tenant_id", "widget_id", "visitor_id")}
    return Session(**ids, origin=claims["origin"], language=claims["language"])


def session_ended() -> NotSignedIn:
    return NotSignedIn("The session is missing or has ended.", code="session_expired")


def origin_refused() -> Refused:
    return Refused("This site may not show the assistant.", code="origin_not_allowed")


def _widget_for(widget_id: UUID, origin: str) -> Widget:
    widget = widget_on_duty(widget_id)
    if widget is None or origin not in widget.allowed_origins:
        raise origin_refused()
    return widget


def _visitor_ensure(widget: Widget, origin: str, token: str) -> tuple[WidgetVisitor, str]:
    """The visitor who holds `token` on this very site, or a new one."""
    if token:
        known = _known_by(token, widget, origin)
        if known is not None:
            known.save(update_fields=["last_seen_at"])
            return known, token
    token = secrets.token_urlsafe(32)
    visitor: WidgetVisitor = WidgetVisitor.objects.create(
        widget=widget, origin=origin, token_hash=hash_token(token)
    )
    return visitor, token


def _known_by(token: str, widget: Widget, origin: str) -> WidgetVisitor | None:
    """Nobody is a vouched-for customer by a token alone."""
    found: WidgetVisitor | None = WidgetVisitor.objects.filter(
        widget=widget, origin=origin, token_hash=hash_token(token), customer_id=""
    ).first()
    return found


def _customer_ensure(widget: Widget, origin: str, token: str, customer: Customer) -> WidgetVisitor:
    """The one visitor of this customer. Who chatted before signing in takes that conversation along, the first time."""
    row: WidgetVisitor | None = WidgetVisitor.objects.filter(
        widget=widget, customer_id=customer.id
    ).first()
    if row is None:
        row = _known_by(token, widget, origin) if token else None
        row = row or WidgetVisitor(widget=widget, origin=origin)
        # The browser's token opens nothing from here on: somebody else may use this browser next.
        row.token_hash = hash_token(secrets.token_urlsafe(32))
        row.customer_id = customer.id
    row.customer_name = customer.name
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        # Two tabs signed in at the same moment.
        row = WidgetVisitor.objects.get(widget=widget, customer_id=customer.id)
    return row
