"""Reads bytes as text: marks first, then UTF-8, then the encoding whose reading looks sensible.

Short Chinese texts are where statistical detection fails most, so the candidates are compared by
how many of their Han characters belong to the commonest ones.
"""

import codecs

from furrow.knowledge.parsing.errors import ParseFailure

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里"
    "后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动"
    "两长知民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几"
    "很业最间新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五"
    "太水万市价格元斤箱果货退款客服合同甲乙方规品运费数量单备注称请您须按包邮快递坏赔付金额联系营号线收"
    "這來國個說們為時會著過學對裡後麼沒於還發當無開經頭動兩長樣現將與進實點種聲話問機給幾業間電門東"
    "氣關產萬價貨約規費數單備稱請須遞壞賠額聯營號線購買訂書員區條約務據權責任保證期內限律師簽訂"
    "。，、：；！？（）“”《》"
)
_CANDIDATES = ("gb18030", "big5hkscs", "utf-16-le", "utf-16-be")
_SURE = 0.25


def decode_text(data: bytes, hint: str = "") -> tuple[str, str]:
    """The text and the encoding's name; `hint` is what a page or header claims, tried early."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), encoding
    if data.count(0) == 0 or hint:
        for encoding in ("utf-8", hint):
            text = _strict(data, encoding)
            if text is not None:
                return text, encoding
    guess = _best_candidate(data)
    if guess is not None:
        return guess
    return _damaged_utf8(data) or _by_statistics(data)


def _strict(data: bytes, encoding: str) -> str | None:
    if not encoding:
        return None
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _best_candidate(data: bytes) -> tuple[str, str] | None:
    best: tuple[float, str, str] | None = None
    has_nul = 0 in data
    for encoding in _CANDIDATES:
        if encoding.startswith("utf-16") and len(data) % 2:
            continue
        if has_nul and not encoding.startswith("utf-16"):
            continue
        text = _strict(data, encoding)
        if text is None:
            continue
        score = _plausibility(text)
        if best is None or score > best[0]:
            best = (score, text, encoding)
    if best is None or best[0] < _SURE:
        return None
    return best[1], best[2]


def _plausibility(text: str) -> float:
    """Share of common characters among the non-ASCII ones; plain Latin in UTF-16 counts as sure."""
    sample = text[:50_000]
    if "\x00" in sample:
        return 0.0
    wide = [char for char in sample if char >= "\x80"]
    if not wide:
        return 1.0
    strange = sum("\ue000" <= char <= "\uf8ff" or char < "\xa0" for char in wide)
    return sum(char in _COMMON for char in wide) / len(wide) - 2 * strange / len(wide)


def _damaged_utf8(data: bytes) -> tuple[str, str] | None:
    """UTF-8 with a few broken bytes, as in a file that was cut off."""
    if 0 in data:
        return None
    text = data.decode("utf-8", errors="replace")
    wide = sum(char >= "\x80" for char in text)
    broken = text.count("\ufffd")
    return (text, "utf-8") if broken <= 2 + wide * 0.02 and wide > 4 * broken else None


def _by_statistics(data: bytes) -> tuple[str, str]:
    if 0 in data:
        raise ParseFailure("unsupported", "binary content")
    western = _strict(data, "cp1252")
    if western is not None and _is_western(western):
        return western, "cp1252"
    import charset_normalizer  # noqa: PLC0415  most texts never need it

    match = charset_normalizer.from_bytes(data[:200_000]).best()
    if match is None:
        raise ParseFailure("unsupported", "no encoding fits")
    text = data.decode(match.encoding, errors="replace")
    if text.count("\ufffd") > len(text) * 0.05:
        raise ParseFailure("unsupported", "no encoding fits")
    return text, match.encoding


def _is_western(text: str) -> bool:
    """Accented letters among many plain ones: the commonest reading, which statistics often miss."""
    wide = [char for char in text[:50_000] if char >= "\x80"]
    letters = sum(char.isalpha() or char in "‘’“”–—…€°" for char in wide)
    return letters > 0.8 * len(wide) and len(wide) < 0.25 * len(text[:50_000])
