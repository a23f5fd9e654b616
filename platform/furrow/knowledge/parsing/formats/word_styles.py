"""What a Word paragraph inherits from its style: heading level and numbering."""

import re
from dataclasses import dataclass

from lxml import etree

from furrow.knowledge.parsing.formats.word_numbering import W

_HEADING_NAME = re.compile(r"(?:heading|标题)\s*(\d)$", re.IGNORECASE)
_MAX_CHAIN = 12


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """`heading` is 0 for body text; an empty `number_id` means no number."""

    heading: int = 0
    number_id: str = ""
    number_level: int = 0
    is_caption: bool = False


class Styles:
    """Answers for paragraphs; styles are resolved along their chain once."""

    def __init__(self, root: etree._Element | None) -> None:
        found = root.iterfind(f"{W}style") if root is not None else ()
        self._elements = {style.get(f"{W}styleId") or "": style for style in found}
        self._known: dict[str, ParagraphStyle] = {}

    def of(self, paragraph: etree._Element) -> ParagraphStyle:
        properties = paragraph.find(f"{W}pPr")
        if properties is None:
            return ParagraphStyle()
        style = self._style(_attribute(properties, "pStyle") or "")
        return _merged(style, properties)

    def _style(self, identity: str) -> ParagraphStyle:
        if identity not in self._known:
            self._known[identity] = self._resolve(identity)
        return self._known[identity]

    def _resolve(self, identity: str) -> ParagraphStyle:
        chain: list[etree._Element] = []
        while identity in self._elements and len(chain) < _MAX_CHAIN:
            chain.append(self._elements[identity])
            identity = _attribute(chain[-1], "basedOn") or ""
        resolved = ParagraphStyle()
        for style in reversed(chain):
            properties = style.find(f"{W}pPr")
            if properties is not None:
                resolved = _merged(resolved, properties)
            resolved = _named(resolved, _attribute(style, "name") or "")
        return resolved


def _named(style: ParagraphStyle, name: str) -> ParagraphStyle:
    match = _HEADING_NAME.match(name)
    heading = style.heading
    if match:
        heading = int(match.group(1))
    elif name.lower() in ("title", "标题"):
        heading = 1
    elif name.lower() in ("subtitle", "副标题"):
        heading = 2
    is_caption = name.lower() in ("caption", "题注")
    return ParagraphStyle(heading, style.number_id, style.number_level, is_caption)


def _merged(style: ParagraphStyle, properties: etree._Element) -> ParagraphStyle:
    outline = _attribute(properties, "outlineLvl")
    heading = style.heading
    if outline is not None and outline.isdigit():
        heading = int(outline) + 1 if int(outline) < 9 else 0
    number_id, level = style.number_id, style.number_level
    numbering = properties.find(f"{W}numPr")
    if numbering is not None:
        shown = _attribute(numbering, "numId")
        # An id of 0 takes the style's number away.
        number_id = "" if shown == "0" else shown or number_id
        depth = _attribute(numbering, "ilvl")
        level = int(depth) if depth and depth.isdigit() else level
    return ParagraphStyle(heading, number_id, level, style.is_caption)


def _attribute(element: etree._Element, name: str) -> str | None:
    child = element.find(f"{W}{name}")
    return child.get(f"{W}val") if child is not None else None
