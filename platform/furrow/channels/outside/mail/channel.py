"""E-mail: read from an IMAP inbox, answered over SMTP in the same thread."""

import re
from datetime import timedelta
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formataddr, formatdate
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from furrow.channels.models import Connection, OutboundMessage
from furrow.channels.outside.connections import connection_noted, connection_on_duty
from furrow.channels.outside.intake import Arrived, photos_read, taken_or_left
from furrow.channels.outside.mail.servers import (
    IMAP_PORTS,
    MOST_BYTES,
    SECURITIES,
    SMTP_PORTS,
    Inbox,
    mailbox,
    outgoing,
)
from furrow.channels.outside.replies import SENDERS
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Invalid
from furrow.core.extensions import JobRun
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.rates import rate_check
from furrow.knowledge.parsing.apart import MailWords, mail_words
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats.mail_words import LOOP_HEADER

READ_JOB = "channel.mail_read"
MOST_AT_ONCE = 50
# More than people write; two machines that write to each other end here.
MAILS_PER_HOUR = 12
# RFC 3501: 32 bits.
_NUMBER = re.compile(rb"\d{1,10}")
_HOST = re.compile(r"(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?")
log = get_logger(__name__)


def values_checked(values: dict[str, Any]) -> dict[str, Any]:
    address = str(values.get("address") or "").strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(_("Write the address of the mailbox."), field="address") from None
    checked: dict[str, Any] = {
        "address": address,
        "user": str(values.get("user") or address).strip()[:200],
    }
    for name, ports in (("imap", IMAP_PORTS), ("smtp", SMTP_PORTS)):
        host = str(values.get(f"{name}_host") or "").strip().lower()
        port, security = values.get(f"{name}_port"), values.get(f"{name}_security")
        if not _HOST.fullmatch(host):
            raise Invalid(_("This is no name of a server."), field=f"{name}_host")
        if port not in ports:
            raise Invalid(_("This port is not used for mail."), field=f"{name}_port")
        if security not in SECURITIES:
            raise Invalid(_("Choose how the connection is encrypted."), field=f"{name}_security")
        checked |= {f"{name}_host": host, f"{name}_port": port, f"{name}_security": security}
    return checked


class ReadHandler:
    """Reads what came since the cursor, `validity:uid`, as much as one visit has room for; the next goes on from
    there. Running twice is harmless: a mail is taken once.
    """

    retry_delays = (timedelta(minutes=1),)

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            connection = connection_on_duty(job.subject_id)
        if connection is None:
            return
        try:
            with mailbox(connection) as inbox:
                self._read(job, connection, inbox)
        except AppError as error:
            with tenant_tx(job.tenant_id):
                connection_noted(connection.id, error_code=error.code)
            raise

    def _read(self, job: JobRun, connection: Connection, inbox: Inbox) -> None:
        validity = _number(inbox.response("UIDVALIDITY")[1])
        known, _colon, last_text = connection.cursor.partition(":")
        last = int(last_text) if known == str(validity) and last_text.isdigit() else -1
        uids = _uids(inbox, max(last, 0) + 1)
        if last < 0:
            # What lay in the box before is nobody's question to us.
            self._noted(job, connection, validity, max(uids, default=0))
            return
        for uid in [each for each in uids if each > last][:MOST_AT_ONCE]:
            if not inbox.has_room():
                return
            raw = _mail_of(inbox, uid)
            if raw is None:
                log.info("mail_too_large", connection=str(connection.id))
            else:
                _take(connection, raw)
            job.renew()
            self._noted(job, connection, validity, uid)
        if not uids:
            self._noted(job, connection, validity, last)

    def _noted(self, job: JobRun, connection: Connection, validity: int, uid: int) -> None:
        with tenant_tx(job.tenant_id):
            connection_noted(connection.id, cursor=f"{validity}:{uid}")

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        connection_noted(subject_id, error_code=code)


def _number(found: Any) -> int:
    text = (found or [b"0"])[0] or b"0"
    return int(text) if _NUMBER.fullmatch(text) else 0


