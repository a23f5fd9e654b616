"""Looking after the knowledge: which words mean the same, which passage answers a question."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.dashboard.doors import (
    actor_of,
    form_page,
    go_to,
    kept_of,
    needs,
    page_url,
    paged,
    refusals_in,
    say,
)
from furrow.dashboard.forms.care import SynonymsForm
from furrow.knowledge import selectors
from furrow.knowledge.models import SynonymGroup
from furrow.knowledge.services import known
from furrow.knowledge.services.synonyms import (
    synonym_group_delete,
    synonym_group_get,
    synonym_group_save,
)
from furrow.tenants.web import TenantRequest

# The question of a passage that was forgotten last, for its undo.
FORGOTTEN = "forgotten_question"


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
    kept = kept_of(request, FORGOTTEN)
    chunk = selectors.chunk_get(UUID(kept["passage"]))
    known.known_question_add(
        actor=actor_of(request), chunk=chunk, text=kept["text"], source=kept["source"]
    )
    say(request, _("The question counts again."))
    return go_to(request, "document", chunk.document_id)
