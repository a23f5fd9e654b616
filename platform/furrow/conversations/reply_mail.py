"""A member's reply, sent by e-mail too, when the visitor left an address and is not looking any more."""

import re
from datetime import timedelta
from uuid import UUID

import redis
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from furrow.conversations.models import Conversation, Message, Ticket
from furrow.core.context import tenant_tx
from furrow.core.errors import UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.jobs import job_enqueue
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.redis import sync_redis

MAIL_JOB = "conversations.reply_mail"
LANE = "notify"
ATTEMPTS = 5
# Long enough for a visitor who still has the page open to have seen the reply there.
DELAY = timedelta(seconds=60)
WATCHING_S = 90
_SENT_ANYWAY = frozenset(
    {Conversation.Channel.REST, Conversation.Channel.WECHAT, Conversation.Channel.EMAIL}
)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
log = get_logger(__name__)


def address_of(conversation: Conversation) -> str:
    """The e-mail address the visitor left last; empty when there is none."""
    contacts = Ticket.objects.filter(conversation=conversation).order_by("-number")
    for contact in contacts.values_list("contact", flat=True):
        if found := _ADDRESS.search(contact):
            return found.group()
    return ""


def watching_mark(tenant_id: UUID, conversation_id: UUID) -> None:
    """The visitor's page is connected right now."""
    try:
        sync_redis().set(tenant_key(tenant_id, "watching", conversation_id), 1, ex=WATCHING_S)
    except redis.RedisError as error:
        log.warning("watching_unmarked", error=type(error).__name__)


def is_watching(tenant_id: UUID, conversation_id: UUID) -> bool:
    try:
        return bool(sync_redis().exists(tenant_key(tenant_id, "watching", conversation_id)))
    except redis.RedisError:
        return False


def mail_later(message: Message) -> None:
    """Where no page shows it: channels outside send every reply themselves."""
    conversation = message.conversation
    if conversation.channel not in _SENT_ANYWAY and address_of(conversation):
        job_enqueue(
            kind=MAIL_JOB, subject_id=message.id, lane=LANE, max_attempts=ATTEMPTS, delay=DELAY
        )


class ReplyMailHandler:
    """Sends once; only a worker that dies between sending and noting it sends twice."""

    retry_delays = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            mail = _mail(job.subject_id)
        if mail is None:
            return
        try:
            mail.send()
        except OSError as error:
            log.warning(
                "reply_mail_failed", message=str(job.subject_id), error=type(error).__name__
            )
            raise UpstreamFailed("The mail server did not take the mail.") from None
        with tenant_tx(job.tenant_id):
            Message.objects.filter(id=job.subject_id).update(mailed_at=Now())

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        log.error("reply_mail_given_up", message=str(subject_id))


def _mail(message_id: UUID) -> EmailMessage | None:
    message: Message | None = (
        Message.objects.filter(id=message_id, mailed_at=None, kind=Message.Kind.STAFF)
        .select_related("conversation", "tenant")
        .first()
    )
    if message is None or is_watching(message.tenant_id, message.conversation_id):
        return None
    to = address_of(message.conversation)
    if not to:
        return None
    language = "en" if message.conversation.language.startswith("en") else "zh-hans"
    with translation.override(language):
        subject = _("%(business)s has answered you") % {"business": message.tenant.name}
        facts = {"business": message.tenant.name, "text": message.text, "name": message.author_name}
        body = render_to_string("emails/reply.txt", facts)
    return EmailMessage(" ".join(subject.split()), body, to=[to])
