"""One row of everything contract review can have, and the parameters of its routes."""

from typing import Any

from apps.contracts import selectors
from apps.contracts.models import Contract, Finding, Inquiry, Obligation, Playbook

KEYS = {"key": "quality", "name": "redline.docx"}


def known_ids() -> dict[str, Any]:
    """Inside `tenant_tx`, after the contract of the tests was reviewed."""
    contract = Contract.objects.get()
    run = selectors.run_newest(contract)
    inquiry = Inquiry.objects.first() or Inquiry.objects.create(
        text="余款多少日内付清", state=Inquiry.State.DONE
    )
    return {
        "contract_id": contract.id,
        "run_id": run.id if run else None,
        "finding_id": Finding.objects.filter(is_passed=False).order_by("start")[0].id,
        "obligation_id": Obligation.objects.order_by("due_on")[0].id,
        "inquiry_id": inquiry.id,
        "question_id": inquiry.id,
        "playbook_id": Playbook.objects.get(starter="sale").id,
        **KEYS,
    }
