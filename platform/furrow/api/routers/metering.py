"""Usage, budgets, prices and invoices. Amounts are decimal text: exact, and never a float on the way."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from ninja import Query, Router

from furrow.api import schemas
from furrow.api.answers import Items, Page
from furrow.api.answers import money as answers
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.gateway.chat import chat_models
from furrow.metering import budgets, invoices, selectors
from furrow.metering.balances import account_read
from furrow.metering.models import Balance, Budget, Invoice, InvoiceLine, PriceItem
from furrow.metering.money import amount_text

router = Router(tags=["metering"])
_SHOWN_DAYS = 30


@router.get(
    "/usage",
    response={200: answers.UsageReport},
    by_alias=True,
    summary="What was used, and its cost",
)
@operation("usage:read")
def usage_read(request: ApiRequest, asked: Query[schemas.UsageQuery]) -> Any:
    """The last thirty days unless `from` and `to` (both included) say otherwise. `computed_at` says up to
    when the figures are known; later calls follow within seconds.
    """
    since, until = selectors.days_asked(asked.since, asked.until, days=_SHOWN_DAYS)
    rows = selectors.usage_by(since=since, until=until, group_by=asked.group_by)
    if asked.format == "csv":
        response = HttpResponse(selectors.usage_csv(rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="usage.csv"'
        return response
    return 200, {
        "from": since,
        "to": until,
        "group_by": asked.group_by,
        "computed_at": max((row.computed_at for row in rows), default=None),
        "items": [_usage_row(row) for row in rows],
    }


def _usage_row(row: selectors.UsageRow) -> dict[str, Any]:
    return {
        "key": row.key,
        "calls": row.calls,
        "usage": {
            "input_hit": row.in_hit,
            "input_miss": row.in_miss,
            "output": row.out,
            "reasoning": row.reasoning,
        },
        "cost": {"amount": amount_text(row.charged), "currency": row.currency},
    }


@router.get("/budgets", response={200: Items[answers.Budget]}, summary="Limits and what is left")
@operation("usage:read")
def budget_list(request: ApiRequest) -> Any:
    rows = list(selectors.budgets_list())
    balances = selectors.budget_balances(rows)
    return 200, {"items": [_budget(row, balances.get(row.id, [])) for row in rows]}


@router.put("/budgets", response={200: answers.Budget}, summary="Set or change a limit")
@operation("usage:write")
def budget_put(request: ApiRequest, body: schemas.BudgetIn) -> Any:
    row = budgets.budget_set(
        actor=request.auth.actor,
        scope_kind=body.scope_kind,
        scope_id=body.scope_id,
        period=body.period,
        cap_hard=body.cap_hard,
        cap_soft=body.cap_soft,
        thresholds=tuple(body.thresholds),
        steps=None if body.steps is None else [step.model_dump() for step in body.steps],
    )
    return 200, _budget(row, selectors.budget_balances([row]).get(row.id, []))


@router.delete("/budgets/{uuid:budget_id}", response={204: None}, summary="Lift a limit")
@operation("usage:write")
def budget_delete(request: ApiRequest, budget_id: UUID) -> HttpResponse:
    budgets.budget_end(actor=request.auth.actor, budget_id=budget_id)
    return no_content()


def _budget(row: Budget, balances: list[Balance]) -> dict[str, Any]:
    return {
        "id": row.id,
        "scope_kind": row.scope_kind,
        "scope_id": row.scope_id,
        "period": row.period,
        "currency": row.currency,
        "cap_hard": _amount(row.cap_hard),
        "cap_soft": _amount(row.cap_soft),
        "thresholds": row.thresholds,
        "steps": row.steps,
        "balances": [
            {
                "scope": balance.scope,
                "period_start": balance.period_start,
                "posted": amount_text(balance.posted),
                "held": amount_text(balance.held),
            }
            for balance in balances[:100]
        ],
    }


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else amount_text(value)


@router.get("/prices", response={200: Items[answers.Price]}, summary="What holds now and what will")
@operation("usage:read")
def price_list(request: ApiRequest) -> Any:
    rows = selectors.prices_list(account_read().currency)
    return 200, {"items": [_price(row) for row in rows]}


def _price(row: PriceItem) -> dict[str, Any]:
    return {
        "model": row.model,
        "kind": row.kind,
        "currency": row.currency,
        "window": row.window,
        "per_million": amount_text(row.per_million),
        "valid_from": row.valid.lower,
        "valid_to": row.valid.upper,
    }


@router.get(
    "/models",
    response={200: Items[answers.Model]},
    summary="The models that assistants may write with",
)
@operation("assistants:read")
def model_list(request: ApiRequest) -> Any:
    """Those the operator opens to the business; none without a chat model on the server."""
    return 200, {
        "items": [{"id": name, "is_default": name == settings.CHAT_MODEL} for name in chat_models()]
    }


@router.get("/invoices", response={200: Page[answers.Invoice]}, summary="List invoices")
@operation("usage:read")
def invoice_list(request: ApiRequest, cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.invoices_list()
    return 200, page(rows, cursor=cursor, limit=limit, render=_invoice)


@router.get(
    "/invoices/{uuid:invoice_id}",
    response={200: answers.InvoiceWithLines},
    summary="Read an invoice",
)
@operation("usage:read")
def invoice_read(request: ApiRequest, invoice_id: UUID) -> Any:
    row = invoices.invoice_get(invoice_id)
    lines = InvoiceLine.objects.filter(invoice=row).order_by("position")
    return 200, {**_invoice(row), "lines": [invoices.line_data(line) for line in lines]}


@router.get("/invoices/{uuid:invoice_id}/document", summary="The invoice as it was closed")
@operation("usage:read")
def invoice_document(request: ApiRequest, invoice_id: UUID) -> HttpResponse:
    """Canonical JSON, the same bytes each time; their SHA-256 is the invoice's `digest`."""
    row = invoices.invoice_get(invoice_id)
    return HttpResponse(invoices.invoice_document(row), content_type="application/json")


@router.get("/invoices/{uuid:invoice_id}/pdf", summary="The invoice as PDF")
@operation("usage:read")
def invoice_file(request: ApiRequest, invoice_id: UUID) -> HttpResponse:
    """The same bytes each time."""
    from furrow.metering.invoice_paper import invoice_pdf  # noqa: PLC0415  a drawing library

    content = invoice_pdf(invoices.invoice_get(invoice_id))
    return HttpResponse(content, content_type="application/pdf")


def _invoice(row: Invoice) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "period_start": row.period_start,
        "period_end": row.period_end,
        "currency": row.currency,
        "total": amount_text(row.total),
        "digest": row.digest,
        "closed_at": row.created_at,
    }
