"""Marks what should not be quoted or indexed as knowledge. Nothing is ever removed.

Flags carry a reason that the owner can read; whether a flagged part is searched is for others to
decide.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from furrow.knowledge.cleaning.duplicates import duplicates
from furrow.knowledge.cleaning.flag import Flag
from furrow.knowledge.cleaning.noise import ocr_noise
from furrow.knowledge.cleaning.tables import table_flags
from furrow.knowledge.cleaning.wording import ended, furniture, is_cut_off, placeholder
from furrow.knowledge.parsing.document import Block, ParsedDocument

_BOILERPLATE = (
    (re.compile(r"^(?:©|\(c\)|copyright\b|版权所有|all rights reserved)", re.IGNORECASE), "copyright line"),
    (re.compile(r"^(?:京|沪|粤|浙|苏|赣|鲁|川|闽|湘|鄂|豫|冀|皖|渝|津)?ICP[备证].{0,30}$"), "site licence number"),
    (re.compile(r"^(?:[-–—]\s*)?(?:第\s*\d+\s*页|page\s+\d+|\d+\s*/\s*\d+)(?:.{0,3}共\s*\d+\s*页| of \d+)?(?:\s*[-–—])?$",
                re.IGNORECASE), "page number"),
    (re.compile(r"(?:…|\.{6,}|·{6,})\s*\d{1,4}$"), "line of a table of contents"),
    (re.compile(r"^(?:返回顶部|上一篇|下一篇|上一页|下一页|分享到|点击展开|阅读更多|back to top|read more|"
                r"share this|skip to (?:main )?content|click here|next page|previous page)\W*$",
                re.IGNORECASE), "page control"),
    (re.compile(r"^(?:此页面?无正文|以下无正文|this page (?:is )?intentionally left blank)\W*$", re.IGNORECASE),
     "blank page note"),
)  # fmt: skip
_STRANGE = re.compile("[\ufffd\ue000-\uf8ff\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_CLASSIC = re.compile(r"锟斤拷|烫烫烫|屯屯屯|(?:ï»¿)|(?:â€[™œ“”¦˜])|(?:Ã[\x80-\xbf©¨¤¶¼±§]){2}")
_HAN_RUN = re.compile(r"[\u3400-\u9fff\uff00-\uffef€]{4,400}")
_LATIN_RUN = re.compile(r"[\u0080-\u024f\u2010-\u2122]{2,400}")
_HAN_CHAR = re.compile(r"[\u3400-\u9fff]")
_LATIN_CHAR = re.compile(r"[\u0080-\u00bf\u00c2-\u00f4\u0152-\u0192\u02c6\u02dc\u2010-\u2122]")
_LEAST_THROUGHOUT = 10
_STRANGE_SHARE = 0.05
_MOJIBAKE_SHARE = 0.3


def clean_document(document: ParsedDocument, today: date | None = None) -> list[Flag]:
    """All flags in the order of the text; a part may carry several. Offers are held against `today`."""
    tables = list(table_flags(document.blocks))
    repeated = {flag.start for flag in tables if flag.code == "repeated_header"}
    flags = [*_running(document), *tables, *duplicates(document, repeated)]
    for place, block in enumerate(document.blocks):
        garbled = list(_garble(block))
        flags += [*_boilerplate(block), *garbled]
        if not garbled:
            flags += _wording(block, document.blocks[place + 1 : place + 3], today)
    return sorted(flags, key=lambda flag: (flag.start, flag.end, flag.code))


def _wording(block: Block, following: Sequence[Block], today: date | None) -> Iterator[Flag]:
    if block.kind in ("running", "table_header", "code"):
        return
    if noise := ocr_noise(block):
        score, piece = noise
        yield Flag(block.start, block.end, "ocr_noise", "badly recognised text", score, piece)
    if gap := placeholder(block.text):
        yield Flag(block.start, block.end, "placeholder", "a gap that was not filled in", 0.95, gap)
    if today is not None and (day := ended(block.text, today)):
        yield Flag(block.start, block.end, "stale", "an offer that is over", 0.9, day)
    if is_cut_off(block, following):
        yield Flag(
            block.start,
            block.end,
            "cut_off",
            "the text stops within a sentence",
            0.8,
            block.text[-12:],
        )


def _running(document: ParsedDocument) -> Iterator[Flag]:
    for block in document.blocks:
        if block.kind == "running":
            yield Flag(block.start, block.end, "running", "page header or footer")


def _boilerplate(block: Block) -> Iterator[Flag]:
    if block.kind in ("running", "table_row", "table_header", "code") or len(block.text) > 200:
        return
    reason = next((why for pattern, why in _BOILERPLATE if pattern.search(block.text)), "")
    if reason := reason or furniture(block.text):
        yield Flag(block.start, block.end, "boilerplate", reason)


def _garble(block: Block) -> Iterator[Flag]:
    text = block.text
    strange = len(_STRANGE.findall(text))
    if strange > 2 + _STRANGE_SHARE * len(text) or strange > 0.5 * len(text):
        yield Flag(block.start, block.end, "garble", f"{strange} unreadable characters")
        return
    if match := _CLASSIC.search(text):
        yield Flag(
            block.start + match.start(), block.end, "garble", "text read in a wrong encoding"
        )
        return
    wrong = sum(len(run) for run in _misread_runs(text))
    if wrong > _MOJIBAKE_SHARE * len(text) or _is_misread_throughout(text):
        yield Flag(block.start, block.end, "garble", "text read in a wrong encoding")


def _misread_runs(text: str) -> Iterator[str]:
    """Runs whose bytes turn out to be UTF-8: real Chinese or accented text never does by chance."""
    for pattern, encoding in ((_HAN_RUN, "gb18030"), (_LATIN_RUN, "cp1252")):
        for match in pattern.finditer(text):
            run = match.group()
            if _is_utf8_inside(run, encoding):
                yield run


def _is_misread_throughout(text: str) -> bool:
    """The same for text that lost bytes on the way, so that its runs do not decode as a whole."""
    bare = "".join(text.split())
    if len(bare) < _LEAST_THROUGHOUT:
        return False
    if len(_LATIN_CHAR.findall(bare)) > 0.5 * len(bare):
        return True
    read = bare.encode("gb18030", "ignore").decode("utf-8", "ignore")
    meant = _HAN_CHAR.findall(read)
    return (
        len(meant) >= 0.25 * len(bare)
        and _everyday_share(meant) > 0.8
        and _everyday_share(_HAN_CHAR.findall(bare)) < 0.7
    )


def _everyday_share(chars: Sequence[str]) -> float:
    """How many are of the first level of GB 2312."""
    everyday = sum(0xB0 <= (c.encode("gb2312", "ignore") or b"\0")[0] <= 0xD7 for c in chars)
    return everyday / max(len(chars), 1)


def _is_utf8_inside(run: str, encoding: str) -> bool:
    try:
        data = run.encode(encoding)
    except UnicodeEncodeError:
        return False
    # A run may begin or end within a character: its first and last bytes are let go.
    for cut in range(4):
        try:
            decoded = data[: len(data) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return len(decoded) < len(run) and any(char > "\x7f" for char in decoded)
    return False
