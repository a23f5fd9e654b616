"""Tables by their drawn lines."""

from collections.abc import Sequence
from dataclasses import dataclass

# Lines nearer than this are one line; borders are drawn with a little overlap or gap.
_NEAR = 3.0
_MIN_LENGTH = 8.0
_MAX_RULES = 3_000
_MAX_CELLS = 20_000

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line along one axis: at `at`, from `start` to `end`."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Borders of a ruled table and which of its inner borders are drawn."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    horizontal: tuple[Rule, ...]
    vertical: tuple[Rule, ...]

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        return _band(self.ys, y), _band(self.xs, x)

    def rows(self, cells: dict[tuple[int, int], str]) -> list[tuple[str, ...]]:
        """Every row of cells; a cell that spans several repeats its text in each of them."""
        height, width = len(self.ys) - 1, len(self.xs) - 1
        owner = self._owners(height, width)
        texts: dict[tuple[int, int], str] = {}
        for place in sorted(cells):
            key = owner[place]
            texts[key] = f"{texts[key]} {cells[place]}" if key in texts else cells[place]
        return [
            tuple(texts.get(owner[row, column], "") for column in range(width))
            for row in range(height)
        ]

    def _owners(self, height: int, width: int) -> dict[tuple[int, int], tuple[int, int]]:
        owner: dict[tuple[int, int], tuple[int, int]] = {}
        for row in range(height):
            for column in range(width):
                if column and not self._has_left_border(row, column):
                    owner[row, column] = owner[row, column - 1]
                elif row and not self._has_top_border(row, column):
                    owner[row, column] = owner[row - 1, column]
                else:
                    owner[row, column] = (row, column)
        return owner

    def _has_left_border(self, row: int, column: int) -> bool:
        middle = (self.ys[row] + self.ys[row + 1]) / 2
        return _is_drawn(self.vertical, self.xs[column], middle)

    def _has_top_border(self, row: int, column: int) -> bool:
        middle = (self.xs[column] + self.xs[column + 1]) / 2
        return _is_drawn(self.horizontal, self.ys[row], middle)


