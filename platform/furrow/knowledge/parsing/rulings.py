"""Tables by their drawn lines."""

from collections.abc import Sequence
from dataclasses import dataclass

# Lines nearer than this are one line; borders are drawn with a little overlap or gap.
_NEAR = 3.0
_MIN_LENGTH = 8.0
_MAX_RULES = 3_000
_MAX_CELLS = 20_000


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
