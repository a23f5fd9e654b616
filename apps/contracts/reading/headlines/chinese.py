"""Name and days of a Chinese contract, by rules."""

import re
from datetime import date

from apps.contracts.reading.dates import DateFound, dates
from apps.contracts.reading.headlines.terms import later
from apps.contracts.reading.numerals import whole

_OPENING = 4_000
_HAN = re.compile(r"[\u4e00-\u9fff]")
_TITLE = re.compile(r"合同|协议")
_NO_TITLE = re.compile(r"^\W*\d+\.\d|[.;:,]\s+\S+\s+\S+\s+\S+\s+\S+|(?:合同|协议)编号")
_TITLE_LENGTH = 140
_MADE = re.compile(r"(?:dated|签订(?:日期|时间)?|签署日期)[^.。;；\n]{0,80}$", re.IGNORECASE)
_EFFECTIVE_BEFORE = re.compile(r"(?:自|生效(?:日期)?[:：为]?)[^.。;；]{0,60}$")
_EFFECTIVE_AFTER = re.compile(r"^[^.。;；\n]{0,60}[(（\"“][^()（）]{0,30}生效日")
_UNTIL = re.compile(r"(?:至|到)\s*$")
_TERM = re.compile(r"有效期|期限|租赁期|合同期")
_LENGTH = re.compile(r"(?<!\d)(?P<number>[一二三四五六七八九十两\d]{1,3})\s*个?(?P<unit>年|月)")
_NOT_THE_TERM = re.compile(r"提前|保修|质保")


def is_chinese(text: str) -> bool:
    opening = text[:_OPENING]
    letters = sum(char.isalpha() for char in opening)
    return letters > 0 and len(_HAN.findall(opening)) > 0.2 * letters


def name_and_days(text: str) -> tuple[str, date | None, date | None, date | None]:
    """The name, when it was made, when it takes effect, when it ends."""
    found = dates(text)
    made = _made(text, found)
    effective = _effective(text, found)
    return _name(text), made, effective, _ending(text, found, effective or made)


def _name(text: str) -> str:
    """The first line that is a title."""
    lines = [line.strip() for line in text[:_OPENING].split("\n") if line.strip()]
    for line in lines[:40]:
        if len(line) <= _TITLE_LENGTH and _TITLE.search(line) and not _NO_TITLE.search(line):
            return re.sub(r"\s+", " ", re.sub(r"\s{3,}\S.*", "", line)).strip(" -–:,.\t")
    return ""


def _made(text: str, found: list[DateFound]) -> date | None:
    for one in found:
        if one.start > _OPENING or one.value is None:
            continue
        if _MADE.search(text[max(one.start - 120, 0) : one.start]):
            return one.value
    early = [one.value for one in found if one.start <= _OPENING // 2 and one.value]
    return early[0] if early else None


def _effective(text: str, found: list[DateFound]) -> date | None:
    for one in found:
        if one.value is None:
            continue
        before, after = text[max(one.start - 90, 0) : one.start], text[one.end : one.end + 100]
        if _EFFECTIVE_AFTER.search(after) or _EFFECTIVE_BEFORE.search(before):
            return one.value
    return None


def _ending(text: str, found: list[DateFound], first: date | None) -> date | None:
    for one in found:
        if one.value is None or (first and one.value <= first):
            continue
        before = text[max(one.start - 200, 0) : one.start]
        if _UNTIL.search(before) and _TERM.search(text[max(one.start - 300, 0) : one.end + 60]):
            return one.value
    if first is None:
        return None
    for sentence in re.split(r"[。；;]|\n\s*\n", text):
        if not _TERM.search(sentence):
            continue
        for match in _LENGTH.finditer(sentence):
            number = whole(match["number"].replace("两", "二"))
            before = sentence[max(match.start() - 45, 0) : match.start()]
            if number and not _NOT_THE_TERM.search(before):
                return later(first, number * (12 if match["unit"] == "年" else 1))
    return None