def _uids(inbox: Inbox, first: int) -> list[int]:
    found = inbox.ask("SEARCH", f"UID {first}:*")
    return sorted(int(each) for each in (found[0] or b"").split() if _NUMBER.fullmatch(each))


def _mail_of(inbox: Inbox, uid: int) -> bytes | None:
    """Its bytes, unless there are too many: the size is asked for first. Nothing is marked as read."""
    told = inbox.ask("FETCH", str(uid), "(RFC822.SIZE)")
    size = re.search(rb"RFC822\.SIZE (\d{1,10})\b", b" ".join(_flat(told)))
    if size is None or int(size[1]) > MOST_BYTES:
        return None
    told = inbox.ask("FETCH", str(uid), "(BODY.PEEK[])")
    return next((each[1] for each in told if isinstance(each, tuple)), None)


def _flat(told: list[Any]) -> list[bytes]:
    return [b" ".join(each) if isinstance(each, tuple) else each or b"" for each in told]


def _take(connection: Connection, raw: bytes) -> None:
    """One that cannot be taken must not stop those behind it."""
    try:
        mail = mail_words(raw)
    except ParseFailure as failure:
        # Its detail is the reading process's word, and might quote the mail.
        log.info("mail_unreadable", connection=str(connection.id), code=failure.code)
        return
    machine = "loop" if mail.writer == connection.settings["address"] else mail.machine
    if machine:
        log.info("mail_left", connection=str(connection.id), reason=machine)
        return
    taken_or_left(
        connection=connection,
        arrived=_arrived(connection, mail),
        before=lambda: _not_a_loop(connection, mail),
    )


def _not_a_loop(connection: Connection, mail: MailWords) -> None:
    key = tenant_key(connection.tenant_id, "mails", connection.id, mail.writer)
    rate_check(f"{MAILS_PER_HOUR}/hour", key, message="Too many mails from this address.")


def _arrived(connection: Connection, mail: MailWords) -> Arrived:
    context = {
        "message_id": mail.message_id,
        "references": [*mail.references, mail.message_id],
        "subject": mail.subject,
    }
    photos = photos_read(connection, mail.photos)
    # Who writes only a subject asks in it.
    text = mail.text or mail.subject
    return Arrived(
        external_id=mail.message_id,
        writer=mail.writer,
        text=text,
        name=mail.name,
        thread=mail.thread,
        context=context,
        photos=photos,
    )


class _Policy(EmailPolicy):
    """The library writes a long id as it writes Chinese words, encoded, and then no program knows the thread."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name not in {"In-Reply-To", "References"}:
            return super().fold_binary(name, value)
        return f"{name}: {value.replace(' ', self.linesep + ' ')}{self.linesep}".encode("ascii")


def send(connection: Connection, message: OutboundMessage) -> str:
    """In the thread of the question. The id is made from the row, so that a second sending is the same mail."""
    own = connection.settings["address"]
    domain = own.rpartition("@")[2]
    context = message.context
    mail = EmailMessage(policy=_Policy())
    mail["From"] = formataddr((connection.name, own))
    mail["To"] = message.user.external_id
    mail["Subject"] = _subject(context.get("subject", ""))
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = f"<furrow.{message.id}@{domain}>"
    if context.get("message_id"):
        mail["In-Reply-To"] = context["message_id"]
        mail["References"] = " ".join(context.get("references", []))
    mail[LOOP_HEADER] = str(connection.id)
    if message.author == "assistant":
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(message.text)
    with outgoing(connection) as server:
        server.send_message(mail)
    return str(mail["Message-ID"])


def _subject(text: str) -> str:
    text = " ".join(text.split())
    return text if re.match(r"(?i)(re|回复|答复)\s*[:：]", text) else f"Re: {text}"


def probe(connection: Connection) -> str:
    """The try-it button: signs in on both servers, reads and sends nothing."""
    with mailbox(connection):
        pass
    with outgoing(connection) as server:
        server.noop()
    return _(
        "Both servers took the sign-in. Now write a mail to this address and look whether an answer comes."
    )


SENDERS[Connection.Kind.EMAIL] = send
