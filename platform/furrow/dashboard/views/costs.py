"""What the business spends, on what, and what it got for it."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.conversations.figures import answers_between
from furrow.dashboard import groups, spans
from furrow.dashboard.charts import bar_chart
from furrow.dashboard.doors import needs, page_url, text_of
from furrow.dashboard.economics import savings
from furrow.dashboard.money import money_text
from furrow.metering import selectors
from furrow.metering.balances import account_read
from furrow.metering.credit import adjusted_this_month, credit_read
from furrow.metering.money import ZERO
from furrow.metering.overview import Overview, overview
from furrow.metering.spending import Spending, days_left, month_forecast
from furrow.metering.warnings import money_warnings
from furrow.tenants.web import TenantRequest

# A week is time enough to pay in more.
LOW_DAYS = 7
TABS = ("costs", "budgets", "invoices", "worth")


def cost_tabs(request: TenantRequest, current: str) -> list[dict[str, Any]]:
    labels = {
        "costs": _("Spending"),
        "budgets": _("Budgets"),
        "invoices": _("Invoices"),
        "worth": _("Worth it?"),
    }
    return [
        {"url": page_url(request, name), "label": labels[name], "is_current": name == current}
        for name in TABS
    ]


@needs(get="view_costs")
def costs(request: TenantRequest) -> TemplateResponse:
    span = spans.span_of(text_of(request, "span"))
    group = _group(request)
    seen = _seen(span, group)
    spent = seen.spent
    answers = answers_between(span.since, span.until)
    budgets = [row for row in selectors.budgets_list() if row.scope_kind == "tenant"]
    balances = selectors.budget_balances(budgets)
    context = {
        "tabs": cost_tabs(request, "costs"),
        "span": span,
        "span_tabs": spans.span_tabs(span.key, by=group if group != groups.GROUPS[0] else ""),
        "span_name": spans.span_names()[span.key],
        "spent": spent,
        "forecast": month_forecast(spent.month, spans.today()),
        "answers": answers,
        "per_conversation": _each(spent.span, answers.conversations),
        "per_solved": _each(spent.span, answers.solved),
        "savings": savings(spent, answers),
        "chart": _chart(span, seen),
        "group": group,
        "group_tabs": _group_tabs(span, group),
        "group_name": groups.group_names()[group],
        "parts": _parts(group, seen),
        "credit": _credit(spent),
        "money_warnings": money_warnings(),
        "gauges": [(row, balance) for row in budgets for balance in balances.get(row.id, [])],
        "has_budget": bool(budgets),
        "adjusted": adjusted_this_month(spans.today()) if budgets else ZERO,
    }
    return TemplateResponse(request, "dashboard/costs.html", context)


@needs(get="view_costs")
def costs_table(request: TenantRequest) -> HttpResponse:
    """The same figures as a file for a spreadsheet, by day, by hour or by a group."""
    span = spans.span_of(text_of(request, "span"))
    group = text_of(request, "by")
    group = group if group in (*groups.GROUPS, *spans.UNITS) else span.unit
    rows = selectors.usage_by(since=span.since, until=span.until, group_by=group)
    names = groups.names_of(group, [row.key for row in rows])
    table = selectors.usage_csv(rows, names=names)
    # A spreadsheet takes a file without the mark for one in the old encoding of the country.
    response = HttpResponse("\ufeff" + table, content_type="text/csv; charset=utf-8")
    name = f"furrow-{group}-{span.since}-{span.until}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _credit(spent: Spending) -> dict[str, Any] | None:
    """What is left of credit paid in advance, and for how long; None where a bill comes afterwards."""
    found = credit_read()
    if found is None:
        return None
    days = days_left(found.left, spent, spans.today())
    is_low = days is not None and days <= LOW_DAYS
    return {
        "left": found.left,
        "paid_in": found.paid_in,
        "share": float(found.left / found.paid_in) if found.paid_in else 0.0,
        "days": days,
        "tone": "bad" if not found.left else "warn" if is_low else "good",
    }


def _group(request: TenantRequest) -> str:
    wanted = text_of(request, "by")
    return wanted if wanted in groups.GROUPS else groups.GROUPS[0]


def _group_tabs(span: spans.Span, current: str) -> list[dict[str, Any]]:
    return [
        {"url": f"?span={span.key}&by={key}#parts", "label": label, "is_current": key == current}
        for key, label in groups.group_names().items()
    ]


def _each(amount: Decimal, count: int) -> Decimal | None:
    return amount / count if count else None


def _seen(span: spans.Span, group: str) -> Overview:
    return overview(
        currency=account_read().currency,
        since=span.since,
        until=span.until,
        today=spans.today(),
        unit=span.unit,
        group=group,
    )


def _chart(span: spans.Span, seen: Overview) -> dict[str, Any]:
    currency = seen.spent.currency
    points = spans.points(span, {part.key: part.charged for part in seen.by_unit})
    label, most = max(points, key=lambda point: point[1])
    summary = (
        _("%(label)s cost the most: %(amount)s.")
        % {"label": label, "amount": money_text(most, currency)}
        if most
        else _("Nothing was spent in this time.")
    )
    return {"bars": bar_chart(points, currency=currency, summary=summary), "points": points}


def _parts(group: str, seen: Overview) -> list[dict[str, Any]]:
    """The dearest first, each with its share of the whole."""
    names = groups.names_of(group, [part.key for part in seen.by_group])
    whole = seen.spent.span
    return [
        {
            "name": names[part.key],
            "amount": part.charged,
            "calls": part.calls,
            "tokens": part.tokens,
            "share": float(part.charged / whole) if whole else 0.0,
        }
        for part in seen.by_group
    ]
