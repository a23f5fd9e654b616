"""The committed documents: current, complete, consistent, and built like real ones."""

import re
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from furrow.ops.demo.build import CREATED, MARKDOWN, PRINTED, WORD
from furrow.ops.demo.manifest import TENANTS
from furrow.ops.demo.sources import (
    FILES,
    filled,
    product,
    products,
    refund,
    regions,
    wholesale_products,
)
from furrow.ops.demo.word import write_docx

LIMIT_BYTES = 3_000_000
CHARACTERS_A_PAGE = 900
SCANS = [FILES / "orchard" / name for name in ("price_sheet_scan.pdf", "harvest_notice.jpg")]


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(("tenant", "name"), sorted(MARKDOWN))
def test_committed_markdown_follows_its_source(tenant: str, name: str) -> None:
    assert (FILES / tenant / name).read_text("utf-8") == filled(tenant, name)


@pytest.mark.parametrize(("tenant", "name"), sorted(WORD))
def test_committed_word_file_follows_its_source(
    tenant: str, name: str, tmp_path: Path, reader: Any
) -> None:
    fresh = tmp_path / name
    text = filled(tenant, name.replace(".docx", ".md"))
    write_docx(text, fresh, title=WORD[tenant, name], author="x", created=CREATED)
    assert reader.docx(FILES / tenant / name) == reader.docx(fresh)


@pytest.mark.parametrize(("tenant", "name"), sorted(PRINTED))
def test_committed_pdf_follows_its_source(tenant: str, name: str, reader: Any) -> None:
    layout = PRINTED[tenant, name]
    pages = [bare(page) for page in reader.pdf_pages(FILES / tenant / name)]
    body = ""
    for number, page in enumerate(pages, start=1):
        counter = {
            "zh": f"第{number}页/共{len(pages)}页",
            "en": f"Page{number}of{len(pages)}",
        }[layout.language]
        furniture = bare(layout.left + layout.right) + counter
        assert page.startswith(furniture)
        body += page.removeprefix(furniture)
    for line in re.split(r"[\n|]", filled(tenant, name.replace(".pdf", ".md"))):
        words = bare(re.sub(r"\*\*|^#+ |^> |^[ -]+$|<div.*", "", line))
        assert words in body, line


def test_workbook_holds_the_product_and_region_tables(reader: Any) -> None:
    product_sheet, region_sheet = reader.xlsx_rows(FILES / "orchard" / "products.xlsx")
    assert len(products()) >= 30
    assert [(row[0], *map(str_price, row[5:7]), row[7]) for row in product_sheet[1:]] == [
        (item.code, item.unit_price, item.wholesale_price, item.stock) for item in products()
    ]
    assert [(row[0], row[6], row[7]) for row in region_sheet[1:]] == [
        (region.zone_zh, region.days or None, region.free_over) for region in regions()
    ]


def str_price(cell: object) -> Decimal:
    return Decimal(str(cell)).quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("name", "lowest"),
    [
        ("orchard/shipping_and_claims.pdf", 6),
        ("orchard/shipping_and_claims_en.pdf", 3),
        ("orchard/price_sheet_scan.pdf", 2),
        ("lawoffice/supply_contract_en.pdf", 8),
    ],
)
def test_printed_documents_have_the_size_of_real_ones(name: str, lowest: int, reader: Any) -> None:
    assert len(reader.pdf_pages(FILES / name)) >= lowest


def test_everything_together_prints_on_thirty_pages_or_more(reader: Any) -> None:
    printed = sum(len(reader.pdf_pages(path)) for path in FILES.glob("*/*.pdf"))
    written = [path for path in FILES.glob("*/*") if path.suffix in (".md", ".docx")]
    assert printed + sum(len(reader.text(p)) // CHARACTERS_A_PAGE for p in written) >= 30
    assert len(reader.docx(FILES / "lawoffice" / "lease_contract_zh.docx")) > 4_000


def test_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in FILES.glob("*/*")) < LIMIT_BYTES


def test_every_committed_file_is_named_by_the_manifest() -> None:
    named = {file.path for tenant in TENANTS for file in tenant.files}
    named |= {tenant.logo for tenant in TENANTS}
    assert named == set(FILES.glob("*/*"))


def test_logos_are_drawings_that_parse() -> None:
    for tenant in TENANTS:
        root = ElementTree.parse(tenant.logo).getroot()  # noqa: S314 - our own committed file
        assert root.tag.endswith("svg")


def test_wholesale_sheet_agrees_with_the_product_list_and_names_its_season() -> None:
    sheet = filled("orchard", "price_sheet.md")
    listed = dict(re.findall(r"^\| ([A-Z]{2}-\d{4}/\w+) \|.*\| ([\d.]+) \|$", sheet, re.M))
    assert listed == {item.code: str(item.wholesale_price) for item in wholesale_products()}
    assert "2025–2026产季" in sheet
    assert all(item.wholesale_price < item.unit_price for item in products())


def test_a_price_named_with_its_code_is_that_products_price() -> None:
    found = 0
    for path in FILES.glob("orchard/*.md"):
        for line in path.read_text("utf-8").splitlines():
            for code in re.findall(r"[A-Z]{2}-2025/\w\d", line):
                found += 1
                assert str(product(code).unit_price) in line
    assert found >= 6


def test_claims_example_follows_the_formula_in_both_languages(reader: Any) -> None:
    amount = refund(Decimal("0.8"), Decimal(5), product("HN-2025/A3").unit_price)
    assert amount == Decimal("11.18")
    for name in ("shipping_and_claims.pdf", "shipping_and_claims_en.pdf"):
        assert f"{amount}" in reader.text(FILES / "orchard" / name)


def test_telephones_and_addresses_are_fictional(reader: Any) -> None:
    for path in FILES.glob("*/*"):
        if path in SCANS or path.suffix == ".svg":
            continue
        text = reader.text(path)
        assert all(n.startswith("400-000-") for n in re.findall(r"\b\d{3}-\d{3,4}-\d{4}\b", text))
        assert not re.search(r"\b1[3-9]\d{9}\b", text)
        assert all(h.endswith(".example") for h in re.findall(r"[\w.]+@([\w.]+\w)", text))


@pytest.mark.slow
def test_scans_are_readable_by_character_recognition_only(reader: Any) -> None:
    assert not "".join(reader.pdf_pages(SCANS[0])).strip()
    text = bare("".join(reader.recognised(SCANS[0])))
    for item in wholesale_products():
        assert item.code in text
        assert str(item.wholesale_price) in text
