"""The review: the text on one side, what was found on the other, and each decision."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.api.render import model_part, stages
from apps.contracts.export import files
from apps.contracts.laws.library import articles_of
from apps.contracts.models import Contract, ContractVersion, Decision, Finding, ReviewRun
from apps.contracts.progress import sse_response
from apps.contracts.reviewing.failures import fault_message
from apps.contracts.reviewing.outcome import Judged, assigned_to, judged
from apps.contracts.services.reviews import finding_assign as assign
from apps.contracts.services.reviews import finding_decide as decide
from apps.contracts.views.doors import contracts_url, go_contracts, tabs
from apps.contracts.views.pages import paragraphs_shown
from apps.contracts.views.start import side_names
from furrow.core.errors import Invalid
from furrow.dashboard.doors import actor_of, needs, text_of
from furrow.tenants.web import TenantRequest

_SHOWN = ("open", "mine", "decided", "passed")


@needs(get="view")
def contract(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    found = selectors.contract_get(contract_id)
    version = selectors.version_newest(found)
    run = selectors.run_newest(found)
    context = _head(found, version, run)
    if run is not None and run.state in {ReviewRun.State.DONE, ReviewRun.State.CANCELLED}:
        return TemplateResponse(
            request, "contracts/review.html", {**context, **_findings(request, run)}
        )
    return TemplateResponse(request, "contracts/waiting.html", context)


@needs(get="view")
def progress(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    """Asked again and again while something runs; when it is over the page is loaded anew."""
    found = selectors.contract_get(contract_id)
    version, run = selectors.version_newest(found), selectors.run_newest(found)
    context = _head(found, version, run)
    if not context["is_busy"]:
        response = HttpResponse()
        response["HX-Redirect"] = contracts_url(request, "contract", found.id)
        return response
    return TemplateResponse(request, "contracts/_progress.html", context)


@needs(get="view")
def run_events(request: TenantRequest, run_id: UUID) -> HttpResponseBase:
    """The page asks for its progress anew with each event."""
    run = selectors.run_get(run_id)
    return sse_response(request, request.tenant.id, run.id)


@needs(post="answer")
def finding_decide(request: TenantRequest, finding_id: UUID) -> HttpResponse:
    """For htmx the card alone, with the counts; otherwise back to the page."""
    finding = selectors.finding_get(finding_id)
    given = {
        name: request.POST[name]
        for name in ("state", "text", "comment", "feedback")
        if name in request.POST
    }
    if not given:
        raise Invalid(_("Nothing was decided."))
    decision = decide(actor=actor_of(request), finding=finding, user_id=request.user.pk, **given)
    return _answered(request, finding, decision)


@needs(post="answer")
def finding_assign(request: TenantRequest, finding_id: UUID) -> HttpResponse:
    finding = selectors.finding_get(finding_id)
    email = text_of(request, "assignee")
    decision = assign(actor=actor_of(request), finding=finding, email=email)
    return _answered(request, finding, decision)


@needs(get="view")
def mine(request: TenantRequest) -> TemplateResponse:
    """What is still open for who looks, over all contracts."""
    context = {"assigned": assigned_to(request.user.pk), "tabs": tabs(request, "mine")}
    return TemplateResponse(request, "contracts/mine.html", context)


def _answered(request: TenantRequest, finding: Finding, decision: Decision) -> HttpResponse:
    contract_row = selectors.contract_get(finding.run.version.contract_id)
    if request.htmx:  # type: ignore[attr-defined]
        one = Judged(finding, decision)
        context = {
            "one": one,
            "contract": contract_row,
            "articles": articles_of(finding.statutes),
            "counts": _counts(finding.run, request.user.pk),
            "members": selectors.members_deciding(),
            "shown": _shown_before(request),
            "is_swapped": True,
        }
        return TemplateResponse(request, "contracts/_finding.html", context)
    response = go_contracts(request, "contract", contract_row.id)
    response["Location"] += f"#finding-{finding.id}"
    return response


@needs(get="view")
def export(request: TenantRequest, contract_id: UUID, name: str) -> HttpResponse:
    found = selectors.contract_get(contract_id)
    author = str(request.user.name or request.user.email)
    with_open = text_of(request, "open") == "1"
    return files.download(found, name, author=author, with_open=with_open)


def _shown_before(request: TenantRequest) -> str:
    """The tab of the page that asked."""
    url = urlsplit(request.htmx.current_url or "")  # type: ignore[attr-defined]
    return parse_qs(url.query).get("show", ["open"])[0]


def _head(found: Contract, version: ContractVersion, run: ReviewRun | None) -> dict[str, Any]:
    is_reading = version.state == ContractVersion.State.QUEUED
    error_code = version.error_code or (run.error_code if run else "")
    return {
        "contract": found,
        "version": version,
        "versions": list(selectors.versions_of(found)),
        "run": run,
        "stages": stages(run) if run else [],
        "is_busy": is_reading or bool(run and run.is_active),
        "is_reading": is_reading,
        "is_outdated": bool(run and run.version_id != version.id),
        "error": fault_message(error_code) if error_code else "",
        "side": side_names(found.kind).get(found.side, found.get_side_display()),
        "model": model_part(run) if run and run.with_model else None,
        "model_cost": selectors.model_cost(found),
        "obligations": list(selectors.obligations_of(version)[:50]),
    }


def _findings(request: TenantRequest, run: ReviewRun) -> dict[str, Any]:
    asked = text_of(request, "show")
    found = judged(run)
    shown = asked if asked in _SHOWN else "open"
    chosen = {
        "open": [one for one in found if one.is_open],
        "mine": [one for one in found if one.is_open and one.assignee_id == request.user.pk],
        "decided": [one for one in found if not one.is_open],
        "passed": judged(run, is_passed=True) if shown == "passed" else [],
    }[shown]
    marked = [one for one in found if one.finding.quote]
    return {
        "found": chosen,
        "shown": shown,
        "counts": _counts(run, request.user.pk, found),
        "members": selectors.members_deciding(),
        "articles": articles_of(s for one in chosen for s in one.finding.statutes),
        "paragraphs": paragraphs_shown(run.version, marked),
    }


def _counts(run: ReviewRun, user_id: Any, found: list[Judged] | None = None) -> dict[str, int]:
    rows = judged(run) if found is None else found
    still_open = [one for one in rows if one.is_open]
    return {
        "open": len(still_open),
        "mine": sum(one.assignee_id == user_id for one in still_open),
        "decided": len(rows) - len(still_open),
        "passed": run.findings.filter(is_passed=True).count(),
    }
