"""Asking over contracts. Inside `tenant_tx`; the answer is made by a job."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.contracts.jobs import ask_enqueue
from apps.contracts.models import Contract, Inquiry
from apps.contracts.services.reviews import payer_now
from furrow.core.errors import Invalid, NotFound
from furrow.gateway.chat import chat_is_configured
from furrow.tenants.services import Actor, audit

MOST_CHOSEN = 60
LENGTH = 500


@transaction.atomic
def inquiry_ask(
    *,
    actor: Actor,
    text: str,
    contract_ids: Sequence[UUID] = (),
    with_model: bool = False,
    user_id: Any = None,
) -> Inquiry:
    """Over the chosen contracts, or over all. Raises `NotFound` when one of them is not there."""
    text = " ".join(text.split())
    if not 2 <= len(text) <= LENGTH:
        raise Invalid(_("Ask in two to five hundred characters."), field="text")
    if len(contract_ids) > MOST_CHOSEN:
        raise Invalid(_("Choose at most %(n)s contracts.") % {"n": MOST_CHOSEN}, field="contracts")
    if with_model and not chat_is_configured():
        raise Invalid(_("No language model is set up here."), code="no_model", field="has_model")
    chosen = set(contract_ids)
    if Contract.objects.filter(id__in=chosen, deleted_at=None).count() != len(chosen):
        raise NotFound(_("This contract does not exist."))
    inquiry: Inquiry = Inquiry.objects.create(
        text=text,
        scope=sorted(map(str, chosen)),
        with_model=with_model,
        payer=payer_now() if with_model else {},
        made_by_id=user_id,
    )
    ask_enqueue(inquiry.id)
    audit(actor, "contracts.asked", object_type="inquiry", object_id=inquiry.id)
    return inquiry


@transaction.atomic
def inquiry_delete(*, actor: Actor, inquiry: Inquiry) -> None:
    """With its answers, for good."""
    audit(actor, "contracts.question_deleted", object_type="inquiry", object_id=inquiry.id)
    inquiry.delete()
