"""What members write: replies to the visitor, notes for each other, and the word on an assistant's draft."""

import re
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.accounts.models import User
from furrow.conversations.bell import ring
from furrow.conversations.desk import (
    conversation_locked,
    handoff_ensure,
    member_may_answer,
    require_free_or_own,
    require_open,
    shown_name,
    take_locked,
)
from furrow.conversations.models import Conversation, Draft, Message, Turn
from furrow.conversations.reply_mail import mail_later
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.tenants.services import Actor

TEXT_LENGTH = 4000
_KEY = re.compile(r"[\w-]{0,64}")


@transaction.atomic
def reply_send(
    *,
    user: User,
    conversation: Conversation,
    text: str,
    key: str = "",
    actor: Actor | None = None,
) -> Message:
    """Sends to the visitor, once for each `key`. Who writes into a conversation that nobody has, takes it; when
    another member has it by now, raises `Conflict` and sends nothing. `actor` is who writes in the member's name.
    """
    text = _checked(text, key)
    member_may_answer(user.id)
    row = conversation_locked(conversation.id)
    if sent := _sent_before(row, key):
        return sent
    require_open(row)
    require_free_or_own(row, user)
    take_locked(row, user, actor=actor)
    message = _add(row, Message.Kind.STAFF, user, text, key)
    _answered(row)
    mail_later(message)
    ring(row)
    return message


@transaction.atomic
def note_add(*, user: User, conversation: Conversation, text: str, key: str = "") -> Message:
    """For members only; closed conversations take notes too."""
    text = _checked(text, key)
    member_may_answer(user.id)
    row = conversation_locked(conversation.id)
    return _sent_before(row, key) or _add(row, Message.Kind.NOTE, user, text, key)


@transaction.atomic
def draft_send(*, user: User, draft: Draft, text: str = "") -> Message:
    """Sends the assistant's answer in the member's name, as it is or as changed. The assistant stays in charge."""
    member_may_answer(user.id)
    row = conversation_locked(draft.conversation_id)
    waiting = _draft_locked(draft)
    require_open(row)
    require_free_or_own(row, user)
    text = _checked(text or waiting.text, "")
    message = _add(row, Message.Kind.STAFF, user, text, f"draft-{waiting.id}")
    _decide(waiting, user, Draft.State.SENT, is_edited=text != waiting.text)
    _draft_answered(row)
    mail_later(message)
    ring(row)
    return message


@transaction.atomic
def draft_drop(*, user: User, draft: Draft) -> None:
    """The visitor hears nothing of it; somebody writes something better, or nothing was needed."""
    member_may_answer(user.id)
    row = conversation_locked(draft.conversation_id)
    _decide(_draft_locked(draft), user, Draft.State.DROPPED)
    if row.state == Conversation.State.BOT:
        _draft_answered(row)


def draft_get(draft_id: UUID) -> Draft:
    found: Draft | None = (
        Draft.objects.filter(id=draft_id).select_related("conversation", "turn").first()
    )
    if found is None:
        raise NotFound(_("This draft does not exist."))
    return found


def draft_keep(turn: Turn, *, text: str, rung: str, citations: list[dict[str, object]]) -> Draft:
    """Keeps an answer that may not go out by itself."""
    draft: Draft = Draft.objects.get_or_create(
        turn=turn,
        defaults={
            "conversation_id": turn.conversation_id,
            "text": text,
            "rung": rung,
            "citations": citations,
        },
    )[0]
    return draft


def _draft_locked(draft: Draft) -> Draft:
    row: Draft = Draft.objects.select_for_update().get(id=draft.id)
    if row.state != Draft.State.WAITING:
        raise Conflict(_("Somebody has decided on this draft already."), code="draft_decided")
    return row


def _decide(draft: Draft, user: User, state: str, *, is_edited: bool = False) -> None:
    draft.state, draft.decided_by, draft.decided_at = state, user, timezone.now()
    draft.is_edited = is_edited
    draft.save(update_fields=["state", "decided_by", "decided_at", "is_edited"])


def _checked(text: str, key: str) -> str:
    text = text.replace("\x00", "").strip()
    if not text:
        raise Invalid(_("Write something first."), code="text_empty", field="text")
    if len(text) > TEXT_LENGTH:
        raise Invalid(
            _("A message may have up to %(count)s characters.") % {"count": TEXT_LENGTH},
            code="text_too_long",
            field="text",
        )
    if not _KEY.fullmatch(key):
        raise Invalid(_("This key is not valid."), field="key")
    return text


def _sent_before(row: Conversation, key: str) -> Message | None:
    found: Message | None = (
        Message.objects.filter(conversation=row, key=key).first() if key else None
    )
    return found


def _add(row: Conversation, kind: str, user: User, text: str, key: str) -> Message:
    last = Message.objects.filter(conversation=row).aggregate(n=Max("number"))["n"] or 0
    turn = Turn.objects.filter(conversation=row).aggregate(n=Max("number"))["n"] or 0
    message: Message = Message.objects.create(
        conversation=row,
        number=last + 1,
        after_turn=turn,
        kind=kind,
        text=text,
        author=user,
        author_name=shown_name(user),
        key=key,
    )
    return message


def _draft_answered(row: Conversation) -> None:
    """The assistant's visitor waits on while another draft does."""
    others = Draft.objects.filter(conversation=row, state=Draft.State.WAITING)
    if row.state != Conversation.State.BOT or not others.exists():
        _answered(row)


def _answered(row: Conversation) -> None:
    """The visitor's clock stops."""
    row.waiting_since = None
    row.save(update_fields=["waiting_since"])
    if row.state == Conversation.State.BOT:
        return
    handoff = handoff_ensure(row, reason="taken")
    if handoff.first_reply_at is None:
        handoff.first_reply_at = timezone.now()
        handoff.save(update_fields=["first_reply_at"])
