"""The channel for the business's own program: it posts what its users write and gets answers posted back, or fetches
them. Both directions are signed as webhooks are.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from furrow.channels.models import Connection, InboundMessage, OutboundMessage
from furrow.channels.outside.connections import signing_secret
from furrow.channels.outside.intake import Arrived, message_take
from furrow.channels.outside.replies import SENDERS
from furrow.channels.webhooks import REPLAY_WINDOW_S, signature
from furrow.core.egress import check_url, post_public
from furrow.core.errors import Invalid, NotSignedIn, UpstreamFailed

MAX_BODY_BYTES = 64 * 1024


def values_checked(values: dict[str, Any]) -> dict[str, Any]:
    """`url` may be empty: then answers are fetched."""
    url = str(values.get("url") or "").strip()
    if url:
        parsed = check_url(url)
        if settings.IS_PRODUCTION and parsed.scheme != "https":
            raise Invalid(_("The address must begin with https."), field="url")
        url = str(parsed)
    return {"url": url[:500]}


def signature_check(connection: Connection, header: str, body: bytes) -> None:
    """Raises `NotSignedIn` unless the body was signed with this channel's secret within the last minutes."""
    parts = dict(part.partition("=")[::2] for part in header.split(",") if "=" in part)
    stamp = parts.get("t", "")
    is_timely = (
        stamp.isascii()
        and stamp.isdigit()
        and len(stamp) < 12
        and abs(time.time() - int(stamp)) <= REPLAY_WINDOW_S
    )
    wanted = signature(
        signing_secret(connection), timestamp=int(stamp) if is_timely else 0, body=body
    )
    if not is_timely or not constant_time_compare(f"t={stamp},v1={parts.get('v1', '')}", wanted):
        raise NotSignedIn("The signature is missing, wrong or too old.", code="signature_invalid")


def arrived_of(body: Any) -> Arrived:
    """`{"id", "user", "text", "name"?}` as a program posts it."""
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object.")
    texts = {name: body.get(name, "") for name in ("id", "user", "text", "name")}
    for name, value in texts.items():
        if not isinstance(value, str) or _is_no_text(value):
            raise Invalid(f"{name} must be a text.", field=name)
    unknown = set(body) - set(texts)
    if unknown:
        raise Invalid("Unknown field.", field=sorted(unknown)[0])
    return Arrived(
        external_id=texts["id"], writer=texts["user"], text=texts["text"], name=texts["name"]
    )


def _is_no_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return "\x00" in value


def rest_take(connection: Connection, arrived: Arrived) -> tuple[InboundMessage, bool]:
    """The message, and whether it is new. Inside `tenant_tx`."""
    message = message_take(connection=connection, arrived=arrived)
    if message is not None:
        return message, True
    known: InboundMessage = InboundMessage.objects.get(
        connection=connection, external_id=arrived.external_id.strip()
    )
    return known, False


def reply_shown(message: OutboundMessage) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "number": message.number,
        "user": message.user.external_id,
        "author": message.author,
        "text": message.text,
        "created_at": message.created_at.astimezone(UTC).isoformat(timespec="seconds"),
    }


def send(connection: Connection, message: OutboundMessage) -> str:
    """Posts one answer; without an address it is there to be fetched, which is all there is to do."""
    url = connection.settings.get("url", "")
    if url:
        _post(connection, {"event": "message.replied", "data": reply_shown(message)}, message.id)
    return str(message.id)


def ping(connection: Connection) -> str:
    """The try-it button: a signed message that means nothing."""
    if not connection.settings.get("url"):
        return _(
            "This channel has no address: your program fetches the answers. Nothing to try from here."
        )
    _post(connection, {"event": "ping", "data": {"text": "This is a test."}}, connection.id)
    return _("Your program took the test message.")


def _post(connection: Connection, told: dict[str, Any], about: Any) -> None:
    stamp = int(datetime.now(UTC).timestamp())
    body = json.dumps(
        {"id": str(about), **told}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "Furrow-Event": told["event"],
        "Furrow-Delivery": str(about),
        "Furrow-Signature": signature(signing_secret(connection), timestamp=stamp, body=body),
    }
    status = post_public(connection.settings["url"], body, headers=headers)
    if not 200 <= status < 300:
        raise UpstreamFailed("The address did not accept the message.", code="refused")


SENDERS[Connection.Kind.REST] = send
