"""Rebuild the demo documents: ``python -m furrow.ops.demo.build`` (needs Chromium for the PDFs).

The sources under ``sources/`` are the truth; the files under ``files/`` are committed so that
a demo needs no browser.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from furrow.ops.demo.printed import Layout, write_pdf, write_scan
from furrow.ops.demo.sheet import write_xlsx
from furrow.ops.demo.sources import FILES, filled
from furrow.ops.demo.stable import stabilise
from furrow.ops.demo.word import write_docx

# A fixed day keeps a rebuild free of needless changes.
CREATED = datetime(2025, 11, 20, 9, 0, tzinfo=UTC)

MARKDOWN = {
    ("orchard", "faq_zh.md"),
    ("orchard", "faq_en.md"),
    ("lawoffice", "client_faq.md"),
}
WORD = {
    ("orchard", "storage_guide.docx"): "青禾果园 · 水果储存与食用指南",
    ("lawoffice", "lease_contract_zh.docx"): "商铺租赁合同 LX-ZL-2025-017",
    ("lawoffice", "office_policy.docx"): "临溪律师事务所 · 内部管理与服务规范",
}
PRINTED = {
    ("orchard", "shipping_and_claims.pdf"): Layout("zh", "青禾果园", "配送与售后赔付规则 V3.2"),
    ("orchard", "shipping_and_claims_en.pdf"): Layout(
        "en", "Greenstalk Orchard", "Shipping and claims policy V3.2", size=11.5, leading=1.6
    ),
    ("lawoffice", "supply_contract_en.pdf"): Layout(
        "en", "Agricultural Supply Agreement", "LX-GM-2025-031", size=11.5, leading=1.6
    ),
}
SCANNED = {
    ("orchard", "price_sheet_scan.pdf"): ("price_sheet.md", Layout("zh", "", "", 12, 1.5), 7),
    ("orchard", "harvest_notice.jpg"): ("harvest_notice.md", Layout("zh", "", "", 16, 1.8), 11),
}
AUTHORS = {"orchard": "青禾果园", "lawoffice": "临溪律师事务所"}


def build(target: Path = FILES) -> list[Path]:
    """Write every file of both tenants under ``target`` and return their paths."""
    for tenant in AUTHORS:
        (target / tenant).mkdir(parents=True, exist_ok=True)
    write_xlsx(target / "orchard" / "products.xlsx", title="青禾果园产品目录", created=CREATED)
    written = [target / "orchard" / "products.xlsx"]
    for tenant, name in sorted(MARKDOWN):
        path = target / tenant / name
        path.write_text(filled(tenant, name), encoding="utf-8")
        written.append(path)
    for (tenant, name), title in WORD.items():
        path = target / tenant / name
        text = filled(tenant, _source(name))
        write_docx(text, path, title=title, author=AUTHORS[tenant], created=CREATED)
        written.append(path)
    for (tenant, name), layout in PRINTED.items():
        path = target / tenant / name
        write_pdf(filled(tenant, _source(name)), path, title=layout.right, layout=layout)
        written.append(path)
    written += _scans(target)
    for path in written:
        stabilise(path, CREATED)
    return written


def _scans(target: Path) -> list[Path]:
    written = []
    for (tenant, name), (source, layout, seed) in SCANNED.items():
        path = target / tenant / name
        with tempfile.TemporaryDirectory() as folder:
            clean = Path(folder) / "clean.pdf"
            write_pdf(filled(tenant, source), clean, title=name, layout=layout)
            write_scan(clean, path, seed=seed)
        written.append(path)
    return written


def _source(name: str) -> str:
    return f"{Path(name).stem}.md"


if __name__ == "__main__":
    for built in build():
        sys.stdout.write(f"{built.stat().st_size:>8}  {built.relative_to(FILES)}\n")
