"""The conversation by e-mail, when its visitor wants it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from furrow.channels.models import Transcript
from furrow.conversations.feed import messages_shown
from furrow.conversations.models import Conversation, Turn
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.jobs import job_enqueue
from furrow.core.logs import get_logger

TRANSCRIPT_JOB = "widget.transcript"
LANE = "notify"
MAIL_ATTEMPTS = 5
_NOT_SENT = ("filebased", "console", "dummy")
log = get_logger(__name__)


def is_mail_sent() -> bool:
    return not any(f".{name}." in settings.EMAIL_BACKEND for name in _NOT_SENT)


def transcript_ask(*, conversation: Conversation, address: str, language: str) -> Transcript:
    """Queues the mail in the caller's transaction."""
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid("This is no e-mail address.", code="address_invalid", field="email") from None
    if not is_mail_sent():
        raise Conflict("This server sends no mail.", code="mail_off")
    row: Transcript = Transcript.objects.create(
        conversation=conversation, address=address, language=language
    )
    job_enqueue(kind=TRANSCRIPT_JOB, subject_id=row.id, lane=LANE, max_attempts=MAIL_ATTEMPTS)
    return row


class TranscriptHandler:
    """Only a worker that dies between sending and noting it sends twice."""

    retry_delays = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            message = _message(job.subject_id)
        if message is None:
            return
        try:
            message.send()
        except OSError as error:
            log.warning("transcript_failed", id=str(job.subject_id), error=type(error).__name__)
            raise UpstreamFailed("The mail server did not take the mail.") from None
        with tenant_tx(job.tenant_id):
            Transcript.objects.filter(id=job.subject_id).update(address="", sent_at=timezone.now())

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        Transcript.objects.filter(id=subject_id).update(address="")
        log.error("transcript_given_up", id=str(subject_id))


def _message(transcript_id: UUID) -> EmailMessage | None:
    row: Transcript | None = (
        Transcript.objects.filter(id=transcript_id, sent_at=None)
        .select_related("conversation__assistant", "tenant")
        .first()
    )
    if row is None or not row.address:
        return None
    with translation.override("zh-hans" if row.language == "zh" else "en"):
        subject = _("Your conversation with %(business)s") % {"business": row.tenant.name}
        context = {"business": row.tenant.name, "lines": lines_of(row.conversation)}
        body = render_to_string("emails/transcript.txt", context)
    return EmailMessage(" ".join(subject.split()), body, to=[row.address])


def lines_of(conversation: Conversation) -> list[dict[str, Any]]:
    """What was said on all sides, in order: `who` is `visitor`, `assistant` or `person`."""
    staff: dict[int, list[dict[str, Any]]] = {}
    for message in messages_shown(conversation):
        told = {"who": "person", "name": message["name"], "text": message["text"]}
        staff.setdefault(message["after_turn"], []).append(told)
    lines = staff.get(0, [])
    rows = Turn.objects.filter(conversation=conversation).order_by("number")
    for turn in rows.prefetch_related("photos"):
        lines.append({"who": "visitor", "text": turn.text, "photos": len(turn.photos.all())})
        if turn.status == Turn.Status.DONE and turn.answer:
            lines.append({"who": "assistant", "text": turn.answer})
        lines.extend(staff.get(turn.number, []))
    return lines
