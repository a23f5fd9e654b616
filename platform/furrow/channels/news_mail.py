"""The e-mail that tells owners and administrators what the webhooks tell programs."""

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

from furrow.assistants.models import Assistant
from furrow.channels.models import News
from furrow.core.context import tenant_tx
from furrow.core.errors import UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.logs import get_logger
from furrow.tenants.models import ApiKey, Membership, Role

MAIL_JOB = "news.mail"
MAIL_ATTEMPTS = 6
log = get_logger(__name__)


class MailHandler:
    """Sends once; only a worker that dies between sending and noting it sends twice."""

    retry_delays = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))

    def run(self, job: JobRun) -> None:
        with tenant_tx(job.tenant_id):
            message = _message(job.subject_id)
        if message is None:
            return
        try:
            message.send()
        except OSError as error:
            log.warning("news_mail_failed", news=str(job.subject_id), error=type(error).__name__)
            raise UpstreamFailed("The mail server did not take the mail.") from None
        with tenant_tx(job.tenant_id):
            News.objects.filter(id=job.subject_id).update(mailed_at=Now())

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        log.error("news_mail_given_up", news=str(subject_id))


def _message(news_id: UUID) -> EmailMessage | None:
    """None when it was mailed before, or when there is nobody to mail it to."""
    news: News | None = (
        News.objects.filter(id=news_id, mailed_at=None).select_related("tenant").first()
    )
    leaders = Membership.objects.filter(role__in=[Role.OWNER, Role.ADMIN], user__is_active=True)
    addresses = list(leaders.order_by("created_at").values_list("user__email", flat=True))
    if news is None or not addresses:
        return None
    with translation.override(news.tenant.language):
        subject, template, context = _texts(news)
        body = render_to_string(template, {"business": news.tenant.name, **context})
    return EmailMessage(" ".join(subject.split()), body, to=addresses)


def _texts(news: News) -> tuple[str, str, dict[str, Any]]:
    facts = news.facts
    business = {"business": news.tenant.name}
    if news.event == "invoice.closed":
        subject = _("%(business)s: the bill of last month is ready") % business
        link = _link(news, "invoice", facts["invoice_id"])
        total = _amount(facts["total"], facts["currency"])
        return subject, "emails/invoice_closed.txt", {**facts, "link": link, "total": total}
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
