"""Businesses as customers of the operator: what they spend, owe and may spend."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from furrow.core.context import tenant_tx
from furrow.core.errors import NotFound
from furrow.dashboard import spans
from furrow.dashboard.doors import refusals_in, say, text_of
from furrow.dashboard.forms.operator import (
    AdjustmentForm,
    CreditForm,
    CurrencyForm,
    LimitForm,
    LowCreditForm,
    ModelsForm,
)
from furrow.dashboard.operator_doors import operator_actor, operator_page, operators
from furrow.gateway.chat import chat_models_known
from furrow.metering import budgets
from furrow.metering import credit as services
from furrow.metering.accounts_overview import account_of, payers
from furrow.metering.model_rules import model_rules, model_rules_set
from furrow.metering.spending import spending
from furrow.tenants.models import Tenant
from furrow.tenants.selectors import tenant_by_id

PER_PAGE = 50
# Under which name each form stands on the page of a business.
FORM_NAMES: dict[type[forms.BaseForm], str] = {
    CreditForm: "credit_form",
    AdjustmentForm: "adjustment_form",
    LimitForm: "limit_form",
    LowCreditForm: "low_credit_form",
    ModelsForm: "models_form",
    CurrencyForm: "currency_form",
}


@operators("GET")
def tenants(request: HttpRequest) -> HttpResponse:
    query = text_of(request, "query")
    page = int(text_of(request, "page")) if text_of(request, "page").isdecimal() else 1
    page = min(max(page, 1), 10_000)
    rows = payers(
        today=spans.today(),
        query=query,
        limit=PER_PAGE + 1,
        offset=(page - 1) * PER_PAGE,
    )
    context = {
        "payers": rows[:PER_PAGE],
        "query": query,
        "earlier": page - 1,
        "later": page + 1 if len(rows) > PER_PAGE else 0,
    }
    return operator_page(request, "tenants", "operator/tenants.html", context)


@operators("GET")
def tenant(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    return _page(request, _tenant(tenant_id))


def _tenant(tenant_id: UUID) -> Tenant:
    found = tenant_by_id(tenant_id)
    if found is None:
        raise NotFound("This business does not exist.")
    return found


def _page(
    request: HttpRequest, found: Tenant, failed: dict[str, forms.BaseForm] | None = None
) -> HttpResponse:
    today = spans.today()
    with tenant_tx(found.id):
        account = account_of()
        spent = spending(since=today, until=today, today=today)
        rules, known = model_rules(), chat_models_known()
    context = {
        "business": found,
        "account": account,
        # Once something was booked it cannot change, so it is not asked for.
        "can_change_currency": not (account.owed or account.entries or spent.month),
        "spent": spent,
        "credit_form": CreditForm(),
        "adjustment_form": AdjustmentForm(),
        "currency_form": CurrencyForm(initial={"currency": account.currency}),
        "low_credit_form": LowCreditForm(initial={"percent": account.told_at}),
        "has_models": bool(known),
        "models_form": ModelsForm(None, known=known, rules=rules),
        "limit_form": LimitForm(initial={"ceiling": account.ceiling}),
        **(failed or {}),
    }
    return operator_page(request, "tenants", "operator/tenant.html", context)


def _entered(
    request: HttpRequest,
    found: Tenant,
    form: forms.Form,
    act: Callable[..., object],
    *,
    told: str,
) -> HttpResponse:
    """Does with the values of a form what it asks for, in the business; a refusal stands beside its field."""
    name = FORM_NAMES[type(form)]
    if form.is_valid():
        values = form.values() if hasattr(form, "values") else form.cleaned_data
        with tenant_tx(found.id), refusals_in(form):
            act(actor=operator_actor(request), **values)
    if not form.is_valid():
        return _page(request, found, {name: form})
    say(request, told % form.cleaned_data)
    return redirect("operator:tenant", found.id)


@operators("POST")
def credit(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    told = _("The credit is paid in.")
    form = CreditForm(request.POST)
    return _entered(request, _tenant(tenant_id), form, services.credit_add, told=told)


@operators("POST")
def adjust(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    told = _("The adjustment stands on the next invoice.")
    form = AdjustmentForm(request.POST)
    return _entered(request, _tenant(tenant_id), form, services.adjustment_post, told=told)


@operators("POST")
def limit(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    told = _("The limit holds from the next call on.")
    form = LimitForm(request.POST)
    return _entered(request, _tenant(tenant_id), form, budgets.ceiling_set, told=told)


@operators("POST")
def low_credit(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    told = _("Its leaders are told from there on, by e-mail and on their pages.")
    form = LowCreditForm(request.POST)
    return _entered(request, _tenant(tenant_id), form, services.low_credit_set, told=told)


@operators("POST")
def models(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found = _tenant(tenant_id)
    with tenant_tx(found.id):
        form = ModelsForm(request.POST, known=chat_models_known(), rules=model_rules())
    told = _("This holds from the next call on.")
    return _entered(request, found, form, model_rules_set, told=told)


@operators("POST")
def currency(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    told = _("This business pays in %(currency)s.")
    form = CurrencyForm(request.POST)
    return _entered(request, _tenant(tenant_id), form, services.currency_set, told=told)


@operators("POST")
def payment(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found = _tenant(tenant_id)
    is_prepaid = text_of(request, "is_prepaid") == "1"
    with tenant_tx(found.id):
        services.prepaid_set(actor=operator_actor(request), is_prepaid=is_prepaid)
    say(
        request,
        _("This business pays in advance now.")
        if is_prepaid
        else _("This business gets a bill each month now."),
    )
    return redirect("operator:tenant", found.id)


@operators("POST")
def reverse_entry(request: HttpRequest, tenant_id: UUID, txn: UUID) -> HttpResponse:
    found = _tenant(tenant_id)
    note = text_of(request, "note") or _("entered by mistake")
    with tenant_tx(found.id):
        services.entry_reverse(actor=operator_actor(request), txn=txn, note=note)
    say(request, _("The opposite is booked; both stay in the books."))
    return redirect("operator:tenant", found.id)
