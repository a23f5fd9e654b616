"""The search test: what would be found for a question, and why."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.assistants.selectors import assistant_get, assistants_list
from furrow.assistants.services import assistant_update
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.dashboard.doors import actor_of, go_to, needs, say
from furrow.dashboard.forms.knowledge import ApplyForm, SearchForm
from furrow.knowledge.search import SearchResult
from furrow.knowledge.search import search as find
from furrow.knowledge.selectors import knowledge_bases_list
from furrow.tenants.web import TenantRequest, asks_model


@asks_model
@needs(get="view")
def search(request: TenantRequest) -> TemplateResponse:
    with tenant_tx(request.tenant.id):
        bases = list(knowledge_bases_list())
    has_asked = "q" in request.GET
    asked = {"mode": "hybrid", "limit": "8", **request.GET.dict()}
    form = SearchForm(asked if has_asked else None, bases=bases)
    result = _found(form.cleaned_data, bases) if has_asked and form.is_valid() else None
    with tenant_tx(request.tenant.id):
        assistants = list(assistants_list())
    context = {
        "form": form,
        "result": result,
        "has_bases": bool(bases),
        "assistants": assistants,
        "asked": asked,
    }
    template = "dashboard/_hits.html" if request.htmx else "dashboard/search.html"  # type: ignore[attr-defined]
    return TemplateResponse(request, template, context)


def _found(asked: dict[str, Any], bases: list[Any]) -> SearchResult:
    chosen = [UUID(asked["base"])] if asked["base"] else [base.id for base in bases]
    return find(
        knowledge_base_ids=chosen,
        query=asked["q"],
        limit=asked["limit"] or 8,
        mode=asked["mode"] or "hybrid",
        filters={"valid_on": asked["valid_on"]},
        explain=True,
    )


@needs(post="edit")
def settings_apply(request: TenantRequest) -> HttpResponse:
    """Writes the mode and number of the test to an assistant's draft; visitors see it once it is published."""
    form = ApplyForm(request.POST)
    if not form.is_valid():
        raise Invalid(_("Choose an assistant."), field="assistant")
    found = assistant_get(form.cleaned_data["assistant"])
    wanted = {"mode": form.cleaned_data["mode"], "limit": form.cleaned_data["limit"]}
    settings = {**found.settings, "search": {**found.settings.get("search", {}), **wanted}}
    assistant_update(actor=actor_of(request), assistant=found, settings=settings)
    say(
        request,
        _("“%(name)s” searches like this now. Publish it to let visitors have it.")
        % {"name": found.name},
    )
    return go_to(request, "assistant", found.id)
