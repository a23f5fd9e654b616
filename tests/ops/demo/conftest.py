"""Plain readers of the demo documents, without the platform's own parsers."""

from functools import cache
from pathlib import Path

import openpyxl
import pypdfium2
import pytest
from docx import Document


class Reader:
    """Text of a file, as the format's usual library sees it."""

    @staticmethod
    @cache
    def pdf_pages(path: Path) -> list[str]:
        document = pypdfium2.PdfDocument(path)
        pages = [page.get_textpage().get_text_range() for page in document]
        document.close()
        return pages

    @staticmethod
    def docx(path: Path) -> str:
        document = Document(str(path))
        lines = [paragraph.text for paragraph in document.paragraphs]
        for table in document.tables:
            lines += [" ".join(cell.text for cell in row.cells) for row in table.rows]
        return "\n".join(lines)

    @staticmethod
    def xlsx_rows(path: Path) -> list[list[list[object]]]:
        book = openpyxl.load_workbook(path)
        return [[[*row] for row in sheet.iter_rows(values_only=True)] for sheet in book]

    def text(self, path: Path) -> str:
        match path.suffix:
            case ".md":
                return path.read_text("utf-8")
            case ".docx":
                return self.docx(path)
            case ".pdf":
                return "\n".join(self.pdf_pages(path))
            case _:
                rows = (row for sheet in self.xlsx_rows(path) for row in sheet)
                return "\n".join(" ".join(map(str, row)) for row in rows)

    @staticmethod
    @cache
    def recognised(path: Path) -> list[str]:
        """The text of each page of a scan; loads the recognition models, for slow tests."""
        from rapidocr_onnxruntime import RapidOCR  # noqa: PLC0415 - costly to import

        engine = RapidOCR()
        if path.suffix == ".pdf":
            document = pypdfium2.PdfDocument(path)
            images = [page.render(scale=2.4).to_numpy() for page in document]
            document.close()
        else:
            images = [str(path)]
        return ["\n".join(line[1] for line in engine(image)[0]) for image in images]


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()
