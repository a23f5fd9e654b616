"""Writes on conversations, turns and feedback; tickets.py has those on tickets. All run inside `tenant_tx`."""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.models import Assistant
from furrow.assistants.rungs.greeting import small_talk
from furrow.conversations.desk import (
    conversation_lock,
    conversation_locked,
    owner_present,
    person_waits,
    require_open,
)
from furrow.conversations.models import Conversation, Feedback, Turn
from furrow.conversations.signals import signals_of
from furrow.conversations.streams import publish_end, wait_for_turn
from furrow.conversations.tickets import ticket_close, ticket_open, ticket_reopen
from furrow.core.errors import Conflict, Invalid, LimitReached, NotFound
from furrow.core.jobs import job_enqueue
from furrow.metering.attribution import current_attribution

__all__ = [
    "conversation_create",
    "feedback_set",
    "ticket_close",
    "ticket_open",
    "ticket_reopen",
    "turn_create",
    "turn_enqueue_next",
    "wait_for_turn",
]

TURN_JOB = "conversations.turn"
TURN_LANE = "chat"
TEXT_LENGTH = 2000
MAX_WAITING = 10
COMMENT_LENGTH = 1000
# The rung of a turn that a member answers in words of their own.
PERSON_RUNG = "person"
_NO_REPLY = frozenset({"thanks", "acknowledged", "goodbye"})
_ACTIVE = (Turn.Status.QUEUED, Turn.Status.RUNNING)


def conversation_create(
    *,
    assistant: Assistant,
    channel: str,
    visitor_id: str = "",
    language: str = "",
    is_test: bool = False,
) -> Conversation:
    """`language` is the visitor's interface language; each answer follows the language of its question."""
    if assistant.deleted_at is not None:
        raise NotFound(_("This assistant does not exist."))
    if channel not in Conversation.Channel.values:
        raise Invalid(_("This channel does not exist."), field="channel")
    if len(visitor_id) > 64 or len(language) > 10:
        raise Invalid(_("The visitor's id or language is too long."), field="visitor_id")
    conversation: Conversation = Conversation.objects.create(
        assistant=assistant,
        channel=channel,
        visitor_id=visitor_id,
        language=language,
        is_test=is_test,
    )
    return conversation


@transaction.atomic
def turn_create(*, conversation: Conversation, text: str, use_draft: bool = False) -> Turn:
    """Stores a question and asks a worker to answer it. Questions of one conversation are answered in order:
    the job of a turn is queued once the turn before it is finished. Where a member has the conversation, the turn is
    done at once, without an answer: the member gives it.
    """
    text = text.replace("\x00", "").strip()
    if not text:
        raise Invalid(_("Write a question first."), code="text_empty", field="text")
    if len(text) > TEXT_LENGTH:
        raise Invalid(
            _("A question may have up to %(count)s characters.") % {"count": TEXT_LENGTH},
            code="text_too_long",
            field="text",
        )
    locked = conversation_locked(conversation.id)
    require_open(locked)
    assistant = locked.assistant
    if not use_draft and assistant.published_id is None:
        raise Conflict(_("This assistant is not published yet."), code="not_published")
    turns = Turn.objects.filter(conversation=locked)
    waiting = turns.filter(status__in=_ACTIVE).count()
    if waiting >= MAX_WAITING:
        raise LimitReached(_("Too many questions wait for an answer."), retry_after_s=5)
    is_with_person = owner_present(locked) is not None
    turn: Turn = Turn.objects.create(
        conversation=locked,
        assistant_version_id=None if use_draft else assistant.published_id,
        number=(turns.aggregate(last=Max("number"))["last"] or 0) + 1,
        text=text,
        payer=_payer(),
        **(_left_to_person() if is_with_person else {}),
    )
    _noticed(locked, turn, is_with_person=is_with_person)
    if is_with_person:
        transaction.on_commit(lambda: publish_end(turn))
    elif not waiting:
        job_enqueue(kind=TURN_JOB, subject_id=turn.id, lane=TURN_LANE)
    return turn


def _left_to_person() -> dict[str, object]:
    return {"status": Turn.Status.DONE, "rung": PERSON_RUNG, "finished_at": timezone.now()}


def _noticed(locked: Conversation, turn: Turn, *, is_with_person: bool) -> None:
    """What the inbox sorts by. An owner who left the business since leaves the visitor waiting for another."""
    said = signals_of(turn.text)
    locked.topic, locked.mood, locked.is_urgent = said.topic, said.mood, said.is_urgent
    locked.last_turn_at = timezone.now()
    if locked.state == Conversation.State.HUMAN and not is_with_person:
        locked.state, locked.owner = Conversation.State.WAITING, None
    locked.save(update_fields=["last_turn_at", "topic", "mood", "is_urgent", "state", "owner"])
    # Whoever thanks a member waits for nothing; who still waited goes on waiting.
    if not (is_with_person and small_talk(turn.text) in _NO_REPLY):
        person_waits(locked, at=locked.last_turn_at)


def _payer() -> dict[str, str]:
    """Kept with the question, because a worker answers it and knows nothing of the request."""
    who = current_attribution()
    named = {"api_key_id": who.api_key_id, "member_id": who.member_id}
    return {name: value for name, value in named.items() if value}


def turn_enqueue_next(*, conversation: Conversation) -> None:
    """Queues the job of the oldest waiting turn. Called by whoever finishes a turn, in the same transaction."""
    conversation_lock(conversation.id)
    waiting = Turn.objects.filter(conversation=conversation, status=Turn.Status.QUEUED)
    turn = waiting.order_by("number").first()
    if turn is not None:
        job_enqueue(kind=TURN_JOB, subject_id=turn.id, lane=TURN_LANE)


def feedback_set(*, turn: Turn, value: int, comment: str = "") -> Feedback:
    """Thumb up (1) or down (-1); setting it again replaces it."""
    if value not in {-1, 1}:
        raise Invalid(_("Feedback is 1 or -1."), field="value")
    if len(comment) > COMMENT_LENGTH:
        raise Invalid(
            _("A comment may have up to %(count)s characters.") % {"count": COMMENT_LENGTH},
            field="comment",
        )
    if turn.status != Turn.Status.DONE:
        raise Conflict(_("There is no answer to judge yet."))
    feedback: Feedback = Feedback.objects.update_or_create(
        turn=turn, defaults={"value": value, "comment": comment.strip()}
    )[0]
    return feedback
