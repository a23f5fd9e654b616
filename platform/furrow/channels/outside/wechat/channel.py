"""WeChat customer service: told that there is something, reads it, and answers within five messages in 48 hours."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.channels.models import Connection, OutboundMessage, OutsideUser
from furrow.channels.outside.connections import (
    connection_noted,
    connection_on_duty,
    secrets_of,
)
from furrow.channels.outside.intake import Arrived, photos_read, taken_or_left
from furrow.channels.outside.replies import LANE, SENDERS, Held, State, held_release
from furrow.channels.outside.wechat.client import WeChat
from furrow.channels.outside.wechat.crypto import decrypt, key_of, signature_check
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Invalid, NotSignedIn, UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.jobs import job_enqueue
from furrow.core.logs import get_logger
from furrow.knowledge.parsing.apart import CleanPhoto

READ_JOB = "channel.wechat_read"
BUDGET, WINDOW = 5, timedelta(hours=48)
# Of a text message, in UTF-8.
TEXT_BYTES = 2048
FROM_CUSTOMER = 3
MOST_PAGES = 50
_ID = re.compile(r"[\w@.-]{1,64}")
log = get_logger(__name__)


def values_checked(values: dict[str, Any]) -> dict[str, Any]:
    checked = {}
    for name in ("corp_id", "open_kfid"):
        value = str(values.get(name) or "").strip()
        if not _ID.fullmatch(value):
            raise Invalid(_("This id is copied from the WeChat console."), field=name)
        checked[name] = value
    return checked


def secrets_checked(secrets: dict[str, str]) -> dict[str, str]:
    if secrets.get("aes_key"):
        key_of(secrets["aes_key"])
    return {name: secrets.get(name, "").strip() for name in ("secret", "token", "aes_key")}


def address_confirmed(connection: Connection, query: dict[str, str]) -> str:
    """The answer to WeChat's question whether this address is ours."""
    return _opened(connection, query, query.get("echostr", ""))


def told(connection: Connection, query: dict[str, str], body: bytes) -> None:
    """A call that says there is something to read. What there is comes from WeChat itself, not from the call."""
    envelope = _xml(body)
    event = _xml(_opened(connection, query, envelope.get("Encrypt", "")).encode())
    is_news = event.get("Event") == "kf_msg_or_event"
    if is_news and event.get("OpenKfId") == connection.settings["open_kfid"]:
        job_enqueue(kind=READ_JOB, subject_id=connection.id, lane=LANE, max_attempts=8)


def _opened(connection: Connection, query: dict[str, str], sealed: str) -> str:
    secrets = secrets_of(connection)
    parts = (query.get("timestamp", ""), query.get("nonce", ""), sealed)
    signature_check(query.get("msg_signature", ""), secrets["token"], *parts)
    return decrypt(sealed, key=key_of(secrets["aes_key"]), receiver=connection.settings["corp_id"])


def _xml(data: bytes) -> dict[str, str]:
    """The fields of a flat document. One with entities or a doctype is nothing WeChat would send."""
    try:
        # As text and without NUL, so that no other encoding hides what is looked for.
        text = data.decode()
        if any(mark in text for mark in ("<!DOCTYPE", "<!ENTITY", "\x00")):
            raise NotSignedIn("The message cannot be opened.", code="signature_invalid")
        root = ElementTree.fromstring(text)  # noqa: S314  no doctype, so no entities; bounded by its view
    except (UnicodeDecodeError, ElementTree.ParseError):
        raise NotSignedIn("The message cannot be opened.", code="signature_invalid") from None
    return {child.tag: child.text or "" for child in root}


