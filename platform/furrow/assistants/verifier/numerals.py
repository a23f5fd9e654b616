"""One spelling for numbers: full width, Chinese numerals, English number words, thousands, percentages."""

import re
from functools import lru_cache

from furrow.knowledge.text.folding import fold

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_NUMERAL = "[零一二三四五六七八九十百千万亿两]"
# Chinese numerals count only before a unit: the 一 of 一般 and the 三 of 再三 are words.
_UNIT_AHEAD = (
    r"(?=(?:多|余|来)?(?:个)?(?:半)?(?:工作日|小时|钟头|分钟|公斤|千克|公里|平方米|平米|毫米|厘米|英寸|寸|块钱|星期|礼拜|季度|点|元|块|角"
    r"|克|斤|吨|米|亩|天|日|号|周|月|年|岁|度|℃|%|折|成|页|份|张|箱|盒|枚|颗|瓶|袋|件|次|位|人|名|倍|个|种|款|家|条|台|套|层|只"
    r"|辆|间|轮|字|分|杯|批|户|把|套))"
)
_IDIOMS = re.compile(
    "一般|一起|一些|一下|一定|一样|一直|一旦|一律|一致|一并|一切|一共|一次性|一时|一边|一方|一点|一块儿|万一|统一|唯一|同一|单一|任一|第一|其一"
    "|十分|两者|三思|一家人|一号|二号|三号|四号|一区|二区|三区|四区|一年一度|一个人|半天|两种|两类|两者|两样"
)
# "两三个": between two and three.
_ABOUT = re.compile(
    "(?<![零一二三四五六七八九十百千万两第周])([一二三四五六七八两])([二三四五六七八九两])(?=[个天日年月周箱盒元块斤枚次位人小张件])"
)
_DATED = re.compile(r"(?:正|腊|冬)月(?:初|十|廿|二十|三十)?[零一二三四五六七八九十]*")
_CHINESE = re.compile(rf"(?<![第周拜\d])(?<!星期){_NUMERAL}+{_UNIT_AHEAD}")
_MIXED = re.compile(r"(\d+(?:\.\d+)?)\s*(万|亿|千(?!克|米|瓦))")
_PERCENT_ZH = re.compile(rf"百分之((?:\d+(?:\.\d+)?)|{_NUMERAL}+(?:点{_NUMERAL}+)?)")
# Numbers of a list, not of things; folded they would be plain digits.
_LIST_MARK = re.compile("[①-⑳⑴-⒇❶-❿➀-➓]")
# Of "1,001-1,500" nothing may be left that looks like a telephone number.
_LARGE_RANGE = re.compile(r"(?<=,\d{3})-(?=\d)")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)")
_DISCOUNT = re.compile(rf"(?:打)?(\d(?:\.\d)?|{_NUMERAL}|\d\d)折")
_TENTHS = re.compile(r"(\d(?:\.\d)?|[一二三四五六七八九两])成(?![为本功员立交长熟])(半)?")
_HALF_ZH = re.compile(r"半(?=个?(?:小时|钟头|天|月|年|公斤|斤|箱))")
_AND_HALF = re.compile(r"(\d+)(个?)半(?=小时|钟头|天|月|年|公斤|斤)|(\d+)(年|天|斤|小时|倍)半")
# "一块八" is 1.8 yuan; "下午一点" an hour, though 一点 alone is "a little"; 一刻钟 a quarter of an hour.
_SPOKEN_MONEY = re.compile(
    rf"(\d+|{_NUMERAL}+)块([一二三四五六七八九]|\d)(?=[,，。;；、)）\s]|$|的|钱|[一每][斤个只盒箱袋件张位次瓶亩桶米])"
)
# "一米二" is 1.2 metres; "五点五十" ten to six; "周二、四" two days; "七八月" two months.
_SPOKEN_METRES = re.compile(
    rf"(\d|[一二两])米([一二三四五六七八九]|\d)(?![\d{_NUMERAL[1:-1]}])(?!米)"
)
_SPOKEN_MINUTES = re.compile(
    rf"(?<=[\d{_NUMERAL[1:-1]}]点)([一二三四五]十[一二三四五六七八九]?|十[一二三四五六七八九]?)(?=[,，。;；、)）\s]|$|[前后到至的就分才])"
)
_MORE_WEEKDAYS = re.compile(r"(周|星期)([一二三四五六日])((?:[、和]([一二三四五六日]))+)")
_TWO_MONTHS = re.compile(r"(?<![十\d])([一二三四五六七八九])([二三四五六七八九])月")
_MONTHS_AND_HALF = re.compile(rf"(\d+|{_NUMERAL})个半(?=小时|钟头|月|星期)")
_PERMILLE_ZH = re.compile(rf"千分之((?:\d+(?:\.\d+)?)|{_NUMERAL}+)|(\d+(?:\.\d+)?)‰")
_SPOKEN_HOUR = re.compile(r"(?<=[午晨晚上])一点(?!儿)")
_QUARTERS = {"一刻钟": "15分钟", "两刻钟": "30分钟", "三刻钟": "45分钟"}
_ENGLISH = dict(
    zip(
        (
            "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
        ).split(),
        [*range(2, 21), 30, 40, 50, 60, 70, 80, 90],
        strict=True,
    )
) | {"one": 1}
_WORD = "|".join(sorted(_ENGLISH, key=len, reverse=True))
_COMPOUND = re.compile(
    rf"\b(?:({_WORD})(?:[- ]({_WORD}))?(?:[- ](hundred|thousand|million))?)\b(?! another)"
)
_ONE_IDIOMS = re.compile(
    r"\b(?:one by one|one of|no one|any ?one|every ?one|each one|this one|that one|the one|one another|one-to-one|one for one)\b"
)
_DIGIT_SCALE = re.compile(r"(\d+(?:\.\d+)?) (hundred|thousand|million)\b")
_SCALE_EN = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_HALF_EN = re.compile(r"\bhalf an? (?=hour|day|year|month|kilo|dozen)|\bhalf[- ](?=hour|day|dozen)")
_QUARTER_HOUR = re.compile(r"\bquarter of an hour\b|\bquarter[- ]hour\b")
_HALF_OF = re.compile(r"\bhalf\b(?!-|\s(?:past|an?\b|hour|day|year|month|kilo|board|moon|term))")
_DOZEN = re.compile(r"\b(?:(a|0\.5) )?dozen\b")
_PAST = re.compile(r"\b(half|(?:a )?quarter) (past|to) (\d{1,2})\b")
_WITHIN_A = re.compile(
    r"\b(within|in under|less than|about|around|roughly|nearly|almost|takes?|lasts?|for) an? (?=(?:hour|day|week|month|year|minute)\b)"
)
# Not "62 a year and a half plot 35".
_UNIT_AND_HALF = re.compile(
    r"\ban? (hour|day|week|month|year|kilo) and a half\b(?! [a-z]+ (?:[£$€¥\d]|costs?\b|is\b))"
)
_UNDER_AGE = re.compile(r"\b(under|over)[- ](\d+)s\b")
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=3
    )
} | {"fifteenth": 15, "twentieth": 20, "thirtieth": 30}
_ORDINAL = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b")
_TIMES_EN = re.compile(r"\b(?:twice|double|doubled)\b")


