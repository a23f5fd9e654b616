"""The words of a claim rule and of a claim, as values without a database."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from furrow.core.errors import Invalid

FORMULAS = (
    "weight_share",
    "count_share",
    "weight_or_count",
    "short_weight",
    "percent",
    "full",
    "sugar",
    "none",
)
REMEDIES = ("refund", "refund_or_resend", "resend_or_refund")
APPROVERS = ("staff", "owner")
EVIDENCE = ("label", "box", "goods", "cut", "ice", "scale")
# What takes a claim out of the rule, as staff tick it after a look at the case.
EXCLUSIONS = (
    "forwarded", "stored_badly", "natural_trait", "own_risk", "edited_photo", "gift", "clearance",
    "no_reason_refusal", "refrozen", "within_season_pause",
)  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """One rule. Shares are of 1 (`Decimal("0.03")` is 3 %), hours count from delivery.

    - `window_hours`: None is no limit. With `pickup_max_hours` the window of a parcel that waited unannounced at a
      pick-up point begins when it was collected, and ends at the latest so many hours after delivery.
    - `full_from`: from this share on everything is paid back, with the freight.
    - `tolerance` and `tolerance_kg`: what is normal. At or below it nothing is due; above it the whole shortfall, or
      with `is_excess_only` what exceeds it.
    - `cap_share` and `cap_amount` bound the offer; `approve_above` is the highest offer that needs nobody's yes.
    """

    formula: str
    window_hours: int | None = None
    pickup_max_hours: int | None = None
    evidence: tuple[str, ...] = ()
    full_from: Decimal | None = None
    is_freight_paid: bool = False
    tolerance: Decimal | None = None
    tolerance_kg: Decimal | None = None
    is_excess_only: bool = False
    percent: Decimal | None = None
    sugar_from: Decimal | None = None
    sugar_step: Decimal | None = None
    late_days: int | None = None
    cap_share: Decimal | None = None
    cap_amount: Decimal | None = None
    exclusions: tuple[str, ...] = ()
    remedy: str = "refund"
    approve_above: Decimal | None = None
    approver: str = "staff"

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> "Terms":
        """Raises `Invalid` that names the field: a misspelt rule must not pay."""
        unknown = set(data) - {each.name for each in fields(cls)}
        if unknown:
            raise Invalid("This rule has a field that does not exist.", field=sorted(unknown)[0])
        values = {name: _value(name, value) for name, value in data.items()}
        if values.get("formula") not in FORMULAS:
            raise Invalid("This rule names no known formula.", field="formula")
        terms = cls(**values)
        _check(terms)
        return terms

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            # By identity: a limit of 0 equals False and means that everything needs a yes.
            if value is not None and value is not False and value != ():
                shown[each.name] = (
                    str(value)
                    if isinstance(value, Decimal)
                    else list(value)
                    if isinstance(value, tuple)
                    else value
                )
        return shown


_DECIMALS = {
    "full_from", "tolerance", "tolerance_kg", "percent", "sugar_from", "sugar_step", "cap_share", "cap_amount",
    "approve_above",
}  # fmt: skip
_LISTS = {"evidence": EVIDENCE, "exclusions": EXCLUSIONS}
_NEEDS = {"percent": ("percent",), "sugar": ("sugar_from", "sugar_step", "percent")}


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _DECIMALS:
        return decimal_of(value, field=name)
    if name in _LISTS:
        if not isinstance(value, list | tuple) or set(value) - set(_LISTS[name]):
            raise Invalid("This list holds a word that does not exist.", field=name)
        return tuple(value)
    if name in {"window_hours", "pickup_max_hours", "late_days"} and (
        not isinstance(value, int) or isinstance(value, bool) or value < 0
    ):
        raise Invalid("Hours and days are whole numbers.", field=name)
    return value


def _check(terms: Terms) -> None:
    for name in _NEEDS.get(terms.formula, ()):
        if getattr(terms, name) is None:
            raise Invalid("This formula needs one more figure.", field=name)
    for name in ("full_from", "tolerance", "percent", "cap_share"):
        share = getattr(terms, name)
        if share is not None and not 0 <= share <= 1:
            raise Invalid("A share lies between 0 and 1.", field=name)
    if terms.remedy not in REMEDIES or terms.approver not in APPROVERS:
        raise Invalid("This word does not exist here.", field="remedy")


def decimal_of(value: Any, *, field: str) -> Decimal:
    """Exact: text, a whole number or a Decimal; a float is refused, it has been rounded already."""
    if isinstance(value, float) or isinstance(value, bool):
        raise Invalid("Amounts are text such as 12.50.", field=field)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Invalid("Amounts are text such as 12.50.", field=field) from None
    if not number.is_finite() or number < 0:
        raise Invalid("Amounts are text such as 12.50.", field=field)
    return number


@dataclass(frozen=True)
class Facts:
    """What is known of a case. None is unknown: the engine asks for it, it never guesses."""

    reason: str
    reported_at: datetime
    category: str = ""
    delivered_at: datetime | None = None
    picked_up_at: datetime | None = None
    is_pickup_announced: bool = True
    paid: Decimal | None = None
    freight: Decimal = Decimal(0)
    already_refunded: Decimal = Decimal(0)
    net_kg: Decimal | None = None
    bad_kg: Decimal | None = None
    received_kg: Decimal | None = None
    bad_count: int | None = None
    total_count: int | None = None
    sugar: Decimal | None = None
    days_late: int | None = None
    photos: frozenset[str] = frozenset()
    exclusions: frozenset[str] = frozenset()
    is_photo_doubtful: bool = False


@dataclass(frozen=True)
class Rule:
    """A rule with its names; `id` is the row's, for the record."""

    id: str
    name_zh: str
    name_en: str
    reason: str
    terms: Terms
    categories: tuple[str, ...] = ()
    position: int = 100


@dataclass(frozen=True)
class Step:
    """One line of the reckoning: a code and the figures that `explain` puts into words."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """`kind`: `offer`, `denied`, `needs` (something is missing) or `no_rule`. `approver` is empty when the offer is
    small enough to go out by itself.
    """

    kind: str
    steps: tuple[Step, ...]
    rule: Rule | None = None
    goods: Decimal = Decimal(0)
    freight: Decimal = Decimal(0)
    missing: tuple[str, ...] = ()
    approver: str = ""

    @property
    def total(self) -> Decimal:
        return self.goods + self.freight
