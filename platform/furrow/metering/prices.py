"""The price book: what holds now, changes to come, and what a change would have cost last month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from furrow.core.context import unscoped
from furrow.core.errors import Conflict, Invalid
from furrow.core.logs import get_logger
from furrow.metering.errors import PriceUnknown
from furrow.metering.models import PriceItem, PriceWindow
from furrow.metering.models.prices import ANY_MODEL
from furrow.metering.models.usage import BUCKETS
from furrow.metering.money import ZERO, exact, tokens_cost

CallKind = Literal["chat", "embedding", "rerank"]
_BOOK_LOCK = 7_402_118_001

log = get_logger(__name__)


@dataclass(frozen=True)
class Price:
    id: UUID
    per_million: Decimal


@dataclass(frozen=True)
class Prices:
    """What each bucket costs at `at`, by the database's clock."""

    at: datetime
    book_version: int
    buckets: Mapping[str, Price]

    def as_json(self) -> dict[str, list[str]]:
        return {name: [str(p.id), str(p.per_million)] for name, p in self.buckets.items()}


def prices_now(*, model: str, kind: CallKind, currency: str, at: datetime | None = None) -> Prices:
    """What a call costs at this moment (or `at`). Raises `PriceUnknown` unless every bucket has a price."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.at, p.* FROM (SELECT coalesce(%s, statement_timestamp()) AS at) AS m,"
            " LATERAL metering_prices(%s, %s, %s, m.at) AS p",
            [at, model, currency, kind],
        )
        rows = cursor.fetchall()
    if len(rows) < len(BUCKETS):
        raise PriceUnknown("This model has no price at the moment.", model=model, currency=currency)
    return Prices(
        at=rows[0][0],
        book_version=max(row[4] for row in rows),
        buckets={row[1]: Price(row[2], row[3]) for row in rows},
    )


def price_window_create(*, name: str, timezone: str, spans: list[tuple[str, str]]) -> PriceWindow:
    """Named hours of the day. They cannot be changed later: other hours get another name."""
    try:
        ZoneInfo(timezone)
        for begin, end in spans:
            time.fromisoformat(begin), time.fromisoformat(end)
    except (ValueError, KeyError, OSError):
        raise Invalid("Times are HH:MM in a known time zone.", field="spans") from None
    if not name.strip() or not spans:
        raise Invalid("A window has a name and at least one span.", field="name")
    if PriceWindow.objects.filter(name=name.strip()).exists():
        raise Conflict("A window of this name exists; choose another name for other hours.")
    return PriceWindow.objects.create(
        name=name.strip(), timezone=timezone, spans=[list(span) for span in spans]
    )


@transaction.atomic
def price_set(
    *,
    model: str,
    kind: str,
    per_million: Decimal,
    currency: str,
    window: str = "",
    starts_at: datetime | None = None,
) -> PriceItem:
    """A price from `starts_at` (or now) on; the one before ends there. For the operator only."""
    _check_price(kind, per_million, window)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s), statement_timestamp(),"
            " (SELECT coalesce(max(book_version), 0) FROM metering_priceitem)",
            [_BOOK_LOCK],
        )
        _, now, version = cursor.fetchone()
        begins = max(starts_at or now, now)
        if starts_at is not None and starts_at < now - timedelta(minutes=1):
            raise Invalid("A price cannot begin in the past.", field="starts_at")
        _close(model=model, kind=kind, currency=currency, window=window, ends=begins)
    item = PriceItem.objects.create(
        model=model,
        kind=kind,
        currency=currency,
        window=window,
        per_million=per_million,
        valid=DateTimeTZRange(begins, None),
        book_version=version + 1,
    )
    log.info("price_set", price=str(item.id), model=model, kind=kind, book_version=version + 1)
    return item


@transaction.atomic
def price_end(*, model: str, kind: str, currency: str, window: str = "") -> bool:
    """Ends a price now: a model without one is refused. Whether there was one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT transaction_timestamp()")
        ends = cursor.fetchone()[0]
    return _close(model=model, kind=kind, currency=currency, window=window, ends=ends)


def _close(*, model: str, kind: str, currency: str, window: str, ends: datetime) -> bool:
    item = PriceItem.objects.filter(
        model=model, kind=kind, currency=currency, window=window, valid__upper_inf=True
    ).first()
    if item is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT metering_price_close(%s, %s)", [item.id, ends])
        if not cursor.fetchone()[0]:
            raise Conflict("A later price was set already; choose a moment after it.")
    return True


def _check_price(kind: str, per_million: Decimal, window: str) -> None:
    if kind not in PriceItem.Kind.values:
        raise Invalid("This kind of price does not exist.", field="kind")
    scaled = per_million.as_tuple().exponent
    if not per_million.is_finite() or not 0 <= per_million < 10**9:
        raise Invalid("A price is a number from 0 on.", field="per_million")
    if isinstance(scaled, int) and scaled < -9:
        raise Invalid("A price has nine decimals at most.", field="per_million")
    if window and not PriceWindow.objects.filter(name=window).exists():
        raise Invalid("This window does not exist.", field="window")


@dataclass(frozen=True)
class Preview:
    """What was paid in a span, and what it would have been."""

    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return exact(self.after - self.before)


_USED = """
SELECT h.model, p.kind, p."window", p.per_million, p.model, sum(h.tokens)
  FROM metering_pricehour h JOIN metering_priceitem p ON p.id = h.price_id
 WHERE p.currency = %s AND h.hour >= %s AND h.hour < %s
 GROUP BY 1, 2, 3, 4, 5
"""


def price_preview(
    *,
    changes: Mapping[tuple[str, str, str], Decimal],
    currency: str,
    since: datetime,
    until: datetime,
) -> Preview:
    """What a change would have made of everybody's usage, from whole hours that begin in the span. `changes`
    maps (model, kind, window) to a price for a million; the model "*" stands for those without their own.
    """
    with unscoped("preview a price change over all tenants"), connection.cursor() as cursor:
        cursor.execute(_USED, [currency, since, until])
        rows = cursor.fetchall()
    before = after = ZERO
    for model, kind, window, old, priced_as, tokens in rows:
        new = changes.get((model, kind, window))
        if new is None and priced_as == ANY_MODEL:
            new = changes.get((ANY_MODEL, kind, window))
        before += tokens_cost(int(tokens), old)
        after += tokens_cost(int(tokens), old if new is None else new)
    return Preview(exact(before), exact(after))


def last_month(now: datetime) -> tuple[datetime, datetime]:
    """The thirty days before `now`."""
    return now.astimezone(UTC) - timedelta(days=30), now.astimezone(UTC)
