"""Rows of a table that do not fit their table: names repeated, cells missing, values of another kind."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from furrow.knowledge.cleaning.flag import Flag
from furrow.knowledge.parsing.document import Block

_LEAST_ROWS = 4
_USUAL = 0.75
_SHAPES = (
    ("price", re.compile(r"^[¥￥$€£]?\s*\d[\d,]*(?:\.\d+)?\s*(?:元|块|yuan|rmb|usd)?(?:\s*[/／]\s*\w{1,6})?$", re.IGNORECASE)),
    ("date", re.compile(r"^\d{4}\s?[-/.年]\s?\d{1,2}(?:\s?[-/.月]\s?\d{1,2}\s?日?)?$")),
    ("percent", re.compile(r"^\d+(?:\.\d+)?\s*[%％]$")),
    ("measure", re.compile(r"^\d+(?:\.\d+)?\s*(?:kg|g|斤|克|公斤|箱|件|个|天|cm|mm|ml|l|m|小时|days?|pcs)$", re.IGNORECASE)),
    ("phone", re.compile(r"^\+?\d[\d\- ]{6,16}$")),
    ("code", re.compile(r"^[A-Za-z]{1,5}[-/]?\d[\w\-/]*$")),
)  # fmt: skip
# What an honest list says where there is no value.
_NO_VALUE = re.compile(
    r"^(?:[-–—/]+|无|暂无|缺货|面议|待定|免费|包邮|不限|同上|售罄|n/?a|none|free|tbd|sold out|on request)$",
    re.IGNORECASE,
)


def table_flags(blocks: Sequence[Block]) -> Iterator[Flag]:
    tables: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        if block.kind == "table_row" and block.table is not None:
            tables[block.table.table].append(block)
    for rows in tables.values():
        names = rows[0].table.header if rows[0].table else ()
        cells = [cells_of(row) for row in rows]
        repeated = [_repeats_names(row, cell, names) for row, cell in zip(rows, cells, strict=True)]
        for row, is_repeated in zip(rows, repeated, strict=True):
            if is_repeated:
                yield Flag(row.start, row.end, "repeated_header", "column names repeated as a row")
        whole = [(r, c) for r, c, twice in zip(rows, cells, repeated, strict=True) if not twice]
        yield from _truncated(whole, names)
        yield from _odd_values(whole, names)


def cells_of(row: Block) -> dict[str, str]:
    """Values by column name, as the parser wrote them into the row; nameless cells by their place."""
    names = set(filter(None, row.table.header if row.table else ()))
    cells: dict[str, str] = {}
    for place, part in enumerate(row.text.split(" | ")):
        name, mark, value = part.partition(": ")
        if mark and name in names:
            cells[name] = value.strip()
        else:
            cells[part.strip() if part.strip() in names else f"#{place}"] = part.strip()
    return cells


def shape_of(value: str) -> str:
    return next((name for name, pattern in _SHAPES if pattern.match(value.strip())), "text")


def _repeats_names(row: Block, cells: dict[str, str], names: Sequence[str]) -> bool:
    known = {name.strip() for name in names if name}
    values = [value for value in cells.values() if value]
    return len(values) >= 2 and len(known) >= 2 and all(value in known for value in values)


def _truncated(
    rows: Sequence[tuple[Block, dict[str, str]]], names: Sequence[str]
) -> Iterator[Flag]:
    """A row without the last cells that nearly every other row has."""
    wanted = [name for name in names if name]
    if len(rows) < _LEAST_ROWS or len(wanted) < 3:
        return
    filled = Counter(name for _, cells in rows for name in wanted if cells.get(name))
    usual = [name for name in wanted if filled[name] >= _USUAL * len(rows)]
    for row, cells in rows:
        missing = [name for name in usual if not cells.get(name)]
        tail = usual[-len(missing) :] if missing else []
        if len(missing) >= 2 and missing == tail and len(missing) < len(usual):
            reason = "the row ends before its last columns"
            yield Flag(row.start, row.end, "truncated_table", reason, 0.9, ", ".join(missing))


def _odd_values(
    rows: Sequence[tuple[Block, dict[str, str]]], names: Sequence[str]
) -> Iterator[Flag]:
    """A value of another kind than its column nearly always has."""
    if len(rows) < _LEAST_ROWS:
        return
    told: dict[int, list[str]] = defaultdict(list)
    for name in filter(None, names):
        values = [(row, cells[name]) for row, cells in rows if cells.get(name)]
        shapes = Counter(shape_of(value) for _, value in values if not _NO_VALUE.match(value))
        if len(values) < _LEAST_ROWS or not shapes:
            continue
        shape, count = shapes.most_common(1)[0]
        if shape == "text" or count < _USUAL * sum(shapes.values()):
            continue
        for row, value in values:
            if not _NO_VALUE.match(value) and shape_of(value) != shape and not _near(shape, value):
                told[row.start].append(f"{name}: {value}")
    for row, _ in rows:
        if row.start in told:
            reason = "a value of another kind than its column has"
            yield Flag(row.start, row.end, "odd_value", reason, 0.85, "; ".join(told[row.start]))


def _near(shape: str, value: str) -> bool:
    """A bare number among prices or measures, a range of them, a number with a note."""
    if shape_of(value) in ("date", "code", "phone"):
        return False
    number = re.match(r"^[¥￥$€£]?\s*\d[\d,]*(?:\.\d+)?", value.strip())
    if shape in ("price", "measure", "percent") and number:
        rest = value.strip()[number.end() :]
        return (
            len(rest) <= 16
            and not re.search(r"[A-Za-z]{5,}|[?？#]{2,}", rest)
            and not re.match(r"^[\d.,]*[.,]{2}", rest)
        )
    return False
