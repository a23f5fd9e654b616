"""What claims cost, by reason, for the monthly report."""

from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from apps.support.models import Claim
from apps.support.models.claims import Reason
from furrow.core.extensions import ReportTable
from furrow.metering.selectors import day_span


def claim_costs(since: date, until: date) -> list[ReportTable]:
    """Of claims made in the stretch; only what was approved costs. None without a claim."""
    begin, end = day_span(since, until)
    paid = Q(state=Claim.State.APPROVED)
    rows = (
        Claim.objects.filter(created_at__gte=begin, created_at__lt=end)
        .values("reason", "currency")
        .annotate(
            made=Count("id"), approved=Count("id", filter=paid), cost=Sum("offer", filter=paid)
        )
        .order_by("reason")
    )
    found = sorted(rows, key=lambda row: (-(row["cost"] or Decimal(0)), -row["made"]))
    if not found:
        return []
    lines = tuple(
        (
            str(Reason(row["reason"]).label),
            str(row["made"]),
            str(row["approved"]),
            f"{row['cost'] or Decimal(0):,.2f} {row['currency']}",
        )
        for row in found
    )
    heads = (_("Reason"), _("Claims"), _("Approved"), _("Paid"))
    return [ReportTable(_("Claims by reason"), heads, lines)]
