"""Prepaid credit and adjustments. Inside `tenant_tx`; each is an entry, and undone only by another."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Sum

from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.metering.attribution import WALLET
from furrow.metering.balances import Gate, account_read, gate_pass
from furrow.metering.models import Account, Balance, Budget, Hold, LedgerLine, PriceItem
from furrow.metering.models.ledger import Period
from furrow.metering.money import ZERO, exact
from furrow.metering.posting import Entry, entry_post
from furrow.metering.selectors import day_span
from furrow.tenants.services import Actor, audit

Book = LedgerLine.Account
_EVER = date(1970, 1, 1)
# Who is told of more hears of it at once after paying.
MOST_TOLD = 90


@dataclass(frozen=True)
class Credit:
    """Of a tenant that pays in advance. What is held for calls that run now is not left."""

    currency: str
    paid_in: Decimal
    left: Decimal


def credit_read() -> Credit | None:
    """None for a tenant that pays afterwards."""
    account = account_read()
    if not account.is_prepaid:
        return None
    wallet = Balance.objects.filter(scope=WALLET, currency=account.currency).first()
    if wallet is None:
        return Credit(account.currency, ZERO, ZERO)
    left = max(wallet.cap_hard - wallet.posted - wallet.held, ZERO)
    return Credit(account.currency, wallet.cap_hard, exact(left))


def adjusted_this_month(today: date) -> Decimal:
    """What was added by hand (taken off below 0) and counts in the tenant's limits of the month."""
    lines = LedgerLine.objects.filter(
        reason__in=("adjustment", "reversal"),
        account__in=(Book.WALLET, Book.RECEIVABLE),
        currency=account_read().currency,
        scopes__contains=["tenant"],
        occurred_at__gte=day_span(today.replace(day=1), today)[0],
    )
    total: Decimal | None = lines.aggregate(total=Sum("debit") - Sum("credit"))["total"]
    return total or ZERO


def prepaid_set(*, actor: Actor, is_prepaid: bool) -> None:
    """Whether the tenant pays before or after. Calls already begun are paid as they began."""
    gate = gate_pass()
    _wallet(gate)
    Account.objects.filter(tenant_id=gate.tenant_id).update(is_prepaid=is_prepaid)
    audit(actor, "metering.prepaid_set", object_type="account", is_prepaid=is_prepaid)


def low_credit_set(*, actor: Actor, percent: int) -> None:
    """From which share of the credit that stood there after the last payment its owner is told; 0: only when it
    is used up. The operator's.
    """
    if not 0 <= percent <= MOST_TOLD:
        raise Invalid("Name a share from 0 to 90 percent.", field="percent")
    wallet = _wallet(gate_pass())
    wallet.thresholds = _levels(percent)
    wallet.save(update_fields=["thresholds"])
    audit(actor, "metering.low_credit_set", object_type="account", percent=percent)


def credit_share_told(wallet: Balance) -> int:
    """At how much that is left, in percent, the owner of a wallet is told."""
    return 100 - min(wallet.thresholds, default=100)


def currency_set(*, actor: Actor, currency: str) -> None:
    """What the tenant pays in, as long as nothing was booked and no limit set: amounts are never converted."""
    gate = gate_pass()
    if currency == gate.currency:
        return
    if len(currency) != 3 or not (currency.isascii() and currency.isupper()):
        raise Invalid("A currency has three letters.", field="currency")
    if LedgerLine.objects.exists() or Hold.objects.exists():
        raise Conflict("Amounts were booked in the present currency already; it stays.")
    if Budget.objects.filter(is_active=True).exists():
        raise Conflict("Lift the limits of this business first; they are in the present currency.")
    if not PriceItem.objects.filter(currency=currency, valid__upper_inf=True).exists():
        raise Invalid("No price is in this currency; set the prices first.", field="currency")
    Account.objects.filter(tenant_id=gate.tenant_id).update(currency=currency)
    audit(actor, "metering.currency_set", object_type="account", currency=currency)


