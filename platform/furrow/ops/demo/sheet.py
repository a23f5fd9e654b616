"""The product list and the shipping regions as an XLSX workbook."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from furrow.ops.demo.sources import products, regions

PRODUCT_COLUMNS = (
    ("编号 Code", 14),
    ("品名 Name", 24),
    ("英文名 English name", 30),
    ("规格 Spec", 26),
    ("净重 Net kg", 12),
    ("零售价 Unit price (CNY)", 14),
    ("批发价 Wholesale price (CNY)", 16),
    ("库存 Stock", 10),
    ("采收期 Harvest window", 22),
    ("储存 Storage", 28),
    ("发货仓 Ships from", 16),
    ("备注 Note", 26),
)
REGION_COLUMNS = (
    ("分区 Zone", 12),
    ("Zone (English)", 14),
    ("省份 Provinces", 44),
    ("Provinces (English)", 60),
    ("首5公斤运费 First 5 kg (CNY)", 16),
    ("续重每公斤 Extra kg (CNY)", 16),
    ("天数 Days", 12),
    ("满额包邮 Free over (CNY)", 16),
)


def write_xlsx(target: Path, *, title: str, created: datetime) -> None:
    """Write both sheets; fees stay empty for the regions without delivery."""
    book = Workbook()
    _fill_products(book.active)
    _fill_regions(book.create_sheet("运费 Shipping"))
    book.properties.title = title
    book.properties.created = book.properties.modified = created.astimezone(UTC).replace(
        tzinfo=None
    )
    book.save(target)


def _fill_products(sheet: Any) -> None:
    sheet.title = "产品 Products"
    _header(sheet, PRODUCT_COLUMNS)
    for item in products():
        sheet.append(
            [
                item.code,
                item.name_zh,
                item.name_en,
                item.spec,
                item.net_kg,
                item.unit_price,
                item.wholesale_price,
                item.stock,
                item.harvest_window,
                item.storage,
                item.ships_from,
                item.note,
            ]
        )
    _body(sheet, money=(6, 7))


def _fill_regions(sheet: Any) -> None:
    _header(sheet, REGION_COLUMNS)
    for region in regions():
        sheet.append(
            [
                region.zone_zh,
                region.zone_en,
                region.provinces_zh,
                region.provinces_en,
                region.first_5kg,
                region.extra_kg,
                region.days or None,
                region.free_over,
            ]
        )
    _body(sheet, money=(5, 6))


def _header(sheet: Any, columns: tuple[tuple[str, int], ...]) -> None:
    sheet.append([name for name, _ in columns])
    for cell, (_, width) in zip(sheet[1], columns, strict=True):
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="3F7D4E")
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        sheet.column_dimensions[cell.column_letter].width = width
    sheet.row_dimensions[1].height = 34
    sheet.freeze_panes = "B2"


def _body(sheet: Any, *, money: tuple[int, ...]) -> None:
    line = Side(style="thin", color="C9D3C6")
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.border = Border(left=line, right=line, top=line, bottom=line)
            cell.alignment = Alignment(vertical="center", wrap_text=True)
            if cell.column in money:
                cell.number_format = "0.00"
    sheet.auto_filter.ref = sheet.dimensions
