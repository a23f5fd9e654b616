"""Takes the placed text and the drawn lines out of one PDF page."""

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium_c

from furrow.knowledge.parsing.layout import Segment
from furrow.knowledge.parsing.rulings import Rule
from furrow.knowledge.sentences import is_cjk

_THIN = 2.0
_MAX_PATHS = 4_000
_MAX_CHARS = 200_000
_UPRIGHT = 0.2
_BOLD_WEIGHT = 600
# Wider than the spaces of justified text, narrower than the padding between two table cells.
_CELL_GAP = 0.45
_WIDE_CELL_GAP = 0.35
_TURN = 6.283185307


class Char(NamedTuple):
    """One character with its box, downwards coordinates."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    place: int


class PageText(NamedTuple):
    """The page's text and how much of it is unreadable."""

    segments: list[Segment]
    readable: int
    garbled: int


def page_text(page: Any, vertical: Sequence[Rule] = ()) -> PageText:
    """Runs of characters in drawing order, parted at the vertical lines of tables.

    Slanted text such as watermarks is left out.
    """
    textpage = page.get_textpage()
    raw = textpage.raw
    frame = _Frame(page)
    chars: list[Char] = []
    segments: list[Segment] = []
    garbled = 0
    for char in _chars(raw, frame):
        if _is_garbled(raw, char):
            garbled += 1
        if chars and (_breaks(chars[-1], char) or _is_parted(chars[-1], char, vertical)):
            _close(raw, chars, segments)
        if chars or not char.text.isspace():
            chars.append(char)
    _close(raw, chars, segments)
    textpage.close()
    readable = sum(not char.isspace() for segment in segments for char in segment.text)
    return PageText(segments, readable, garbled)


