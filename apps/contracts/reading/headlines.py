"""What stands at the head of every file note: the contract's name, its days and its law.

Read by rules in Chinese and English; what they cannot tell stays empty and is never guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from apps.contracts.reading.dates import DateFound, dates
from apps.contracts.reading.numerals import whole

_OPENING = 4_000
_TITLE_LENGTH = 140
_TITLE = re.compile(
    r"\b(?:agreement|contract|amendment|addendum|lease|charter|memorandum|undertaking)\b|合同|协议",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"^\W*(?:exhibit|ex-?\d|schedule|annex|page|source|confidential|portions|certain|execution (?:copy|version)|this|the parties|whereas|between|by and|table of|contract (?:no|year)|§|\d+\.\d)"
    r"|[.;:,]\s+\S+\s+\S+\s+\S+\s+\S+|合同编号|协议编号",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"\b[Tt](?:his|HIS)\s+((?:[A-Z][\w&/,'’-]*\s+|(?:and|of|for|the|to)\s+){1,9}?(?:[Aa]greement|AGREEMENT|[Cc]ontract|CONTRACT|[Aa]mendment|AMENDMENT|Addendum)(?:\s+(?:No\.?|NO\.?)\s*\d+)?)"
)
_LOUD = re.compile(
    r"\b((?!THIS\b)(?:[A-Z][A-Z&/,'’®-]+\s+|(?:NO\.?\s*\d+)\s+){1,9}?(?:AGREEMENT|CONTRACT|LEASE|ADDENDUM|AMENDMENT)(?:\s+NO\.?\s*\d+)?)\b(?!\s+(?:OF|TO|BETWEEN)\b)"
)
_FIRM = re.compile(
    r"\b(?:corporation|corp|inc|llc|l\.l\.c|company|ltd|limited|bank|lp)\b\.?,?", re.IGNORECASE
)
_CAPS = re.compile(r"^[^a-z]*[A-Z]{3}[^a-z]*$")
_MADE = re.compile(
    r"(?:dated|made|entered into|executed|effective|day of|签订(?:日期|时间)?|签署日期)[^.。;；\n]{0,80}$",
    re.IGNORECASE,
)
_EFFECTIVE_BEFORE = re.compile(
    r"(?:effective(?:\s+date)?|\bas\s+of|commenc\w+|take[s]?\s+effect|begin\w*|shall start|自|生效(?:日期)?[:：为]?)[^.。;；]{0,60}$",
    re.IGNORECASE,
)
_EFFECTIVE_AFTER = re.compile(
    r"^[^.。;；\n]{0,60}[(（\"“][^()（）]{0,30}(?:effective\s+date|commencement\s+date|生效日)",
    re.IGNORECASE,
)
_UNTIL = re.compile(
    r"(?:until|through|thru|expire[sd]?\s*(?:on|at)?|expiring|terminat\w+\s+(?:on|at)|end(?:s|ing)?\s+(?:on|at)?|expiration date|no later than|\bto\b|至|到)"
    r"(?:\s+(?:and including|midnight(?:\s+on)?|the close of business on|but not including|the|on|of|at|earlier of|or before|\([a-z0-9]\)|,))*\s*$",
    re.IGNORECASE,
)
_TERM = re.compile(
    r"\bterm\b|expir|continue|remain in (?:full )?(?:force|effect)|in effect|有效期|期限|租赁期|合同期",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"(?:(?P<word>[a-z]{1,12}(?:-[a-z]{1,12})?)\s*)?\(?\s*(?P<n>\d{1,3})?\s*\)?[\s-]*(?:full |calendar |consecutive |contract |additional )?(?P<unit>year|month|week|day)s?\b|(?P<han>[一二三四五六七八九十两\d]{1,3})\s*个?(?P<hanunit>年|月)",
    re.IGNORECASE,
)
_NOT_THE_TERM = re.compile(
    r"renew|notice|successive|additional|surviv|(?:after|following)\s+(?:the\s+)?(?:expir|terminat)|prior\s+to|extend|confidential|warrant|within|提前|保修|质保",
    re.IGNORECASE,
)
_NOTICE = re.compile(r"notice|renew|prior|before|periods", re.IGNORECASE)
_NUMBERS = dict(
    zip(
        ("one two three four five six seven eight nine ten eleven twelve fifteen eighteen twenty twenty-four thirty "
         "thirty-six forty sixty ninety ninety-nine").split(),
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 18, 20, 24, 30, 36, 40, 60, 90, 99),
        strict=True,
    )
)  # fmt: skip
_WORD = r"(?:[A-Z][a-zA-Z]+)"
_PLACE = rf"(?:{_WORD}(?:\s+(?:of\s+(?:the\s+)?|and\s+)?{_WORD})*(?:’s|'s)?(?:\s+Republic of China)?|U\.S\.A?\.|P\.?R\.?C\.?)"
_STATE = r"(?:State|Commonwealth|Province|Republic|Kingdom|Federal Republic|Special Administrative Region|STATE|COMMONWEALTH|PROVINCE)"
_LAW = re.compile(
    rf"\b(?:[Ll]aws?|LAWS?)\s+(?:\([^)]*\)\s+)?(?:in\s+(?:effect|force)\s+in|(?:and\s+\w+\s+)?(?:applicable\s+)?(?:of|in|OF))\s+(?:[Tt]he\s+|THE\s+)?(?:{_STATE}\s+(?:of|OF)\s+)?(?:the\s+)?(?P<place>{_PLACE})"
    rf"|\b(?:under|by|with)\s+(?:the\s+)?(?P<adj>{_PLACE})(?:\s+State)?\s+[Ll]aws?\b"
)
_NO_LAW = re.compile(
    r"organi[sz]ed|existing|incorporated|corporation|formed|applicable to", re.IGNORECASE
)
_NO_PLACE = re.compile(
    r"(?:Federal|Securities|Such|This|Applicable|State|Seller|Buyer|Company|Trial|Bankruptcy|Incorporation|Section|Any)\b"
)
_SAME_PLACES = {"PRC": "People's Republic of China", "P.R.C.": "People's Republic of China"}
_GOVERNED = re.compile(
    r"govern|constru|interpret|enforce|subject to the law|\bappl(?:y|ies)\b", re.IGNORECASE
)
_LAW_ZH = re.compile(
    r"(?:适用|依照|根据|受)[^。；\n]{0,12}?(?P<place>中华人民共和国|中国|香港(?:特别行政区)?)(?:现行)?法律"
)


@dataclass(frozen=True)
class Headlines:
    name: str = ""
    made_on: date | None = None
    effective_on: date | None = None
    ends_on: date | None = None
    law: str = ""


def headlines_read(text: str) -> Headlines:
    found = dates(text)
    made = _made(text, found)
    effective = _effective(text, found)
    ending = _ending(text, found, effective or made)
    return Headlines(_name(text), made, effective, ending, _law(text))


def _name(text: str) -> str:
    """A line that is a title; or capitals that run on in a line; or how the contract speaks of itself."""
    opening = text[:_OPENING]
    lines = [line.strip() for line in opening.split("\n") if line.strip()]
    for at, line in enumerate(lines[:40]):
        if len(line) > _TITLE_LENGTH or not _TITLE.search(line) or _NO_TITLE.search(line):
            continue
        title = _joined(lines[at - 1] if at else "", line)
        if len(title.split()) > 1 or not title.isascii():
            return title
    for pattern in (_LOUD, _SAID):
        found = pattern.search(opening)
        if found:
            return _tidied(found[1])
    return ""


def _joined(before: str, line: str) -> str:
    """A title may be broken: LICENCE AND MAINTENANCE / AGREEMENT."""
    is_broken = (
        _CAPS.match(line)
        and _CAPS.match(before)
        and len(before) < 60
        and len(line.split()) <= 2
        and not _NO_TITLE.search(before)
        and not _FIRM.search(before)
    )
    return _tidied(f"{before} {line}" if is_broken else line)


def _tidied(title: str) -> str:
    title = re.sub(
        r"\s{3,}\S.*|\s+Page \d.*|\[[^\]]*\]|\s+(?:between|by and|this)\s*$",
        "",
        title,
        flags=re.IGNORECASE,
    )
    firm = list(_FIRM.finditer(title))
    if firm and _TITLE.search(title[firm[-1].end() :]):
        title = title[firm[-1].end() :]
    return re.sub(r"\s+", " ", title).strip(" -–:,.\t")


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
        if _EFFECTIVE_AFTER.search(after) or (
            _EFFECTIVE_BEFORE.search(before)
            and not re.search(r"terminat|amend", before, re.IGNORECASE)
        ):
            return one.value
    return None


def _ending(text: str, found: list[DateFound], effective: date | None) -> date | None:
    for one in found:
        if one.value is None or (effective and one.value <= effective):
            continue
        before = text[max(one.start - 200, 0) : one.start]
        if _UNTIL.search(before) and _TERM.search(text[max(one.start - 300, 0) : one.end + 60]):
            return one.value
    if effective is None:
        return None
    for sentence in _sentences(text):
        if not _TERM.search(sentence):
            continue
        # Lines drawn with spaces would take the search below for ever.
        sentence = re.sub(r"\s+", " ", sentence)
        for match in _LENGTH.finditer(sentence):
            months_days = _length(match)
            before = sentence[max(match.start() - 45, 0) : match.start()]
            after = sentence[match.end() : match.end() + 30]
            if months_days and not _NOT_THE_TERM.search(before) and not _NOTICE.search(after):
                return _later(effective, *months_days)
    return None


def _sentences(text: str) -> Iterator[str]:
    yield from re.split(r"(?<=[a-z)\"”])\.\s+(?=[A-Z(\"“])|[。；;]|\n\s*\n", text)


def _length(match: re.Match[str]) -> tuple[int, int] | None:
    """Months and days."""
    if match["han"]:
        number = whole(match["han"].replace("两", "二"))
        return (number * (12 if match["hanunit"] == "年" else 1), 0) if number else None
    word = (match["word"] or "").lower()
    number = int(match["n"]) if match["n"] else _NUMBERS.get(word)
    if not number:
        return None
    unit = match["unit"].lower()
    if unit in {"year", "month"}:
        return number * (12 if unit == "year" else 1), 0
    return None


def _later(day: date, months: int, days: int) -> date | None:
    month = day.month - 1 + months
    for last in (day.day, 30, 29, 28):
        try:
            moved = date(day.year + month // 12, month % 12 + 1, min(day.day, last))
        except ValueError:
            continue
        return moved + timedelta(days=days)
    return None


def _law(text: str) -> str:
    best: tuple[int, str] = (0, "")
    for match in _LAW.finditer(text):
        before = text[max(match.start() - 200, 0) : match.start()]
        governed = list(_GOVERNED.finditer(before + text[match.end() : match.end() + 40]))
        place = re.sub(r"\s+", " ", match["place"] or match["adj"] or "").strip(" .")
        if not governed or _NO_PLACE.match(place) or _NO_LAW.search(before[-50:]):
            continue
        # A state goes before the country that is named with it.
        score = len(governed) + (2 if re.search(_STATE, match[0]) else 0)
        if score > best[0]:
            best = score, _SAME_PLACES.get(place, place.title() if place.isupper() else place)
    chinese = _LAW_ZH.search(text)
    return best[1] or (chinese["place"] if chinese else "")
