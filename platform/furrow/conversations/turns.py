"""The job that answers a turn: reads, climbs the ladder outside any transaction, stores, tells the readers."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import Answer, Question, climb
from furrow.assistants.language import language_of, short_language
from furrow.assistants.phrases import phrase
from furrow.assistants.services import gap_record
from furrow.conversations.desk import conversation_locked, owner_present
from furrow.conversations.models import Conversation, Turn
from furrow.conversations.replies import draft_keep
from furrow.conversations.selectors import earlier_exchanges, turn_get
from furrow.conversations.services import PERSON_RUNG, turn_enqueue_next
from furrow.conversations.spent import turn_spent
from furrow.conversations.streams import publish, publish_end
from furrow.conversations.tickets import ticket_open
from furrow.conversations.topics import DRAFT, OFF, mode_for
from furrow.core.context import tenant_tx
from furrow.core.extensions import JobRun
from furrow.metering.attribution import attributed

_UNANSWERED = (Turn.Status.QUEUED, Turn.Status.RUNNING)
# Above any attempt of a job: nothing may follow the news that it was given up.
_LAST_WORD = 1_000_000


# The rung of an answer that waits for a member's word.
HELD_RUNG = "held"
# What the assistant may always say itself: hello, and that a person will come.
_HARMLESS = frozenset({"greeting", "human"})


@dataclass(frozen=True)
class _Task:
    """`mode` is what the assistant may do by itself with this topic."""

    turn: Turn
    question: Question
    config: AssistantConfig
    mode: str


class TurnHandler:
    """Running twice is harmless: the first run to store its answer wins, a later one only repeats the ending."""

    def run(self, job: JobRun) -> None:
        def tell(event: str, **data: Any) -> None:
            publish(job.tenant_id, job.subject_id, event, data, attempt=job.attempt)

        if job.attempt > 1:
            tell("reset")
        task = self._begin(job)
        if task is not None:
            started = time.monotonic()
            with attributed(**_payer(task.turn)):
                is_open = task.mode != DRAFT
                answer = climb(
                    task.question,
                    task.config,
                    on_delta=lambda text: tell("delta", text=text) if is_open else None,
                    on_stage=lambda stage: tell("status", stage=stage),
                    on_reset=lambda: tell("reset"),
                    hands_over=task.mode == OFF,
                )
            # A worker that was too slow must not speak for the one that took over.
            job.renew()
            duration_ms = round((time.monotonic() - started) * 1000)
            with tenant_tx(job.tenant_id):
                is_stored = _store(task, answer, duration_ms=duration_ms)
            if not is_stored:
                tell("reset")
        with tenant_tx(job.tenant_id):
            turn = turn_get(job.subject_id)
        publish_end(turn, attempt=job.attempt)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        """Ends the turn with an error its readers see, and lets the conversation's next question run."""
        rows = Turn.objects.filter(id=subject_id)
        # The conversation first, then the turn: everyone who takes both takes them in this order.
        list(
            Conversation.objects.select_for_update(no_key=True)
            .filter(turns__id=subject_id)
            .values("id")
        )
        if not rows.exclude(status=Turn.Status.DONE).update(
            status=Turn.Status.FAILED, error_code=code, finished_at=timezone.now()
        ):
            return
        turn: Turn = rows.select_related("conversation").get()
        turn_enqueue_next(conversation=turn.conversation)
        transaction.on_commit(lambda: publish_end(turn, attempt=_LAST_WORD))

    def _begin(self, job: JobRun) -> _Task | None:
        """None when an earlier run has answered already."""
        with tenant_tx(job.tenant_id):
            turn = turn_get(job.subject_id)
            conversation = conversation_locked(turn.conversation_id)
            begun = Turn.objects.filter(id=turn.id, status__in=_UNANSWERED)
            if owner_present(conversation) is not None:
                # A member took over while the question waited: the assistant does not even think about it.
                _leave_to_person(begun)
                turn_enqueue_next(conversation=conversation)
                return None
            if not begun.update(status=Turn.Status.RUNNING):
                return None
            return _task_of(turn)


