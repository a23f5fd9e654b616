"""Playbooks over REST, under /api/v1/contracts/playbooks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from apps.contracts import selectors
from apps.contracts.api import render, schemas
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.services import playbooks as services
from furrow.api.answers import Items
from furrow.api.operation import ApiRequest, no_content, operation

router = Router(tags=["contracts"])


@router.get("", response={200: Items[schemas.PlaybookShort]}, summary="List playbooks")
@operation("knowledge:read")
def playbook_list(request: ApiRequest) -> Any:
    return 200, {"items": [render.playbook_short(row) for row in selectors.playbooks_list()]}


@router.post("", response={201: schemas.Playbook}, summary="Make a playbook")
@operation("knowledge:write")
def playbook_create(request: ApiRequest, body: schemas.PlaybookIn) -> Any:
    row = services.playbook_create(
        actor=request.auth.actor, name=body.name, kind=body.kind, rules=_specs(body.rules)
    )
    return 201, render.playbook(row)


@router.post(
    "/starters",
    response={200: Items[schemas.PlaybookShort]},
    summary="Take over the starter library",
)
@operation("knowledge:write")
def playbook_begin(request: ApiRequest, language: str = "zh") -> Any:
    """Only what is not there yet. What you changed or removed stays so."""
    services.starters_ensure(actor=request.auth.actor, language=language)
    return 200, {"items": [render.playbook_short(row) for row in selectors.playbooks_list()]}


@router.get(
    "/{uuid:playbook_id}",
    response={200: schemas.Playbook},
    summary="Read a playbook with its rules",
)
@operation("knowledge:read")
def playbook_read(request: ApiRequest, playbook_id: UUID) -> Any:
    return 200, render.playbook(selectors.playbook_get(playbook_id))


@router.patch(
    "/{uuid:playbook_id}",
    response={200: schemas.Playbook},
    summary="Change a playbook; new rules make a new version",
)
@operation("knowledge:write")
def playbook_update(request: ApiRequest, playbook_id: UUID, body: schemas.PlaybookPatch) -> Any:
    row = selectors.playbook_get(playbook_id)
    if body.name is not None or body.kind is not None:
        services.playbook_update(
            actor=request.auth.actor,
            playbook=row,
            name=row.name if body.name is None else body.name,
            kind=row.kind if body.kind is None else body.kind,
        )
    if body.rules is not None:
        services.playbook_rules_set(
            actor=request.auth.actor, playbook=row, rules=_specs(body.rules), note=body.note
        )
    return 200, render.playbook(row)


@router.delete("/{uuid:playbook_id}", response={204: None}, summary="Remove a playbook")
@operation("knowledge:write")
def playbook_delete(request: ApiRequest, playbook_id: UUID) -> HttpResponse:
    services.playbook_delete(actor=request.auth.actor, playbook=selectors.playbook_get(playbook_id))
    return no_content()


def _specs(rules: Sequence[schemas.RuleIn]) -> list[RuleSpec]:
    made = []
    for rule in rules:
        data = rule.model_dump(exclude_none=True, mode="json")
        data["key"] = rule.key or services.rule_key_make()
        made.append(RuleSpec.of(data))
    return made
