"""The e-mail that tells people what the webhooks tell programs: leaders of money, everybody who answers of tickets."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from furrow.assistants.models import Assistant
from furrow.channels.models import News
from furrow.conversations.models import Ticket
from furrow.core.context import tenant_tx
from furrow.core.errors import UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.logs import get_logger
from furrow.tenants.models import ApiKey, Membership, Role

MAIL_JOB = "news.mail"
MAIL_ATTEMPTS = 6
TICKET_EVENT = "ticket.opened"
TICKETS_SHOWN = 20
log = get_logger(__name__)


class MailHandler:
    """Sends once; only a worker that dies between sending and noting it sends twice."""

    retry_delays = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            message, told = _message(job.subject_id)
        if message is None:
            return
        try:
            message.send()
        except OSError as error:
            log.warning("news_mail_failed", news=str(job.subject_id), error=type(error).__name__)
            raise UpstreamFailed("The mail server did not take the mail.") from None
        with tenant_tx(job.tenant_id):
            News.objects.filter(id__in=told).update(mailed_at=Now())

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        log.error("news_mail_given_up", news=str(subject_id))


def _message(news_id: UUID) -> tuple[EmailMessage | None, list[UUID]]:
    """With the news it tells; None when it was mailed before, is over, or when there is nobody to mail it to."""
    news: News | None = (
        News.objects.filter(id=news_id, mailed_at=None).select_related("tenant").first()
    )
    if news is None:
        return None, []
    is_ticket = news.event == TICKET_EVENT
    tickets = tickets_untold() if is_ticket else {}
    roles = [Role.OWNER, Role.ADMIN, *([Role.STAFF] if is_ticket else [])]
    people = Membership.objects.filter(role__in=roles, user__is_active=True)
    addresses = list(people.order_by("created_at").values_list("user__email", flat=True))
    if not addresses or (is_ticket and not tickets):
        return None, []
    with translation.override(news.tenant.language):
        subject, template, context = _tickets(news, tickets) if is_ticket else _texts(news)
        body = render_to_string(template, {"business": news.tenant.name, **context})
    told = list(tickets) if is_ticket else [news.id]
    return EmailMessage(" ".join(subject.split()), body, to=addresses), told


def tickets_untold() -> dict[UUID, Ticket]:
    """Open tickets that no mail told of yet, by their news: many at once make one mail, not many."""
    waiting = News.objects.filter(event=TICKET_EVENT, mailed_at=None).order_by("created_at")
    news_of = {subject: news for news, subject in waiting.values_list("id", "subject_id")}
    tickets = Ticket.objects.filter(id__in=news_of, state=Ticket.State.OPEN)
    rows = tickets.select_related("conversation__assistant").order_by("number")
    return {news_of[ticket.id]: ticket for ticket in rows}


def _tickets(news: News, tickets: dict[UUID, Ticket]) -> tuple[str, str, dict[str, Any]]:
    facts = {"business": news.tenant.name, "count": len(tickets)}
    subject = (
        ngettext(
            "%(business)s: a visitor asks for a person",
            "%(business)s: %(count)s visitors ask for a person",
            len(tickets),
        )
        % facts
    )
    shown = [
        {
            "number": ticket.number,
            "assistant": ticket.conversation.assistant.name,
            "contact": ticket.contact,
            "note": ticket.note,
            "link": _link(news, "ticket", ticket.id),
        }
        for ticket in list(tickets.values())[:TICKETS_SHOWN]
    ]
    further = max(0, len(tickets) - TICKETS_SHOWN)
    link = _link(news, "tickets")
    return subject, "emails/ticket_opened.txt", {"tickets": shown, "further": further, "link": link}


def _texts(news: News) -> tuple[str, str, dict[str, Any]]:
    facts = news.facts
    business = {"business": news.tenant.name}
    if news.event == "invoice.closed":
        subject = _("%(business)s: the bill of last month is ready") % business
        link = _link(news, "invoice", facts["invoice_id"])
        total = _amount(facts["total"], facts["currency"])
        return subject, "emails/invoice_closed.txt", {**facts, "link": link, "total": total}
    if news.event == "credit.low":
        return _credit_text(news)
    subject = _("%(business)s: %(percent)s %% of a budget is used") % {
        **business,
        "percent": facts["percent"],
    }
    shown = {
        **facts,
        "name": _scope_name(facts["scope"]),
        "posted": _amount(facts["posted"], facts["currency"]),
        "cap": _amount(facts["cap"] or "0", facts["currency"]),
        "is_stopped": facts["is_hard"] and facts["percent"] >= 100,
        "link": _link(news, "budgets"),
    }
    return subject, "emails/budget_threshold.txt", shown


def _credit_text(news: News) -> tuple[str, str, dict[str, Any]]:
    facts = news.facts
    subject = (
        _("%(business)s: the credit is used up")
        if facts["is_used_up"]
        else _("%(business)s: the credit is running low")
    )
    shown = {
        **facts,
        "left": _amount(facts["left"], facts["currency"]),
        "link": _link(news, "costs"),
    }
    return subject % {"business": news.tenant.name}, "emails/credit_low.txt", shown


def _link(news: News, name: str, *args: Any) -> str:
    path = reverse(f"dashboard:{name}", args=[news.tenant.slug, *args])
    return f"{settings.PUBLIC_URL}{path}"


def _scope_name(scope: str) -> str:
    kind, _colon, key = scope.partition(":")
    models: dict[str, Any] = {"assistant": Assistant, "key": ApiKey}
    if kind in models:
        name = models[kind].objects.filter(id=key).values_list("name", flat=True).first()
        return str(name or key[:8])
    if kind == "member":
        member = Membership.objects.filter(user_id=key).select_related("user").first()
        return str(member.user.email) if member else key[:8]
    if kind == "visitor":
        return _("a visitor")
    return _("the whole business")


def _amount(text: str, currency: str) -> str:
    amount = Decimal(text)
    return f"{text if abs(amount) < 1 else amount.quantize(Decimal('0.01'))} {currency}"
