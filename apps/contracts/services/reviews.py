"""Starting and stopping reviews, and deciding on what they found. Inside `tenant_tx`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.contracts.jobs import REVIEW, review_enqueue
from apps.contracts.models import (
    Contract,
    ContractVersion,
    Decision,
    Finding,
    PlaybookVersion,
    ReviewRun,
    Side,
    Strength,
)
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.progress import end_told
from apps.contracts.reviewing.outcome import contract_recount
from apps.contracts.selectors import member_by_email
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.core.jobs import job_cancel
from furrow.gateway.chat import chat_is_configured
from furrow.metering.attribution import current_attribution
from furrow.tenants.models import Membership
from furrow.tenants.services import Actor, audit

TEXT_LENGTH = 10_000


@transaction.atomic
def run_start(  # noqa: PLR0913  the fields of the start dialog
    *,
    actor: Actor,
    version: ContractVersion,
    side: str = Side.NEUTRAL,
    strength: str = Strength.BALANCED,
    playbook_version: PlaybookVersion | None = None,
    rules: Sequence[RuleSpec] = (),
    with_checks: bool = True,
    with_model: bool = False,
    user_id: Any = None,
) -> ReviewRun:
    """Queues a review with these rules. One at a time for a version. `with_model` also puts the rules that words
    cannot settle to the language model, at the cost of whoever starts it.
    """
    _choice_checked(side, Side.values, "side")
    _choice_checked(strength, Strength.values, "strength")
    if not rules and not with_checks:
        raise Invalid(_("Choose at least one rule, or the built-in checks."), field="rules")
    if with_model and not chat_is_configured():
        raise Invalid(_("No language model is set up here."), code="no_model", field="has_model")
    contract = contract_lock(version.contract_id)
    if version.state == ContractVersion.State.FAILED:
        raise Conflict(_("This file could not be read, so there is nothing to review."))
    if version.runs.filter(state__in=ReviewRun.ACTIVE).exists():
        raise Conflict(_("This version is under review already."), code="already_running")
    run: ReviewRun = ReviewRun.objects.create(
        version=version,
        playbook_version=playbook_version,
        side=side,
        strength=strength,
        rules=[rule.to_json() for rule in rules],
        with_checks=with_checks,
        with_model=with_model and bool(rules),
        payer=payer_now() if with_model else {},
        made_by_id=user_id,
    )
    if contract.side != side:
        contract.side = side
        contract.save(update_fields=["side", "updated_at"])
    review_enqueue(run.id)
    audit(actor, "contracts.review_started", object_type="contract", object_id=contract.id)
    return run


@transaction.atomic
def run_cancel(*, actor: Actor, run: ReviewRun) -> None:
    """What was found up to now stays. The worker notices at its next step."""
    if not run_stop(run):
        raise Conflict(_("This review is over already."))
    audit(
        actor,
        "contracts.review_cancelled",
        object_type="contract",
        object_id=run.version.contract_id,
    )


def payer_now() -> dict[str, str]:
    """Whose budgets a call counts in that a job makes later: those of who asks for it now."""
    return {name: value for name, value in current_attribution().as_json().items() if value}


def run_stop(run: ReviewRun) -> bool:
    """Cancels it and its job, in the order in which the worker locks them; False when it is over already."""
    active = ReviewRun.objects.filter(id=run.id, state__in=ReviewRun.ACTIVE)
    if not active.update(state=ReviewRun.State.CANCELLED, finished_at=timezone.now()):
        return False
    job_cancel(kind=REVIEW, subject_id=run.id)
    run.refresh_from_db(fields=["state"])
    end_told(run)
    return True


def contract_lock(contract_id: UUID) -> Contract:
    """The contract under a lock. One that was removed in the meantime is not found."""
    rows = Contract.objects.select_for_update()
    found: Contract | None = rows.filter(id=contract_id, deleted_at=None).first()
    if found is None:
        raise NotFound(_("This contract does not exist."))
    return found


@transaction.atomic
def finding_decide(
    *,
    actor: Actor,
    finding: Finding,
    state: str | None = None,
    text: str | None = None,
    comment: str | None = None,
    feedback: str | None = None,
    user_id: Any = None,
) -> Decision:
    """Keeps what is given. `text` is the reviewer's own wording and means "edited"."""
    contract_id = finding.run.version.contract_id
    contract_lock(contract_id)
    decision: Decision = Decision.objects.get_or_create(
        contract_id=contract_id, rule=finding.rule, span_key=finding.span_key
    )[0]
    if text is not None and state is None:
        state = Decision.State.EDITED
    if state is not None:
        _choice_checked(state, Decision.State.values, "state")
        _state_checked(finding, state, text)
        decision.state = state
        decision.text = (text or "") if state == Decision.State.EDITED else ""
    if comment is not None:
        decision.comment = comment.strip()[:TEXT_LENGTH]
    if feedback is not None:
        _choice_checked(feedback, ["", *Decision.Feedback.values], "feedback")
        decision.feedback = feedback
    decision.decided_by_id = user_id
    decision.save()
    contract_recount(contract_id)
    audit(
        actor,
        "contracts.finding_decided",
        object_type="contract",
        object_id=contract_id,
        rule=finding.rule,
        state=decision.state,
    )
    return decision


@transaction.atomic
def finding_assign(*, actor: Actor, finding: Finding, email: str) -> Decision:
    """To a member who may decide, by address; empty takes it back. It stays with the words, like a decision."""
    member = _member(email) if email else None
    contract_id = finding.run.version.contract_id
    contract_lock(contract_id)
    decision: Decision = Decision.objects.select_related("assignee").get_or_create(
        contract_id=contract_id, rule=finding.rule, span_key=finding.span_key
    )[0]
    decision.assignee = member.user if member else None
    decision.save(update_fields=["assignee"])
    audit(
        actor,
        "contracts.finding_assigned",
        object_type="contract",
        object_id=contract_id,
        rule=finding.rule,
        member=str(member.user_id) if member else "",
    )
    return decision


def _member(email: str) -> Membership:
    found = member_by_email(email)
    if found is None or not found.can("answer"):
        raise Invalid(_("Nobody of this address may decide here."), field="assignee")
    return found


def _state_checked(finding: Finding, state: str, text: str | None) -> None:
    if finding.is_passed and state != Decision.State.OPEN:
        raise Invalid(_("This item passed; there is nothing to accept or reject."), field="state")
    if state == Decision.State.EDITED and text is None:
        raise Invalid(_("Write the wording you want instead."), field="text")
    if text is not None and len(text) > TEXT_LENGTH:
        raise Invalid(_("This text is too long."), field="text")


def _choice_checked(value: str, choices: Sequence[str], field: str) -> None:
    if value not in choices:
        raise Invalid(_("This choice does not exist."), field=field, known=list(choices))
