"""The facts, products and regions of the demo tenants, and the texts filled from them.

Every number that stands in more than one document is written once: in ``facts.json``,
``products.csv`` or ``regions.csv``. The Markdown sources name it as ``{{fact}}``,
``{{price:CODE}}``, ``{{wholesale:CODE}}``, ``{{code:CODE}}`` or ``{{table:NAME}}``.
"""

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
FILES = HERE / "files"

# Products of these families are not harvested in the season of the wholesale sheet.
OUT_OF_SEASON = frozenset({"HT-2025/D1", "HT-2025/D2", "HT-2025/D3"})
FRUIT_FAMILIES = ("HN", "MY", "MH")

_PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")


@dataclass(frozen=True, slots=True)
class Product:
    code: str
    name_zh: str
    name_en: str
    spec: str
    net_kg: Decimal
    unit_price: Decimal
    wholesale_price: Decimal
    stock: int
    harvest_window: str
    storage: str
    ships_from: str
    note: str


@dataclass(frozen=True, slots=True)
class Region:
    """A shipping zone; the zone without delivery has no fees."""

    zone_zh: str
    zone_en: str
    provinces_zh: str
    provinces_en: str
    first_5kg: Decimal | None
    extra_kg: Decimal | None
    days: str
    free_over: int | None


def facts(tenant: str) -> dict[str, str]:
    """The facts of a tenant; those that follow from others are computed here."""
    loaded: dict[str, str] = json.loads((SOURCES / tenant / "facts.json").read_text("utf-8"))
    if tenant == "orchard":
        paid = product("HN-2025/A3").unit_price
        loaded["example_refund"] = str(refund(Decimal("0.8"), Decimal(5), paid))
    return loaded


def refund(damaged_kg: Decimal, net_kg: Decimal, paid: Decimal) -> Decimal:
    """What the claims policy pays for partly damaged fruit, in yuan."""
    return (damaged_kg / net_kg * paid).quantize(Decimal("0.01"), ROUND_HALF_UP)


def products() -> list[Product]:
    return [
        Product(
            code=row["code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            spec=row["spec"],
            net_kg=Decimal(row["net_kg"]),
            unit_price=Decimal(row["unit_price"]),
            wholesale_price=Decimal(row["wholesale_price"]),
            stock=int(row["stock"]),
            harvest_window=row["harvest_window"],
            storage=row["storage"],
            ships_from=row["ships_from"],
            note=row["note"],
        )
        for row in _rows("products.csv")
    ]


def product(code: str) -> Product:
    return next(item for item in products() if item.code == code)


def wholesale_products() -> list[Product]:
    """What the seasonal wholesale sheet lists."""
    return [item for item in products() if item.code not in OUT_OF_SEASON]


def regions() -> list[Region]:
    return [
        Region(
            zone_zh=row["zone_zh"],
            zone_en=row["zone_en"],
            provinces_zh=row["provinces_zh"],
            provinces_en=row["provinces_en"],
            first_5kg=Decimal(row["first_5kg"]) if row["first_5kg"] else None,
            extra_kg=Decimal(row["extra_kg"]) if row["extra_kg"] else None,
            days=row["days"],
            free_over=int(row["free_over"]) if row["free_over"] else None,
        )
        for row in _rows("regions.csv")
    ]


def filled(tenant: str, source: str) -> str:
    """A Markdown source with every placeholder replaced; an unknown one is an error."""
    known = facts(tenant)

    def value(match: re.Match[str]) -> str:
        kind, _, argument = match[1].partition(":")
        if not argument:
            return known[kind]
        if kind == "table":
            return _TABLES[argument]()
        return _product_value(kind, product(argument))

    return _PLACEHOLDER.sub(value, (SOURCES / tenant / source).read_text("utf-8"))


def _product_value(kind: str, item: Product) -> str:
    values = {"code": item.code, "price": item.unit_price, "wholesale": item.wholesale_price}
    return str(values[kind])


def _rows(name: str) -> list[dict[str, str]]:
    with (SOURCES / "orchard" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = list(header)
    lines = [cells, ["---"] * len(cells), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _regions_zh() -> str:
    header = (
        "分区",
        "省份",
        "首5公斤（元）",
        "续重每公斤（元）",
        "送达天数",
        "满额包邮（元）",
    )
    rows = [
        (
            region.zone_zh,
            region.provinces_zh,
            str(region.first_5kg or "—"),
            str(region.extra_kg or "—"),
            f"{region.days}天" if region.days else "—",
            str(region.free_over or "—"),
        )
        for region in regions()
    ]
    return _table(header, rows)


def _regions_en() -> str:
    header = ("Zone", "Provinces", "First 5 kg, yuan", "Each further kg", "Days", "Free from, yuan")
    rows = [
        (
            region.zone_en,
            region.provinces_en,
            str(region.first_5kg or "—"),
            str(region.extra_kg or "—"),
            region.days or "—",
            str(region.free_over or "—"),
        )
        for region in regions()
    ]
    return _table(header, rows)


def _wholesale(items: list[Product]) -> str:
    header = ("编号", "品名", "规格", "净重kg", "批发价元/箱")
    rows = [
        (item.code, item.name_zh, item.spec, str(item.net_kg), str(item.wholesale_price))
        for item in items
    ]
    return _table(header, rows)


def _wholesale_fruit() -> str:
    return _wholesale([i for i in wholesale_products() if i.code.startswith(FRUIT_FAMILIES)])


def _wholesale_other() -> str:
    return _wholesale([i for i in wholesale_products() if not i.code.startswith(FRUIT_FAMILIES)])


_TABLES = {
    "regions_zh": _regions_zh,
    "regions_en": _regions_en,
    "wholesale_fruit": _wholesale_fruit,
    "wholesale_other": _wholesale_other,
}
