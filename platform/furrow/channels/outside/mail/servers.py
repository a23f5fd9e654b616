"""Connections to a mailbox's own servers, through the one way out."""

import imaplib
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from django.conf import settings

from furrow.channels.models import Connection
from furrow.channels.outside.connections import secrets_of
from furrow.core.deadlines import Deadline
from furrow.core.egress import connect_public, tls_context
from furrow.core.errors import UpstreamFailed

# Of one read, of a whole visit to a mailbox, of the sending of one mail.
TIMEOUT_S, VISIT_S, SEND_S = 20.0, 90.0, 60.0
# So much of a visit is left for a mail that is begun.
_ONE_MAIL_S = 30.0
# Of one mail, also of what a server announces.
MOST_BYTES = 12 * 1024 * 1024
# Of everything a server says in one visit: what nobody asked for is kept in memory by the library.
_VISIT_BYTES, _VISIT_LINES = 3 * MOST_BYTES, 20_000
_SAY_BYTES = 1024 * 1024
IMAP_PORTS = frozenset({143, 993})
SMTP_PORTS = frozenset({25, 465, 587, 2525})
TLS, STARTTLS, PLAIN = "tls", "starttls", "plain"
# What a tenant's server may be asked for; without encryption only where nothing is real.
SECURITIES = (TLS, STARTTLS) if settings.IS_PRODUCTION else (TLS, STARTTLS, PLAIN)
_REFUSED = UpstreamFailed(
    "The mail server refused the user name or password.", code="login_refused", permanent=True
)


class Inbox(imaplib.IMAP4):
    """As the library's, over a socket that passed the gate, and bounded in what its server may say."""

    def __init__(self, host: str, port: int, *, is_tls: bool, deadline: Deadline) -> None:
        self._is_tls, self._deadline = is_tls, deadline
        self._bytes_left, self._lines_left = _VISIT_BYTES, _VISIT_LINES
        super().__init__(host, port, timeout=TIMEOUT_S)

    def has_room(self) -> bool:
        """Whether another mail can be read in this visit."""
        return self._deadline.left_s > _ONE_MAIL_S and self._bytes_left > MOST_BYTES + _SAY_BYTES

    def ask(self, *command: str) -> list[Any]:
        """What the server says to a command that names mails by their UIDs."""
        try:
            return self.uid(*command)[1]
        except ValueError:
            # Letters and numbers that are none.
            raise self.abort("nonsense") from None

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return connect_public(
            self.host,
            self.port,
            ports=IMAP_PORTS,
            is_tls=self._is_tls,
            timeout_s=TIMEOUT_S,
            deadline=self._deadline,
        )

    def read(self, size: int) -> bytes:
        """A server may announce any length; memory is shared with other businesses."""
        if size > min(MOST_BYTES, self._bytes_left):
            raise self.abort("announced too much")
        self._bytes_left -= size
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._bytes_left -= len(line)
        self._lines_left -= 1
        if self._bytes_left < 0 or self._lines_left < 0:
            raise self.abort("said too much")
        return line


class _Smtp(smtplib.SMTP):
    def __init__(self, host: str, port: int, *, is_tls: bool, deadline: Deadline) -> None:
        self._is_tls, self._deadline = is_tls, deadline
        super().__init__(host, port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        return connect_public(
            host,
            port,
            ports=SMTP_PORTS,
            is_tls=self._is_tls,
            timeout_s=TIMEOUT_S,
            deadline=self._deadline,
        )

    def getreply(self) -> tuple[int, bytes]:
        """A reply may have any number of lines, which the library collects."""
        if self.file is None and self.sock is not None:
            self.file = _Bounded(self.sock.makefile("rb"), _SAY_BYTES)
        return super().getreply()


class _Bounded:
    """Lines of a server, until it has said too much."""

    def __init__(self, file: IO[bytes], most_bytes: int) -> None:
        self._file, self._left = file, most_bytes
        self.close = file.close

    def readline(self, size: int) -> bytes:
        line = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("said too much")
        return line


@contextmanager
def mailbox(connection: Connection) -> Iterator[Inbox]:
    """Signed in, with the inbox open for reading, for as long as a visit may last."""
    values, password = connection.settings, secrets_of(connection)["password"]
    security = values["imap_security"]
    with Deadline(VISIT_S) as deadline:
        with _named(deadline, "no_answer"):
            client = Inbox(
                values["imap_host"],
                values["imap_port"],
                is_tls=security == TLS,
                deadline=deadline,
            )
        try:
            with _named(deadline, "mail_failed"):
                if security == STARTTLS:
                    client.starttls(tls_context())
                _signed_in(client, values["user"], password)
                client.select("INBOX", readonly=True)
            with _named(deadline, "mail_failed", _FAULTS):
                yield client
        finally:
            _leave(client)


def _signed_in(client: imaplib.IMAP4, user: str, password: str) -> None:
    try:
        client.login(user, password)
    except imaplib.IMAP4.abort:
        # It broke off, which says nothing about the password.
        raise
    except imaplib.IMAP4.error:
        raise _REFUSED from None


def _leave(client: imaplib.IMAP4) -> None:
    try:
        client.logout()
    except (imaplib.IMAP4.error, OSError, ValueError):
        with suppress(OSError):
            client.shutdown()


@contextmanager
def outgoing(connection: Connection) -> Iterator[smtplib.SMTP]:
    """Signed in, for as long as one mail may take."""
    values, password = connection.settings, secrets_of(connection)["password"]
    security = values["smtp_security"]
    with Deadline(SEND_S) as deadline, _named(deadline, "mail_failed"):
        with _Smtp(
            values["smtp_host"],
            values["smtp_port"],
            is_tls=security == TLS,
            deadline=deadline,
        ) as client:
            if security == STARTTLS:
                client.starttls(context=tls_context())
            client.login(values["user"], password)
            yield client


_FAULTS = (imaplib.IMAP4.error, smtplib.SMTPException, OSError)
_WORDS = {
    "no_answer": "The mail server did not answer.",
    "mail_failed": "The mail server broke off.",
    "mail_slow": "The mail server took too long.",
}


@contextmanager
def _named(
    deadline: Deadline, code: str, faults: tuple[type[Exception], ...] = (*_FAULTS, ValueError)
) -> Iterator[None]:
    """Whatever a mail server does, as a failure of ours. The libraries raise `ValueError` on nonsense; so may code
    of ours, which must not be taken for it.
    """
    try:
        yield
    except smtplib.SMTPResponseException as error:
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            raise _REFUSED from None
        raise UpstreamFailed(_WORDS["mail_failed"], code="mail_failed") from None
    except smtplib.SMTPRecipientsRefused as error:
        # 4xx is "not yet": many servers say so to every sender whom they do not know.
        is_final = all(status >= 500 for status, _words in error.recipients.values())
        raise UpstreamFailed(
            "The address was refused.", code="refused", permanent=is_final
        ) from None
    except faults:
        code = "mail_slow" if deadline.is_over else code
        raise UpstreamFailed(_WORDS[code], code=code) from None
