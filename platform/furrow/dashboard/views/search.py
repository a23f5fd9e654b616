"""The search test: what would be found for a question, and why."""

from typing import Any
from uuid import UUID

from django.template.response import TemplateResponse

from furrow.core.context import tenant_tx
from furrow.dashboard.doors import needs
from furrow.dashboard.forms.knowledge import SearchForm
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
    context = {"form": form, "result": result, "has_bases": bool(bases)}
    template = "dashboard/_hits.html" if request.htmx else "dashboard/search.html"  # type: ignore[attr-defined]
    return TemplateResponse(request, template, context)


def _found(asked: dict[str, Any], bases: list[Any]) -> SearchResult:
    chosen = [UUID(asked["base"])] if asked["base"] else [base.id for base in bases]
    return find(
        knowledge_base_ids=chosen,
        query=asked["q"],
        limit=asked["limit"] or 8,
        mode=asked["mode"] or "hybrid",
    )
