"""What the labour laws fix whatever the parties write."""

import re
from collections.abc import Iterator
from decimal import Decimal

from apps.contracts.checks.facts import kind_of, sentences
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract
from apps.contracts.reading.amounts import Span

_TERM = re.compile(r"合同期限?|劳动合同期|期限")


def probation(contract: Contract) -> Iterator[Hit]:
    """Labour Contract Law 19: none, one, two or six months by the term of the contract."""
    term, found = _term_months(contract), None
    for sentence in sentences(contract, "试用期"):
        place = sentence.text.index("试用期")
        for span in _inside(contract, sentence.start + place, sentence.end):
            if span.unit in ("月", "日", "年") and found is None:
                found = (sentence, span)
    if found is None or term is None:
        return
    sentence, span = found
    months = span.months if span.months is not None else span.days / 30
    allowed = 0 if term < 3 else 1 if term < 12 else 2 if term < 36 else 6
    if months > allowed:
        written = contract.text[span.start : span.end]
        yield Hit(sentence.start, sentence.end, {"written": written, "allowed": str(allowed)})


def probation_wage(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"试用期[^。；;]{0,20}工资|工资[^。；;]{0,20}试用期"):
        for percent in contract.percents:
            if sentence.start <= percent.start < sentence.end and percent.value < 80:
                yield Hit(
                    sentence.start, sentence.end, {"share": f"{percent.value.normalize():f}%"}
                )
                break


def employee_penalties(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"违约金"):
        who = re.search(
            r"(?:乙方|劳动者|员工)[^。；;]{0,40}(?:支付|承担|赔偿|缴纳)[^。；;]{0,16}违约金",
            sentence.text,
        )
        if who and not re.search(r"竞业|培训|服务期|保密", sentence.text):
            yield Hit(sentence.start, sentence.end)


def insurance_waived(contract: Contract) -> Iterator[Hit]:
    pattern = r"不为[^。；;，,]{0,8}(?:缴纳|办理|购买|参加)[^。；;，,]{0,6}(?:社会保险|社保|五险)|(?:放弃|不(?:再)?(?:缴纳|办理|参加)|无需缴纳|不予缴纳|自行(?:缴纳|承担|参加))[^。；;，,]{0,10}(?:社会保险|社保|五险)|(?:社会保险|社保)[^。；;，,]{0,12}(?:自行|放弃|不予|不再|折算)"
    for sentence in sentences(contract, pattern):
        yield Hit(sentence.start, sentence.end)


def non_compete(contract: Contract) -> Iterator[Hit]:
    """Two years at most after leaving."""
    for sentence in sentences(contract, r"竞业|从事(?:与.{0,12})?(?:竞争|同类)"):
        for span in _inside(contract, sentence.start, sentence.end):
            if span.months is not None and span.months > 24:
                yield Hit(
                    sentence.start, sentence.end, {"written": contract.text[span.start : span.end]}
                )
                break


def working_hours(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"每[日天周]?[^。；;]{0,6}工作"):
        weeks = re.findall(r"每周(?:工作)?[^。；;，,]{0,8}?(\d{2,3})\s*(?:个)?小时", sentence.text)
        days = re.findall(
            r"每[日天](?:工作)?[^。；;，,]{0,8}?(\d{1,2})\s*(?:个)?小时", sentence.text
        )
        if any(Decimal(hours) > 44 for hours in weeks) or any(Decimal(h) > 8 for h in days):
            yield Hit(sentence.start, sentence.end, confidence=0.85)


def deposits_of_workers(contract: Contract) -> Iterator[Hit]:
    pattern = r"(?:收取|缴纳|交纳|扣押|扣留|支付)[^。；;]{0,10}(?:押金|保证金|风险金|身份证)"
    for sentence in sentences(contract, pattern):
        if not re.search(r"不得|不收取|禁止", sentence.text):
            yield Hit(sentence.start, sentence.end)


def is_labour(contract: Contract) -> bool:
    return kind_of(contract) == "labour"


def _inside(contract: Contract, start: int, end: int) -> list[Span]:
    return [span for span in contract.spans if start <= span.start < end]


def _term_months(contract: Contract) -> Decimal | None:
    """The length of the contract; without a fixed term it counts as long."""
    if re.search(r"(?:本合同)?(?:为|采用|签订)无固定期限", contract.text):
        return Decimal(999)
    for sentence in sentences(contract, _TERM.pattern):
        if "竞业" in sentence.text or "保密" in sentence.text:
            continue
        cut = sentence.text.find("试用期")
        end = sentence.start + cut if cut >= 0 else sentence.end
        for span in _inside(contract, sentence.start, end):
            if span.months is not None:
                return span.months
        days = [d for d in contract.dates if sentence.start <= d.start < sentence.end and d.value]
        if len(days) >= 2 and days[0].value and days[1].value:
            return Decimal((days[1].value - days[0].value).days + 1) / Decimal("30.44")
    return None
