"""What parsing a file gives: one text, its blocks and pages, all by code point offsets."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

BlockKind = Literal[
    "heading",
    "paragraph",
    "list_item",
    "table_header",
    "table_row",
    "caption",
    "code",
    "note",
    "running",
]


@dataclass(frozen=True, slots=True)
class TableCellHeader:
    """Which table of the document a row belongs to, its row number from 1, its column names."""

    table: int
    row: int
    header: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of the text as the author set it; `running` is a repeated page header or footer.

    A table row reads by itself: each value stands behind its column name.
    """

    kind: BlockKind
    text: str
    level: int
    page: int | None
    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    table: TableCellHeader | None = None


@dataclass(frozen=True, slots=True)
class PageSpan:
    """A page, sheet or slide; the spans follow each other without gap."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParseWarning:
    """Something the owner should know though the file was read."""

    code: str
    message: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """`text[block.start:block.end] == block.text` for every block.

    Formats without pages have no `pages` and a `page_count` of 0. `language` is `zh`, `en` or
    empty when there are no letters.
    """

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[PageSpan, ...] = ()
    page_count: int = 0
    title: str = ""
    language: str = ""
    warnings: tuple[ParseWarning, ...] = ()
    meta: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text is stored once: blocks carry offsets only."""
        data = asdict(self)
        for block in data["blocks"]:
            del block["text"]
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, raw: str | bytes) -> "ParsedDocument":
        data: dict[str, Any] = json.loads(raw)
        text = data["text"]
        return cls(
            text=text,
            blocks=tuple(_block(text, block) for block in data["blocks"]),
            pages=tuple(PageSpan(**page) for page in data["pages"]),
            page_count=data["page_count"],
            title=data["title"],
            language=data["language"],
            warnings=tuple(ParseWarning(**warning) for warning in data["warnings"]),
            meta=data["meta"],
        )


def _block(text: str, data: dict[str, Any]) -> Block:
    table = data["table"]
    return Block(
        kind=data["kind"],
        text=text[data["start"] : data["end"]],
        level=data["level"],
        page=data["page"],
        start=data["start"],
        end=data["end"],
        heading_path=tuple(data["heading_path"]),
        table=TableCellHeader(table["table"], table["row"], tuple(table["header"]))
        if table
        else None,
    )
