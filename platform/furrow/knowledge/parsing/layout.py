"""From placed pieces of text to lines and tables; used for PDF pages and recognised pictures.

Coordinates grow to the right and downwards. Pieces come in the order in which the page draws
them, which nearly every writer keeps close to reading order, columns included.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from furrow.knowledge.parsing.lines import join_lines
from furrow.knowledge.parsing.rulings import Grid


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text without a wide gap; `size` is the height of its letters' boxes."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    is_bold: bool = False

    @property
    def middle(self) -> float:
        return (self.y0 + self.y1) / 2


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of running text."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    is_bold: bool = False


@dataclass(frozen=True, slots=True)
class TableGrid:
    """A table's cells by row; `header_rows` is known only where the page tells."""

    rows: tuple[tuple[str, ...], ...]
    y0: float
    y1: float


Element = TextLine | TableGrid
Row = list[Segment]


def arrange(
    segments: Sequence[Segment], grids: Sequence[Grid] = (), rules: Sequence[float] = ()
) -> list[Element]:
    """Lines and tables in reading order.

    `grids` are the ruled tables of the page, `rules` the heights of its horizontal lines.
    """
    elements: list[Element] = []
    pending: list[Segment] = []
    boxed: dict[int, list[Segment]] = {}
    for segment in segments:
        index = _grid_of(segment, grids)
        if index is None:
            pending.append(segment)
            continue
        if index not in boxed:
            # The table takes its place where the first of its cells is drawn.
            elements.extend(_loose(pending, rules))
            pending = []
            boxed[index] = []
            elements.append(TableGrid((), float(index), -1.0))
        boxed[index].append(segment)
    elements.extend(_loose(pending, rules))
    return [_filled(element, grids, boxed) for element in elements]


def rows_of(segments: Sequence[Segment]) -> list[Row]:
    """Pieces on one base line, from left to right, in the order the lines were drawn."""
    rows: list[Row] = []
    for segment in segments:
        if rows and _same_line(rows[-1][-1], segment):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    if _is_scattered(rows):
        rows = sorted_rows(segments)
    return [sorted(row, key=lambda piece: piece.x0) for row in rows]


def sorted_rows(segments: Sequence[Segment]) -> list[Row]:
    """Rows from top to bottom by place alone; pieces of a row are not sorted."""
    rows: list[Row] = []
    for segment in sorted(segments, key=lambda piece: (piece.middle, piece.x0)):
        if rows and abs(rows[-1][0].middle - segment.middle) < 0.5 * segment.size:
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return rows


def by_columns(segments: Sequence[Segment]) -> list[Segment]:
    """Pieces that come in no order, as from recognition, put into reading order.

    A page of two text columns is told from a table by the length of its pieces.
    """
    gutter = _gutter(segments)
    if gutter is None:
        parts = [list(segments)]
    else:
        left = [piece for piece in segments if piece.x1 <= gutter]
        right = [piece for piece in segments if piece.x0 >= gutter]
        top = min(piece.y0 for piece in [*left, *right])
        across = [piece for piece in segments if piece.x0 < gutter < piece.x1]
        above = [piece for piece in across if piece.middle < top]
        parts = [above, left, right, [piece for piece in across if piece.middle >= top]]
    return [
        piece
        for part in parts
        for row in sorted_rows(part)
        for piece in sorted(row, key=lambda item: item.x0)
    ]


def _gutter(segments: Sequence[Segment]) -> float | None:
    """The empty strip between two columns of running text."""
    if len(segments) < 10:
        return None
    start, end = min(piece.x0 for piece in segments), max(piece.x1 for piece in segments)
    for step in range(40, 61, 2):
        x = start + (end - start) * step / 100
        left = [piece for piece in segments if piece.x1 <= x]
        right = [piece for piece in segments if piece.x0 >= x]
        if len(left) + len(right) < 0.9 * len(segments):
            continue
        if all(_is_column(side, (end - start) / 2) for side in (left, right)):
            return x
    return None


def _is_column(pieces: list[Segment], width: float) -> bool:
    return len(pieces) >= 5 and median(piece.x1 - piece.x0 for piece in pieces) > 0.7 * width


def _filled(element: Element, grids: Sequence[Grid], boxed: dict[int, list[Segment]]) -> Element:
    if not isinstance(element, TableGrid) or element.y1 >= 0:
        return element
    index = int(element.y0)
    grid = grids[index]
    cells: dict[tuple[int, int], str] = {}
    for row in sorted_rows(boxed[index]):
        for piece in sorted(row, key=lambda segment: segment.x0):
            place = grid.cell_at((piece.x0 + piece.x1) / 2, piece.middle)
            cells[place] = join_lines(cells.get(place, ""), piece.text)
    return TableGrid(tuple(grid.rows(cells)), grid.ys[0], grid.ys[-1])


def _grid_of(segment: Segment, grids: Sequence[Grid]) -> int | None:
    x = (segment.x0 + segment.x1) / 2
    for index, grid in enumerate(grids):
        if grid.xs[0] <= x <= grid.xs[-1] and grid.ys[0] <= segment.middle <= grid.ys[-1]:
            return index
    return None


def _same_line(first: Segment, second: Segment) -> bool:
    least = min(first.y1 - first.y0, second.y1 - second.y0)
    return abs(first.middle - second.middle) < 0.5 * max(least, 1.0) and second.x0 >= first.x0