def page_rules(page: Any) -> tuple[list[Rule], list[Rule]]:
    """Horizontal and vertical lines, also those drawn as thin or bordered boxes."""
    frame = _Frame(page)
    horizontal: list[Rule] = []
    vertical: list[Rule] = []
    for count, item in enumerate(
        page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=3)
    ):
        if count >= _MAX_PATHS:
            break
        left, bottom, right, top = item.get_bounds()
        x0, y0, x1, y1 = frame.box(left, bottom, right, top)
        if y1 - y0 <= _THIN:
            horizontal.append(Rule((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THIN:
            vertical.append(Rule((x0 + x1) / 2, y0, y1))
        else:
            _add_edges(item.raw, frame, horizontal, vertical)
    return horizontal, vertical


class _Frame:
    """From PDF coordinates, which grow upwards and ignore the page's rotation, to ours."""

    def __init__(self, page: Any) -> None:
        self.rotation = page.get_rotation() % 360
        left, bottom, right, top = page.get_bbox()
        self._left, self._bottom, self._right, self._top = left, bottom, right, top

    def box(
        self, left: float, bottom: float, right: float, top: float
    ) -> tuple[float, float, float, float]:
        if self.rotation == 90:
            return bottom - self._bottom, left - self._left, top - self._bottom, right - self._left
        if self.rotation == 180:
            return (
                self._right - right,
                bottom - self._bottom,
                self._right - left,
                top - self._bottom,
            )
        if self.rotation == 270:
            return self._top - top, self._right - right, self._top - bottom, self._right - left
        return left - self._left, self._top - top, right - self._left, self._top - bottom

    def is_upright(self, angle: float) -> bool:
        turned = (angle + self.rotation * _TURN / 360) % _TURN
        alternative = (angle - self.rotation * _TURN / 360) % _TURN
        return any(turn < _UPRIGHT or turn > _TURN - _UPRIGHT for turn in (turned, alternative))


def _chars(raw: Any, frame: _Frame) -> Iterator[Char]:
    rect = pdfium_c.FS_RECTF()
    reference = ctypes.byref(rect)
    high = 0
    for index in range(min(pdfium_c.FPDFText_CountChars(raw), _MAX_CHARS)):
        code = pdfium_c.FPDFText_GetUnicode(raw, index)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000:
            if not high:
                continue
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        if code in (0, 10, 13) or not frame.is_upright(pdfium_c.FPDFText_GetCharAngle(raw, index)):
            continue
        if not pdfium_c.FPDFText_GetLooseCharBox(raw, index, reference):
            continue
        yield Char(chr(code), *frame.box(rect.left, rect.bottom, rect.right, rect.top), index)


def _is_garbled(raw: Any, char: Char) -> bool:
    code = char.text
    if "\ue000" <= code <= "\uf8ff" or code == "\ufffd" or (code < " " and code not in "\t\x02"):
        return True
    return bool(pdfium_c.FPDFText_HasUnicodeMapError(raw, char.place) == 1)


def _breaks(last: Char, char: Char) -> bool:
    """A new line, a step back, or a gap as between columns."""
    if char.text.isspace() and char.x1 - char.x0 <= 0:
        return False
    height = max(last.y1 - last.y0, char.y1 - char.y0, 1.0)
    if abs((last.y0 + last.y1) / 2 - (char.y0 + char.y1) / 2) > 0.5 * height:
        return True
    return char.x0 < last.x0 - 0.5 * height or char.x0 - last.x1 > 1.2 * height


def _is_parted(last: Char, char: Char, vertical: Sequence[Rule]) -> bool:
    middle = (char.y0 + char.y1) / 2
    return any(
        rule.start <= middle <= rule.end and last.x1 - 1 <= rule.at <= char.x0 + 1
        for rule in vertical
    )


def _close(raw: Any, chars: list[Char], segments: list[Segment]) -> None:
    """Ends the run, or several: wide gaps inside it, with or without spaces, part columns."""
    run: list[Char] = []
    spaces: list[Char] = []
    for char in chars:
        if char.text.isspace():
            spaces.append(char)
            continue
        if run and _is_column_gap(raw, run[-1], char, spaces):
            segments.append(_segment(raw, run))
            run = []
        elif run and spaces:
            char = char._replace(text=f" {char.text}")
        run.append(char)
        spaces = []
    if run:
        segments.append(_segment(raw, run))
    chars.clear()


def _is_column_gap(raw: Any, last: Char, char: Char, spaces: list[Char]) -> bool:
    """Spaces that the library made up say nothing about the gap; several typed ones do."""
    # Of both: the box of 一 is as flat as its stroke and says nothing about the size of the type.
    height = max(last.y1 - last.y0, char.y1 - char.y0, 1.0)
    gap = char.x0 - last.x1
    typed = sum(pdfium_c.FPDFText_IsGenerated(raw, space.place) != 1 for space in spaces)
    if typed:
        return typed >= 3 and gap > height
    is_wide = is_cjk(last.text[-1]) or is_cjk(char.text[0])
    return gap > (_WIDE_CELL_GAP if is_wide else _CELL_GAP) * height


def _segment(raw: Any, run: list[Char]) -> Segment:
    first = run[0]
    size = max(char.y1 - char.y0 for char in run)
    weight = pdfium_c.FPDFText_GetFontWeight(raw, first.place)
    return Segment(
        "".join(char.text for char in run),
        min(char.x0 for char in run),
        min(char.y0 for char in run),
        max(char.x1 for char in run),
        max(char.y1 for char in run),
        size,
        weight >= _BOLD_WEIGHT,
    )


def _add_edges(
    raw: Any,
    frame: _Frame,
    horizontal: list[Rule],
    vertical: list[Rule],
) -> None:
    """The straight edges of a drawn path; a filled box counts as its four borders."""
    points = _points(raw)
    if points is None:
        return
    for start, end in points:
        x0, y0, x1, y1 = frame.box(*start, *end)
        x0, x1 = min(x0, x1), max(x0, x1)
        y0, y1 = min(y0, y1), max(y0, y1)
        if y1 - y0 <= _THIN < x1 - x0:
            horizontal.append(Rule((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THIN < y1 - y0:
            vertical.append(Rule((x0 + x1) / 2, y0, y1))


def _points(raw: Any) -> list[tuple[tuple[float, float], tuple[float, float]]] | None:
    """Line segments in page coordinates; None for curves, which are pictures and no table."""
    matrix = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(raw, ctypes.byref(matrix)):
        return None
    x, y = ctypes.c_float(), ctypes.c_float()
    lines: list[tuple[tuple[float, float], tuple[float, float]]] = []
    begin = previous = (0.0, 0.0)
    for index in range(min(pdfium_c.FPDFPath_CountSegments(raw), 2_000)):
        part = pdfium_c.FPDFPath_GetPathSegment(raw, index)
        pdfium_c.FPDFPathSegment_GetPoint(part, ctypes.byref(x), ctypes.byref(y))
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = pdfium_c.FPDFPathSegment_GetType(part)
        if kind == pdfium_c.FPDF_SEGMENT_BEZIERTO:
            return None
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            begin = point
        else:
            lines.append((previous, point))
        if pdfium_c.FPDFPathSegment_GetClose(part):
            lines.append((point, begin))
        previous = point
    return lines
