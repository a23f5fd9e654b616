"""Exact amounts. Money is `Decimal` with twelve decimals here and NUMERIC(28, 12) in the database, never binary."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

DEFAULT_CURRENCY = "CNY"
ZERO = Decimal(0)
UNIT = Decimal("0.000000000001")
CENT = Decimal("0.01")
_MILLION = Decimal(1_000_000)
# The widest product there is: 19 digits of tokens by 18 of price.
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)


def exact(amount: Decimal) -> Decimal:
    """The amount at twelve decimals."""
    return amount.quantize(UNIT, context=_WIDE)


def cents(amount: Decimal) -> Decimal:
    """Rounded half-even to what can be paid; used once, on an invoice."""
    return amount.quantize(CENT, context=_WIDE)


def tokens_cost(tokens: int, per_million: Decimal) -> Decimal:
    """What `tokens` cost at a price for a million of them."""
    return exact(_WIDE.divide(_WIDE.multiply(Decimal(tokens), per_million), _MILLION))


def amount_text(amount: Decimal) -> str:
    """For JSON and CSV: all decimals that matter, never an exponent, at least two."""
    text = f"{exact(amount):f}".rstrip("0")
    whole, _, part = text.partition(".")
    shown = f"{whole}.{part:0<2}"
    return shown.removeprefix("-") if exact(amount) == 0 else shown