def _payer(turn: Turn) -> dict[str, Any]:
    """Whose budgets a turn is counted in."""
    conversation = turn.conversation
    return {
        **turn.payer,
        "assistant_id": conversation.assistant_id,
        "visitor_id": conversation.visitor_id,
        "channel": conversation.channel,
        "turn_id": turn.id,
    }


def _task_of(turn: Turn) -> _Task:
    conversation, version = turn.conversation, turn.assistant_version
    if version is not None:
        config = AssistantConfig.of_version(version)
    else:
        config = AssistantConfig.of_draft(conversation.assistant)
    default = short_language(conversation.language or config.language)
    question = Question(
        text=turn.text,
        language=language_of(turn.text, default=default),
        conversation_id=conversation.id,
        history=earlier_exchanges(turn),
    )
    return _Task(turn, question, config, mode_for(conversation, turn.text))


def _leave_to_person(turns: Any, **fields: Any) -> int:
    done = {"status": Turn.Status.DONE, "rung": PERSON_RUNG, "answer": "", "citations": []}
    changed: int = turns.update(**{**fields, **done, "finished_at": timezone.now()})
    return changed


def _store(task: _Task, answer: Answer, *, duration_ms: int) -> bool:
    """Stores the answer and what follows from it; False when another run was first, and when nothing of what the
    readers saw may stay. Whether the assistant may still speak is looked at here, under the lock that a member who
    takes over needs too.
    """
    turn = task.turn
    conversation = conversation_locked(turn.conversation_id)
    fields = _fields_of(turn, answer, duration_ms=duration_ms)
    running = Turn.objects.filter(id=turn.id, status=Turn.Status.RUNNING)
    if owner_present(conversation) is not None:
        if _leave_to_person(running, **fields) and answer.rung not in _HARMLESS:
            draft_keep(turn, text=answer.text, rung=answer.rung, citations=fields["citations"])
            _happened(conversation, answer)
        turn_enqueue_next(conversation=conversation)
        return False
    if task.mode == DRAFT and answer.rung not in _HARMLESS:
        return _hold(conversation, task, answer, fields)
    if not running.update(**fields):
        return False
    _follow_up(conversation, turn, answer)
    turn_enqueue_next(conversation=conversation)
    return True


def _hold(conversation: Conversation, task: _Task, answer: Answer, fields: dict[str, Any]) -> bool:
    """The answer waits for a member; the visitor reads that somebody is looking at it."""
    turn = task.turn
    told = phrase("held", task.question.language)
    shown = {**fields, "rung": HELD_RUNG, "answer": told, "citations": []}
    if not Turn.objects.filter(id=turn.id, status=Turn.Status.RUNNING).update(**shown):
        return False
    draft_keep(turn, text=answer.text, rung=answer.rung, citations=fields["citations"])
    _happened(conversation, answer)
    if conversation.waiting_since is None:
        conversation.waiting_since = timezone.now()
        conversation.save(update_fields=["waiting_since"])
    turn_enqueue_next(conversation=conversation)
    return True


def _fields_of(turn: Turn, answer: Answer, *, duration_ms: int) -> dict[str, Any]:
    return {
        "status": Turn.Status.DONE,
        "rung": answer.rung,
        "answer": answer.text,
        "citations": [citation.as_json() for citation in answer.citations],
        "usage": dict(answer.usage),
        "trace": list(answer.trace),
        "error_code": "",
        "duration_ms": duration_ms,
        "finished_at": timezone.now(),
        # An hour before the question: the clocks of web and worker need not agree.
        **turn_spent(turn.id, since=turn.created_at - timedelta(hours=1)).as_fields(),
    }


def _follow_up(conversation: Conversation, turn: Turn, answer: Answer) -> None:
    if answer.opens_ticket:
        reason = "test" if conversation.is_test else "asked"
        ticket_open(conversation=conversation, contact=answer.contact, reason=reason)
    if conversation.is_test:
        return
    if answer.is_gap:
        gap_record(assistant=conversation.assistant, question=turn.text)
    _happened(conversation, answer)


def _happened(conversation: Conversation, answer: Answer) -> None:
    """What the answer says was done. A draft says it too once a member sends it, so it must be true by then."""
    if answer.on_stored is not None and not conversation.is_test:
        answer.on_stored()
