"""Where disputes go, and the laws that are named."""

import re
from collections.abc import Iterator

from apps.contracts.checks.facts import kind_of, sentences
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract

_COURT = re.compile(r"(?:人民法院|法院)(?:提起)?(?:诉讼|起诉|管辖|裁判)?|提起诉讼|起诉")
_ARBITRATION = re.compile(r"仲裁")
_BODY = re.compile(r"仲裁(?:委员会|院|中心)|国际经济贸易仲裁|贸仲")
_BODIES = re.compile(r"[\u3400-\u9fff]{2,10}?仲裁(?:委员会|院|中心)")
# Arbitration is final, but for what the law lets go on to a court: labour, and the use of farm land.
_MAY_FOLLOW = re.compile(r"(?:劳动|人事|土地)[^。；;]{0,40}不服|先行?仲裁|排除")
_REPEALED = re.compile(
    r"《(?:中华人民共和国)?(?:合同法|担保法|民法通则|民法总则|物权法|侵权责任法|婚姻法|继承法|收养法|经济合同法)》"
)


def court_and_arbitration(contract: Contract) -> Iterator[Hit]:
    """One place for both, or two sentences that each choose another."""
    courts, arbitrations = [], []
    for sentence in sentences(contract, r"仲裁|法院|诉讼"):
        if re.search(
            r"仲裁费|诉讼费|律师费.{0,6}承担|申请(?:撤销|执行)|强制执行|保全", sentence.text
        ):
            continue
        has_court = _COURT.search(sentence.text)
        has_arbitration = _ARBITRATION.search(sentence.text)
        if has_court and has_arbitration and not _MAY_FOLLOW.search(sentence.text):
            yield Hit(sentence.start, sentence.end, confidence=0.92)
            return
        if has_arbitration:
            arbitrations.append(sentence)
        elif has_court and re.search(r"起诉|诉讼|管辖|解决", sentence.text):
            courts.append(sentence)
    if courts and arbitrations:
        later = max(courts[0], arbitrations[0], key=lambda s: s.start)
        yield Hit(later.start, later.end, confidence=0.85)


def arbitration_without_body(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"(?:提交|申请|提请|通过|进行).{0,12}仲裁"):
        if _BODY.search(sentence.text) is None and not _COURT.search(sentence.text):
            yield Hit(sentence.start, sentence.end, confidence=0.85)


def several_arbitrators(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"仲裁"):
        if len(set(_BODIES.findall(sentence.text))) > 1 and re.search(r"或|和|及", sentence.text):
            yield Hit(sentence.start, sentence.end, confidence=0.8)


def repealed_laws(contract: Contract) -> Iterator[Hit]:
    for match in _REPEALED.finditer(contract.text):
        yield Hit(match.start(), match.end(), {"law": match.group()}, confidence=0.98)


def is_not_labour(contract: Contract) -> bool:
    """Labour arbitration comes before the court by law."""
    return kind_of(contract) != "labour"


def has_disputes(contract: Contract) -> bool:
    return is_not_labour(contract) and bool(re.search(r"仲裁|法院|诉讼", contract.text))
