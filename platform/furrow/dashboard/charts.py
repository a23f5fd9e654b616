"""Bar charts drawn on the server: geometry here, shapes in `components/bar_chart.html`."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from furrow.dashboard.money import money_text

HEIGHT, SLOT = 120, 20
_FILLED = Decimal("0.72")


@dataclass(frozen=True)
class Bar:
    """In the units of the chart's view box. `title` is what pointing at it says."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    width: int
    height: int
    top: str
    middle: str
    half: float
    labels: list[str]
    summary: str


def bar_chart(points: Sequence[tuple[str, Decimal]], *, currency: str, summary: str) -> Chart:
    """One bar a point, on a scale that begins at 0 and ends at a round amount. Labels stand below a few."""
    ceiling = _round_up(max((value for _, value in points), default=Decimal(0)))
    width = SLOT * max(len(points), 1)
    bars = [
        _bar(number, label, value, ceiling, currency)
        for number, (label, value) in enumerate(points)
    ]
    return Chart(
        bars=bars,
        width=width,
        height=HEIGHT,
        top=money_text(ceiling, currency),
        middle=money_text(ceiling / 2, currency),
        half=HEIGHT / 2,
        labels=_labels([label for label, _ in points]),
        summary=summary,
    )


def _bar(number: int, label: str, value: Decimal, ceiling: Decimal, currency: str) -> Bar:
    size = max(value, Decimal(0)) / ceiling * HEIGHT
    # Something that was spent must be seen.
    height = max(float(size), 1.5) if value > 0 else 0.0
    width = float(SLOT * _FILLED)
    return Bar(
        x=round(number * SLOT + (SLOT - width) / 2, 2),
        y=round(HEIGHT - height, 2),
        width=round(width, 2),
        height=round(height, 2),
        title=f"{label}: {money_text(value, currency)}",
    )


def _round_up(value: Decimal) -> Decimal:
    """The next of 1, 2, 2.5, 5 or 10 times a power of ten."""
    if value <= 0:
        return Decimal(1)
    unit = Decimal(1).scaleb(value.adjusted())
    return next(
        unit * step for step in map(Decimal, ("1", "2", "2.5", "5", "10")) if unit * step >= value
    )


def _labels(labels: list[str]) -> list[str]:
    """First, last and up to three between, evenly apart."""
    if len(labels) <= 5:
        return labels
    last = len(labels) - 1
    return [labels[round(last * part / 4)] for part in range(5)]
