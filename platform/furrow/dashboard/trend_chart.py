"""A line over time, drawn on the server: geometry here, shapes in `components/line_chart.html`."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 600, 140, 6


@dataclass(frozen=True)
class Point:
    """`value` lies between 0 and the chart's ceiling; `text` is the value in words; `url` may lead further."""

    label: str
    value: float
    text: str
    url: str = ""


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    title: str


@dataclass(frozen=True)
class LineChart:
    """In the units of the view box. `rows` are the points themselves, for the table that says the same."""

    dots: list[Dot]
    path: str
    width: int
    height: int
    top: str
    middle: str
    labels: list[str]
    rows: list[Point]
    summary: str


def line_chart(
    points: Sequence[Point], *, ceiling: float, top: str, middle: str, summary: str
) -> LineChart:
    """Oldest first. A single point is a dot in the middle."""
    dots = [_dot(at, len(points), point, ceiling) for at, point in enumerate(points)]
    path = "M" + " L".join(f"{dot.x} {dot.y}" for dot in dots) if len(dots) > 1 else ""
    ends = [points[0].label, points[-1].label] if len(points) > 1 else [p.label for p in points]
    return LineChart(
        dots=dots,
        path=path,
        width=WIDTH,
        height=HEIGHT,
        top=top,
        middle=middle,
        labels=ends,
        rows=list(points),
        summary=summary,
    )


def _dot(at: int, count: int, point: Point, ceiling: float) -> Dot:
    share = min(max(point.value / ceiling, 0.0), 1.0) if ceiling else 0.0
    x = MARGIN + (WIDTH - 2 * MARGIN) * (at / (count - 1) if count > 1 else 0.5)
    y = MARGIN + (HEIGHT - 2 * MARGIN) * (1 - share)
    return Dot(round(x, 1), round(y, 1), f"{point.label}: {point.text}")
