"""Order numbers as people type them: full width, with spaces, dashes, a label before or a phone number behind."""

import re

from furrow.knowledge.text.folding import fold

LEAST, MOST = 8, 40
# Digits in groups, with at most a few letters in front; fold has made full width narrow and dashes alike.
_GROUPS = re.compile(r"(?<![a-z0-9])(?:[a-z]{1,6}[ _-]?)?\d+(?:[ _./·-]{1,2}\d+)*")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?(\d{4})(?!\d)")
_LABELLED = re.compile(
    r"(?:尾号|后四位|后4位|末四位|last (?:four|4)(?: digits)?|phone|tel|手机号?|电话)\D{0,12}?(\d{4})(?!\d)"
)
_FOUR = re.compile(r"(?<![\d_./·-])(\d{4})(?![\d_./·-])")
_YEAR = re.compile(r"20[2-3]\d$")


def folded_number(text: str) -> str:
    """One spelling: letters and digits only, upper case."""
    return re.sub(r"[^0-9a-z]", "", fold(text)).upper()


def digits_of(text: str) -> str:
    return re.sub(r"\D", "", fold(text))


def candidates(text: str) -> list[str]:
    """Every run of digits that may be an order number, the longest first. Groups parted by a space are also tried
    without their neighbours, as a phone's last digits often follow.
    """
    found: set[str] = set()
    for match in _GROUPS.finditer(_MOBILE.sub(" ", fold(text))):
        groups = re.findall(r"\d+", match[0])
        for first in range(len(groups)):
            for last in range(first + 1, len(groups) + 1):
                joined = "".join(groups[first:last])
                if LEAST <= len(joined) <= MOST:
                    found.add(joined)
    return sorted(found, key=lambda number: (-len(number), number))


def phone_tails(text: str, number: str = "") -> list[str]:
    """Four digits that may be the end of a phone number; those inside the order number `number` are none."""
    folded = fold(text)
    if number:
        # Takes the number out however it is parted.
        folded = re.sub(r"[ _./·-]{0,2}".join(number), " # ", folded)
    found = [match[1] for match in _MOBILE.finditer(folded)]
    found += [match[1] for match in _LABELLED.finditer(folded)]
    found += [match[1] for match in _FOUR.finditer(folded) if not _YEAR.match(match[1])]
    if not found:
        found = [match[1] for match in _FOUR.finditer(folded)]
    return list(dict.fromkeys(found))
