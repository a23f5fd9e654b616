"""The same number written twice: in digits and in words."""

import re
from collections.abc import Iterator
from decimal import Decimal

from apps.contracts.checks.facts import shown
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract
from apps.contracts.reading.numerals import NUMBER_CHARS, whole

_GAP = re.compile(
    r"^[\s（(）)，,：:、；元整]*(?:人民币|大写|小写|即|合计)?[\s（(）)：:，,]*(?:人民币|大写|小写)?[\s：:（(]*$"
)
_BRACKET = re.compile(
    rf"(?P<han>[{NUMBER_CHARS}]{{1,6}})\s*[（(]\s*(?P<n>\d{{1,6}})\s*[）)]\s*(?P<u>个|日|天|年|月|份|元|%|工作日)"
)
_BRACKET_BACK = re.compile(
    rf"(?<![\d.,])(?P<n>\d{{1,6}})\s*[（(]\s*(?P<han>[{NUMBER_CHARS}]{{1,6}})\s*[）)]\s*(?P<u>个|日|天|年|月|份|元|%|工作日)"
)
_EN = re.compile(r"\b(?P<w>[a-z]+(?:[- ][a-z]+)?)\s*\(\s*(?P<n>\d{1,3})\s*%?\s*\)", re.IGNORECASE)
_ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
         "fifteen sixteen seventeen eighteen nineteen").split()  # fmt: skip
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def amounts_in_words(contract: Contract) -> Iterator[Hit]:
    """A sum in digits beside its bank characters, in either order."""
    found = contract.amounts
    for first, second in zip(found, found[1:], strict=False):
        if first.is_words == second.is_words or second.start - first.end > 20:
            continue
        if not _GAP.match(contract.text[first.end : second.start]):
            continue
        if first.value != second.value:
            words, digits = (first, second) if first.is_words else (second, first)
            yield Hit(
                first.start,
                second.end,
                {"words": shown(words.value), "digits": shown(digits.value)},
                confidence=0.97,
            )


def numbers_in_brackets(contract: Contract) -> Iterator[Hit]:
    """三（3）个月, thirty (30) days."""
    for pattern in (_BRACKET, _BRACKET_BACK):
        for match in pattern.finditer(contract.text):
            value = whole(match["han"])
            if value is not None and value != int(match["n"]):
                yield _hit(match, Decimal(value))
    for match in _EN.finditer(contract.text):
        before = contract.text[max(match.start() - 12, 0) : match.end()].lower()
        # "one hundred and five (105)" is more than is read here.
        value = None if re.search(r"hundred|thousand", before) else _english(match["w"])
        if value is not None and value != int(match["n"]):
            yield _hit(match, Decimal(value))


def has_amounts_in_words(contract: Contract) -> bool:
    return any(amount.is_words for amount in contract.amounts)


def _hit(match: re.Match[str], words: Decimal) -> Hit:
    values = {"words": shown(words), "digits": match["n"]}
    return Hit(match.start(), match.end(), values, confidence=0.97)


def _english(words: str) -> int | None:
    parts = re.split(r"[- ]", words.lower())
    last = parts[-1]
    if len(parts) == 2 and parts[0] in _TENS and last in _ONES[1:10]:
        return _TENS.index(parts[0]) * 10 + _ONES.index(last)
    if last in _ONES:
        return _ONES.index(last)
    return _TENS.index(last) * 10 if last in _TENS else None
