"""The price book: what holds, what held, what will; a change with its preview; hours with prices of their own."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.dashboard.doors import refusals_in, say
from furrow.dashboard.forms.operator import PriceForm, WindowForm
from furrow.dashboard.operator_doors import currencies_of, operator_page, operators
from furrow.metering import prices as services
from furrow.metering import selectors
from furrow.metering.models import PriceItem, PriceWindow


@operators("GET")
def prices(request: HttpRequest) -> HttpResponse:
    now, shown = timezone.now(), currencies_of(request)
    context = {
        "prices": [(row, _state(row, now)) for row in selectors.price_book(shown.current)],
        "currency": shown.current,
        "currencies": shown.tabs(),
        "windows": list(PriceWindow.objects.order_by("name")),
    }
    return operator_page(request, "prices", "operator/prices.html", context)


def _state(row: PriceItem, now: Any) -> str:
    if row.valid.upper is not None and row.valid.upper <= now:
        return "past"
    return "coming" if row.valid.lower > now else "now"


@operators("GET", "POST")
def price_create(request: HttpRequest) -> HttpResponse:
    """With `preview` nothing is stored: the page says what the change would have cost everybody."""
    windows = [row.name for row in PriceWindow.objects.order_by("name")]
    form = PriceForm(request.POST or None, windows=windows, initial=_asked(request))
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            context["preview"] = _preview(form.cleaned_data)
            context["currency"] = form.cleaned_data["currency"]
        else:
            with refusals_in(form):
                services.price_set(**form.cleaned_data)
                say(request, _("The price is in the book."))
                return redirect("operator:prices")
    return operator_page(request, "prices", "operator/price.html", context)


def _asked(request: HttpRequest) -> dict[str, str]:
    """A link beside a price fills in what it is for."""
    return {
        name: request.GET[name]
        for name in ("model", "kind", "window", "currency")
        if name in request.GET
    }


def _preview(data: dict[str, Any]) -> services.Preview:
    since, until = services.last_month(timezone.now())
    change = {(data["model"], data["kind"], data["window"]): Decimal(data["per_million"])}
    return services.price_preview(
        changes=change, currency=data["currency"], since=since, until=until
    )


@operators("GET", "POST")
def window_create(request: HttpRequest) -> HttpResponse:
    form = WindowForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            services.price_window_create(**form.cleaned_data)
            say(request, _("These hours can have prices of their own now."))
            return redirect("operator:prices")
    return operator_page(request, "prices", "operator/window.html", {"form": form})
