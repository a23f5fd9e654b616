"""What recognition of a scan leaves behind: marks, torn words, letters among digits."""

import re

from furrow.knowledge.parsing.document import Block

_MARKS = re.compile(r"[|~^`\\_=<>{}¦§¬•■□◆◇●○※#*°·]")
_TORN_HAN = re.compile(r"(?:[\u4e00-\u9fff，、] ){4,}[\u4e00-\u9fff]")
_TORN_LATIN = re.compile(r"(?<![A-Za-z])(?:[A-Za-z] ){4,}[A-Za-z](?![A-Za-z])")
# A letter that looks like a digit inside a number with a unit or a price.
_MIXED_NUMBER = re.compile(
    r"(?<![A-Za-z0-9\-/])(?:\d+[OoIlSB]\d*|[OoIlSB]\d+|[lIO][.,]\d+|\d+[.,][OoIlSB]\d*)(?=\s?(?:元|块|kg|公斤|斤|克|天|日|%|yuan|days?|RMB))"
)
_MIXED_WORD = re.compile(r"(?<![A-Za-z0-9])[a-z]+[01|][a-z]+[01|a-z]*(?![A-Za-z0-9])")
# Lines to fill in and the fields of a template are somebody's intent.
_LEADER = re.compile(r"[.…·_\-=*~]{4,}|\{\{[^{}]*\}\}")
_LEAST = 8


def ocr_noise(block: Block) -> tuple[float, str] | None:
    """How sure, and the piece that tells."""
    text = _LEADER.sub("", block.text)
    if block.kind in ("code", "heading", "running", "table_header") or len(text) < _LEAST:
        return None
    if match := _TORN_HAN.search(text) or _TORN_LATIN.search(text):
        return 0.9, match[0]
    if match := _MIXED_NUMBER.search(text):
        return 0.9, match[0]
    wrong = _MIXED_WORD.findall(text)
    if len(wrong) >= 2:
        return 0.9, " ".join(wrong[:3])
    marks = _MARKS.findall(text.replace(" | ", "") if block.kind == "table_row" else text)
    # Bullets and stars set off lists and ratings; noise mixes many kinds.
    if len(set(marks)) >= 3 and len(marks) >= 0.08 * len(text):
        return 0.95, "".join(dict.fromkeys(marks))
    return None
