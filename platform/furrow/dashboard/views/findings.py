"""What cleaning found in a shelf of documents, and what expires: kept or left out one by one or many at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.core.errors import NotFound
from furrow.dashboard.doors import actor_of, go_to, kept_of, needs, page_url, paged, say, text_of
from furrow.knowledge import selectors
from furrow.knowledge.models import Finding, KnowledgeBase
from furrow.knowledge.services.findings import (
    MAX_AT_ONCE,
    Decided,
    disputes_settle,
    findings_decide,
    findings_restore,
)
from furrow.tenants.web import TenantRequest

# What was decided last, for its undo.
DECIDED = "decided_findings"


@needs(get="view", post="edit")
def findings(request: TenantRequest, base_id: UUID) -> HttpResponse:
    """Posting keeps or leaves out the chosen ones."""
    base = selectors.knowledge_base_get(base_id)
    if request.method == "POST":
        return _decided(request, base)
    state = text_of(request, "state") or Finding.State.OPEN
    kind = text_of(request, "kind")
    counts = selectors.findings_counts(base)
    context = {
        "base": base,
        "page": paged(request, selectors.findings_of(base, state=state, kind=kind)),
        "state": state,
        "kind": kind,
        "kinds": sorted(counts.get(state, {}).items(), key=lambda pair: -pair[1]),
        "tabs": _tabs(counts, state),
        "expiring": selectors.documents_expiring(base),
        "most": MAX_AT_ONCE,
        "disputed": selectors.disputes_by_document(base) if state == Finding.State.OPEN else [],
        "today": timezone.localdate(),
    }
    return TemplateResponse(request, "dashboard/findings.html", context)


def _tabs(counts: dict[str, dict[str, int]], state: str) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "count": sum(counts[value].values()),
            "url": f"?state={value}",
            "is_current": value == state,
        }
        for value, label in Finding.State.choices
    ]


def _decided(request: TenantRequest, base: KnowledgeBase) -> HttpResponse:
    """`right` and `right_document` name the side of a dispute; `one` is "state id", a button in a row; else the
    chosen boxes count.
    """
    actor = actor_of(request)
    one_state, _space, one = text_of(request, "one").partition(" ")
    if right := _uuids([text_of(request, "right")]):
        decided = disputes_settle(actor=actor, knowledge_base=base, finding_id=right[0])
    elif right := _uuids([text_of(request, "right_document")]):
        decided = disputes_settle(actor=actor, knowledge_base=base, document_id=right[0])
    else:
        decided = findings_decide(
            actor=actor,
            knowledge_base=base,
            finding_ids=_uuids([one]) if one else _chosen(request, base),
            state=one_state or text_of(request, "state"),
        )
    _tell(request, base, decided)
    response = go_to(request, "findings", base.id)
    listed, kind = text_of(request, "listed"), text_of(request, "kind")
    if listed in Finding.State.values:
        response["Location"] += f"?state={listed}" + (
            f"&kind={kind}" if kind.isidentifier() else ""
        )
    return response


def _chosen(request: TenantRequest, base: KnowledgeBase) -> list[UUID]:
    if text_of(request, "all") != "1":
        return _uuids(request.POST.getlist("finding"))
    rows = selectors.findings_of(
        base, state=text_of(request, "listed"), kind=text_of(request, "kind")
    )
    return list(rows.values_list("id", flat=True)[:MAX_AT_ONCE])


def _tell(request: TenantRequest, base: KnowledgeBase, decided: Decided) -> None:
    if not decided.count:
        say(request, _("Nothing was chosen. Tick the places first."))
        return
    request.session[DECIDED] = {
        "tenant": str(request.tenant.id),
        "base": str(base.id),
        "before": decided.before,
    }
    words = ngettext(
        "Done for %(count)d place. Later uploads follow this choice.",
        "Done for %(count)d places. Later uploads follow this choice.",
        decided.count,
    )
    say(
        request,
        words % {"count": decided.count},
        undo=page_url(request, "findings_restore", base.id),
    )


@needs(post="edit")
def findings_undo(request: TenantRequest, base_id: UUID) -> HttpResponse:
    base = selectors.knowledge_base_get(base_id)
    kept = kept_of(request, DECIDED)
    if kept["base"] != str(base.id):
        raise NotFound(_("There is nothing to undo."))
    findings_restore(actor=actor_of(request), knowledge_base=base, before=kept["before"])
    say(request, _("Taken back; the places are as they were."))
    return go_to(request, "findings", base.id)


def _uuids(values: Sequence[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
