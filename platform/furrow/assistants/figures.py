"""Numbers with their units, and product codes: what two questions must share to mean the same thing."""

import re

from furrow.knowledge.text.folding import fold

_UNITS = {
    "kg": "公斤 千克 kilo kilos kilogram kilograms kilogramme kg kgs",
    "jin": "斤 市斤",
    "g": "克 g gram grams",
    "t": "吨 ton tons tonne tonnes",
    "day": "天 日 day days",
    "hour": "小时 钟头 hour hours h hr hrs",
    "minute": "分钟 minute minutes min mins",
    "week": "周 星期 礼拜 week weeks",
    "month": "个月 month months",
    "year": "年 year years yr yrs",
    "box": "箱 box boxes carton cartons case cases",
    "gift": "盒",
    "piece": "个 只 颗 枚 件 piece pieces pcs",
    "bottle": "瓶 bottle bottles",
    "bag": "袋 包 bag bags",
    "page": "页 page pages",
    "copy": "份 copy copies",
    "yuan": "元 块钱 块 yuan rmb cny ¥",
    "percent": "% 折 percent",
    "person": "人 位 person people",
    "ml": "毫升 ml",
    "l": "升 l liter litre liters litres",
    "m2": "平方米 平米 ㎡ sqm",
    "km": "公里 千米 km",
}
UNIT_OF = {unit: name for name, units in _UNITS.items() for unit in units.split()}
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNIT_OF, key=len, reverse=True))
_ENGLISH = dict(
    zip(
        "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty".split(),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 20, 30],
        strict=True,
    )
)
_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {
    "两": 2,
    "半": 0.5,
}
_CODE = re.compile(
    r"(?<![a-z0-9])(?=[a-z0-9/_-]*[a-z])(?=[a-z0-9/_-]*\d)[a-z0-9]+(?:[-_/]?[a-z0-9]+)*"
)
_MEASURED = re.compile(
    rf"(\d+(?:,\d{{3}})*(?:\.\d+)?|[零一二两三四五六七八九十百千半]+|\b(?:{'|'.join(_ENGLISH)})\b)"
    rf"\s*(?:个(?=半))?({_UNIT})(?![a-z])"
)
_PLAIN = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def figures_of(text: str) -> tuple[str, ...]:
    """Every measured number (its unit spelled one way), then codes, then bare numbers, each kind in order:
    `5公斤` equals `5 kg` and not `10kg`. Number words count only before a unit: the 一 of 一下 is no number.
    """
    rest = fold(text)
    found: list[str] = []

    def take_measured(match: re.Match[str]) -> str:
        figure = f"{_value(match[1]):g} {UNIT_OF[match[2]]}"
        # "a contract" and "one contract" ask the same.
        if figure not in {"1 piece", "1 copy", "1 person"}:
            found.append(figure)
        return " "

    def take_code(match: re.Match[str]) -> str:
        found.append(re.sub(r"[-_/]", "", match[0]))
        return " "

    rest = _MEASURED.sub(take_measured, rest)
    rest = _CODE.sub(take_code, rest)
    found.extend(f"{_value(number):g}" for number in _PLAIN.findall(rest))
    return tuple(found)


def codes_of(text: str) -> frozenset[str]:
    """The codes alone, their separators taken out: `HN-2025/A3` is `hn2025a3`."""
    rest = _MEASURED.sub(" ", fold(text))
    return frozenset(re.sub(r"[-_/]", "", code) for code in _CODE.findall(rest))


def without_figures(text: str) -> str:
    """The folded text with its numbers and codes taken out."""
    return " ".join(_PLAIN.sub(" ", _CODE.sub(" ", _MEASURED.sub(" ", fold(text)))).split())


def _value(text: str) -> float:
    if text[0].isdigit():
        return float(text.replace(",", ""))
    return _ENGLISH[text] if text in _ENGLISH else _chinese_value(text)


def _chinese_value(text: str) -> float:
    total: float = 0
    digit: float = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[char]
            digit = 0
    return total + digit
