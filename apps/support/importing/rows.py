"""Rows as values: every cell read, every problem named, and what only shows when rows are seen together."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.support.importing.cells import BadCell, bare
from apps.support.importing.columns import columns_of
from apps.support.importing.tables import cell_at

SHOWN_LENGTH = 80


@dataclass
class Read:
    """`problems`: `{"column", "code", "value"}`, `column` being the head as it stands in the file."""

    line: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)

    def complain(self, column: str, code: str, value: str = "") -> None:
        self.problems.append({"column": column, "code": code, "value": value[:SHOWN_LENGTH]})


def rows_read(
    kind: str,
    head: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    columns: Mapping[str, int],
    *,
    known_codes: frozenset[str] = frozenset(),
) -> list[Read]:
    read = [_row(kind, head, line, cells, columns) for line, cells in rows]
    for row in read:
        _CHECKS[kind](row, known_codes)
    _duplicates(kind, head, read, columns)
    if kind == "shipping":
        _regions_once(read)
    return read


def _row(
    kind: str, head: Sequence[str], line: int, cells: list[str], columns: Mapping[str, int]
) -> Read:
    row = Read(line, cells)
    if len(cells) > len(head) and any(cell.strip() for cell in cells[len(head) :]):
        row.complain("", "too_many_cells", cells[len(head)])
    for column in columns_of(kind):
        at = columns.get(column.field)
        name = head[at] if at is not None and at < len(head) else column.field
        raw = cell_at(cells, at)
        try:
            text = bare(raw)
            if text:
                row.values[column.field] = column.read(text)
            elif column.is_needed:
                row.complain(name, "missing")
        except BadCell as bad:
            row.complain(name, bad.code, raw)
    return row


def _check_product(row: Read, known: frozenset[str]) -> None:
    if not row.values.get("name_zh") and not row.values.get("name_en") and not row.problems:
        if row.values.get("code") not in known:
            row.complain("name", "no_name")


def _check_stock(row: Read, known: frozenset[str]) -> None:
    code = row.values.get("code")
    if code and code not in known:
        row.complain("code", "unknown_code", code)


def _check_shipping(row: Read, known: frozenset[str]) -> None:
    if row.values.get("is_served", True) and "first_fee" not in row.values:
        if not any(problem["code"] for problem in row.problems):
            row.complain("first_fee", "no_fee")


def _check_order(row: Read, known: frozenset[str]) -> None:
    values = row.values
    after = values.pop("after_sale", "")
    if "退款成功" in after:
        values["status"] = "refunded"
    elif after and after not in {"无售后或售后取消", "无售后", "售后关闭", "-"}:
        values["status"] = "refunding"
    times = [values.get(name) for name in ("ordered_at", "paid_at", "shipped_at", "delivered_at")]
    known_times = [time for time in times if time]
    if known_times != sorted(known_times):
        row.complain("", "times_out_of_order", " > ".join(known_times))
    if values.get("status") == "shipped" and not values.get("tracking_number") and not row.problems:
        row.complain("tracking_number", "shipped_without_number")


_CHECKS = {
    "products": _check_product,
    "stock": _check_stock,
    "shipping": _check_shipping,
    "orders": _check_order,
}


def _duplicates(
    kind: str, head: Sequence[str], rows: Sequence[Read], columns: Mapping[str, int]
) -> None:
    """The same thing twice: both rows are named, as nobody knows which one is right."""
    key_field = {"products": "code", "stock": "code", "shipping": "name", "orders": "number"}[kind]
    at = columns.get(key_field)
    column = head[at] if at is not None and at < len(head) else key_field
    seen: dict[tuple[str, ...], list[Read]] = defaultdict(list)
    for row in rows:
        if row.values.get(key_field):
            seen[_identity(kind, key_field, row)].append(row)
    for same in seen.values():
        if len(same) > 1:
            for row in same:
                others = ", ".join(str(other.line) for other in same if other is not row)
                row.complain(column, "twice", others)
    if kind == "orders":
        _orders_agree(rows, column)


def _identity(kind: str, key_field: str, row: Read) -> tuple[str, ...]:
    key = str(row.values[key_field]).upper()
    if kind != "orders":
        return (key,)
    # An order may have several lines.
    parts = ("part",) if row.values.get("part") else ("sku_code", "title")
    return (key, *(str(row.values.get(name, "")) for name in parts))


def _orders_agree(rows: Sequence[Read], column: str) -> None:
    """Lines of one order must tell the same state and phone."""
    by_number: dict[str, list[Read]] = defaultdict(list)
    for row in rows:
        if row.values.get("number"):
            by_number[row.values["number"]].append(row)
    for lines in by_number.values():
        tails = {row.values.get("phone_tail") for row in lines if row.values.get("phone_tail")}
        if len(tails) > 1:
            for row in lines:
                row.complain(column, "lines_disagree", ", ".join(str(each.line) for each in lines))


def _regions_once(rows: Sequence[Read]) -> None:
    seen: dict[str, Read] = {}
    for row in rows:
        for region in row.values.get("regions", ()):
            if region in seen:
                row.complain("regions", "region_twice", region)
                seen[region].complain("regions", "region_twice", region)
            seen[region] = row
