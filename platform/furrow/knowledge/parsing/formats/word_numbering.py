"""The numbers that Word shows before paragraphs and that its text does not contain."""

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DIGITS = "零一二三四五六七八九"
_LEGAL = "零壹贰叁肆伍陆柒捌玖"
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
          (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_MAX_LEVEL = 9


class _Level:
    def __init__(self, element: etree._Element) -> None:
        self.format = _value(element, "numFmt") or "decimal"
        self.text = _value(element, "lvlText") or ""
        start = _value(element, "start")
        self.start = int(start) if start and start.lstrip("-").isdigit() else 1


class Numbering:
    """Counts through the document: call `label` once for each numbered paragraph, in order."""

    def __init__(self, root: etree._Element | None) -> None:
        self._levels: dict[str, list[_Level]] = {}
        self._counts: dict[str, list[int | None]] = {}
        self._abstract: dict[str, str] = {}
        if root is None:
            return
        for abstract in root.iterfind(f"{W}abstractNum"):
            levels = [_Level(level) for level in abstract.iterfind(f"{W}lvl")][:_MAX_LEVEL]
            self._levels[abstract.get(f"{W}abstractNumId") or ""] = levels
        for number in root.iterfind(f"{W}num"):
            self._abstract[number.get(f"{W}numId") or ""] = _value(number, "abstractNumId") or ""

    def label(self, number_id: str, level: int) -> str:
        """The shown number such as `第二条` or `1.2`, `•` for bullets, empty for no number."""
        abstract = self._abstract.get(number_id, "")
        levels = self._levels.get(abstract, [])
        if not 0 <= level < len(levels):
            return ""
        if levels[level].format == "bullet":
            return "•"
        counts = self._counts.setdefault(abstract, [None] * _MAX_LEVEL)
        current = counts[level]
        counts[level] = levels[level].start if current is None else current + 1
        counts[level + 1 :] = [None] * (_MAX_LEVEL - level - 1)
        if levels[level].format == "none":
            return ""
        shown = levels[level].text
        for index, part in enumerate(levels):
            count = counts[index]
            shown = shown.replace(
                f"%{index + 1}", format_number(part.start if count is None else count, part.format)
            )
        return shown.strip()


def format_number(number: int, kind: str) -> str:
    """A number in one of Word's number formats; unknown formats give digits."""
    if kind in ("lowerLetter", "upperLetter") and number > 0:
        letter = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if kind == "upperLetter" else letter
    if kind in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        roman = _roman(number)
        return roman.upper() if kind == "upperRoman" else roman
    if kind == "decimalEnclosedCircle" and 1 <= number <= 20:
        return chr(0x2460 + number - 1)
    if kind == "decimalZero":
        return f"{number:02d}"
    if kind in ("chineseCounting", "chineseCountingThousand", "ideographDigital", "japaneseCounting",
                "taiwaneseCountingThousand", "taiwaneseCounting"):  # fmt: skip
        return _chinese(number, _DIGITS, "十百千")
    if kind == "chineseLegalSimplified":
        return _chinese(number, _LEGAL, "拾佰仟")
    return str(number)


def _roman(number: int) -> str:
    shown = ""
    for value, letters in _ROMAN:
        shown += letters * (number // value)
        number %= value
    return shown


def _chinese(number: int, digits: str, units: str) -> str:
    if not 0 < number < 10_000:
        return str(number)
    shown, was_zero = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if digit:
            shown += ("零" if was_zero and shown else "") + digits[digit]
            shown += units[place - 1] if place else ""
        was_zero = digit == 0
    ten = digits[1] + units[0]
    return shown[1:] if shown.startswith(ten) and digits == _DIGITS else shown


def _value(element: etree._Element, name: str) -> str | None:
    child = element.find(f"{W}{name}")
    return child.get(f"{W}val") if child is not None else None