def credit_add(*, actor: Actor, amount: Decimal, reference: str) -> UUID:
    """Tops up the wallet; the entry's id. `reference` is the payment's and pays in once: a repetition
    returns the first entry.
    """
    amount = _checked(amount, reference)
    if amount < 0:
        raise Invalid("Credit is more than 0.", field="amount")
    gate = gate_pass()
    known = LedgerLine.objects.filter(reason="top_up", note=reference, account=Book.WALLET).first()
    if known is not None:
        if known.credit != amount:
            raise Conflict("This payment was entered with another amount.", code="credit_mismatch")
        return UUID(str(known.txn))
    # Counted in no budget: it is not spending.
    entry = Entry("top_up", [], _now(), note=reference)
    txn = entry_post(gate, entry, [(Book.CASH, amount), (Book.WALLET, -amount)])
    _cap_raise(gate, amount)
    audit(actor, "metering.credit_added", object_type="ledger", object_id=txn, amount=str(amount))
    return txn


def adjustment_post(*, actor: Actor, amount: Decimal, note: str) -> UUID:
    """Changes what the tenant owes: above 0 adds, below 0 is a credit. The entry's id."""
    amount = _checked(amount, note)
    gate = gate_pass()
    entry = Entry("adjustment", ["tenant"], _now(), note=note)
    txn = entry_post(gate, entry, [(Book.RECEIVABLE, amount), (Book.ADJUSTMENTS, -amount)])
    audit(actor, "metering.adjusted", object_type="ledger", object_id=txn, amount=str(amount))
    return txn


def entry_reverse(*, actor: Actor, txn: UUID, note: str) -> UUID:
    """Books the opposite of a top-up or adjustment, once. Usage is corrected with `settlement.correct`."""
    gate = gate_pass()
    lines = list(LedgerLine.objects.filter(txn=txn, reason__in=("top_up", "adjustment")))
    if not lines:
        raise NotFound("There is no such top-up or adjustment.")
    mark = f"reverses {txn}"
    if LedgerLine.objects.filter(reason="reversal", note__startswith=mark).exists():
        raise Conflict("This entry was reversed already.", code="already_reversed")
    entry = Entry("reversal", lines[0].scopes, lines[0].occurred_at, note=f"{mark}: {note}"[:300])
    reversal = entry_post(gate, entry, [(ln.account, ln.credit - ln.debit) for ln in lines])
    _cap_raise(gate, sum((ln.debit - ln.credit for ln in lines if ln.account == Book.WALLET), ZERO))
    audit(actor, "metering.reversed", object_type="ledger", object_id=reversal, reversed=str(txn))
    return reversal


def _cap_raise(gate: Gate, amount: Decimal) -> None:
    wallet = _wallet(gate)
    wallet.cap_hard = exact(wallet.cap_hard + amount)
    if amount > 0:
        wallet.spent_at_top_up = wallet.posted
    wallet.save(update_fields=["cap_hard", "spent_at_top_up"])


def _wallet(gate: Gate) -> Balance:
    wallet, _ = Balance.objects.get_or_create(
        scope=WALLET,
        period=Period.EVER,
        period_start=_EVER,
        currency=gate.currency,
        defaults={"cap_hard": ZERO, "thresholds": _levels(settings.LOW_CREDIT_PERCENT)},
    )
    return wallet  # type: ignore[no-any-return]


def _levels(percent_left: int) -> list[int]:
    return sorted({100 - min(percent_left, MOST_TOLD), 100})


def _checked(amount: Decimal, text: str) -> Decimal:
    if not amount.is_finite() or amount == 0 or abs(amount) >= 10**12 or exact(amount) != amount:
        raise Invalid("This is not an amount.", field="amount")
    if not text.strip() or len(text) > 200:
        raise Invalid("Say what it is for, in 200 characters at most.", field="note")
    return exact(amount)


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
