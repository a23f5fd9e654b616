"""One module per file format, each with `read(path, job) -> ParsedDocument`."""

import importlib
from pathlib import Path

from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.sniff import FileKind, sniff_kind

_READERS: dict[FileKind, str] = {
    "pdf": "pdf_file",
    "docx": "word_file",
    "xlsx": "excel_file",
    "csv": "csv_file",
    "pptx": "slide_file",
    "html": "web_page",
    "markdown": "markdown_text",
    "text": "plain_text",
    "png": "picture",
    "jpeg": "picture",
}


def read_document(path: Path, job: ParseJob) -> ParsedDocument:
    """Reads the file in this process, by its content; a file without any text is a failure."""
    kind = sniff_kind(path, job)
    # By name, so that reading a text file does not load the libraries of all other formats.
    module = importlib.import_module(f"{__name__}.{_READERS[kind]}")
    document: ParsedDocument = module.read(path, job)
    if not document.text:
        is_scan = kind in ("pdf", "png", "jpeg", "pptx", "docx")
        raise ParseFailure("empty_scan" if is_scan else "empty", kind)
    return document
