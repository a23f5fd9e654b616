"""Mail that the dashboard sends."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from furrow.accounts.models import User
from furrow.core.logs import get_logger
from furrow.tenants.models import Invitation, Tenant

log = get_logger(__name__)
_SALT = "furrow.dashboard.invitation-mail"


_NOT_SENT = ("filebased", "console", "dummy")


def is_mail_sent() -> bool:
    """Whether mail leaves this server. Where it does not, links are passed on by hand."""
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in _NOT_SENT)


def mailbox_proof(made: Invitation) -> str:
    """Stands in the mailed link only. The link on the inviter's screen opens the invitation, but says nothing
    about who owns the mailbox, and must not open an account in somebody else's name.
    """
    return signing.dumps(str(made.id), salt=_SALT)


def is_mailbox_proven(made: Invitation, proof: str) -> bool:
    try:
        return bool(signing.loads(proof, salt=_SALT) == str(made.id))
    except signing.BadSignature:
        return False


def invitation_mail(made: Invitation, *, link: str, business: Tenant, inviter: User) -> None:
    """Sent once the invitation is stored. A mail server that is away costs the mail only: the link is shown too."""
    context: dict[str, Any] = {
        "invitation": made,
        "link": f"{link}?proof={mailbox_proof(made)}",
        "business": business,
        "inviter": inviter.name or inviter.email,
    }
    with translation.override(business.language):
        subject = _("Invitation to %(business)s") % {"business": business.name}
        body = render_to_string("emails/invitation.txt", context)
    message = EmailMessage(" ".join(subject.split()), body, to=[made.email])
    transaction.on_commit(lambda: _send(message, made))


def _send(message: EmailMessage, made: Invitation) -> None:
    try:
        message.send()
    except OSError as error:
        log.warning("invitation_mail_failed", invitation=str(made.id), error=type(error).__name__)
