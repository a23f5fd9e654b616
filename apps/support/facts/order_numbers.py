"""Order numbers as people type them: full width, with spaces, dashes, a label before or a phone number behind."""

import re

from furrow.knowledge.text.folding import fold

LEAST, MOST = 8, 40
# A message full of figures is no order number, and must not become a thousand look-ups.
MOST_GROUPS, MOST_CANDIDATES = 12, 60
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
        groups = re.findall(r"\d+", match[0])[:MOST_GROUPS]
        for first in range(len(groups)):
            for last in range(first + 1, len(groups) + 1):
                joined = "".join(groups[first:last])
                if LEAST <= len(joined) <= MOST:
                    found.add(joined)
    return sorted(found, key=lambda number: (-len(number), number))[:MOST_CANDIDATES]


def phone_tails(text: str) -> list[str]:
    """Four digits that may be the end of a phone number: of a whole number, after a word for it, or standing alone or
    last behind an order number. Decided by the text only: whether an order is known must not show.
    """
    folded = fold(text)
    found = [match[1] for match in _MOBILE.finditer(folded)]
    rest = _MOBILE.sub(" # ", folded)
    found += [match[1] for match in _LABELLED.finditer(rest)]

    def without_number(match: re.Match[str]) -> str:
        groups = re.findall(r"\d+", match[0])
        if len("".join(groups)) < LEAST:
            return match[0]
        is_last = len(groups[-1]) == 4 and re.search(r"\s\d{4}$", match[0])
        if is_last and len("".join(groups[:-1])) >= LEAST:
            found.append(groups[-1])
        return " # "

    rest = _GROUPS.sub(without_number, rest)
    alone = [match[1] for match in _FOUR.finditer(rest)]
    found += [four for four in alone if not _YEAR.match(four)] or alone
    return list(dict.fromkeys(found))
