import io
import zipfile
from datetime import UTC, datetime

import docx
import pytest

from apps.contracts.redline import (
    Change,
    Comment,
    Delete,
    DocumentUnreadable,
    InsertAfter,
    Redline,
    paragraphs_read,
    redline_write,
)
from tests.apps.contracts.redline.oracle import OURS, accepted, body_of, made, rejected

AT = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
_HEAD = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
)
_TAIL = "<w:p><w:r><w:t>end</w:t></w:r></w:p></w:body></w:document>"


def file_with(body: str, **parts: str) -> bytes:
    """A real file of python-docx with another body."""
    plain = io.BytesIO()
    docx.Document().save(plain)
    out = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "word/document.xml":
                data = (_HEAD + body + _TAIL).encode()
            target.writestr(entry, data)
        for name, text in parts.items():
            target.writestr(name, text)
    return out.getvalue()


def write(document: bytes, *edits: Change | Comment | Delete | InsertAfter) -> Redline:
    return redline_write(document, edits, author=OURS, at=AT)


def test_only_the_words_that_differ_are_marked() -> None:
    document = file_with("<w:p><w:r><w:t>买方应在30日内付款。</w:t></w:r></w:p>")
    result = write(document, Change(0, 0, 11, "买方应在15日内付款。"))
    body = body_of(result.document).decode()
    assert body.count("<w:del ") == body.count("<w:ins ") == 1
    assert ">30</w:delText>" in body
    assert ">15</w:t>" in body


def test_new_text_looks_as_what_it_replaces() -> None:
    document = file_with(
        "<w:p><w:r><w:t>plain </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>bold</w:t></w:r></w:p>"
    )
    body = body_of(write(document, Change(0, 6, 10, "strong")).document).decode()
    assert '<w:rPr><w:b/></w:rPr><w:t xml:space="preserve">strong</w:t>' in body


@pytest.mark.parametrize(
    "kept",
    [
        '<w:footnoteReference w:id="2"/>',
        "<w:drawing><x/></w:drawing>",
        '<w:fldChar w:fldCharType="end"/>',
    ],
)
def test_what_is_no_text_survives_a_deletion_around_it(kept: str) -> None:
    document = file_with(f"<w:p><w:r><w:t>before</w:t>{kept}<w:t>after</w:t></w:r></w:p>")
    result = write(document, Change(0, 0, 11, ""))
    body = body_of(result.document).decode()
    assert kept in body
    assert f"<w:r>{kept}</w:r>" in body
    assert accepted(result.document)[0] == ""
    assert rejected(result.document)[0] == "beforeafter"


def test_link_text_can_be_changed_inside_its_link() -> None:
    document = file_with("<w:p><w:hyperlink><w:r><w:t>old</w:t></w:r></w:hyperlink></w:p>")
    body = body_of(write(document, Change(0, 0, 3, "new")).document).decode()
    assert body.index("<w:hyperlink>") < body.index("<w:ins ") < body.index("</w:hyperlink>")


def test_another_authors_insertion_is_never_edited() -> None:
    foreign = '<w:ins w:id="5" w:author="Li"><w:r><w:t>theirs</w:t></w:r></w:ins>'
    document = file_with(f"<w:p><w:r><w:t>ours </w:t></w:r>{foreign}</w:p>")
    result = write(document, Change(0, 2, 8, "x"), Comment(0, 6, 8, "see"), InsertAfter(0, "more"))
    assert [refusal.reason for refusal in result.refused] == ["revision"]
    assert foreign in body_of(result.document).decode()
    assert accepted(result.document)[:2] == ["ours theirs", "more"]


def test_deleted_row_of_another_author_is_no_text() -> None:
    row = "<w:tr><w:trPr><w:del w:id='1' w:author='Li'/></w:trPr><w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr>"
    document = file_with(f"<w:tbl>{row}</w:tbl><w:p><w:r><w:t>left</w:t></w:r></w:p>")
    assert paragraphs_read(document) == ["left", "end"]


def test_overlapping_edits_exclude_each_other_and_the_first_stays() -> None:
    document = file_with("<w:p><w:r><w:t>one two three</w:t></w:r></w:p>")
    result = write(document, Change(0, 0, 7, "1 2"), Change(0, 4, 13, "x"), Delete(0))
    assert [refusal.reason for refusal in result.refused] == ["overlap", "overlap"]
    assert accepted(result.document)[0] == "1 2 three"


def test_last_paragraph_of_a_cell_keeps_its_end() -> None:
    document = file_with(
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    result = write(document, Delete(0), InsertAfter(0, "x"), Change(1, 0, 3, "fin"))
    assert [refusal.reason for refusal in result.refused] == ["no_neighbour", "no_neighbour"]
    assert accepted(result.document) == ["cell", "fin"]


def test_deleted_paragraph_with_a_tracked_format_stays_well_ordered() -> None:
    tracked = '<w:pPrChange w:id="1" w:author="Li"><w:pPr/></w:pPrChange>'
    document = file_with(
        f'<w:p><w:pPr><w:jc w:val="left"/>{tracked}</w:pPr><w:r><w:t>x</w:t></w:r></w:p>'
    )
    body = body_of(write(document, Delete(0)).document).decode()
    assert body.index("<w:jc") < body.index("<w:rPr><w:del ") < body.index(tracked)


def test_comments_are_read_by_python_docx() -> None:
    result = redline_write(
        made(1), [Comment(0, 0, 1, "核对 & <数字>\n第二行")], author="Furrow", at=AT, initials="F"
    )
    if not result.done:
        pytest.fail("the comment was refused")
    again = redline_write(result.document, [Comment(0, 0, 1, "second")], author="Furrow", at=AT)
    comments = list(docx.Document(io.BytesIO(again.document)).comments)
    assert [comment.text for comment in comments] == ["核对 & <数字>\n第二行", "second"]
    assert comments[0].initials == "F"
    assert len({comment.comment_id for comment in comments}) == 2


def test_every_other_part_stays_as_it_was() -> None:
    original = made(3)
    result = write(original, InsertAfter(0, "new"))
    before, after = (zipfile.ZipFile(io.BytesIO(d)) for d in (original, result.document))
    names = set(before.namelist()) - {"word/document.xml"}
    assert names == set(after.namelist()) - {"word/document.xml"}
    assert all(before.read(name) == after.read(name) for name in names)


def test_text_that_no_file_may_hold_is_refused() -> None:
    result = write(made(1), InsertAfter(0, "bell \x07"))
    assert [refusal.reason for refusal in result.refused] == ["unwritable"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"%PDF-1.7", "damaged"),
        (file_with("<w:p>"), "damaged"),
        (made(1)[:-40], "damaged"),
    ],
)
def test_damaged_files_end_with_their_reason(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        paragraphs_read(data)
    assert caught.value.reason == reason


def test_entities_are_refused() -> None:
    document = file_with("<w:p/>")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(document)) as source, zipfile.ZipFile(out, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            if entry.filename == "word/document.xml":
                data = b'<!DOCTYPE d [<!ENTITY a "b">]>' + data
            target.writestr(entry, data)
    with pytest.raises(DocumentUnreadable, match="entities"):
        paragraphs_read(out.getvalue())
