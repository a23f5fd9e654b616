"""Contracts: the list with what is due and at risk, handing in, taking away."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.contracts import selectors
from apps.contracts.forms import FileForm, UploadForm
from apps.contracts.models import Kind
from apps.contracts.services import contracts as services
from apps.contracts.services.playbooks import starters_ensure
from apps.contracts.views.doors import contracts_url, go_contracts, tabs
from furrow.dashboard.doors import actor_of, form_page, needs, paged, refusals_in, say, text_of
from furrow.tenants.web import TenantRequest


@needs(get="view")
def contracts(request: TenantRequest) -> TemplateResponse:
    kind, query = text_of(request, "kind"), text_of(request, "query")
    rows = selectors.contracts_list(query, kind if kind in Kind.values else "")
    context = {
        "page": paged(request, rows),
        "tabs": tabs(request, "contracts"),
        "query": query,
        "kind": kind,
        "kinds": Kind.choices,
        "is_filtered": bool(query or kind),
    }
    return TemplateResponse(request, "contracts/contracts.html", context)


@needs(get="answer", post="answer")
def contract_create(request: TenantRequest) -> HttpResponse:
    """The starter playbooks come with the first contract, so that the first review has rules to propose."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with refusals_in(form):
            starters_ensure(actor=actor_of(request), language=request.tenant.language)
            made = services.contract_upload(
                actor=actor_of(request),
                file=file,
                file_name=file.name or "file",
                content_type=file.content_type or "",
                title=form.cleaned_data["title"],
                user_id=request.user.pk,
            )
            return go_contracts(request, "contract", made.id)
    return form_page(
        request,
        form,
        title=_("Hand in a contract"),
        submit=_("Upload"),
        back=contracts_url(request, "contracts"),
        text=_("It is read first; then you choose what it is reviewed for."),
    )


@needs(get="answer", post="answer")
def version_create(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    contract = selectors.contract_get(contract_id)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with refusals_in(form):
            services.version_upload(
                actor=actor_of(request),
                contract=contract,
                file=file,
                file_name=file.name or "file",
                content_type=file.content_type or "",
            )
            return go_contracts(request, "contract", contract.id)
    return form_page(
        request,
        form,
        title=_("A newer version"),
        submit=_("Upload"),
        back=contracts_url(request, "contract", contract.id),
        text=_("Decisions stay with the words that stay the same."),
    )


@needs(post="answer")
def version_retry(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    contract = selectors.contract_get(contract_id)
    services.version_retry(actor=actor_of(request), version=selectors.version_newest(contract))
    return go_contracts(request, "contract", contract.id)


@needs(post="edit")
def contract_delete(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    contract = selectors.contract_get(contract_id)
    services.contract_delete(actor=actor_of(request), contract=contract)
    undo = contracts_url(request, "contract_restore", contract.id)
    say(request, _("“%(title)s” was removed.") % {"title": contract.title}, undo=undo)
    return go_contracts(request, "contracts")


@needs(post="edit")
def contract_restore(request: TenantRequest, contract_id: UUID) -> HttpResponse:
    contract = selectors.contract_get(contract_id, include_deleted=True)
    services.contract_restore(actor=actor_of(request), contract=contract)
    say(request, _("The contract is back."))
    return go_contracts(request, "contract", contract.id)
