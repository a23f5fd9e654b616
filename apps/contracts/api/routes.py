"""The operations. Reading takes the scope `knowledge:read`, everything else `knowledge:write`."""

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, HttpResponseBase
from ninja import File, Form, Router
from ninja.files import UploadedFile as NinjaFile

from apps.contracts import progress, selectors
from apps.contracts.api import findings, playbooks, questions, render, schemas
from apps.contracts.comparing import compare
from apps.contracts.export import files
from apps.contracts.export.tables import findings_json
from apps.contracts.models import Contract, ContractVersion, PlaybookVersion
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.reviewing.estimate import review_estimate
from apps.contracts.reviewing.findings import kept_rules
from apps.contracts.reviewing.model_step import wanted_rules
from apps.contracts.reviewing.outcome import judged
from apps.contracts.reviewing.source import read_of
from apps.contracts.services import contracts, reviews
from furrow.api.answers import Items, Page
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid
from furrow.gateway.chat import chat_is_configured

router = Router(tags=["contracts"])
_MOST_DAYS = 500
_MOST_RUNS = 100
_NO_MODEL = {"has_model": False, "rules": 0, "input_tokens": 0, "output_tokens": 0}
router.add_router("/findings", findings.router)
router.add_router("/playbooks", playbooks.router)
router.add_router("/questions", questions.router)


@router.post(
    "", response={202: schemas.Contract}, summary="Hand in a contract; it is read in the background"
)
@operation("knowledge:write")
def contract_create(
    request: ApiRequest, file: File[NinjaFile], title: Form[str] = "", side: Form[str] = "neutral"
) -> Any:
    uploaded = _file(file)
    row = contracts.contract_upload(
        actor=request.auth.actor,
        file=uploaded,
        file_name=uploaded.name or "file",
        content_type=uploaded.content_type or "",
        title=title,
        side=side,
    )
    return 202, render.contract(row)