def find_grids(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> list[Grid]:
    """Groups of crossing lines that enclose at least two cells."""
    horizontal = _merged([rule for rule in horizontal if rule.end - rule.start >= _MIN_LENGTH])
    vertical = _merged([rule for rule in vertical if rule.end - rule.start >= _MIN_LENGTH])
    if len(horizontal) * len(vertical) > _MAX_RULES * 100:
        return []
    grids = []
    for rows, columns in _groups(horizontal, vertical):
        ys, xs = _distinct(rows), _distinct(columns)
        cells = (len(ys) - 1) * (len(xs) - 1)
        # Two rows at least: a single framed box is a note, and its text is better read as text.
        if len(ys) >= 3 and len(xs) >= 3 and cells <= _MAX_CELLS:
            grids.append(Grid(xs, ys, tuple(rows), tuple(columns)))
    return sorted(grids, key=lambda grid: grid.ys[0])


def find_open_grids(horizontal: Sequence[Rule], boxes: Sequence[Box]) -> list[Grid]:
    """Tables with lines between their rows only; `boxes` are the places of the page's text.

    A band between two lines is a row if some column has but one line of text in it: tables with
    a line under the head and one at the end are left to be recognised by their alignment.
    """
    grids = []
    stacks: dict[tuple[int, int], list[Rule]] = {}
    for rule in _merged([rule for rule in horizontal if rule.end - rule.start >= _MIN_LENGTH]):
        key = (round(rule.start / (2 * _NEAR)), round(rule.end / (2 * _NEAR)))
        stacks.setdefault(key, []).append(rule)
    for rules in stacks.values():
        ys = _distinct(rules)
        if len(ys) >= 3:
            grid = _open_grid(rules, ys, boxes)
            if grid is not None:
                grids.append(grid)
    return sorted(grids, key=lambda grid: grid.ys[0])


def _open_grid(rules: list[Rule], ys: tuple[float, ...], boxes: Sequence[Box]) -> Grid | None:
    start, end = rules[0].start - _NEAR, rules[0].end + _NEAR
    inside = [box for box in boxes if box[0] >= start and box[2] <= end]
    top = _head_above(ys, inside)
    ys = ys if top is None else (top, *ys)
    within = [box for box in inside if ys[0] < (box[1] + box[3]) / 2 < ys[-1]]
    columns = _column_spans(within)
    if len(columns) < 2:
        return None
    for low, high in zip(ys, ys[1:], strict=False):
        band = [box for box in within if low < (box[1] + box[3]) / 2 < high]
        counts = [sum(left <= box[0] <= right for box in band) for left, right in columns]
        if not any(count == 1 for count in counts):
            return None
    borders = [start, *((a[1] + b[0]) / 2 for a, b in zip(columns, columns[1:], strict=False)), end]
    vertical = tuple(Rule(x, ys[0], ys[-1]) for x in borders)
    drawn = tuple(Rule(y, start, end) for y in ys)
    return Grid(tuple(borders), ys, drawn, vertical)


def _head_above(ys: tuple[float, ...], boxes: Sequence[Box]) -> float | None:
    """The top of a row that stands on the first line, when it has several cells."""
    height = min(b - a for a, b in zip(ys, ys[1:], strict=False))
    near = [box for box in boxes if ys[0] - 1.2 * height < (box[1] + box[3]) / 2 < ys[0]]
    if len(near) < 2:
        return None
    lowest = max(box[3] for box in near)
    row = [box for box in near if box[3] > lowest - 0.5 * (box[3] - box[1])]
    return min(box[1] for box in row) - 1 if len(row) >= 2 else None


def _column_spans(boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """Stretches of the page's width that hold text, parted by empty strips."""
    spans: list[tuple[float, float]] = []
    for left, _, right, _ in sorted(boxes):
        if spans and left <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], right))
        else:
            spans.append((left, right))
    return spans


def _merged(rules: list[Rule]) -> list[Rule]:
    """Pieces of one line, as cell borders are drawn, become one rule."""
    merged: list[Rule] = []
    for rule in sorted(rules, key=lambda item: (round(item.at / _NEAR), item.start))[:_MAX_RULES]:
        last = merged[-1] if merged else None
        if last and abs(last.at - rule.at) <= _NEAR and rule.start <= last.end + _NEAR:
            merged[-1] = Rule(last.at, last.start, max(last.end, rule.end))
        else:
            merged.append(rule)
    return merged


def _groups(horizontal: list[Rule], vertical: list[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    parent = list(range(len(horizontal) + len(vertical)))

    def find(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for i, row in enumerate(horizontal):
        for j, column in enumerate(vertical):
            if _cross(row, column):
                parent[find(len(horizontal) + j)] = find(i)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, row in enumerate(horizontal):
        groups.setdefault(find(i), ([], []))[0].append(row)
    for j, column in enumerate(vertical):
        groups.setdefault(find(len(horizontal) + j), ([], []))[1].append(column)
    return [group for group in groups.values() if group[0] and group[1]]


def _cross(row: Rule, column: Rule) -> bool:
    return (
        row.start - _NEAR <= column.at <= row.end + _NEAR
        and column.start - _NEAR <= row.at <= column.end + _NEAR
    )


def _distinct(rules: list[Rule]) -> tuple[float, ...]:
    places: list[float] = []
    for at in sorted(rule.at for rule in rules):
        if not places or at - places[-1] > _NEAR:
            places.append(at)
    return tuple(places)


def _is_drawn(rules: Sequence[Rule], at: float, across: float) -> bool:
    return any(abs(rule.at - at) <= _NEAR and rule.start <= across <= rule.end for rule in rules)


def _band(places: tuple[float, ...], value: float) -> int:
    last = len(places) - 2
    return next((index for index in range(last) if value < places[index + 1]), last)
