"""One cell as a value, or a named reason why it is none. Nothing is guessed: a doubtful cell is a bad cell."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone

from apps.support.facts.order_numbers import LEAST, digits_of, folded_number
from apps.support.facts.regions import region_of, regions_in
from furrow.knowledge.text.folding import fold

# What spreadsheets and shop systems wrap around a value to keep it text.
_WRAPPED = re.compile(r'^=?"(.*)"$', re.DOTALL)
_SCIENTIFIC = re.compile(r"^\d(?:\.\d+)?e\+?\d{1,2}$", re.IGNORECASE)
_MONEY = re.compile(
    r"^(?:¥|cny|rmb)?\s*(-?\d{1,3}(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?)\s*(?:元|yuan|cny|rmb)?$"
)
_WEIGHT = re.compile(r"^(\d+(?:\.\d+)?)\s*(公斤|千克|kg|斤|g|克)?$")
_DAY = r"(\d{1,2})\s*(?:月|[./-])\s*(\d{1,2})\s*(?:日|号)?"
_SEASON = re.compile(rf"^{_DAY}\s*(?:-|~|至|到)\s*(?:次年)?{_DAY}$")
_DAYS = re.compile(r"^(\d{1,2})(?:\s*(?:-|~|至|到)\s*(\d{1,2}))?\s*(?:天|日|days?)?$")
_TIMES = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d",
    "%Y-%m-%dT%H:%M:%S",
)  # fmt: skip
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NOTHING = {"", "-", "--", "—", "无", "null", "none", "n/a", "#n/a", "\\n"}
_YES, _NO = {"是", "y", "yes", "true", "1", "√", "冷链"}, {"否", "n", "no", "false", "0", "×"}
MOST_MONEY = Decimal(1_000_000)


class BadCell(Exception):
    """`code` is one of `wording.PROBLEMS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def bare(cell: Any) -> str:
    """The text of a cell without what was wrapped around it; empty for the usual words for nothing."""
    text = str(cell).replace("\ufeff", "").strip(" \t\r\n\u3000'`")
    wrapped = _WRAPPED.match(text)
    text = (wrapped[1] if wrapped else text).strip()
    if "\ufffd" in text:
        raise BadCell("garbled")
    return "" if text.lower() in _NOTHING else text


def money(text: str) -> str:
    found = _MONEY.match(fold(text).replace("￥", "¥").strip())
    if found is None:
        raise BadCell("not_money")
    amount = Decimal(found[1].replace(",", ""))
    if amount < 0:
        raise BadCell("negative")
    if amount >= MOST_MONEY:
        raise BadCell("too_large")
    if amount != amount.quantize(Decimal("0.01")):
        raise BadCell("too_fine")
    return f"{amount:.2f}"


def price(text: str) -> str:
    """A price of nothing is a row that somebody forgot to fill in."""
    amount = money(text)
    if Decimal(amount) == 0:
        raise BadCell("zero_price")
    return amount


def count(text: str) -> int:
    folded = re.sub(r"[\s,]|件|箱|个|盒|袋|瓶|\.0+$", "", fold(text))
    if re.fullmatch(r"-\d+", folded):
        raise BadCell("negative")
    if not re.fullmatch(r"\d{1,9}", folded):
        raise BadCell("not_count")
    return int(folded)


def at_least_one(text: str) -> int:
    number = count(text)
    if number == 0:
        raise BadCell("zero_count")
    return number


def kilos(text: str) -> str:
    found = _WEIGHT.match(fold(text).strip())
    if found is None:
        raise BadCell("not_weight")
    try:
        weight = Decimal(found[1])
    except InvalidOperation:
        raise BadCell("not_weight") from None
    weight *= {"斤": Decimal("0.5"), "g": Decimal("0.001"), "克": Decimal("0.001")}.get(
        found[2], Decimal(1)
    )
    if weight <= 0:
        raise BadCell("not_weight")
    if weight > 2000:
        raise BadCell("too_large")
    return f"{weight.quantize(Decimal('0.001')).normalize():f}"


def moment(text: str) -> str:
    """In the shop's own time zone, as exports write none."""
    folded = " ".join(text.replace("／", "/").replace("：", ":").split())
    for pattern in _TIMES:
        try:
            read = datetime.strptime(folded, pattern)  # noqa: DTZ007  made aware below
        except ValueError:
            continue
        if not 2010 <= read.year <= timezone.now().year + 1:
            raise BadCell("unlikely_date")
        return timezone.make_aware(read).isoformat()
    raise BadCell("not_date")


