"""Places that were meant to be filled in."""

import re
from collections.abc import Iterator

from apps.contracts.checks.finding import Hit
from apps.contracts.checks.pointing import signing_part
from apps.contracts.reading import Contract

_BLANK = re.compile(
    r"[_＿]{2,}|【[\s　]*】|\[[\s　_]*\]|(?<=[\u3400-\u9fff：:])[ \t　]{2,}(?=年|月|日|元|天|%|份|平方米|个)|（[\s　]{2,}）|：[\s　]*(?=。)"
)
_PLACEHOLDER = re.compile(
    r"【?(?:待定|待填写?|待补充|待确认|请填写|此处填写)】?|[×✕Xx]{2,}(?=[\u3400-\u9fff元])|\bTBD\b|[\[【]●+[\]】]"
)


def empty_blanks(contract: Contract) -> Iterator[Hit]:
    """One hit for each line: blanks of one line are filled together."""
    end = signing_part(contract)
    lines: set[int] = set()
    for match in _BLANK.finditer(contract.text, 0, end):
        line = contract.text.rfind("\n", 0, match.start())
        if line in lines:
            continue
        lines.add(line)
        start = max(match.start() - 12, line + 1)
        stop = contract.text.find("\n", match.end())
        stop = len(contract.text) if stop < 0 else stop
        yield Hit(start, min(match.end() + 6, stop))


def placeholders(contract: Contract) -> Iterator[Hit]:
    for match in _PLACEHOLDER.finditer(contract.text, 0, signing_part(contract)):
        yield Hit(match.start(), match.end())
