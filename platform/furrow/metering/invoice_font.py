"""The few Chinese characters of one invoice, cut out of a font of this machine, so that every reader shows them."""

import logging
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont, TTLibError, newTable

from furrow.core.logs import get_logger

# Where Debian, Fedora, Alpine and Arch put fonts that may be embedded: Droid (Apache), Noto (OFL).
PLACES = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf",
)
_NO_EMBEDDING = 0x0002

log = get_logger(__name__)
# It tells each character it cuts out; an invoice's words are nothing for a log.
logging.getLogger("fontTools").setLevel(logging.CRITICAL)


def font_place() -> Path | None:
    """`INVOICE_FONT`, or the first known font that is there."""
    places = [settings.INVOICE_FONT] if settings.INVOICE_FONT else PLACES
    return next((Path(place) for place in places if Path(place).is_file()), None)


def font_cut(characters: Iterable[str]) -> bytes | None:
    """A TrueType font of just these characters; None when no font can be used."""
    place = font_place()
    if place is None:
        return None
    try:
        with place.open("rb") as file:
            return _cut(place, file, "".join(sorted(set(characters))))
    except (TTLibError, OSError, subset.Subsetter.SubsettingError) as error:
        log.warning("invoice_font_unusable", font=place.name, error=type(error).__name__)
        return None


def _cut(place: Path, file: BinaryIO, text: str) -> bytes | None:
    font = TTFont(file, fontNumber=_face(place), lazy=True)
    if font["OS/2"].fsType & _NO_EMBEDDING:
        log.warning("invoice_font_may_not_be_embedded", font=place.name)
        return None
    known = font.getBestCmap()
    if sum(ord(character) in known for character in text) * 2 < len(text):
        log.warning("invoice_font_is_of_another_script", font=place.name)
        return None
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    if "CFF " in font:
        _make_quadratic(font)
    # The time of writing is no part of an invoice.
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    buffer = BytesIO()
    font.save(buffer, reorderTables=None)
    return buffer.getvalue()


@lru_cache(maxsize=4)
def _face(place: Path) -> int:
    """The simplified Chinese one of a collection of several, else the first."""
    if place.suffix.lower() not in {".ttc", ".otc"}:
        return -1
    with TTCollection(place, lazy=True) as faces:
        names = [str(face["name"].getDebugName(1)) for face in faces.fonts]
    return next((n for n, name in enumerate(names) if name.endswith("CJK SC")), 0)


def _make_quadratic(font: Any) -> None:
    """PostScript outlines become TrueType ones, which is what the PDF library can embed."""
    shapes, outlines = font.getGlyphSet(), {}
    most_off = font["head"].unitsPerEm // 1000
    for name in font.getGlyphOrder():
        pen = TTGlyphPen(shapes)
        shapes[name].draw(Cu2QuPen(pen, most_off, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"] = newTable("loca")
    font["glyf"] = glyf = newTable("glyf")
    glyf.glyphOrder, glyf.glyphs = font.getGlyphOrder(), outlines
    for table in ("CFF ", "VORG"):
        if table in font:
            del font[table]
    for name, (width, _) in font["hmtx"].metrics.items():
        font["hmtx"].metrics[name] = (width, getattr(outlines[name], "xMin", 0) or 0)
    sizes = font["maxp"] = newTable("maxp")
    sizes.tableVersion = 0x00010000
    # Filled in when the font is written; no instructions, so the rest is nothing.
    for field in (
        "numGlyphs", "maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours", "maxTwilightPoints",
        "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements", "maxSizeOfInstructions",
        "maxComponentElements", "maxComponentDepth",
    ):  # fmt: skip
        setattr(sizes, field, 0)
    sizes.maxZones = 1
    sizes.numGlyphs = len(outlines)
    names = font["post"]
    names.formatType, names.extraNames, names.mapping = 2, [], {}
    names.glyphOrder = font.getGlyphOrder()
    font.sfntVersion = "\x00\x01\x00\x00"