@lru_cache(maxsize=8192)
def normal(text: str) -> str:
    """Folded, with every number in plain digits; the text around them stays."""
    text = fold(_LIST_MARK.sub("•", text))
    text = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), _LARGE_RANGE.sub(" - ", text))
    text = text.replace("per cent", "%").replace(" percent", "%").replace("摄氏度", "℃")
    return _english(_chinese(text))


def _chinese(text: str) -> str:
    if not any("\u3400" <= char <= "\u9fff" for char in text):
        return text
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\ue000{chr(0xE100 + len(kept) - 1)}"

    text = _SPOKEN_HOUR.sub("1点", text.replace("一半", "50%"))
    for quarter, minutes in _QUARTERS.items():
        text = text.replace(quarter, minutes)
    text = _MORE_WEEKDAYS.sub(_weekdays, _TWO_MONTHS.sub(r"\1月\2月", text))
    text = _SPOKEN_MINUTES.sub(lambda match: f"{_value(match[1])}分", text)
    text = _SPOKEN_METRES.sub(lambda m: f"{_value(m[1])}.{_value(m[2])}米", text)
    text = _SPOKEN_MONEY.sub(lambda m: f"{_value(m[1])}.{_DIGITS.get(m[2], m[2])}元", text)
    text = _MONTHS_AND_HALF.sub(lambda m: f"{_value(m[1])}.5个", text)
    text = _PERMILLE_ZH.sub(lambda m: f"{_plain(float(_value(m[1] or m[2])) / 10)}%", text)
    text = text.replace("半价", "50%价")
    text = _ABOUT.sub(lambda match: f"{_DIGITS[match[1]]}-{_DIGITS[match[2]]}", text)
    text = _PERCENT_ZH.sub(lambda match: f"{_value(match[1])}%", text)
    text = _DISCOUNT.sub(_discount, text)
    text = _TENTHS.sub(lambda m: f"{_tenths(m[1], bool(m[2]))}%", text)
    text = _HALF_ZH.sub("0.5", text)
    text = _IDIOMS.sub(keep, _DATED.sub(keep, text))
    text = _MIXED.sub(lambda m: _plain(float(m[1]) * (_MYRIADS | _SCALES)[m[2]]), text)
    text = _CHINESE.sub(lambda match: _value(match[0]), text)
    text = _AND_HALF.sub(lambda m: f"{m[1] or m[3]}.5{m[2] or m[4] or ''}", text)
    return re.sub("\ue000(.)", lambda match: kept[ord(match[1]) - 0xE100], text)


