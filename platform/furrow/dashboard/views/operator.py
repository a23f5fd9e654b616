"""Cost to serve, margin and use of the machines; what machines cost; and whether the sums agree."""

import csv
import io
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid
from furrow.dashboard import spans
from furrow.dashboard.doors import refusals_in, say, text_of
from furrow.dashboard.forms.operator import MachinePriceForm
from furrow.dashboard.operator_doors import (
    Currencies,
    currencies_of,
    operator_actor,
    operator_page,
    operators,
)
from furrow.metering import alarms
from furrow.metering.money import amount_text
from furrow.metering.reconcile import comparisons
from furrow.metering.selectors import defused
from furrow.metering.unit_economics import (
    Economics,
    economics,
    machine_price_set,
    machine_prices,
)

COLUMNS = (
    "part",
    "name",
    "charged",
    "serving",
    "margin",
    "busy_hours",
    "calls",
    "tokens",
    "currency",
)


@operators("GET")
def overview(request: HttpRequest) -> HttpResponse:
    span, shown = spans.span_of(text_of(request, "span")), currencies_of(request)
    context = {
        "span": span,
        "span_tabs": spans.span_tabs(span.key, currency=shown.query),
        "currencies": shown.tabs(span=span.key),
        "currency": shown.current,
        "found": _found(span, shown),
    }
    return operator_page(request, "overview", "operator/overview.html", context)


@operators("GET")
def overview_table(request: HttpRequest) -> HttpResponse:
    span, shown = spans.span_of(text_of(request, "span")), currencies_of(request)
    found, text = _found(span, shown), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for part, rows in (("model", found.models), ("business", found.tenants)):
        for row in rows:
            amounts = (amount_text(each) for each in (row.charged, row.serving, row.margin))
            busy = f"{row.busy_hours:.6f}"
            writer.writerow(
                [part, defused(row.name), *amounts, busy, row.calls, row.tokens, shown.current]
            )
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"furrow-economics-{shown.current}-{span.since}-{span.until}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _found(span: spans.Span, shown: Currencies) -> Economics:
    return economics(since=span.since, until=span.until, currency=shown.current)


@operators("GET", "POST")
def machines(request: HttpRequest) -> HttpResponse:
    form = MachinePriceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            machine_price_set(**form.cleaned_data)
            say(request, _("Saved. The overview counts with it at once."))
            return redirect("operator:machines")
    prices = machine_prices()
    now = timezone.now()
    current = {row.machine: row.id for row in reversed(prices) if row.valid_from <= now}
    context = {
        "form": form,
        "prices": [(row, current.get(row.machine) == row.id) for row in prices],
    }
    return operator_page(request, "machines", "operator/machines.html", context)


@operators("GET")
def comparison(request: HttpRequest) -> HttpResponse:
    rows = comparisons()
    recent = [alarm for alarm in alarms.alarms_recent() if alarm.acknowledged_at]
    context = {
        "rows": rows,
        "last": rows[0] if rows else None,
        "looked_into": recent[:10],
    }
    return operator_page(request, "comparison", "operator/comparison.html", context)


@operators("POST")
def alarm_seen(request: HttpRequest, alarm_id: UUID) -> HttpResponse:
    note = text_of(request, "note")
    if not note:
        raise Invalid("Say what you found.", field="note")
    alarms.alarm_acknowledge(alarm_id=alarm_id, by=operator_actor(request).label, note=note)
    say(request, _("Noted. It rings again when one of the figures changes."))
    return redirect("operator:comparison")
