"""Recognises headings by their wording where a file does not mark them."""

import re

_PATTERNS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"第[一二三四五六七八九十百零\d]{1,5}[编篇部]"), 1),
    (re.compile(r"第[一二三四五六七八九十百零\d]{1,5}章"), 1),
    (re.compile(r"第[一二三四五六七八九十百零\d]{1,5}节"), 2),
    (re.compile(r"第[一二三四五六七八九十百零\d]{1,5}条"), 3),
    (re.compile(r"[一二三四五六七八九十]{1,3}、"), 2),
    (re.compile(r"[（(][一二三四五六七八九十]{1,3}[）)]"), 3),
    (re.compile(r"(?:chapter|part)\s+[\divx]{1,4}\b", re.IGNORECASE), 1),
    (re.compile(r"(?:section|article)\s+[\divx]{1,4}\b", re.IGNORECASE), 2),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}\.?\s+\D"), 4),
    (re.compile(r"\d{1,2}\.\d{1,2}\.?\s+\D"), 3),
)
_MARKED = re.compile(r"【[^】]{1,30}】$")
_MAX_LENGTH = {True: 30, False: 70}
_SENTENCE_MARKS = "。！？；;!?，,：:、"


def guess_heading(line: str) -> int:
    """The level, from 1, of a short numbered line that is no sentence; 0 for anything else."""
    text = line.strip()
    if not text or "\n" in text or " | " in text:
        return 0
    is_chinese = any("\u4e00" <= char <= "\u9fff" for char in text)
    if len(text) > _MAX_LENGTH[is_chinese] or text[-1] in _SENTENCE_MARKS or text.endswith("."):
        return 0
    if _MARKED.match(text):
        return 2
    for pattern, level in _PATTERNS:
        match = pattern.match(text)
        if match:
            rest = text[match.end() :]
            return 0 if any(mark in rest for mark in "。！？，；") else level
    return 0
