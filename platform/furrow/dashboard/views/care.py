"""Looking after the knowledge: what is in doubt, what expires, which words mean the same."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.core.errors import NotFound
from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    needs,
    page_url,
    paged,
    refusals_in,
    say,
    text_of,
)
from furrow.dashboard.forms.care import SynonymsForm
from furrow.knowledge import selectors
from furrow.knowledge.models import Finding, SynonymGroup
from furrow.knowledge.services import known
from furrow.knowledge.services.findings import findings_decide
from furrow.knowledge.services.synonyms import (
    synonym_group_delete,
    synonym_group_get,
    synonym_group_save,
)
from furrow.tenants.web import TenantRequest

# The question of a passage that was forgotten last, for its undo.
FORGOTTEN = "forgotten_question"


@needs(get="view", post="edit")
def findings(request: TenantRequest, base_id: UUID) -> HttpResponse:
    """What cleaning found in a shelf; posting keeps or leaves out the chosen ones."""
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


def _decided(request: TenantRequest, base: Any) -> HttpResponse:
    chosen = [UUID(value) for value in request.POST.getlist("finding") if _is_uuid(value)]
    state = request.POST.get("state", "")
    count = findings_decide(
        actor=actor_of(request), knowledge_base=base, finding_ids=chosen, state=state
    )
    if count:
        say(
            request,
            ngettext(
                "Done for %(count)d place. Later uploads follow this choice.",
                "Done for %(count)d places. Later uploads follow this choice.",
                count,
            )
            % {"count": count},
        )
    return go_to(request, "findings", base.id)


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


@needs(get="view", post="edit")
def synonyms(request: TenantRequest) -> HttpResponse:
    form = SynonymsForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            synonym_group_save(actor=actor_of(request), words=form.cleaned_data["words"])
            say(request, _("Saved. Searches use it at once."))
            return go_to(request, "synonyms")
    page = paged(request, SynonymGroup.objects.order_by("-created_at"))
    return TemplateResponse(request, "dashboard/synonyms.html", {"form": form, "page": page})


@needs(get="edit", post="edit")
def synonyms_update(request: TenantRequest, synonyms_id: UUID) -> HttpResponse:
    group = synonym_group_get(synonyms_id)
    form = SynonymsForm(request.POST or None, initial={"words": ", ".join(group.words)})
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            words = form.cleaned_data["words"]
            synonym_group_save(actor=actor_of(request), words=words, group=group)
            say(request, _("Saved. Searches use it at once."))
            return go_to(request, "synonyms")
    back = page_url(request, "synonyms")
    return form_page(
        request, form, title=_("Words that mean the same"), submit=_("Save"), back=back
    )


@needs(post="edit")
def synonyms_delete(request: TenantRequest, synonyms_id: UUID) -> HttpResponse:
    words = synonym_group_delete(actor=actor_of(request), group=synonym_group_get(synonyms_id))
    say(request, _("“%(words)s” no longer mean the same.") % {"words": ", ".join(words)})
    return go_to(request, "synonyms")


@needs(post="edit")
def known_question_create(request: TenantRequest, chunk_id: UUID) -> HttpResponse:
    """Says that a passage answers a question, from the search test or the document."""
    chunk = selectors.chunk_get(chunk_id)
    known.known_question_add(
        actor=actor_of(request), chunk=chunk, text=request.POST.get("text", "")
    )
    say(request, _("Noted. Questions like this one find the passage first from now on."))
    return go_to(request, "document", chunk.document_id)


@needs(post="edit")
def known_question_delete(request: TenantRequest, question_id: UUID) -> HttpResponse:
    question = known.known_question_get(question_id)
    document_id, undo = question.document_id, ""
    if question.chunk_id:
        request.session[FORGOTTEN] = {
            "tenant": str(request.tenant.id),
            "passage": str(question.chunk_id),
            "text": question.text,
            "source": question.source,
        }
        undo = page_url(request, "known_question_restore")
    known.known_question_delete(actor=actor_of(request), question=question)
    say(request, _("The question is forgotten."), undo=undo)
    return go_to(request, "document", document_id)


@needs(post="edit")
def known_question_restore(request: TenantRequest) -> HttpResponse:
    kept = request.session.pop(FORGOTTEN, None)
    if kept is None or kept["tenant"] != str(request.tenant.id):
        raise NotFound(_("There is nothing to undo."))
    chunk = selectors.chunk_get(UUID(kept["passage"]))
    known.known_question_add(
        actor=actor_of(request), chunk=chunk, text=kept["text"], source=kept["source"]
    )
    say(request, _("The question counts again."))
    return go_to(request, "document", chunk.document_id)
