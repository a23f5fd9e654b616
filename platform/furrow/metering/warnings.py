"""What an owner is warned of on the pages: credit or the limit of the business that runs low. Inside `tenant_tx`."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.db.models import Exists, OuterRef

from furrow.metering.attribution import WALLET
from furrow.metering.balances import Gate, account_read
from furrow.metering.credit import credit_share_told
from furrow.metering.models import Balance, BudgetNotice
from furrow.metering.money import ZERO, exact

TENANT = "tenant"


@dataclass(frozen=True)
class Warned:
    """`is_credit`: paid in advance; otherwise a limit of the whole business."""

    is_credit: bool
    is_used_up: bool
    left: Decimal
    currency: str


def money_warnings() -> list[Warned]:
    """The most serious of credit and of limits, each only while it is low; two queries."""
    account = account_read()
    rows = list(_running(account))
    credit = [_warned(row, credit_share_told(row)) for row in rows if row.scope == WALLET]
    if account.is_prepaid and not credit:
        # Nothing was ever paid in.
        credit = [Warned(True, True, ZERO, account.currency)]
    share = settings.LOW_CREDIT_PERCENT
    limits = [_warned(row, share) for row in rows if row.scope == TENANT]
    return [
        min(found, key=lambda each: (not each.is_used_up, each.left))
        for kind in (credit if account.is_prepaid else [], limits)
        if (found := [each for each in kind if each is not None])
    ]


def _running(account: Gate) -> list[Balance]:
    told = BudgetNotice.objects.filter(
        balance=OuterRef("pk"), percent=100, cap=OuterRef("cap_hard")
    )
    rows = Balance.objects.filter(
        scope__in=[TENANT, WALLET], currency=account.currency, cap_hard__isnull=False
    )
    return list(
        rows.annotate(is_refused=Exists(told)).extra(
            where=[
                "period_start = metering_period_start(metering_balance.period, statement_timestamp(), %s)"
            ],
            params=[settings.TIME_ZONE],
        )
    )


def _warned(row: Balance, share_percent: int) -> Warned | None:
    """What is set aside for calls that run now counts as left: most of it comes back."""
    left = max(row.cap_hard - row.posted, ZERO)
    is_used_up = left == 0 or getattr(row, "is_refused", False)
    if not is_used_up and left * 100 > (row.cap_hard - row.spent_at_top_up) * share_percent:
        return None
    return Warned(row.scope == WALLET, is_used_up, exact(left), row.currency)
