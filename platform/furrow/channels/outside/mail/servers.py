"""Connections to a mailbox's own servers, through the one way out."""

import imaplib
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from furrow.channels.models import Connection
from furrow.channels.outside.connections import secrets_of
from furrow.core.egress import connect_public, tls_context
from furrow.core.errors import UpstreamFailed

TIMEOUT_S = 20.0
# Of one mail, also of what a server announces.
MOST_BYTES = 12 * 1024 * 1024
IMAP_PORTS = frozenset({143, 993})
SMTP_PORTS = frozenset({25, 465, 587, 2525})
TLS, STARTTLS, PLAIN = "tls", "starttls", "plain"
# What a tenant's server may be asked for; without encryption only where nothing is real.
SECURITIES = (TLS, STARTTLS) if settings.IS_PRODUCTION else (TLS, STARTTLS, PLAIN)
_REFUSED = UpstreamFailed(
    "The mail server refused the user name or password.", code="login_refused", permanent=True
)


class _Imap(imaplib.IMAP4):
    """As the library's, over a socket that passed the gate."""

    def __init__(self, host: str, port: int, *, is_tls: bool) -> None:
        self._is_tls = is_tls
        super().__init__(host, port, timeout=TIMEOUT_S)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return connect_public(
            self.host, self.port, ports=IMAP_PORTS, is_tls=self._is_tls, timeout_s=TIMEOUT_S
        )

    def read(self, size: int) -> bytes:
        """A server may announce any length; memory is shared with other businesses."""
        if size > MOST_BYTES:
            raise self.abort("announced too much")
        return super().read(size)


class _Smtp(smtplib.SMTP):
    def __init__(self, host: str, port: int, *, is_tls: bool) -> None:
        self._is_tls = is_tls
        super().__init__(host, port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        return connect_public(
            host, port, ports=SMTP_PORTS, is_tls=self._is_tls, timeout_s=TIMEOUT_S
        )


@contextmanager
def mailbox(connection: Connection) -> Iterator[imaplib.IMAP4]:
    """Signed in, with the inbox open for reading."""
    values, password = connection.settings, secrets_of(connection)["password"]
    security = values["imap_security"]
    try:
        client = _Imap(values["imap_host"], values["imap_port"], is_tls=security == TLS)
    except (imaplib.IMAP4.error, OSError):
        raise UpstreamFailed("The mail server did not answer.", code="no_answer") from None
    try:
        if security == STARTTLS:
            client.starttls(tls_context())
        _signed_in(client, values["user"], password)
        client.select("INBOX", readonly=True)
        yield client
    except (imaplib.IMAP4.error, OSError):
        raise UpstreamFailed("The mail server broke off.", code="mail_failed") from None
    finally:
        try:
            client.logout()
        except (imaplib.IMAP4.error, OSError):
            client.shutdown()


def _signed_in(client: imaplib.IMAP4, user: str, password: str) -> None:
    try:
        client.login(user, password)
    except imaplib.IMAP4.error:
        raise _REFUSED from None


@contextmanager
def outgoing(connection: Connection) -> Iterator[smtplib.SMTP]:
    values, password = connection.settings, secrets_of(connection)["password"]
    security = values["smtp_security"]
    try:
        with _Smtp(values["smtp_host"], values["smtp_port"], is_tls=security == TLS) as client:
            if security == STARTTLS:
                client.starttls(context=tls_context())
            client.login(values["user"], password)
            yield client
    except smtplib.SMTPAuthenticationError:
        raise _REFUSED from None
    except smtplib.SMTPRecipientsRefused:
        raise UpstreamFailed("The address was refused.", code="refused", permanent=True) from None
    except (smtplib.SMTPException, OSError):
        raise UpstreamFailed("The mail server did not take the mail.", code="mail_failed") from None