def _weekdays(match: re.Match[str]) -> str:
    days = [match[2], *re.findall("[一二三四五六日]", match[3])]
    return "、".join(f"{match[1]}{day}" for day in days)


def _discount(match: re.Match[str]) -> str:
    figure = float(_value(match[1]))
    return f"{_plain(figure * 10 if figure < 10 else figure)}%"


def _tenths(digits: str, has_half: bool) -> str:
    return _plain(float(_value(digits)) * 10 + (5 if has_half else 0))


def _english(text: str) -> str:
    # Before any other half is read.
    text = _UNIT_AND_HALF.sub(r"1.5 \1s", text)
    text = _ORDINAL.sub(lambda match: f"{_ORDINALS[match[0]]}th", _HALF_OF.sub("50%", text))
    text = _QUARTER_HOUR.sub("15 minutes", text)
    text = _UNDER_AGE.sub(r"\1 \2 years old", text)
    text = _WITHIN_A.sub(r"\1 1 ", text)
    text = text.replace("fortnight", "2 weeks")
    text = re.sub(r"(?:\b12 )?\bnoon\b", "12:00", re.sub(r"\bmidnight\b", "24:00", text))
    text = _HALF_EN.sub("0.5 ", _TIMES_EN.sub("2 times", text))
    text = _DOZEN.sub(lambda match: "6" if match[1] == "0.5" else "12", text)
    text = _ONE_IDIOMS.sub(lambda match: match[0].replace("one", "1ne"), text)
    text = _COMPOUND.sub(_compound, text).replace("1ne", "one")
    text = _DIGIT_SCALE.sub(lambda m: _plain(float(m[1]) * _SCALE_EN[m[2]]), text)
    return _PAST.sub(_clock, text)


def _clock(match: re.Match[str]) -> str:
    minutes, hour = 30 if match[1] == "half" else 15, int(match[3])
    if match[2] == "to":
        hour, minutes = hour - 1 or 12, 60 - minutes
    return f"{hour}:{minutes:02d}"


def _compound(match: re.Match[str]) -> str:
    first, second, scale = match[1], match[2], match[3]
    value = _ENGLISH[first]
    if second and value >= 20 and _ENGLISH[second] < 10:
        value += _ENGLISH[second]
        second = None
    said = _plain(value * _SCALE_EN.get(scale or "", 1))
    return f"{said} {_ENGLISH[second]}" if second else said


def _value(text: str) -> str:
    if text[0].isdigit():
        return _plain(float(text))
    whole, _, decimals = text.partition("点")
    shown = _plain(_whole(whole))
    return (
        f"{shown}.{''.join(str(_DIGITS.get(char, 0)) for char in decimals)}" if decimals else shown
    )


def _whole(text: str) -> float:
    if not any(char in _SCALES or char in _MYRIADS for char in text):
        return float("".join(str(_DIGITS[char]) for char in text))
    total, section, digit = 0, 0, 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _SCALES:
            section += (digit or 1) * _SCALES[char]
            digit = 0
        else:
            total += (section + digit or 1) * _MYRIADS[char]
            section = digit = 0
    return float(total + section + digit)


def _plain(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
