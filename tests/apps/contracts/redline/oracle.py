"""Accepting and rejecting, written apart from the product on lxml trees, and documents to try it on."""

import io
import random
import zipfile

import docx
from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
OURS = "Furrow"


def body_of(document: bytes) -> bytes:
    return zipfile.ZipFile(io.BytesIO(document)).read("word/document.xml")


def accepted(document: bytes) -> list[str]:
    """The paragraphs after every tracked change was accepted."""
    return _resolved(document, is_accepting=True, author=None)


def rejected(document: bytes, author: str = OURS) -> list[str]:
    """The paragraphs after this author's changes were rejected and everybody else's accepted."""
    return _resolved(document, is_accepting=False, author=author)


def _resolved(document: bytes, *, is_accepting: bool, author: str | None) -> list[str]:
    root = etree.fromstring(body_of(document))
    lines: list[str] = []
    open_text = ""
    for paragraph in root.iter(f"{W}p"):
        open_text += _text(paragraph, is_accepting, author)
        mark = paragraph.find(f"{W}pPr/{W}rPr")
        kinds = {} if mark is None else {e.tag: e.get(f"{W}author") for e in mark}
        gone = "del" if is_accepting else "ins"
        who = kinds.get(f"{W}{gone}")
        is_joined = who is not None and (author is None or who == author)
        if not is_accepting and kinds.get(f"{W}del") not in (None, author):
            is_joined = True
        if not is_joined:
            lines.append(open_text)
            open_text = ""
    assert open_text == "", "the end of a paragraph was lost"
    return lines


def _text(paragraph: etree._Element, is_accepting: bool, author: str | None) -> str:
    out = []
    for element in paragraph.iter():
        nearest = next(element.iterancestors(f"{W}p"), None)
        if nearest is not paragraph:
            continue
        above = {
            a.tag: a.get(f"{W}author")
            for a in element.iterancestors()
            if a.tag in (f"{W}ins", f"{W}del")
        }
        if not _is_shown(above, is_accepting, author):
            continue
        if element.getparent().tag != f"{W}r":
            continue
        if element.tag in (f"{W}t", f"{W}delText"):
            out.append(element.text or "")
        elif element.tag == f"{W}tab":
            out.append("\t")
        elif element.tag == f"{W}br":
            out.append("\n")
    return "".join(out)


def _is_shown(above: dict[str, str], is_accepting: bool, author: str | None) -> bool:
    if is_accepting:
        return f"{W}del" not in above
    if above.get(f"{W}ins") == author:
        return False
    return f"{W}del" not in above or above[f"{W}del"] == author


WORDS = (
    "甲方应当于 乙方 交货之日起 30 日内 支付货款 人民币 壹拾万元整 。 The Supplier shall deliver the goods within ten "
    "working days ; liability is capped at 20% of fees & costs <net> “本合同” 一式两份 ， 自签字之日起生效"
).split()


def sentence(rng: random.Random, words: int) -> str:
    parts = [rng.choice(WORDS) for _ in range(words)]
    return "".join(part + (" " if part[-1].isascii() else "") for part in parts)


def made(seed: int) -> bytes:
    """A contract-like file: runs in many formats, tables, tabs, links, other people's revisions and comments."""
    rng = random.Random(seed)
    document = docx.Document()
    for number in range(rng.randint(4, 9)):
        paragraph = document.add_paragraph(style=rng.choice(["Normal", "List Number", "Heading 2"]))
        for _ in range(rng.randint(0, 5)):
            _run(rng, paragraph)
        if rng.random() < 0.4:
            _foreign(rng, paragraph, number)
    table = document.add_table(rows=2, cols=2)
    for cell in [cell for row in table.rows for cell in row.cells]:
        cell.text = sentence(rng, 3)
    for _ in range(2):
        _run(rng, document.add_paragraph())
    document.add_paragraph("完 / end")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _run(rng: random.Random, paragraph: docx.text.paragraph.Paragraph) -> None:
    run = paragraph.add_run(sentence(rng, rng.randint(1, 6)))
    run.bold, run.italic = rng.choice([None, True]), rng.choice([None, True])
    if rng.random() < 0.2:
        run.add_tab()
        run.add_text("¥1,000.00")
    if rng.random() < 0.1:
        run.add_break()
        run.add_text("(续)")


def _foreign(rng: random.Random, paragraph: docx.text.paragraph.Paragraph, number: int) -> None:
    """Another reviewer's insertion and deletion at a random place among the runs."""
    signed = f'w:id="{900 + number * 2}" w:author="王律师" w:date="2026-01-05T08:00:00Z"'
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    kinds = {
        "ins": f'<w:ins {space} {signed}><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">并经对方 “书面” 同意 </w:t></w:r></w:ins>',
        "del": f'<w:del {space} {signed}><w:r><w:delText xml:space="preserve">口头 </w:delText></w:r></w:del>',
    }
    for kind in rng.sample(sorted(kinds), rng.randint(1, 2)):
        element = etree.fromstring(kinds[kind])
        runs = paragraph._p.findall(f"{W}r")
        if runs:
            rng.choice(runs).addnext(element)
        else:
            paragraph._p.append(element)
