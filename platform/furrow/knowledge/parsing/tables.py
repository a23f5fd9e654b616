"""Turns a grid of cells into rows that read by themselves."""

import re
from collections.abc import Sequence

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import TableCellHeader

_VALUE = re.compile(
    r"^[¥￥$€£]?\s*[-+]?\d[\d,]*(?:\.\d+)?\s*(?:%|％|元|块|kg|g|斤|克|公斤|箱|件|个|天|cm|mm|ml|L|"
    r"[/／]\w{1,4})*$|^\d{4}[-/.年]\d{1,2}(?:[-/.月]\d{1,2}日?)?$|^#[A-Z/0]+[!?]?$"
)
_COLUMN_NAMES = frozenset(
    "序号 编号 名称 品名 商品 产品 规格 型号 价格 单价 金额 数量 单位 备注 说明 内容 项目 类别 类型 "
    "日期 时间 地区 城市 省份 问题 答案 回答 库存 重量 产地 等级 联系人 电话 地址 状态 条款 运费 时效 "
    "no. no id name item product sku code price unit qty quantity amount total note notes remark "
    "remarks description date time region city question answer stock weight origin grade status "
    "type category size fee zone days".split()
)
_MAX_NAME = 40


def add_table(
    builder: DocumentBuilder,
    rows: Sequence[Sequence[str]],
    *,
    caption: str = "",
    header_rows: int | None = None,
    continued: Sequence[str] = (),
) -> tuple[str, ...]:
    """Adds a caption, a header and one block per row; returns the column names.

    `header_rows` None means find out. `continued` are the column names of a table that ended the
    page before: they hold for this one if it has as many columns and no names of its own.
    """
    grid = _rectangle(rows)
    if not grid:
        return ()
    while header_rows is None and len(grid) > 1 and _is_title(grid[0]):
        caption = f"{caption} {_only_cell(grid.pop(0))}".strip()
    count = _count_header_rows(grid) if header_rows is None else min(header_rows, len(grid) - 1)
    names = _column_names(grid[:count])
    if continued and len(continued) == len(grid[0]) and (count == 0 or not _names_columns(grid[0])):
        names, count = tuple(continued), 0
    number = builder.next_table()
    builder.add("caption", caption)
    if count:
        shown = " | ".join(name for name in names if name)
        builder.add("table_header", shown, table=TableCellHeader(number, 0, names))
    for index, row in enumerate(grid[count:], start=1):
        builder.add(
            "table_row", render_row(names, row), table=TableCellHeader(number, index, names)
        )
    return names


def render_row(names: Sequence[str], row: Sequence[str]) -> str:
    """`name: value` pairs in column order; empty cells are left out."""
    padded = [*names, *[""] * (len(row) - len(names))]
    return " | ".join(
        f"{name}: {value}" if name and name != value else value
        for name, value in zip(padded, row, strict=False)
        if value
    )


def one_line(text: str) -> str:
    """A cell's text without line breaks, and without the mark that separates cells."""
    return re.sub(r"\s+", " ", text).replace(" | ", " / ").strip()


def looks_like_value(text: str) -> bool:
    """Amounts, dates, percentages: what stands under a column name, never as one."""
    return bool(_VALUE.match(text))


def _rectangle(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    grid = [[one_line(cell) for cell in row] for row in rows]
    grid = [row for row in grid if any(row)]
    width = max((len(row) for row in grid), default=0)
    grid = [row + [""] * (width - len(row)) for row in grid]
    used = [column for column in range(width) if any(row[column] for row in grid)]
    return [[row[column] for column in used] for row in grid]


def _is_title(row: list[str]) -> bool:
    return len(row) > 1 and len({cell for cell in row if cell}) == 1


def _only_cell(row: list[str]) -> str:
    return next(cell for cell in row if cell)


def _count_header_rows(grid: list[list[str]]) -> int:
    if len(grid) < 2 or not _could_be_header(grid[0]):
        return 0
    second = grid[1]
    # Two-level headers: a group name spread over several columns, the real names below.
    repeats = any(a and a == b for a, b in zip(grid[0], grid[0][1:], strict=False))
    if len(grid) > 2 and (repeats or "" in grid[0]) and _could_be_header(second):
        return 2 if _has_values(grid[2:]) else 1
    return 1 if _is_header(grid) else 0


def _could_be_header(row: list[str]) -> bool:
    filled = [cell for cell in row if cell]
    if len(filled) < max(1, (len(row) + 1) // 2):
        return False
    return all(len(cell) <= _MAX_NAME and not looks_like_value(cell) for cell in filled)


def _is_header(grid: list[list[str]]) -> bool:
    first, body = grid[0], grid[1:]
    if _names_columns(first):
        return True
    if len(set(first)) < len(first):
        return False
    if len(first) == 1:
        return False
    return _has_values(body) or len(first) >= 3


def _names_columns(row: list[str]) -> bool:
    return any(re.sub(r"[（(].*", "", cell).strip().lower() in _COLUMN_NAMES for cell in row)


def _has_values(body: list[list[str]]) -> bool:
    return any(looks_like_value(cell) for row in body[:20] for cell in row)


def _column_names(header: list[list[str]]) -> tuple[str, ...]:
    if not header:
        return ()
    names: list[str] = []
    for cells in zip(*header, strict=True):
        distinct = list(dict.fromkeys(cell for cell in cells if cell))
        names.append(" ".join(distinct))
    return tuple(names)
