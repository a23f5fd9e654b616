"""The publish gate: golden questions are asked of the draft and of what is published before anything changes.

What was right and would become wrong is "broken", and blocks. Whoever may publish may override with a written reason,
which goes into the audit log. Without golden questions, and where nothing changes, publishing is immediate.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.config import draft_json
from furrow.assistants.evaluation.models import EvaluationRun, GoldenQuestion, PublicationCheck
from furrow.assistants.evaluation.runs import Kind, Subject, run_cancel, run_create
from furrow.assistants.models import Assistant, AssistantVersion
from furrow.assistants.services import assistant_lock, version_add
from furrow.core.errors import Conflict, Invalid
from furrow.tenants.services import Actor, audit

REASON_LENGTH = 500
State = PublicationCheck.State
_OPEN = (State.CHECKING, State.BLOCKED)


@dataclass(frozen=True)
class Publication:
    """Either the new version, or the check that has to end first."""

    version: AssistantVersion | None = None
    check: PublicationCheck | None = None
    has_golden: bool = True


@transaction.atomic
def publication_request(
    *,
    actor: Actor,
    assistant: Assistant,
    note: str = "",
    override_reason: str = "",
    config: dict[str, Any] | None = None,
) -> Publication:
    """Publishes the draft (or `config`) at once, or begins its check. With `override_reason` nothing is waited for:
    an open check is ended and the reason is written down. Asking again while the same is being checked gives
    that check; a changed draft begins a new one.
    """
    locked = assistant_lock(assistant)
    wanted = draft_json(locked) if config is None else config
    reason = _reason_checked(override_reason)
    opened = _open_check(assistant)
    if not reason and opened is not None and opened.state == State.CHECKING:
        if opened.run.config == wanted:
            return Publication(check=opened)
    golden = GoldenQuestion.objects.filter(assistant=assistant, is_enabled=True).exists()
    if reason:
        version = _publish(actor, assistant, wanted, note, override_reason=reason)
        _close(opened, version, reason=reason)
        return Publication(version, has_golden=golden)
    _withdraw(opened)
    published = locked.published.config if locked.published else None
    if not golden or published == wanted:
        version = _publish(actor, assistant, wanted, note)
        return Publication(version, has_golden=golden)
    return Publication(check=_check_create(actor, locked, wanted, note))


def _check_create(
    actor: Actor, assistant: Assistant, config: dict[str, Any], note: str
) -> PublicationCheck:
    run = run_create(
        assistant=assistant,
        kind=Kind.PUBLISH,
        candidate=Subject(config),
        base=Subject.published(assistant),
    )
    check: PublicationCheck = PublicationCheck.objects.create(
        assistant=assistant,
        run=run,
        note=note.strip()[:300],
        actor={"kind": actor.kind, "id": actor.id, "label": actor.label},
    )
    audit(actor, "publication.checked", object_type="assistant", object_id=assistant.id)
    return check


@transaction.atomic
def publication_override(*, actor: Actor, check: PublicationCheck, reason: str) -> AssistantVersion:
    """Publishes exactly what the check holds back; the reason is written down."""
    assistant = assistant_lock(check.assistant)
    opened = _open_check(assistant)
    if opened is None or opened.id != check.id:
        raise Conflict(_("This publication was decided already."))
    reason = _reason_checked(reason)
    if not reason:
        raise Invalid(_("Write down why it is published all the same."), field="override_reason")
    version = _publish(actor, assistant, opened.run.config, opened.note, override_reason=reason)
    _close(opened, version, reason=reason)
    return version


@transaction.atomic
def publication_withdraw(*, actor: Actor, check: PublicationCheck) -> None:
    """Ends the wish to publish; visitors keep what they have."""
    assistant_lock(check.assistant)
    check.refresh_from_db()
    if check.state not in _OPEN:
        raise Conflict(_("This publication was decided already."))
    _withdraw(check)
    audit(actor, "publication.withdrawn", object_type="assistant", object_id=check.assistant_id)


def check_decide(run: EvaluationRun) -> None:
    """Called in the transaction that ends a run: publishes what passed, blocks what broke something."""
    assistant = run.assistant
    assistant_lock(assistant)
    check = PublicationCheck.objects.filter(run=run, state=State.CHECKING).first()
    if check is None:
        return
    if run.state != EvaluationRun.State.DONE or run.summary["broken"]:
        # A check that could not be made says nothing good about the draft.
        _state_set(check, State.BLOCKED)
        return
    version = _publish(Actor(**check.actor), assistant, run.config, check.note)
    check.version = version
    _state_set(check, State.PUBLISHED)


def _publish(
    actor: Actor, assistant: Assistant, config: dict[str, Any], note: str, **why: Any
) -> AssistantVersion:
    return version_add(
        actor, assistant, config=config, note=note, action="assistant.published", **why
    )


def _open_check(assistant: Assistant) -> PublicationCheck | None:
    row: PublicationCheck | None = (
        PublicationCheck.objects.filter(assistant=assistant, state__in=_OPEN)
        .select_related("run")
        .first()
    )
    return row


def _withdraw(check: PublicationCheck | None) -> None:
    if check is None:
        return
    if check.run.is_active:
        run_cancel(run=check.run)
    _state_set(check, State.WITHDRAWN)


def _close(check: PublicationCheck | None, version: AssistantVersion, *, reason: str) -> None:
    """An overridden check keeps what it found, and which version came of it."""
    if check is None:
        return
    if check.run.is_active:
        run_cancel(run=check.run)
    check.version, check.override_reason = version, reason
    _state_set(check, State.PUBLISHED)


def _state_set(check: PublicationCheck, state: str) -> None:
    check.state, check.decided_at = state, timezone.now()
    check.save(update_fields=["state", "decided_at", "version", "override_reason"])


def _reason_checked(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > REASON_LENGTH:
        raise Invalid(
            _("This must be a text of up to %(count)s characters.") % {"count": REASON_LENGTH},
            field="override_reason",
        )
    return reason
