"""Limits the law sets to deposits, penalties, interest and leases."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.utils import timezone

from apps.contracts.checks.facts import kind_of, labelled, sentences, shown, total_of
from apps.contracts.checks.finding import Hit
from apps.contracts.checks.rates import prime_rate
from apps.contracts.reading import Contract

DEPOSIT = Decimal(20)
PENALTY = Decimal(30)
# A thousandth a day is 36.5 % a year.
DAILY = Decimal("0.1")
# A court protects interest up to so many times the one-year loan prime rate of the day the contract was made.
LOAN_TIMES = 4
LEASE_YEARS = 20
_DEPOSIT_SHARE = re.compile(
    r"定金[^。；;]{0,24}?(?:总价款?|总额|总金额|价款|货款|合同金额)[^。；;]{0,4}?的|(?:总价款?|总额|总金额|价款|货款|合同金额)的?[^。；;，,]{0,14}?(?:作为|的)[^。；;，,]{0,3}定金"
)
_YEARLY = re.compile(r"年(?:化)?(?:利率|利息|息|收益率)|(?:利率|利息)[^。；;]{0,6}年")
_MONTHLY = re.compile(r"月(?:利率|利息|息)|(?:利率|利息)[^。；;]{0,6}每?月")


def deposits(contract: Contract) -> Iterator[Hit]:
    """定金 above a fifth of the price, by share or by sum."""
    hits: list[Hit] = []
    for sentence in sentences(contract, "定金"):
        if not _DEPOSIT_SHARE.search(sentence.text):
            continue
        for percent in contract.percents:
            if sentence.start <= percent.start < sentence.end and percent.value > DEPOSIT:
                hits.append(
                    Hit(sentence.start, sentence.end, {"share": f"{percent.value.normalize():f}%"})
                )
                break
    total = total_of(contract)
    if total is not None and total.value and not hits:
        for amount in labelled(contract, r"定金"):
            share = amount.value * 100 / total.value
            if share > DEPOSIT:
                values = {"share": f"{shown(share)}%"}
                hits.append(Hit(amount.start, amount.end, values))
    yield from hits[:1]


def penalties(contract: Contract) -> Iterator[Hit]:
    """违约金 of more than 30 % of the price."""
    pattern = r"违约金"
    total = total_of(contract)
    for sentence in sentences(contract, pattern):
        shares = [p for p in contract.percents if sentence.start <= p.start < sentence.end]
        is_daily = re.search(r"每(?:逾期)?(?:一|1)?[日天]|按日|日万分|每月", sentence.text)
        over = [p for p in shares if p.value > PENALTY]
        if (
            over
            and not is_daily
            and re.search(r"总价|总额|价款|金额|货款|租金|费用?|款项", sentence.text)
        ):
            yield Hit(sentence.start, sentence.end, {"share": f"{over[0].value.normalize():f}%"})
        elif total is not None and total.value and not is_daily and not shares:
            for amount in contract.amounts:
                inside = sentence.start <= amount.start < sentence.end
                if inside and not amount.is_words and amount.value > total.value * PENALTY / 100:
                    share = f"{shown(amount.value * 100 / total.value)}%"
                    yield Hit(sentence.start, sentence.end, {"share": share}, confidence=0.75)
                    break


def daily_penalties(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"违约金|滞纳金|罚息|赔偿金"):
        if not re.search(
            r"每(?:逾期|延迟|迟延|延误)?(?:一|1)?[日天]|按日|日按|每逾期", sentence.text
        ):
            continue
        for percent in contract.percents:
            if sentence.start <= percent.start < sentence.end and percent.value > DAILY:
                yearly = f"{shown(percent.value * 365)}%"
                written = contract.text[percent.start : percent.end]
                yield Hit(sentence.start, sentence.end, {"daily": written, "yearly": yearly})
                break


def loan_interest(contract: Contract) -> Iterator[Hit]:
    rate = prime_rate(_made_on(contract))
    limit = rate.percent * LOAN_TIMES
    for sentence in sentences(contract, r"利率|利息|月息|年息"):
        for percent in contract.percents:
            if not sentence.start <= percent.start < sentence.end:
                continue
            before = contract.text[sentence.start : percent.start][-24:]
            monthly = _MONTHLY.search(before)
            yearly = percent.value * 12 if monthly else percent.value
            if (monthly or _YEARLY.search(before)) and yearly > limit:
                values = {
                    "yearly": f"{shown(yearly)}%",
                    "limit": f"{limit.normalize():f}%",
                    "since": rate.since.isoformat(),
                }
                yield Hit(sentence.start, sentence.end, values)
                break


def _made_on(contract: Contract) -> date:
    """The day it was signed, as far as the text says; a contract without one is about to be signed."""
    for found in contract.dates:
        around = contract.text[max(found.start - 20, 0) : found.start]
        if found.value and re.search(r"签订|签署|签约|订立", around):
            return min(found.value, timezone.localdate())
    return timezone.localdate()


def interest_in_advance(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(
        contract, r"(?:预先|先行|提前|事先|一次性)[^。；;]{0,8}(?:扣除|扣收|扣减|扣留)"
    ):
        if re.search(r"利息|手续费|服务费", sentence.text) and not re.search(
            r"不得|不应|禁止", sentence.text
        ):
            yield Hit(sentence.start, sentence.end)


def long_leases(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"租赁期|租期|期限"):
        for span in contract.spans:
            inside = sentence.start <= span.start < sentence.end
            if inside and span.unit == "年" and span.number > LEASE_YEARS:
                yield Hit(sentence.start, sentence.end, {"years": f"{span.number.normalize():f}"})
                break


def is_lease(contract: Contract) -> bool:
    return kind_of(contract) == "lease"


def is_loan(contract: Contract) -> bool:
    return kind_of(contract) == "loan"


def has_deposit(contract: Contract) -> bool:
    return "定金" in contract.text


def has_penalty(contract: Contract) -> bool:
    return "违约金" in contract.text or "滞纳金" in contract.text
