"""Limits on what is spent: how full they are, and setting, changing and lifting them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.assistants.models import Assistant
from furrow.dashboard.doors import actor_of, form_page, go_to, needs, page_url, refusals_in, say
from furrow.dashboard.forms.budgets import BudgetForm
from furrow.dashboard.money_words import budget_scope
from furrow.dashboard.views.costs import cost_tabs
from furrow.metering import budgets as services
from furrow.metering import selectors
from furrow.metering.balances import account_read
from furrow.metering.models import Balance, Budget
from furrow.tenants.models import ApiKey, Membership
from furrow.tenants.web import TenantRequest

SHOWN_OF_EACH = 5


@dataclass(frozen=True)
class Shown:
    """A budget with the names of what it limits and its fullest balances."""

    budget: Budget
    name: str
    balances: list[tuple[str, Balance]]
    more: int


@needs(get="view_costs")
def budgets(request: TenantRequest) -> TemplateResponse:
    rows = sorted(
        selectors.budgets_list(), key=lambda row: Budget.Kind.values.index(row.scope_kind)
    )
    balances = selectors.budget_balances(rows)
    names = _names()
    context = {
        "tabs": cost_tabs(request, "budgets"),
        "budgets": [_shown(row, balances.get(row.id, []), names) for row in rows],
    }
    return TemplateResponse(request, "dashboard/budgets.html", context)


def _shown(row: Budget, balances: list[Balance], names: dict[str, str]) -> Shown:
    cap = row.cap_hard if row.cap_hard is not None else row.cap_soft
    fullest = sorted(balances, key=lambda b: b.posted + b.held, reverse=True)
    if not fullest and row.scope_id != services.EACH:
        fullest = [Balance(posted=Decimal(0), held=Decimal(0), cap_hard=cap)]
    shown = [(_balance_name(row, balance, names), balance) for balance in fullest[:SHOWN_OF_EACH]]
    return Shown(row, budget_scope(row, names), shown, len(fullest) - len(shown))


def _balance_name(row: Budget, balance: Balance, names: dict[str, str]) -> str:
    """Only where one budget has many balances do they need a name of their own."""
    if row.scope_id != services.EACH:
        return ""
    kind, _colon, key = balance.scope.partition(":")
    return names.get(key, _("Visitor %(id)s") % {"id": key[:8]} if kind == "visitor" else key[:8])


def _targets() -> dict[str, list[tuple[str, str]]]:
    assistants = Assistant.objects.filter(deleted_at=None).order_by("name")
    keys = ApiKey.objects.filter(revoked_at=None).order_by("name")
    members = Membership.objects.select_related("user").order_by("user__email")
    return {
        "assistant": [(str(row.id), row.name) for row in assistants],
        "key": [(str(row.id), row.name) for row in keys],
        "member": [(str(row.user_id), row.user.name or row.user.email) for row in members],
    }


def _names() -> dict[str, str]:
    return {key: name for pairs in _targets().values() for key, name in pairs}


@needs(get="manage_costs", post="manage_costs")
def budget_create(request: TenantRequest) -> HttpResponse:
    form = BudgetForm(request.POST or None, targets=_targets(), currency=account_read().currency)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.budget_set(actor=actor_of(request), **form.values())
            say(request, _("The limit holds from the next call on."))
            return go_to(request, "budgets")
    return form_page(
        request,
        form,
        title=_("New limit"),
        submit=_("Set the limit"),
        back=page_url(request, "budgets"),
        text=_stop_words(),
    )


@needs(get="manage_costs", post="manage_costs")
def budget_update(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    found = selectors.budget_get(budget_id)
    form = BudgetForm(request.POST or None, targets={}, currency=found.currency, budget=found)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.budget_set(actor=actor_of(request), **_place(found), **form.values())
            say(request, _("The limit holds from the next call on."))
            return go_to(request, "budgets")
    return form_page(
        request,
        form,
        title=budget_scope(found, _names()),
        submit=_("Save"),
        back=page_url(request, "budgets"),
        text=_stop_words(),
    )


def _stop_words() -> str:
    return _(
        "When a limit is reached, the model is not asked any more. Visitors still get approved answers, "
        "quotes from your documents, or a person."
    )


def _place(found: Budget) -> dict[str, Any]:
    return {
        "scope_kind": found.scope_kind,
        "scope_id": found.scope_id,
        "period": found.period,
    }


@needs(post="manage_costs")
def budget_end(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    services.budget_end(actor=actor_of(request), budget_id=budget_id)
    undo = page_url(request, "budget_restore", budget_id)
    say(request, _("The limit is lifted. Nothing else stops this spending."), undo=undo)
    return go_to(request, "budgets")


@needs(post="manage_costs")
def budget_restore(request: TenantRequest, budget_id: UUID) -> HttpResponse:
    found = selectors.budget_get(budget_id, include_ended=True)
    services.budget_set(
        actor=actor_of(request),
        **_place(found),
        cap_hard=found.cap_hard,
        cap_soft=found.cap_soft,
        thresholds=tuple(found.thresholds),
    )
    say(request, _("The limit is back."))
    return go_to(request, "budgets")
