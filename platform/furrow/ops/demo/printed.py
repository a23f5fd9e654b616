"""Markdown to PDF through headless Chromium, and pages made to look like phone scans."""

import io
import re
import shutil
import subprocess
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2
from markdown_it import MarkdownIt
from PIL import Image, ImageChops, ImageFilter

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_TIMEOUT_S = 120
_SCAN_DPI = 170
_SHORT_CELL = 14
_TELEPHONE = re.compile(r"\b\d{3}-\d{3}-\d{4}\b")
_PAPER = (236, 233, 224)
_DESK = (96, 84, 72)

_STYLE = """
@page { size: A4; margin: 25mm 22mm 22mm;
  @top-left { content: "%(left)s"; font: 8.5pt "Noto Sans CJK SC"; color: #5c665f; }
  @top-right { content: "%(right)s"; font: 8.5pt "Noto Sans CJK SC"; color: #5c665f; }
  @bottom-center { content: "%(page)s"; font: 8.5pt "Noto Sans CJK SC"; color: #5c665f; } }
body { font: %(size)spt/%(leading)s %(font)s; color: #1c2420; margin: 0; }
h1 { font-size: 20pt; text-align: center; margin: 0 0 4mm; letter-spacing: .06em; }
h1 + p { text-align: center; color: #4a554e; margin-bottom: 8mm; }
h2 { font-size: 13.5pt; margin: 8mm 0 3mm; padding-bottom: 1mm; border-bottom: .6pt solid #8aa58f;
  break-after: avoid; }
p { margin: 0 0 2.6mm; text-align: justify; orphans: 2; widows: 2; }
table { border-collapse: collapse; width: 100%%; margin: 3mm 0 5mm; font-size: .92em; }
tr { break-inside: avoid; } thead { display: table-header-group; }
th, td { border: .6pt solid #94a397; padding: 1.6mm 2mm; text-align: left; vertical-align: top; }
th { background: #e8efe6; }
blockquote { margin: 3mm 14mm; padding: 3mm; background: #f3f6f1; }
blockquote p { text-align: center; margin: 0; font-weight: 600; }
.short { white-space: nowrap; }
.page { break-after: page; }
"""
_BODY_FONTS = {
    "zh": '"Noto Serif CJK SC", serif',
    "en": '"Liberation Serif", "Noto Serif", "Times New Roman", serif',
}
_PAGE_COUNTERS = {
    "zh": '第 " counter(page) " 页 / 共 " counter(pages) " 页',
    "en": 'Page " counter(page) " of " counter(pages) "',
}


@dataclass(frozen=True, slots=True)
class Layout:
    """What differs from one printed document to the next."""

    language: str
    left: str
    right: str
    size: float = 11
    leading: float = 1.75


class BrowserMissing(RuntimeError):
    """No Chromium was found; the PDFs cannot be rebuilt on this machine."""


def write_pdf(markdown: str, target: Path, *, title: str, layout: Layout) -> None:
    """Print with running headers and page numbers; the text stays extractable."""
    style = _STYLE % {
        "left": layout.left,
        "right": layout.right,
        "page": _PAGE_COUNTERS[layout.language],
        "size": layout.size,
        "leading": layout.leading,
        "font": _BODY_FONTS[layout.language],
    }
    body = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table").render(markdown)
    body = re.sub(r"<td>([^<]+)</td>", _cell, body)
    body = _TELEPHONE.sub(r'<span class="short">\g<0></span>', body)
    page = (
        f'<!doctype html><html lang="{layout.language}"><meta charset="utf-8">'
        f"<title>{title}</title><style>{style}</style><body>{body}</body></html>"
    )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(page, encoding="utf-8")
        _print(source, target)


def write_scan(pdf: Path, target: Path, *, seed: int) -> None:
    """Photograph the pages of a PDF with a phone, so to speak: a PDF or one JPEG without text."""
    noise = np.random.default_rng(seed)
    pages = []
    document = pypdfium2.PdfDocument(pdf)
    for page in document:
        pages.append(_photographed(page.render(scale=_SCAN_DPI / 72).to_pil(), noise))
    document.close()
    if target.suffix == ".pdf":
        pages[0].save(
            target, save_all=True, append_images=pages[1:], resolution=_SCAN_DPI, quality=62
        )
    else:
        pages[0].save(target, quality=68)


def _cell(match: re.Match[str]) -> str:
    """Short cells, such as codes, stay on one line, for readers and for extraction."""
    columns = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in match[1])
    return f'<td class="short">{match[1]}</td>' if columns <= _SHORT_CELL else match[0]


def _print(source: Path, target: Path) -> None:
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise BrowserMissing(f"none of {', '.join(_BROWSERS)} is installed")
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        f"--user-data-dir={source.parent / 'profile'}",
        f"--print-to-pdf={target}",
        source.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=_TIMEOUT_S)  # noqa: S603 - fixed command, own file


def _photographed(page: Image.Image, noise: np.random.Generator) -> Image.Image:
    """Yellowish paper, a small turn, uneven light, grain, soft focus and one JPEG round."""
    width, height = page.size
    paper = ImageChops.multiply(page.convert("RGB"), Image.new("RGB", page.size, _PAPER))
    turned = paper.rotate(
        float(noise.uniform(0.5, 1.1)) * float(noise.choice([-1, 1])),
        resample=Image.Resampling.BICUBIC,
        fillcolor=_DESK,
    ).filter(ImageFilter.GaussianBlur(0.7))
    pixels = np.asarray(turned, dtype=np.float32)
    across = np.linspace(1.02, 0.84, width, dtype=np.float32)[None, :, None]
    down = np.linspace(1.0, 0.93, height, dtype=np.float32)[:, None, None]
    grain = noise.normal(0, 6, (height, width, 1)).astype(np.float32)
    lit = np.clip(pixels * across * down + grain, 0, 255).astype(np.uint8)
    stored = io.BytesIO()
    Image.fromarray(lit).save(stored, "JPEG", quality=62)
    return Image.open(stored).convert("RGB")
