"""Finds page headers, footers and page numbers by their repetition."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from furrow.knowledge.parsing.layout import Element, TextLine

_ZONE = 0.12
_EDGE_LINES = 3
_REPEATS = 0.4
_GAP = 0.5
_NUMBER = re.compile(r"[\d一二三四五六七八九十百]+")
_PAGE_NUMBER = re.compile(
    r"^(?:[-–—·]\s*)?(?:第\s*)?#(?:\s*页)?(?:\s*[/／,，of共]+\s*#\s*(?:页)?)?(?:\s*[-–—·])?$|^page\s*#"
    r"(?:\s*of\s*#)?$",
    re.IGNORECASE,
)


def split_running(
    pages: Sequence[tuple[float, list[Element]]],
) -> list[tuple[list[Element], list[str], list[str]]]:
    """Per page: its body, its header lines and its footer lines; `pages` are height and elements."""
    counts: Counter[tuple[str, bool]] = Counter()
    for height, elements in pages:
        counts.update({_place(line, height) for line in _edge_lines(height, elements)})
    least = max(2, math.ceil(_REPEATS * len(pages)))
    repeated = {place for place, count in counts.items() if count >= least}
    split = []
    for height, elements in pages:
        edge = {
            id(line)
            for line in _edge_lines(height, elements)
            if _place(line, height) in repeated or _PAGE_NUMBER.match(_key(line))
        }
        body: list[Element] = []
        headers: list[str] = []
        footers: list[str] = []
        for element in elements:
            if isinstance(element, TextLine) and id(element) in edge:
                (headers if element.y0 < height / 2 else footers).append(element.text)
            else:
                body.append(element)
        split.append((body, headers, footers))
    return split


def _edge_lines(height: float, elements: Sequence[Element]) -> list[TextLine]:
    """Lines in the margins that a gap parts from the body."""
    lines = sorted(
        (element for element in elements if isinstance(element, TextLine)),
        key=lambda line: line.y0,
    )
    top = [line for line in lines[:_EDGE_LINES] if line.y1 <= _ZONE * height]
    bottom = [line for line in lines[-_EDGE_LINES:] if line.y0 >= (1 - _ZONE) * height]
    while top and len(top) < len(lines) and not _is_parted(top[-1], lines[len(top)]):
        top.pop()
    while (
        bottom and len(bottom) < len(lines) and not _is_parted(lines[-len(bottom) - 1], bottom[0])
    ):
        bottom.pop(0)
    return top + [line for line in bottom if line not in top]


def _is_parted(upper: TextLine, lower: TextLine) -> bool:
    return lower.y0 - upper.y1 > _GAP * min(upper.size, lower.size)


def _place(line: TextLine, height: float) -> tuple[str, bool]:
    """The words, and whether they stand at the top."""
    return _key(line), line.y0 < height / 2


def _key(line: TextLine) -> str:
    """The words with their numbers masked, as page numbers change from page to page."""
    return _NUMBER.sub("#", " ".join(line.text.split()))
