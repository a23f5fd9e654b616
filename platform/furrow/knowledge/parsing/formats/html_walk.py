"""Walks an element tree of HTML, or of trafilatura's own tags, into blocks."""

import re

from lxml import etree

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.headings import guess_heading
from furrow.knowledge.parsing.tables import add_table

_DROPPED = frozenset(
    "script style noscript template svg canvas iframe object embed nav footer aside form button "
    "select textarea dialog head menu".split()
)
_HINT = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|breadcrumbs?|sidebar|footer|menu|cookie|banner|ads?|share|social|"
    r"pagination|related|recommend)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article blockquote body caption center dd details div dl dt fieldset figcaption figure "
    "header hr html li list item main ol p pre quote section summary table tbody td tfoot th thead tr "
    "ul head row cell code ab".split()
)
_SPACE = re.compile(r"[ \t\n\r\f\xa0\u200b]+")


def clean_tree(root: etree._Element) -> etree._Element:
    """Removes in place what is not content: scripts, navigation, forms, hidden parts."""
    doomed = [element for element in root.iter() if _is_boilerplate(element)]
    for element in doomed:
        parent = element.getparent()
        if parent is not None:
            _keep_tail(parent, element)
            parent.remove(element)
    return root


def _is_boilerplate(element: etree._Element) -> bool:
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return True
    if element.tag in ("html", "body", "main", "article"):
        return False
    style = (element.get("style") or "").replace(" ", "").lower()
    if "display:none" in style or element.get("hidden") is not None:
        return True
    if element.get("aria-hidden") == "true" or element.get("role") in ("navigation", "banner"):
        return True
    marks = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag in ("div", "ul", "section", "header", "p") and bool(_HINT.search(marks))


def _keep_tail(parent: etree._Element, element: etree._Element) -> None:
    if not element.tail:
        return
    before = element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + element.tail
    else:
        parent.text = (parent.text or "") + element.tail


class HtmlWalk:
    """Iterative, because a hostile page can be nested deeper than Python's stack."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._inline: list[str] = []
        self._markers: list[int | None] = []
        self._marker = ""

    def run(self, root: etree._Element) -> None:
        stack: list[tuple[etree._Element, bool]] = [(root, False)]
        while stack:
            element, is_end = stack.pop()
            if is_end:
                self._leave(element)
                self._inline.append(element.tail or "" if element is not root else "")
                continue
            stack.append((element, True))
            if self._enter(element):
                stack.extend((child, False) for child in reversed(element))
        self._flush()

    def _enter(self, element: etree._Element) -> bool:
        """Whether the children still have to be walked."""
        tag = _tag(element)
        if not tag or tag in ("table", "pre") or _heading_level(element):
            self._flush()
            self._add_whole(element, tag)
            return False
        if tag in _BLOCKS:
            self._flush()
        if tag in ("ul", "list"):
            self._markers.append(None)
        elif tag == "ol":
            self._markers.append(1)
        elif tag in ("li", "item"):
            self._marker = self._next_marker()
        elif tag in ("br", "lb"):
            self._inline.append("\n")
        elif tag == "img":
            self._inline.append(element.get("alt") or "")
        self._inline.append(_SPACE.sub(" ", element.text or ""))
        return True

    def _leave(self, element: etree._Element) -> None:
        tag = _tag(element)
        if tag in _BLOCKS:
            self._flush()
        if tag in ("ul", "ol", "list") and self._markers:
            self._markers.pop()
            self._marker = ""

    def _next_marker(self) -> str:
        number = self._markers[-1] if self._markers else None
        if number is None:
            return "- "
        self._markers[-1] = number + 1
        return f"{number}. "

    def _add_whole(self, element: etree._Element, tag: str) -> None:
        level = _heading_level(element)
        if level:
            self._builder.heading(_text_of(element), level)
        elif tag == "table":
            self._table(element)
        elif tag == "pre":
            self._builder.add("code", "".join(map(str, element.itertext())))

    def _table(self, table: etree._Element) -> None:
        rows = [row for row in table.iter("tr", "row") if _own_table(row) is table]
        grid = [
            [_text_of(cell) for cell in row if _tag(cell) in ("td", "th", "cell")] for row in rows
        ]
        if max((len(row) for row in grid), default=0) <= 1:
            # A table of one column lays out the page; its content may hold real tables.
            for row in rows:
                for cell in row:
                    HtmlWalk(self._builder).run(cell) if len(cell) < 500 else None
            return
        heads = [all(_is_head(cell) for cell in row) and len(row) > 0 for row in rows]
        count = next((index for index, is_head in enumerate(heads) if not is_head), len(heads))
        caption = table.find("caption")
        add_table(
            self._builder,
            grid,
            caption=_text_of(caption) if caption is not None else "",
            header_rows=count or None,
        )

    def _flush(self) -> None:
        raw = "".join(self._inline)
        self._inline.clear()
        lines = [_SPACE.sub(" ", line).strip() for line in raw.split("\n")]
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        marker, self._marker = self._marker, ""
        if marker:
            self._builder.add("list_item", marker + text, level=len(self._markers))
        elif level := guess_heading(text):
            self._builder.heading(text, level)
        else:
            self._builder.add("paragraph", text)


def _tag(element: etree._Element) -> str:
    return element.tag.lower() if isinstance(element.tag, str) else ""


def _heading_level(element: etree._Element) -> int:
    tag = _tag(element)
    if tag == "head":
        # Trafilatura keeps the level of a heading as an attribute.
        return _HEADINGS.get(element.get("rend") or "", 2)
    return _HEADINGS.get(tag, 0)


def _is_head(cell: etree._Element) -> bool:
    return _tag(cell) == "th" or cell.get("role") == "head"


def _own_table(row: etree._Element) -> etree._Element | None:
    return next(row.iterancestors("table"), None)


def _text_of(element: etree._Element) -> str:
    return _SPACE.sub(" ", " ".join(map(str, element.itertext()))).strip()