def _is_scattered(rows: list[Row]) -> bool:
    """Whether the drawing order jumps up the page too often to be a reading order."""
    if len(rows) < 4:
        return any(a[0].middle > b[0].middle for a, b in zip(rows, rows[1:], strict=False))
    jumps = sum(a[0].y0 > b[0].y1 for a, b in zip(rows, rows[1:], strict=False))
    beside = sum(
        abs(a[0].middle - b[0].middle) < 0.4 * a[0].size
        for a, b in zip(rows, rows[1:], strict=False)
    )
    return jumps + beside > max(2, 0.15 * len(rows))


def _loose(segments: list[Segment], rules: Sequence[float]) -> list[Element]:
    """Unruled text: runs of rows whose pieces line up in columns become tables."""
    rows = rows_of(segments)
    elements: list[Element] = []
    index = 0
    while index < len(rows):
        end = _run_end(rows, index)
        table = _as_table(rows[index:end], rules) if end - index >= 2 else None
        if table is not None:
            elements.append(table)
            index = end
        else:
            elements.append(_as_line(rows[index]))
            index += 1
    return elements


def _run_end(rows: list[Row], start: int) -> int:
    """How far a table that begins here may reach: one short row may be a wrapped cell."""
    if len(rows[start]) < 2:
        return start
    end, last = start + 1, start
    while end < len(rows) and rows[end][0].middle > rows[end - 1][0].middle:
        gap = rows[end][0].y0 - rows[end - 1][0].y1
        if gap > 2.5 * rows[start][0].size or not _same_size(rows[start][0], rows[end][0]):
            break
        if len(rows[end]) >= 2:
            last = end
        elif end - last > 1 or not _inside_columns(rows[end][0], rows[last]):
            break
        end += 1
    return last + 1


def _same_size(first: Segment, second: Segment) -> bool:
    return abs(first.size - second.size) <= 0.3 * max(first.size, second.size)


def _inside_columns(segment: Segment, row: Row) -> bool:
    """A wrapped line stands under one of the cells, not under the first one alone or across."""
    under = [piece for piece in row if segment.x0 < piece.x1 and segment.x1 > piece.x0]
    return len(under) == 1 and under[0] is not row[0]


def _as_table(rows: list[Row], rules: Sequence[float]) -> TableGrid | None:
    most = max(len(row) for row in rows)
    columns = _columns([row for row in rows if len(row) == most])
    if len(columns) < 2 or (most == 2 and len(rows) < 3) or _overlap_each_other(columns):
        return None
    placed = [_place(row, columns) for row in rows]
    clean = sum(len(cells) == len(row) for cells, row in zip(placed, rows, strict=True))
    if clean < 0.7 * len(rows) or _looks_like_prose(rows):
        return None
    merged = _merge_wrapped(rows, placed, rules)
    grid = tuple(tuple(cells.get(column, "") for column in range(len(columns))) for cells in merged)
    return TableGrid(grid, rows[0][0].y0, rows[-1][0].y1) if len(grid) >= 2 else None


def _columns(full: list[Row]) -> list[tuple[float, float]]:
    """Each column's left and right border, from the rows that have all cells."""
    return [
        (min(piece.x0 for piece in cells), max(piece.x1 for piece in cells))
        for cells in zip(*full, strict=True)
    ]


def _overlap_each_other(columns: list[tuple[float, float]]) -> bool:
    return any(a[1] > b[0] for a, b in zip(columns, columns[1:], strict=False))


def _place(row: Row, columns: list[tuple[float, float]]) -> dict[int, str]:
    cells: dict[int, str] = {}
    for piece in row:
        column = max(range(len(columns)), key=lambda index: _overlap(piece, columns[index]))
        cells[column] = join_lines(cells.get(column, ""), piece.text)
    return cells


def _overlap(piece: Segment, column: tuple[float, float]) -> float:
    """Shared width; for pieces beside a column, minus the distance."""
    return min(piece.x1, column[1]) - max(piece.x0, column[0])


def _looks_like_prose(rows: list[Row]) -> bool:
    """Two columns of running text also line up, but their pieces are long and unlike cells."""
    lengths = [len(piece.text) for row in rows for piece in row]
    widest = max(len(row) for row in rows)
    return widest == 2 and len(rows) >= 4 and median(lengths) > 28


def _merge_wrapped(
    rows: list[Row], placed: list[dict[int, str]], rules: Sequence[float]
) -> list[dict[int, str]]:
    merged: list[dict[int, str]] = []
    gaps = [b[0].middle - a[0].middle for a, b in zip(rows, rows[1:], strict=False)]
    usual = median(gaps) if gaps else 0.0
    inner = [rule for rule in rules if rows[0][0].y0 < rule < rows[-1][0].y1]
    has_rules = len(inner) >= max(2, (len(rows) - 1) // 2)
    for index, cells in enumerate(placed):
        gap = gaps[index - 1] if index else 0.0
        if has_rules:
            is_same = index > 0 and not any(
                rows[index - 1][0].middle < rule < rows[index][0].middle for rule in inner
            )
        else:
            is_same = index > 0 and 0 not in cells and gap < 0.8 * usual
        if is_same:
            for column, text in cells.items():
                merged[-1][column] = join_lines(merged[-1].get(column, ""), text)
        else:
            merged.append(dict(cells))
    return merged


def _as_line(row: Row) -> TextLine:
    text = row[0].text
    for piece in row[1:]:
        text = f"{text} {piece.text}"
    # A row of dots leads from a title to its page number in a table of contents.
    text = re.sub(r"[.．·…\s]{6,}", " … ", text).strip()
    first = row[0]
    return TextLine(
        text,
        min(piece.x0 for piece in row),
        min(piece.y0 for piece in row),
        max(piece.x1 for piece in row),
        max(piece.y1 for piece in row),
        max(piece.size for piece in row),
        first.is_bold,
    )
