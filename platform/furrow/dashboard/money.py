"""Amounts as people read them. Exact amounts stay in `furrow.metering.money`."""

from decimal import ROUND_HALF_EVEN, Decimal

_SYMBOLS = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "TWD": "NT$",
    "JPY": "JP¥",
}
_SMALLEST = Decimal("0.000001")


def money_text(amount: Decimal, currency: str) -> str:
    """Two decimals from 1 on, two figures that say something below; never a long tail of digits."""
    symbol = _SYMBOLS.get(currency, f"{currency} ")
    sign = "−" if amount < 0 else ""
    size = abs(amount)
    if size and size < _SMALLEST:
        return f"{sign}<{symbol}{_SMALLEST:f}"
    return f"{sign}{symbol}{_figure(size)}"


def _figure(size: Decimal) -> str:
    if size >= 1 or size == 0:
        return f"{size.quantize(Decimal('0.01'), ROUND_HALF_EVEN):,f}"
    places = max(2, 1 - size.adjusted())
    shown = f"{size.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):f}"
    whole, _, part = shown.partition(".")
    return f"{whole}.{part.rstrip('0'):0<2}"


def unit_text(currency: str) -> str:
    return _SYMBOLS.get(currency, currency)
