"""News: found in the rows that metering and conversations keep, told once each.

Who wrote a row may die after the commit and tell nobody. So news is looked for in what was committed: a notice,
an invoice or a ticket without its `News` row was not told yet.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from furrow.channels.deliveries import LANE, deliveries_begin
from furrow.channels.models import News
from furrow.channels.news_mail import MAIL_ATTEMPTS, MAIL_JOB
from furrow.conversations.models import Ticket
from furrow.core.context import tenant_tx, unscoped
from furrow.core.jobs import job_enqueue
from furrow.metering.attribution import WALLET
from furrow.metering.models import BudgetNotice, Invoice
from furrow.metering.money import ZERO, amount_text

THRESHOLD, CLOSED, TICKET = "budget.threshold", "invoice.closed", "ticket.opened"
CREDIT = "credit.low"
_SOURCES: dict[str, Any] = {
    THRESHOLD: BudgetNotice,
    CREDIT: BudgetNotice,
    CLOSED: Invoice,
    TICKET: Ticket,
}
_OF_CREDIT = Q(balance__scope=WALLET)
_ONLY = {
    THRESHOLD: ~_OF_CREDIT,
    CREDIT: _OF_CREDIT,
    # An owner who tries the assistant needs no mail from themselves.
    TICKET: Q(conversation__is_test=False),
}
# A visitor leaves a phone number a moment after asking for a person, and several tickets share one mail.
MAIL_DELAYS = {TICKET: timedelta(minutes=1)}
# What is older than that is no news; it also keeps the search short.
FRESH = timedelta(days=3)
LIMIT = 500


def news_tell() -> int:
    """Tells every tenant what is new, each piece in its own transaction; how many pieces."""
    untold = [(event, *row) for event in _SOURCES for row in _untold(event)]
    return sum(_tell(event, tenant_id, subject_id) for event, tenant_id, subject_id in untold)


def _untold(event: str) -> Iterable[tuple[UUID, UUID]]:
    with unscoped("find news that was not told yet"):
        told = News.objects.filter(
            tenant=OuterRef("tenant"), event=event, subject_id=OuterRef("pk")
        )
        return list(
            _SOURCES[event]
            .objects.filter(~Exists(told), created_at__gt=timezone.now() - FRESH)
            .filter(_ONLY.get(event, Q()))
            .order_by("created_at")
            .values_list("tenant_id", "id")[:LIMIT]
        )


def _tell(event: str, tenant_id: UUID, subject_id: UUID) -> bool:
    with tenant_tx(tenant_id):
        facts = _facts(event, subject_id)
        news, is_new = News.objects.get_or_create(
            event=event, subject_id=subject_id, defaults={"facts": facts}
        )
        if is_new:
            deliveries_begin(event=event, facts=facts)
            job_enqueue(
                kind=MAIL_JOB,
                subject_id=news.id,
                lane=LANE,
                max_attempts=MAIL_ATTEMPTS,
                delay=MAIL_DELAYS.get(event),
            )
    return bool(is_new)


def _facts(event: str, subject_id: UUID) -> dict[str, Any]:
    return _FACTS[event](subject_id)


def _threshold(notice_id: UUID) -> dict[str, Any]:
    notice = BudgetNotice.objects.select_related("balance").get(id=notice_id)
    balance = notice.balance
    cap = balance.cap_soft if balance.cap_soft is not None else balance.cap_hard
    return {
        "scope": balance.scope,
        "period": balance.period,
        "period_start": balance.period_start.isoformat(),
        "percent": notice.percent,
        "posted": amount_text(notice.posted),
        "cap": None if cap is None else amount_text(cap),
        "is_hard": balance.cap_hard is not None,
        "currency": balance.currency,
    }


def _credit(notice_id: UUID) -> dict[str, Any]:
    """As it stood when the level was passed; what was paid in since does not count."""
    notice = BudgetNotice.objects.select_related("balance").get(id=notice_id)
    return {
        "percent_left": 100 - notice.percent,
        "left": amount_text(max(notice.cap - notice.posted, ZERO)),
        "is_used_up": notice.percent >= 100,
        "currency": notice.balance.currency,
    }


def _closed(invoice_id: UUID) -> dict[str, Any]:
    invoice = Invoice.objects.get(id=invoice_id)
    return {
        "invoice_id": str(invoice.id),
        "number": invoice.number,
        "period_start": invoice.period_start.isoformat(),
        "period_end": invoice.period_end.isoformat(),
        "total": amount_text(invoice.total),
        "currency": invoice.currency,
    }


def _ticket(ticket_id: UUID) -> dict[str, Any]:
    """Without the contact and the note: what a visitor says of themselves stays in one place."""
    ticket = Ticket.objects.select_related("conversation").get(id=ticket_id)
    return {
        "ticket_id": str(ticket.id),
        "number": ticket.number,
        "conversation_id": str(ticket.conversation_id),
        "assistant_id": str(ticket.conversation.assistant_id),
        "channel": ticket.conversation.channel,
        "opened_at": ticket.created_at.isoformat(),
    }


_FACTS = {THRESHOLD: _threshold, CREDIT: _credit, CLOSED: _closed, TICKET: _ticket}
