"""Markdown by its tokens: headings, lists, tables, code."""

import re
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.tables import add_table

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title:\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_TAG = re.compile(r"<!--.*?-->|<[^<>]{0,2000}>", re.DOTALL)


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """A `title` in the front matter wins over the first heading."""
    text, encoding = decode_text(path.read_bytes())
    text = text.replace("\r\n", "\n")
    title = ""
    front = _FRONT_MATTER.match(text)
    if front:
        found = _FRONT_TITLE.search(front.group(1))
        title = found.group(1).strip("\"'") if found else ""
        text = text[front.end() :]
    builder = DocumentBuilder(job)
    _Walk(builder).run(MarkdownIt("commonmark").enable("table").parse(text))
    return builder.build(title=title, meta={"encoding": encoding})


class _Walk:
    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._lists: list[int | None] = []
        self._marker = ""
        self._heading = 0
        self._rows: list[list[str]] | None = None

    def run(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            self._structure(token)
            if token.type == "inline":
                self._inline(token)
            elif token.type in ("fence", "code_block"):
                self._builder.add("code", token.content)
            elif token.type == "html_block":
                self._builder.add("paragraph", _TAG.sub(" ", token.content))

    def _structure(self, token: Token) -> None:
        kind = token.type
        if kind == "heading_open":
            self._heading = int(token.tag[1:])
        elif kind == "heading_close":
            self._heading = 0
        elif kind == "bullet_list_open":
            self._lists.append(None)
        elif kind == "ordered_list_open":
            self._lists.append(int(token.attrGet("start") or 1))
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif kind == "list_item_open":
            self._marker = self._next_marker()
        else:
            self._table(token)

    def _table(self, token: Token) -> None:
        if token.type == "table_open":
            self._rows = []
        elif token.type == "tr_open" and self._rows is not None:
            self._rows.append([])
        elif token.type == "table_close" and self._rows is not None:
            rows, self._rows = self._rows, None
            has_header = any(rows[0])
            add_table(self._builder, rows if has_header else rows[1:], header_rows=int(has_header))

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _inline(self, token: Token) -> None:
        text = _inline_text(token.children or [])
        if self._rows is not None:
            self._rows[-1].append(text)
        elif self._heading:
            self._builder.heading(text, self._heading)
        elif self._marker:
            self._builder.add("list_item", self._marker + text, level=len(self._lists))
            self._marker = ""
        else:
            self._builder.add("paragraph", text)


def _inline_text(children: Sequence[Token]) -> str:
    parts: list[str] = []
    targets: list[str] = []
    for child in children:
        if child.type == "link_open":
            targets.append(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            target = targets.pop()
            shown = "".join(parts)
            # The address is part of what a customer needs, unless the text is the address.
            if target.startswith(("http://", "https://")) and target.rstrip("/") not in shown:
                parts.append(f" ({target})")
        elif child.type == "image":
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type in ("text", "code_inline"):
            parts.append(child.content)
    return "".join(parts)
