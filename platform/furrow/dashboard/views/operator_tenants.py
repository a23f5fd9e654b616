"""Businesses as customers of the operator: what they spend, owe and may spend."""

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


@operators("POST")
def credit(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found, form = _tenant(tenant_id), CreditForm(request.POST)
    if form.is_valid():
        with tenant_tx(found.id), refusals_in(form):
            services.credit_add(actor=operator_actor(request), **form.cleaned_data)
        if form.is_valid():
            say(request, _("The credit is paid in."))
            return redirect("operator:tenant", found.id)
    return _page(request, found, {"credit_form": form})


@operators("POST")
def adjust(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found, form = _tenant(tenant_id), AdjustmentForm(request.POST)
    if form.is_valid():
        with tenant_tx(found.id), refusals_in(form):
            services.adjustment_post(actor=operator_actor(request), **form.values())
        if form.is_valid():
            say(request, _("The adjustment stands on the next invoice."))
            return redirect("operator:tenant", found.id)
    return _page(request, found, {"adjustment_form": form})


@operators("POST")
def limit(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found, form = _tenant(tenant_id), LimitForm(request.POST)
    if form.is_valid():
        with tenant_tx(found.id), refusals_in(form):
            budgets.ceiling_set(actor=operator_actor(request), **form.cleaned_data)
        if form.is_valid():
            say(request, _("The limit holds from the next call on."))
            return redirect("operator:tenant", found.id)
    return _page(request, found, {"limit_form": form})


@operators("POST")
def low_credit(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found, form = _tenant(tenant_id), LowCreditForm(request.POST)
    if form.is_valid():
        with tenant_tx(found.id), refusals_in(form):
            services.low_credit_set(actor=operator_actor(request), **form.cleaned_data)
        if form.is_valid():
            say(request, _("Its leaders are told from there on, by e-mail and on their pages."))
            return redirect("operator:tenant", found.id)
    return _page(request, found, {"low_credit_form": form})


@operators("POST")
def models(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found = _tenant(tenant_id)
    with tenant_tx(found.id):
        form = ModelsForm(request.POST, known=chat_models_known(), rules=model_rules())
        if form.is_valid():
            model_rules_set(actor=operator_actor(request), allowed=form.values())
    if form.is_valid():
        say(request, _("This holds from the next call on."))
        return redirect("operator:tenant", found.id)
    return _page(request, found, {"models_form": form})


@operators("POST")
def currency(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found, form = _tenant(tenant_id), CurrencyForm(request.POST)
    if form.is_valid():
        with tenant_tx(found.id), refusals_in(form):
            services.currency_set(actor=operator_actor(request), **form.cleaned_data)
        if form.is_valid():
            say(request, _("This business pays in %(currency)s.") % form.cleaned_data)
            return redirect("operator:tenant", found.id)
    return _page(request, found, {"currency_form": form})


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
