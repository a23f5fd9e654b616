"""Web pages: the main content, with its headings, lists and tables."""

import re
from pathlib import Path

import lxml.html
from lxml import etree

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats.html_walk import HtmlWalk, clean_tree
from furrow.knowledge.parsing.limits import ParseJob

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_\-]{2,40})", re.IGNORECASE
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>", re.IGNORECASE)
# Below this share of the page's visible text the extraction has thrown away content.
_ENOUGH = 0.5


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """Trafilatura chooses the main part; when it drops too much, the whole cleaned page is used."""
    data = path.read_bytes()
    declared = _CHARSET.search(data[:4096])
    text, encoding = decode_text(data, declared.group(1).decode() if declared else "")
    root = _parse(text)
    title = _title(root)
    whole = _build(clean_tree(root), job, title, encoding)
    main = _main_part(text)
    if main is None:
        return whole
    extracted = _build(main, job, title, encoding)
    is_enough = len(extracted.text) >= _ENOUGH * len(whole.text)
    keeps_tables = _row_count(extracted) >= _row_count(whole)
    return extracted if is_enough and keeps_tables else whole


def _parse(text: str) -> etree._Element:
    # Without `huge_tree` what is nested deeper than 255 elements is dropped without a word.
    parser = lxml.html.HTMLParser(
        no_network=True, remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        return lxml.html.document_fromstring(_DECLARATION.sub("", text), parser=parser)
    except etree.ParserError as error:
        raise ParseFailure("empty", "no elements") from error


def _title(root: etree._Element) -> str:
    found = root.findtext(".//title") or ""
    return re.sub(r"\s+", " ", found).strip()


def _main_part(text: str) -> etree._Element | None:
    import trafilatura  # noqa: PLC0415  a third of a second to load, for web pages only

    found = trafilatura.bare_extraction(
        text,
        include_comments=False,
        include_tables=True,
        favor_recall=True,
        with_metadata=False,
    )
    body: etree._Element | None = getattr(found, "body", None)
    return body


def _build(root: etree._Element, job: ParseJob, title: str, encoding: str) -> ParsedDocument:
    builder = DocumentBuilder(job)
    HtmlWalk(builder).run(root)
    return builder.build(title=title, meta={"encoding": encoding})


def _row_count(document: ParsedDocument) -> int:
    return sum(block.kind == "table_row" for block in document.blocks)
