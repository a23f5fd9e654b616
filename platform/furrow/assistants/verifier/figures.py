"""Numbers with units, dates, times, weekdays, codes and addresses of a text, in one normal form."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from furrow.assistants.verifier.bounds import bound_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.units import COUNT, UNIT, UNITS

_PREFIX = {
    "¥": "yuan",
    "$": "usd",
    "cny": "yuan",
    "rmb": "yuan",
    "usd": "usd",
    "€": "eur",
    "us$": "usd",
}
_NUMBER = re.compile(
    r"(?:(?P<money>us\$|[¥$€]|\bcny|\brmb|\busd)\s?)?(?<![\d.])(?P<minus>(?<![a-z0-9)])-)?(?P<digits>\d+(?:\.\d+)?)"
    rf"(?:(?: or (?:more|fewer|less))?[ -]?(?:多|余|来|整)?(?:(?P<age>years? old|years of age|year-olds?|(?:or )?(?:older|younger)\b)|(?P<workday>个?工作日|(?:working|business|work)[ -]?days?\b)|(?P<unit>{UNIT})(?![a-z])"
    rf"|(?P<count>{COUNT})(?![a-z])))?"
)
# "zone 1", "clause 6": a name, not a quantity.
_LABELLED = re.compile(
    r"\b(?:zone|grade|type|class|block|plan|model|unit|schedule|party|option|level|tier|clause|section|article|no\.|number)\s?$"
)
# Any other word behind a number names what is counted.
_THING = re.compile(
    r"\s?(?!and\b|to\b|or\b|[至到或和及与以之内外上下前后一每左右就算起都也送减加收的包打])(?:[a-z]|[\u4e00-\u9fff])"
)
_JOINER = re.compile(r"\s*(?:-|~|至|到|、|,|，|/|to|and|or|或|和|\+)\s*")
_MONTHS = {
    name[:3]: number
    for number, name in enumerate(
        "january february march april may june july august september october november december".split(),
        start=1,
    )
}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DATES = (
    re.compile(r"(?P<y>\d{4})\s?年\s?(?:(?P<m>\d{1,2})\s?月\s?)?(?:(?P<d>\d{1,2})\s?[日号])?"),
    re.compile(r"(?<!\d)(?P<m>\d{1,2})\s?月\s?(?P<d>\d{1,2})\s?[日号]"),
    re.compile(r"(?<![\d/-])(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?![\d/-])"),
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<name>{_MONTH})(?:,? (?P<y>\d{{4}}))?\b"
        # "guests under 18 may stay": the verb.
        r"(?<!\bmay(?= (?!and\b|to\b|until\b|or\b|in\b|at\b|on\b|is\b|was\b|each\b|every\b)[a-z]))"
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,? (?P<y>\d{{4}}))?"
    ),
    re.compile(rf"\b(?P<name>{_MONTH}) (?P<y>\d{{4}})\b"),
    re.compile(r"(?<![\d个])(?P<m>\d{1,2})\s?月(?!份?[租饼])"),
    # A month alone, where it is surely no verb.
    re.compile(
        r"\b(?P<name>january|february|april|june|july|august|september|october|november|december|(?:feb|apr|jun|jul|aug|sept?|oct|nov|dec)\b\.?|(?:(?<=to )|(?<=in )|(?<=from )|(?<=until )"
        r"|(?<=and )|(?<=between ))(?:march|may|mar|jan)\b\.?)\b(?! (?:i|we|you|be|not)\b)"
    ),
    # A day of any month: 每月18日, 次月5日, 18号.
    re.compile(
        r"(?<=每月|次月|下月|当月|本月|个月|首月)(?:的)?(?P<d>\d{1,2})\s?[日号]|(?<![\d月第])(?P<d2>\d{1,2})号(?![\u4e00-\u9fff]{0,1}[楼院门房线仓店馆厅桌床库地])"
    ),
)
_LUNAR = re.compile(r"(?:正|腊|冬)月(?:初|十|廿|二十|三十)?[一二三四五六七八九十]*")
_TIMES = (
    # "Open:9:00" has its time behind a colon.
    re.compile(
        r"(?<!\d)(?<!\d:)(?P<h>\d{1,2}):(?P<min>\d{2})(?!\d)\s?(?:(?P<half>[ap])\.?m\b\.?)?"
    ),
    re.compile(r"(?<![\d:.])(?P<h>\d{1,2}) ?(?P<half>[ap])\.?m\b\.?"),
    re.compile(
        r"(?P<part>上午|下午|晚上|早上|中午|凌晨|傍晚|早晨|清晨|晚|早)?(?<!\d)(?P<h>\d{1,2})\s?[点时](?!间|候|[a-z])(?:(?P<min>\d{1,2})分?|(?P<thirty>半)|整)?"
    ),
)
_DAY_PARTS = {"morning": "a", "afternoon": "p", "evening": "p", "night": "p"}
_TIMES_EN = (
    re.compile(
        r"\b(?P<h>\d{1,2})(?::(?P<min>\d\d))? ?(?:o'clock ?)?(?:in the|at|this|every) (?P<named>morning|afternoon|evening|night)\b"
    ),
    re.compile(r"\b(?P<h>\d{1,2}) ?o'clock\b"),
    # Bare hours: "from 9 to 5", "between 2 and 10", "at 9".
    re.compile(
        r"(?<=\bfrom )(?P<h>\d{1,2})(?= (?:to|until|till) (?:\d{1,2}|\x00+)(?:\s*[,.;)]|\s*$|:| (?:and|or|on|in the|at night|but|every|each)\b))"
        r"|(?<=\bbetween )(?P<h2>\d{1,2})(?= and (?:\d{1,2}|\x00+)(?:\s*[,.;)]|\s*$|:| (?:or|on|in the|at night|but|every|each)\b))"
    ),
    re.compile(
        r"(?:\x00 (?:to|and|until|till) |\b(?:at|by|until|till|before|after|past) )(?P<h>\d{1,2})(?=\s*[,.;)](?!\d)|\s*$| (?:and|or|on|in the|at night|but|every|each|the (?:day|evening|night|morning))\b)"
    ),
)
_WEEKDAYS_ZH = {day: number for number, day in enumerate("一二三四五六日", start=1)} | {"天": 7}
_WEEKDAYS_EN = {day: n for n, day in enumerate("mon tue wed thu fri sat sun".split(), start=1)}
_WEEKDAY = re.compile(
    r"(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])|\b(?P<en>mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:days?)?\b"
    r"(?=[\s,.;:)\-]|$)|(?P<end>周末|weekends?\b)"
)
_EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_URL = re.compile(
    r"(?:https?://|ftp://|www\.)[^\s，。；）)】\]<>\"'|]+|(?<![\w@.-])(?:[a-z0-9-]{2,}\.)+(?:com|cn|net|org|example|io|shop|top|xyz|info"
    r"|gov|edu|test|cc|co|me|biz|site|online|store|link|app|dev|ru|uk|invalid)(?![a-z0-9.-]*[a-z0-9])(?:/[^\s，。；）)】\]<>\"'|]*)?"
)
_PHONE = re.compile(r"(?<![\w.,-])\+?\d(?:[ -]?\d){6,14}(?![\d.,]*\d)(?![a-z])")
_YEARS = re.compile(r"(?:19|20)\d\d-(?:19|20)\d\d")
# "65/mo", "12.5/hr": an amount for each of something.
_RATE = re.compile(
    r"\d+(?:\.\d+)?/(?:mo|mth|month|wk|week|day|night|hr|h|hour|min|yr|year|pp|person|kg|lb|ft|km|mile|unit|item|box|page|visit)"
)
_TOKEN = re.compile(r"(?<![a-z0-9])[a-z0-9]+(?:[-_/.·][a-z0-9]+)*(?![a-z0-9])")
_ORDINAL_EN = re.compile(r"\d+(?:st|nd|rd|th)")
_MONEY_ENDS = ("cny ", "rmb ", "usd ", "$", "¥", "€")
_NOT_ALNUM = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Figure:
    """`value` is a number in the class's first unit, or a tuple or text; `unit` its class, `count` for things
    and empty for a bare number; `bound` is `le`, `ge` or empty. Offsets are of the normal text.
    """

    kind: str
    value: float | str | tuple[int, ...]
    unit: str
    start: int
    end: int
    bound: str = ""
    is_one: bool = False
    in_range: bool = False
    # "at nine" and "八点" may be of the morning or of the evening.
    is_vague: bool = False
    # The number as it is written, whatever its unit.
    raw: float = 0.0


@lru_cache(maxsize=4096)
def figures_of(text: str) -> tuple[Figure, ...]:
    """Every figure of a text, in order; offsets are those of `normal(text)`."""
    text = normal(text)
    found: list[Figure] = []

    def take(pattern: re.Pattern[str], make: "object") -> None:
        nonlocal text
        for match in list(pattern.finditer(text)):
            figure = make(match)  # type: ignore[operator]
            if figure is not None:
                found.append(figure)
                text = text[: match.start()] + "\x00" * len(match[0]) + text[match.end() :]

    take(_EMAIL, lambda m: Figure("contact", m[0], "", *m.span()))
    take(_URL, lambda m: Figure("contact", _bare_url(m[0]), "", *m.span()))
    for pattern in _DATES[:6]:
        take(pattern, _date)
    for pattern in _DATES[6:]:
        take(pattern, _date)
    take(_LUNAR, lambda m: Figure("lunar", m[0], "", *m.span()) if len(m[0]) > 2 else None)
    for pattern in (*_TIMES_EN[:1], *_TIMES, *_TIMES_EN[1:]):
        take(pattern, _time)
    found.extend(_weekdays(text))
    take(_PHONE, _phone)
    take(_TOKEN, _code)
    found.extend(_numbers(text))
    return tuple(sorted(found, key=lambda figure: figure.start))


def _bare_url(url: str) -> str:
    return re.sub(r"^(?:https?://|ftp://)?(?:www\.)?", "", url).rstrip("/.,;:!?")


def _date(match: re.Match[str]) -> Figure | None:
    parts = match.groupdict()
    month = int(parts["m"]) if parts.get("m") else 0
    if name := parts.get("name"):
        month = _MONTHS[name[:3]]
    day, year = int(parts.get("d") or parts.get("d2") or 0), int(parts.get("y") or 0)
    if month > 12 or day > 31:
        return None
    return Figure("date", (year, month, day), "", *match.span())


def _time(match: re.Match[str]) -> Figure | None:
    parts = match.groupdict()
    hour, minute = int(parts.get("h") or parts["h2"]), int(parts.get("min") or 0)
    minute = 30 if parts.get("thirty") else minute
    half = parts.get("half") or _DAY_PARTS.get(parts.get("named") or "", "")
    is_late = half == "p" or parts.get("part") in {"下午", "晚上", "傍晚", "晚"}
    if is_late and hour < 12:
        hour += 12
    if half == "a" and hour == 12:
        hour = 0
    if hour > 24 or minute > 59:
        return None
    is_clear = bool(half or parts.get("part")) or match.re is _TIMES[0]
    return Figure(
        "time", (hour, minute), "", *match.span(), is_vague=not is_clear and 0 < hour <= 12
    )


def _weekdays(text: str) -> Iterator[Figure]:
    last: tuple[int, int] | None = None
    for match in _WEEKDAY.finditer(text):
        if match["end"]:
            yield from (Figure("weekday", (day,), "", *match.span()) for day in (6, 7))
            continue
        day = _WEEKDAYS_ZH[match["zh"]] if match["zh"] else _WEEKDAYS_EN[match["en"][:3]]
        if last and re.fullmatch(r"\s*(?:至|到|-|to|through)\s*", text[last[1] : match.start()]):
            for between in range(last[0] + 1, day):
                yield Figure("weekday", (between,), "", *match.span())
        yield Figure("weekday", (day,), "", *match.span())
        last = (day, match.end())


def _phone(match: re.Match[str]) -> Figure | None:
    if _YEARS.fullmatch(match[0]):
        return None
    digits = re.sub(r"\D", "", match[0])
    if digits == match[0] and (
        len(digits) < 8 or match.string[: match.start()].endswith(_MONEY_ENDS)
    ):
        # A large amount, its thousands already joined.
        return None
    return Figure("contact", re.sub(r"\D", "", match[0]), "", *match.span())


def _code(match: re.Match[str]) -> Figure | None:
    token = match[0]
    has_both = any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
    if not has_both or _ORDINAL_EN.fullmatch(token) or _RATE.fullmatch(token):
        return None
    measured = _NUMBER.match(token)
    if measured and measured.end() == len(token):
        return None
    if re.fullmatch(rf"[\d.]+-[\d.]+-?(?:{UNIT}|{COUNT})", token) or re.fullmatch(
        r"\d+-(?:\w+-)*\w+", token
    ):
        # "3-5kg", "14-day": a measure written with a hyphen.
        return None
    return Figure("code", _NOT_ALNUM.sub("", token), "", *match.span())


def _numbers(text: str) -> list[Figure]:
    found: list[Figure] = []
    for match in _NUMBER.finditer(text):
        if not match["money"] and _LABELLED.search(text[: match.start()]):
            continue
        scale, unit = 1.0, ""
        if match["age"]:
            unit = "age"
        elif match["workday"]:
            unit = "workday"
        elif match["unit"]:
            unit, scale = UNITS[match["unit"]]
        elif match["count"]:
            unit = "count"
        elif _THING.match(text, match.end()):
            unit = "count"
        if match["money"]:
            unit, scale = _PREFIX[match["money"]], 1.0
        value = round(float(match["digits"]) * scale * (-1 if match["minus"] else 1), 6)
        found.append(
            Figure(
                "number",
                value,
                unit,
                match.start(),
                match.end(),
                bound_of(text, match),
                is_one=match["digits"] == "1",
                raw=float(match["digits"]) * (-1 if match["minus"] else 1),
            )
        )
    return _joined(text, found)


def _joined(text: str, found: list[Figure]) -> list[Figure]:
    """A number joined to the next takes its unit: of "3-7 days" and "1.5, 2 and 4 yuan"."""
    for at in range(len(found) - 2, -1, -1):
        here, following = found[at], found[at + 1]
        between = text[here.end : following.start]
        if not _JOINER.fullmatch(between) or here.unit not in {"", following.unit}:
            continue
        is_range = bool(re.search(r"-|~|至|到|to", between))
        if not here.unit and following.unit:
            scale = _scale_of(text, following)
            here = replace(here, unit=following.unit, value=round(float(here.value) * scale, 6))  # type: ignore[arg-type]
        found[at] = replace(
            here, in_range=is_range, bound=here.bound or ("" if is_range else following.bound)
        )
        if is_range:
            found[at + 1] = replace(following, in_range=True)
    return found


def _scale_of(text: str, figure: Figure) -> float:
    match = _NUMBER.match(text, figure.start)
    return UNITS[match["unit"]][1] if match and match["unit"] and not match["money"] else 1.0