def season(text: str) -> list[int]:
    folded = fold(text).strip()
    if folded in {"全年", "常年", "四季", "all year", "year round"}:
        return [101, 1231]
    found = _SEASON.match(folded)
    if found is None:
        raise BadCell("not_season")
    months = int(found[1]), int(found[3])
    days = int(found[2]), int(found[4])
    for month, day in zip(months, days, strict=True):
        if not 1 <= month <= 12 or not 1 <= day <= _MONTH_DAYS[month - 1]:
            raise BadCell("not_season")
    return [months[0] * 100 + days[0], months[1] * 100 + days[1]]


def days(text: str) -> list[int]:
    found = _DAYS.match(fold(text).strip())
    if found is None:
        raise BadCell("not_days")
    low = int(found[1])
    high = int(found[2] or low)
    if low > high or high > 60:
        raise BadCell("not_days")
    return [low, high]


def region(text: str) -> str:
    """The province of a cell or of an address."""
    known = region_of(text) or next(iter(regions_in(text)), "")
    if not known:
        raise BadCell("unknown_region")
    return known


def regions(text: str) -> list[str]:
    pieces = [piece.strip() for piece in re.split(r"[、,，;；/]|和|及", text)]
    # "Inner Mongolia" is one name, "江西 广东" are two.
    names = [n for piece in pieces for n in ([piece] if region_of(piece) else piece.split())]
    if not names:
        raise BadCell("unknown_region")
    found = []
    for name in names:
        bare_name = name.removesuffix("地区")
        key = region_of(bare_name)
        if not key:
            raise BadCell("unknown_region")
        found.append(key)
    return list(dict.fromkeys(found))


def order_number(text: str) -> str:
    if _SCIENTIFIC.match(text.replace(" ", "")):
        raise BadCell("scientific")
    number = folded_number(text)
    digits = digits_of(text)
    if re.fullmatch(r"\d{15,}", number) and re.search(r"0{5,}$", number):
        # Spreadsheets keep fifteen digits and write zeros for the rest.
        raise BadCell("rounded_number")
    if len(digits) < LEAST or len(number) > 40:
        raise BadCell("not_order_number")
    return number


def tracking(text: str) -> str:
    if _SCIENTIFIC.match(text.replace(" ", "")):
        raise BadCell("scientific")
    number = re.sub(r"[\s-]", "", fold(text)).upper()
    if not re.fullmatch(r"[A-Z0-9]{6,40}", number):
        raise BadCell("not_tracking")
    return number


def phone_tail(text: str) -> str:
    """Of a number that may have stars in it. Of a number hidden to its end nothing is kept, and nothing is wrong."""
    folded = fold(text)
    if re.search(r"\*\s*$|\*{4,}\D*$", folded):
        return ""
    digits = re.sub(r"[^0-9*]", "", folded.split("-")[0] if "转" in folded else folded)
    tail = digits[-4:]
    if len(digits) < 7 or not tail.isdigit():
        raise BadCell("not_phone")
    return tail


def flag(text: str) -> bool:
    folded = fold(text)
    if folded in _YES or folded in _NO:
        return folded in _YES
    raise BadCell("not_yes_no")


def code(text: str) -> str:
    if _SCIENTIFIC.match(text.replace(" ", "")):
        raise BadCell("scientific")
    if len(text) > 60:
        raise BadCell("too_long")
    return text


def short(text: str) -> str:
    if len(text) > 120:
        raise BadCell("too_long")
    return text


def long(text: str) -> str:
    if len(text) > 400:
        raise BadCell("too_long")
    return text


def words(text: str) -> list[str]:
    return [word.strip() for word in re.split(r"[、,，;；|]", text) if word.strip()][:20]


_STATUSES: dict[str, tuple[str, ...]] = {
    "refunded": ("退款成功", "已退款", "refunded"),
    "refunding": ("售后处理中", "退款中", "退款处理中", "待商家处理", "refunding"),
    "cancelled": ("已取消", "交易关闭", "已关闭", "交易已取消", "未发货退款成功", "cancelled", "canceled", "closed"),
    "completed": ("交易成功", "已完成", "已成交", "completed", "finished"),
    "delivered": ("已签收", "已收货", "待评价", "delivered"),
    "shipped": ("卖家已发货", "已发货", "待收货", "待签收", "运输中", "部分发货", "shipped", "in transit"),
    "paid": ("买家已付款", "等待卖家发货", "待发货", "备货中", "待备货", "已付款", "paid", "to ship"),
    "placed": ("等待买家付款", "待付款", "待支付", "未付款", "placed", "pending"),
}  # fmt: skip


def status(text: str) -> str:
    """Each platform has its own words; the first one a text begins with or holds decides."""
    folded = fold(text)
    for code_, names in _STATUSES.items():
        if any(folded == fold(name) for name in names):
            return code_
    parts = [part for part in re.split(r"[,，;；/]", folded) if part]
    for part in parts:
        for code_, names in _STATUSES.items():
            if part.strip() in {fold(name) for name in names}:
                return code_
    raise BadCell("unknown_status")
