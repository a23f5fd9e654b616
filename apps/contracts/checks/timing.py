"""Dates and terms against the calendar and against each other."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract
from apps.contracts.reading.amounts import Span
from apps.contracts.reading.dates import DateFound

_BETWEEN = re.compile(
    r"^\s*(?:（[^）]{0,12}）)?(?:起|开始|生效)?[，,]?\s*(?:起)?(?:至|到|—|-|–|~|～|止于)+\s*$"
)
_AFTER = re.compile(
    r"^\s*(?:止|届满|终止|为止|期满)?\s*[，,（(]?\s*(?:共计?|合计|租期|期限|为期|计|总计|合同期)*[为：:]?\s*$"
)
_BEFORE = re.compile(r"(?:期限|租期|期|有效期)(?:共|为|：|:|计)*\s*$")
_LINK = re.compile(r"^\s*[，,；;（(]?\s*(?:即|自|从|由)+\s*$")
# What one contract sets once. The span or the date must follow with nothing but such words between.
_TERMS = {
    "租赁期限": r"租赁期限?|(?<!免)租期",
    "合同期限": r"(?:本?合同|服务|代理|合作|授权|协议)(?:有效期限?|期限|期)(?!满|内|届|间|外|限?届)",
    "借款期限": r"借款期限?",
    "试用期": r"试用期(?!满|内|工资|间)",
    "保密期限": r"保密(?:期限|期|义务期限)(?!内)",
    "质保期": r"(?:质保|质量保证|保修|免费维护|维护)期限?(?!内|满)",
    "付款期限": r"(?<!逾期)付款期限|账期",
    "交货日期": r"(?:交货|交付|交房|提货)(?:日期|时间|期限)",
}
# 防水工程质保期: of one part, and no second length of the whole.
_OF_A_PART = re.compile(r"(?:工程|设备|部件|配件|材料|部分|防水|管线|主机)$")
_FILL = r"(?:为|是|共|共计|限|：|:|自|从|不超过|，|,|\s|约定|本|合同|人民币)*"


def impossible_dates(contract: Contract) -> Iterator[Hit]:
    for found in contract.dates:
        if found.value is None:
            yield Hit(found.start, found.end, confidence=0.99)


def reversed_periods(contract: Contract) -> Iterator[Hit]:
    for first, last in _periods(contract):
        if first.value and last.value and last.value <= first.value:
            yield Hit(first.start, last.end, confidence=0.97)


def terms_against_dates(contract: Contract) -> Iterator[Hit]:
    """“Three years, from 1 March 2025 to 28 February 2027”."""
    for first, last in _periods(contract):
        span = _span_beside(contract, first, last)
        if span is None or not (first.value and last.value):
            continue
        if span.months is None:
            yield from _days_against(contract, first, last, span)
            continue
        months = _months(first.value, last.value)
        if (
            months is None
            or last.value <= first.value
            or abs(months - span.months) < Decimal("0.2")
        ):
            continue
        start, end = min(first.start, span.start), max(last.end, span.end)
        values = {
            "months": f"{months.normalize():f}",
            "written": contract.text[span.start : span.end],
        }
        yield Hit(start, end, values, confidence=0.95)


def _days_against(
    contract: Contract, first: DateFound, last: DateFound, span: Span
) -> Iterator[Hit]:
    """A term in days; the last day may be named as included or not. Working days are another matter."""
    written = contract.text[span.start : span.end]
    if span.unit != "日" or "工作" in written or not (first.value and last.value):
        return
    between = Decimal((last.value - first.value).days)
    if between > 0 and not between - 1 <= span.days <= between + 2:
        values = {"months": f"{between / 30:.1f}", "written": written}
        yield Hit(min(first.start, span.start), max(last.end, span.end), values, confidence=0.9)


def terms_against_terms(contract: Contract) -> Iterator[Hit]:
    """The same term with two lengths, the same day with two dates."""
    for label, pattern in _TERMS.items():
        lengths: list[tuple[int, int, Decimal]] = []
        days: list[tuple[int, int, Decimal]] = []
        for match in re.finditer(rf"(?:{pattern}){_FILL}", contract.text):
            if _OF_A_PART.search(contract.text[max(match.start() - 6, 0) : match.start()]):
                continue
            for span in contract.spans:
                if match.end() - 1 <= span.start <= match.end() and span.unit in ("年", "月", "日"):
                    lengths.append((span.start, span.end, _comparable(span)))
            for found in contract.dates:
                if label == "交货日期" and found.value and match.end() == found.start:
                    day = Decimal(found.value.toordinal())
                    days.append((found.start, found.end, day))
        for values in (lengths, days):
            other = next((v for v in values if v[2] != values[0][2]), None)
            if other is not None:
                first = contract.text[values[0][0] : values[0][1]]
                named = {
                    "label": label,
                    "first": first,
                    "other": contract.text[other[0] : other[1]],
                }
                yield Hit(other[0], other[1], named, confidence=0.8)


def signed_after_start(contract: Contract) -> Iterator[Hit]:
    """A last day that lies before the day of signing."""
    signed = _signing_day(contract)
    if signed is None or signed.value is None:
        return
    for first, last in _periods(contract):
        if first.value and last.value and first.value < last.value < signed.value:
            yield Hit(first.start, last.end, confidence=0.85)


def _signing_day(contract: Contract) -> DateFound | None:
    for found in contract.dates:
        before = contract.text[max(found.start - 16, 0) : found.start]
        if re.search(r"(?:签订|签署|签约|订立)(?:日期|时间)?(?:于)?[：:]?\s*$", before):
            return found
    return None


def _periods(contract: Contract) -> Iterator[tuple[DateFound, DateFound]]:
    found = contract.dates
    for first, last in zip(found, found[1:], strict=False):
        if last.start - first.end <= 20 and _BETWEEN.match(contract.text[first.end : last.start]):
            yield first, last


def _span_beside(contract: Contract, first: DateFound, last: DateFound) -> Span | None:
    for span in contract.spans:
        if 0 <= span.start - last.end <= 16 and _AFTER.match(contract.text[last.end : span.start]):
            return span
        if 0 <= first.start - span.end <= 8 and _LINK.match(contract.text[span.end : first.start]):
            if _BEFORE.search(contract.text[max(span.start - 10, 0) : span.start]):
                return span
    return None


def _months(first: date, last: date) -> Decimal | None:
    """Whole months between; the last day may be named as included or not. None for broken months."""
    total = (last.year - first.year) * 12 + last.month - first.month
    gap = last.day - first.day
    if gap in (0, -1):
        return Decimal(total)
    is_month_end = last.month != _next_day(last).month
    if first.day == 1 and is_month_end:
        return Decimal(total + 1)
    return Decimal(total) + Decimal(gap + 1) / 30


def _next_day(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _comparable(span: Span) -> Decimal:
    return span.months * 30 if span.months is not None else span.days
