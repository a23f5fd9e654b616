"""Accounts, budgets, the balances they are checked against, holds and the ledger."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from furrow.core.models import TenantForeignKey
from furrow.metering.models.base import MoneyModel, amount_field


class Period(models.TextChoices):
    DAY = "day"
    MONTH = "month"
    EVER = "ever"


class Account(MoneyModel):
    """How a tenant pays. Its row is the gate every change of the tenant's money passes, one at a time."""

    changeable = ("is_prepaid", "currency")

    currency = models.CharField(max_length=3)
    is_prepaid = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="account_once")]

    def __str__(self) -> str:
        return f"account in {self.currency}"


class Budget(MoneyModel):
    """A limit the owner or the operator set. `scope_id` "*" means each one of the kind. `ceiling` is the
    operator's: `cap_hard` never lies above it.
    """

    changeable = (
        "cap_soft",
        "cap_hard",
        "thresholds",
        "steps",
        "is_active",
        "active_since",
        "ceiling",
    )

    class Kind(models.TextChoices):
        TENANT = "tenant"
        ASSISTANT = "assistant"
        KEY = "key"
        MEMBER = "member"
        VISITOR = "visitor"

    scope_kind = models.CharField(max_length=10, choices=Kind.choices)
    scope_id = models.CharField(max_length=64, blank=True)
    period = models.CharField(max_length=5, choices=Period.choices)
    currency = models.CharField(max_length=3)
    cap_soft = amount_field(null=True)
    cap_hard = amount_field(null=True)
    thresholds = ArrayField(models.PositiveSmallIntegerField())
    # Down which steps answers go while it runs low: see `degrade`.
    steps = models.JSONField(default=list, db_default=[])
    is_active = models.BooleanField(default=True)
    ceiling = amount_field(null=True)
    # From here on every balance under it exists before anything is posted to it.
    active_since = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scope_kind", "scope_id", "period", "currency"],
                name="budget_once",
            ),
            models.CheckConstraint(
                condition=models.Q(cap_soft__gte=0) | models.Q(cap_soft=None),
                name="budget_soft_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(cap_hard__gte=0) | models.Q(cap_hard=None),
                name="budget_hard_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(ceiling=None) | models.Q(cap_hard__lte=models.F("ceiling")),
                name="budget_under_its_ceiling",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope_kind}:{self.scope_id} per {self.period}"


class Balance(MoneyModel):
    """What a scope has spent in a period and what is held of it: a cache of ledger and holds, rebuildable.
    `cap_hard` of the scope "wallet" is the credit paid in, and `spent_at_top_up` what was spent when that was last
    done: its thresholds count from there.
    """

    changeable = (
        "posted",
        "held",
        "cap_soft",
        "cap_hard",
        "thresholds",
        "budget_id",
        "spent_at_top_up",
    )

    scope = models.CharField(max_length=80)
    period = models.CharField(max_length=5, choices=Period.choices)
    period_start = models.DateField()
    currency = models.CharField(max_length=3)
    posted = amount_field(default=0)
    held = amount_field(default=0)
    cap_soft = amount_field(null=True)
    cap_hard = amount_field(null=True)
    spent_at_top_up = amount_field(default=0, db_default=0)
    thresholds = ArrayField(models.PositiveSmallIntegerField(), default=list)
    budget = TenantForeignKey(Budget, models.PROTECT, null=True, related_name="balances")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scope", "period", "period_start", "currency"],
                name="balance_once",
            ),
            models.CheckConstraint(condition=models.Q(held__gte=0), name="balance_held"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} since {self.period_start}"


class BudgetNotice(MoneyModel):
    """A threshold was passed: once for each balance (that is for each period) and cap, so a higher one or more
    credit tells again. 100 is also noted when a call is refused with next to nothing left.
    """

    balance = TenantForeignKey(Balance, models.PROTECT, related_name="notices")
    percent = models.PositiveSmallIntegerField()
    posted = amount_field()
    # Null in rows of before it was kept.
    cap = amount_field(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "balance", "percent", "cap"], name="notice_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent}%"


class Hold(MoneyModel):
    """Money set aside before a model is called. Ends once: settled or voided.

    `prices` are those of `started_at`: {bucket: [price id, price for a million]}.
    """

    changeable = ("state", "expires_at", "closed_at")

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"
        VOIDED = "voided"

    request_id = models.CharField(max_length=100)
    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    model = models.CharField(max_length=160)
    scopes = ArrayField(models.CharField(max_length=80))
    balance_ids = ArrayField(models.UUIDField())
    attribution = models.JSONField(default=dict)
    currency = models.CharField(max_length=3)
    amount = amount_field()
    prices = models.JSONField()
    book_version = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # The request first: receipts name no tenant.
            models.UniqueConstraint(fields=["request_id", "tenant"], name="hold_once"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="hold_not_negative"),
            models.CheckConstraint(condition=~models.Q(request_id=""), name="hold_named"),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=models.Q(state="open"), name="hold_open_until"
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.request_id} ({self.state})"


class LedgerLine(MoneyModel):
    """Half of an entry. A trigger keeps debits and credits equal: each statement adds whole entries.
    `scopes` and `occurred_at` say which balances the line counts in.
    """

    class Account(models.TextChoices):
        WALLET = "wallet"
        RECEIVABLE = "receivable"
        REVENUE = "revenue"
        ADJUSTMENTS = "adjustments"
        ABSORBED = "absorbed"
        CASH = "cash"

    txn = models.UUIDField()
    account = models.CharField(max_length=12, choices=Account.choices)
    debit = amount_field(default=0)
    credit = amount_field(default=0)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=20)
    note = models.CharField(max_length=300, blank=True)
    event = TenantForeignKey(
        "metering.UsageEvent",
        models.PROTECT,
        null=True,
        related_name="ledger_lines",
        db_index=False,
    )
    scopes = ArrayField(models.CharField(max_length=80), default=list)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(debit__gte=0, credit__gte=0)
                & (models.Q(debit=0) | models.Q(credit=0)),
                name="ledger_one_side",
            ),
        ]
        indexes = [
            # What people enter, among the many lines that calls make.
            models.Index(
                fields=["tenant", "reason", "txn"],
                condition=~models.Q(reason="usage") & ~models.Q(reason="correction"),
                name="ledger_entered",
            ),
            models.Index(fields=["tenant", "occurred_at"], name="ledger_time"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.debit} / {self.credit}"