@router.get("", response={200: Page[schemas.ContractShort]}, summary="List contracts")
@operation("knowledge:read")
def contract_list(
    request: ApiRequest, query: str = "", kind: str = "", cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.contracts_list(query, kind)
    return 200, page(rows, cursor=cursor, limit=limit, render=render.contract_short)


@router.get(
    "/obligations",
    response={200: Items[schemas.Obligation]},
    summary="Days that lie ahead, of all contracts",
)
@operation("knowledge:read")
def obligation_list(request: ApiRequest) -> Any:
    """The next 500."""
    rows = selectors.obligations_list()[:_MOST_DAYS]
    return 200, {"items": [render.obligation(row) for row in rows]}


@router.post(
    "/comparisons",
    response={200: Items[schemas.Pair]},
    summary="Compare two wordings, aligned by clause",
)
@operation("knowledge:read")
def comparison_make(request: ApiRequest, body: schemas.CompareIn) -> Any:
    """Nothing is stored."""
    new = _version(body.contract_id, body.version)
    old = _version(body.other_contract_id or body.contract_id, body.other_version)
    if old.id == new.id:
        raise Invalid("Name another version or another contract.", field="other_version")
    pairs = compare(read_of(old), read_of(new))
    return 200, {"items": [render.pair(pair) for pair in pairs]}


@router.get(
    "/runs/{uuid:run_id}", response={200: schemas.Run}, summary="Read a review and how far it is"
)
@operation("knowledge:read")
def run_read(request: ApiRequest, run_id: UUID) -> Any:
    return 200, render.run(selectors.run_get(run_id))


@router.get("/runs/{uuid:run_id}/events", summary="Follow a review; resume with Last-Event-ID")
def run_events(request: ApiRequest, run_id: UUID) -> HttpResponseBase:
    """Server-sent events: `stage` for each step as it goes on, and `done` at the end."""
    request.auth.require("knowledge:read")
    with tenant_tx(request.auth.tenant_id):
        run = selectors.run_get(run_id)
    return progress.sse_response(request, request.auth.tenant_id, run.id)


@router.post(
    "/runs/{uuid:run_id}/cancellation", response={200: schemas.Run}, summary="Stop a review"
)
@operation("knowledge:write")
def run_cancel(request: ApiRequest, run_id: UUID) -> Any:
    reviews.run_cancel(actor=request.auth.actor, run=selectors.run_get(run_id))
    return 200, render.run(selectors.run_get(run_id))


@router.get(
    "/runs/{uuid:run_id}/findings",
    response={200: Items[schemas.Finding]},
    summary="List what a review found",
)
@operation("knowledge:read")
def finding_list(request: ApiRequest, run_id: UUID, passed: bool = False) -> Any:
    """In the order of the text. With `passed=true` what was looked at and is in order."""
    run = selectors.run_get(run_id)
    return 200, {"items": findings_json(judged(run, is_passed=passed))}


@router.get("/{uuid:contract_id}", response={200: schemas.Contract}, summary="Read a contract")
@operation("knowledge:read")
def contract_read(request: ApiRequest, contract_id: UUID) -> Any:
    return 200, render.contract(selectors.contract_get(contract_id))


@router.patch(
    "/{uuid:contract_id}", response={200: schemas.Contract}, summary="Change title, kind or side"
)
@operation("knowledge:write")
def contract_update(request: ApiRequest, contract_id: UUID, body: schemas.ContractPatch) -> Any:
    row = contracts.contract_update(
        actor=request.auth.actor,
        contract=selectors.contract_get(contract_id),
        **body.model_dump(exclude_none=True),
    )
    return 200, render.contract(row)


@router.delete("/{uuid:contract_id}", response={204: None}, summary="Remove a contract")
@operation("knowledge:write")
def contract_delete(request: ApiRequest, contract_id: UUID) -> HttpResponse:
    contracts.contract_delete(
        actor=request.auth.actor, contract=selectors.contract_get(contract_id)
    )
    return no_content()


@router.post(
    "/{uuid:contract_id}/versions",
    response={202: schemas.Version},
    summary="Hand in a newer wording",
)
@operation("knowledge:write")
def version_create(request: ApiRequest, contract_id: UUID, file: File[NinjaFile]) -> Any:
    """Decisions stay with the words that stay."""
    uploaded = _file(file)
    row = contracts.version_upload(
        actor=request.auth.actor,
        contract=selectors.contract_get(contract_id),
        file=uploaded,
        file_name=uploaded.name or "file",
        content_type=uploaded.content_type or "",
    )
    return 202, render.version(row)


@router.post("/{uuid:contract_id}/runs", response={202: schemas.Run}, summary="Start a review")
@operation("knowledge:write")
def run_create(request: ApiRequest, contract_id: UUID, body: schemas.RunIn) -> Any:
    contract = selectors.contract_get(contract_id)
    newest = selectors.version_newest(contract)
    version = selectors.version_get(contract, body.version) if body.version else newest
    chosen, rules = _rules_of(contract, body)
    run = reviews.run_start(
        actor=request.auth.actor,
        version=version,
        side=body.side,
        strength=body.strength,
        playbook_version=chosen,
        rules=rules,
        with_checks=body.has_checks,
        with_model=body.has_model,
    )
    return 202, render.run(selectors.run_get(run.id))


@router.post(
    "/{uuid:contract_id}/estimates",
    response={200: schemas.Estimate},
    summary="What the language model would cost for such a review, at most",
)
@operation("knowledge:read")
def estimate_make(request: ApiRequest, contract_id: UUID, body: schemas.RunIn) -> Any:
    """Nothing is stored and no model is asked."""
    contract = selectors.contract_get(contract_id)
    number = body.version or selectors.version_newest(contract).number
    version = _version(contract_id, number)
    _chosen, rules = _rules_of(contract, body)
    if not chat_is_configured():
        return 200, {**_NO_MODEL, "cost": None}
    specs = wanted_rules([rule.to_json() for rule in rules], body.strength)
    found = review_estimate(version, specs, side=body.side)
    return 200, render.estimate(found) if found else {**_NO_MODEL, "cost": None}


@router.get(
    "/{uuid:contract_id}/runs",
    response={200: Items[schemas.Run]},
    summary="List the reviews of a contract",
)
@operation("knowledge:read")
def run_list(request: ApiRequest, contract_id: UUID) -> Any:
    """The newest 100."""
    contract = selectors.contract_get(contract_id)
    return 200, {"items": render.runs(list(selectors.runs_of(contract)[:_MOST_RUNS]))}


@router.get("/{uuid:contract_id}/text", summary="Read the words that places of findings count in")
@operation("knowledge:read")
def text_read(request: ApiRequest, contract_id: UUID, version: int | None = None) -> HttpResponse:
    """Of the newest version, or of the one that a review names as its `version`."""
    contract = selectors.contract_get(contract_id)
    found = (
        selectors.version_newest(contract)
        if version is None
        else selectors.version_get(contract, version)
    )
    return HttpResponse(found.text, content_type="text/plain; charset=utf-8")


@router.get(
    "/{uuid:contract_id}/{str:name}",
    summary="Download the review: redline.docx, report.pdf, findings.csv, findings.json or obligations.ics",
)
@operation("knowledge:read")
def export_read(
    request: ApiRequest, contract_id: UUID, name: str, with_open: bool = False
) -> HttpResponse:
    """Of the newest finished review. `Furrow-Left-Out` counts findings that the Word file has no place for."""
    contract = selectors.contract_get(contract_id)
    return files.download(contract, name, author=request.auth.key.name, with_open=with_open)


def _version(contract_id: UUID, number: int | None) -> ContractVersion:
    contract = selectors.contract_get(contract_id)
    newest = selectors.version_newest(contract)
    found = selectors.version_get(contract, number) if number else newest
    if found.state != ContractVersion.State.READY:
        raise Conflict("This version is not read yet.", code="not_read")
    return found


def _rules_of(
    contract: Contract, body: schemas.RunIn
) -> tuple[PlaybookVersion | None, list[RuleSpec]]:
    playbook = (
        selectors.playbook_get(body.playbook_id)
        if body.playbook_id
        else selectors.playbook_proposed(contract.kind)
    )
    chosen = selectors.playbook_version_newest(playbook) if playbook and body.has_playbook else None
    rules = kept_rules(selectors.rules_of(chosen), body.side) if chosen else []
    return chosen, _named(rules, body.rules)


def _named(rules: list[RuleSpec], keys: list[str] | None) -> list[RuleSpec]:
    if keys is None:
        return rules
    known = {rule.key for rule in rules}
    if unknown := sorted(set(keys) - known):
        raise Invalid(
            "The playbook has no rule of this key for this side.", field="rules", unknown=unknown
        )
    return [rule for rule in rules if rule.key in set(keys)]


def _file(file: NinjaFile) -> Any:
    if not isinstance(file, UploadedFile):
        raise Invalid("Send one file in the field named file.", field="file")
    return file
