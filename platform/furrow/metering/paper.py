"""Drawing on paper: text in the fonts that have its characters, downwards, page after page."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import groupby
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from furrow.metering.invoice_font import font_cut

# Helvetica every reader has, by the standard. The characters of any other script are put into the file; where this
# machine has no font to take them from, the file names a Chinese face that its reader has to have.
LATIN, EMBEDDED, NAMED = "Helvetica", "Furrow-Invoice", "STSong-Light"
_drawing = threading.Lock()
# Whole points: nothing in this app is a binary fraction, not even a margin.
WIDTH, HEIGHT = (int(side) for side in A4)
LEFT, RIGHT, TOP, BOTTOM = 56, WIDTH - 56, HEIGHT - 64, 72
ROW = 20
INK, MUTED, LINE, ACCENT = (HexColor(code) for code in ("#25231d", "#665f50", "#e2dac9", "#2f6b3c"))


def paper_drawn(draw: Callable[[str], tuple[bytes, set[str]]]) -> bytes:
    """`draw` gets the name of a font and gives the file with the characters that Helvetica lacks. Called twice where
    there are such: the first time tells which characters a font is needed for.
    """
    pdfmetrics.registerFont(UnicodeCIDFont(NAMED))
    named, characters = draw(NAMED)
    font = font_cut(characters) if characters else None
    if font is None:
        return named
    with _drawing, _registered(font) as name:
        return draw(name)[0]


@contextmanager
def _registered(font: bytes) -> Iterator[str]:
    """The library keeps the first font of a name, and of a face, for the whole process and silently ignores a second:
    so each has names of its own, and is taken out again.
    """
    name = f"{EMBEDDED}-{hashlib.sha256(font).hexdigest()[:12]}"
    made = TTFont(name, BytesIO(font))
    made.face.name = name.encode()
    pdfmetrics.registerFont(made)
    try:
        yield name
    finally:
        pdfmetrics._fonts.pop(name, None)
        pdfmetrics._dynFaceNames.pop(made.face.name, None)


class Paper:
    """Writes downwards and begins a new page when one is full."""

    def __init__(self, canvas: Canvas, font: str) -> None:
        self.canvas, self.font, self.y, self.number = canvas, font, TOP, 1
        # Those that Helvetica lacks.
        self.characters: set[str] = set()

    def columns(self) -> None:
        """What stands on top of each further page."""

    def room(self, height: int) -> None:
        if self.y - height < BOTTOM:
            self.end()
            self.canvas.showPage()
            self.y, self.number = TOP, self.number + 1
            self.columns()

    def end(self) -> None:
        self.y = BOTTOM - 30
        self.text(RIGHT, str(self.number), size=8, ink=MUTED, to_right=True)

    def rule(self) -> None:
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(1)
        self.canvas.line(LEFT, self.y - 6, RIGHT, self.y - 6)
        self.y -= ROW

    def text(
        self,
        x: int,
        words: str,
        *,
        size: int,
        ink: Any = INK,
        to_right: bool = False,
    ) -> None:
        """Each run of characters in the font that has them."""
        runs = [(font, words, stringWidth(words, font, size)) for font, words in self._runs(words)]
        self.canvas.setFillColor(ink)
        left = x - sum(width for _, _, width in runs) if to_right else x
        for font, run, width in runs:
            self.canvas.setFont(font, size)
            self.canvas.drawString(left, self.y, run)
            left += width

    def _runs(self, words: str) -> Iterator[tuple[str, str]]:
        for is_latin, run in groupby(words, _is_latin):
            text = "".join(run)
            if not is_latin:
                self.characters.update(text)
            yield LATIN if is_latin else self.font, text


def _is_latin(character: str) -> bool:
    """Whether Helvetica has it."""
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def shortened(words: str, most: int) -> str:
    """A Chinese character is as wide as two letters."""
    room, kept = most, 0
    for character in words:
        room -= 1 if character.isascii() else 2
        if room < 0:
            return words[:kept].rstrip() + "…"
        kept += 1
    return words
