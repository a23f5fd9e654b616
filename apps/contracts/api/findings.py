"""Deciding on findings, and what is given to whom."""

from typing import Any
from uuid import UUID

from ninja import Router

from apps.contracts import selectors
from apps.contracts.api import schemas
from apps.contracts.export.tables import findings_json
from apps.contracts.reviewing.outcome import Judged, assigned_to
from apps.contracts.services import reviews
from furrow.api.answers import Items
from furrow.api.operation import ApiRequest, operation

router = Router(tags=["contracts"])


@router.get(
    "",
    response={200: Items[schemas.AssignedFindings]},
    summary="List open findings that are given to a member",
)
@operation("knowledge:read")
def assigned_list(request: ApiRequest, assignee: str = "") -> Any:
    """By address, in the newest finished review of each contract."""
    member = selectors.member_by_email(assignee)
    rows = assigned_to(member.user_id) if member else []
    items = [
        {
            "contract_id": row.contract.id,
            "title": row.contract.title,
            "findings": findings_json(row.found),
        }
        for row in rows
    ]
    return 200, {"items": items}


@router.patch("/{uuid:finding_id}", response={200: schemas.Finding}, summary="Decide on a finding")
@operation("knowledge:write")
def finding_decide(request: ApiRequest, finding_id: UUID, body: schemas.DecisionIn) -> Any:
    """`assignee` is the address of a member, or empty."""
    finding = selectors.finding_get(finding_id)
    given = body.model_dump(exclude_unset=True)
    email = given.pop("assignee", None)
    decision = None
    if email is not None:
        decision = reviews.finding_assign(actor=request.auth.actor, finding=finding, email=email)
    if given or decision is None:
        decision = reviews.finding_decide(actor=request.auth.actor, finding=finding, **given)
    return 200, findings_json([Judged(finding, decision)])[0]