class ReadHandler:
    """Reads from the cursor on. Running twice is harmless: a message is taken once."""

    retry_delays = tuple(timedelta(seconds=s) for s in (2, 5, 15, 60, 300, 900))

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            connection = connection_on_duty(job.subject_id)
        if connection is None:
            return
        try:
            with WeChat(connection) as wechat:
                self._read(job, connection, wechat)
        except (AppError, Held) as error:
            code = getattr(error, "code", "held")
            with tenant_tx(job.tenant_id):
                connection_noted(connection.id, error_code=code)
            if isinstance(error, AppError):
                raise

    def _read(self, job: JobRun, connection: Connection, wechat: WeChat) -> None:
        cursor = connection.cursor
        for _page in range(MOST_PAGES):
            told = wechat.messages_since(cursor)
            for message in told.get("msg_list", []):
                self._take(connection, wechat, message)
            cursor = str(told.get("next_cursor") or cursor)
            job.renew()
            with tenant_tx(job.tenant_id):
                connection_noted(connection.id, cursor=cursor[:200])
            if not told.get("has_more"):
                return

    def _take(self, connection: Connection, wechat: WeChat, message: dict[str, Any]) -> None:
        try:
            arrived = _arrived(connection, wechat, message)
        except (KeyError, TypeError):
            # Not as it is published. The cursor has to pass it, or nothing after it would be read.
            log.warning("wechat_message_odd", connection=str(connection.id))
            return
        if arrived is None:
            return
        taken = taken_or_left(connection=connection, arrived=arrived)
        if taken is not None:
            with tenant_tx(connection.tenant_id):
                held_release(taken.user)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        connection_noted(subject_id, error_code=code)


def _arrived(connection: Connection, wechat: WeChat, message: dict[str, Any]) -> Arrived | None:
    """What a customer wrote or showed; everything else of the list is left."""
    if message.get("origin") != FROM_CUSTOMER:
        return None
    kind = message.get("msgtype")
    text, photos = "", list[CleanPhoto]()
    if kind == "text":
        text = str(message["text"]["content"])
    elif kind == "image":
        try:
            media = wechat.media_fetch(str(message["image"]["media_id"]))
        except UpstreamFailed as error:
            if not error.permanent:
                raise
        else:
            photos = photos_read(connection, [media])
        text = "" if photos else "[图片]"
    else:
        text = f"[{kind}]"
    return Arrived(
        external_id=str(message["msgid"]),
        writer=str(message["external_userid"]),
        text=text,
        photos=photos,
    )


def budget_left(user: OutsideUser) -> int:
    """How many messages WeChat still takes for this customer."""
    if user.last_inbound_at is None or timezone.now() - user.last_inbound_at > WINDOW:
        return 0
    sent = OutboundMessage.objects.filter(
        user=user, state=State.SENT, sent_at__gte=user.last_inbound_at
    )
    return max(0, BUDGET - sum(json_parts(row) for row in sent))


def json_parts(row: OutboundMessage) -> int:
    return len(json.loads(row.external_id)) if row.external_id.startswith("[") else 1


def pieces_of(text: str) -> list[str]:
    """Cut where a line or sentence ends, each piece short enough for WeChat."""
    pieces, rest = [], text.strip()
    while len(rest.encode()) > TEXT_BYTES:
        head = rest.encode()[:TEXT_BYTES].decode(errors="ignore")
        cuts = [found.end() for found in re.finditer(r"\n|[。！？；]|[.!?;] ", head)]
        at = cuts[-1] if cuts and cuts[-1] > len(head) // 2 else len(head)
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*pieces, rest] if rest else pieces


def send(connection: Connection, message: OutboundMessage) -> str:
    pieces = pieces_of(message.text)
    with tenant_tx(connection.tenant_id):
        user = OutsideUser.objects.get(id=message.user_id)
        if budget_left(user) < len(pieces):
            raise Held("budget")
    ids = []
    with WeChat(connection) as wechat:
        for number, piece in enumerate(pieces):
            named = f"{message.id.hex[:28]}{number}"
            ids.append(wechat.text_send(to=user.external_id, text=piece, message_id=named))
    return ids[0] if len(ids) == 1 else json.dumps([each[:30] for each in ids])


def probe(connection: Connection) -> str:
    """The try-it button: whether WeChat knows the account."""
    with WeChat(connection) as wechat:
        wechat.token_fetch()
    return _(
        "WeChat knows this account. Now write to it from a phone and look whether an answer comes."
    )


SENDERS[Connection.Kind.WECHAT] = send
