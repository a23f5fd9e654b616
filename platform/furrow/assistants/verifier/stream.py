"""From the model's stream to whole sentences, each with the passages it cites."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from furrow.assistants.verifier.plain import plain
from furrow.knowledge.sentences import split_sentences

# [1], [1, 2], 【1】, [^1], [来源1], [Passage 2], (1) is left alone: it numbers lists.
_MARK = re.compile(
    r"\s*[\[【［]\s*\^?(?:(?:来源|资料|段落|文档|引用|source|sources|passage|passages|ref|doc)\s*[:：#]?\s*)?"
    r"(\d{1,2}(?:\s*[,，、;；]\s*\^?\d{1,2})*)(?:†[^\]】]*)?\s*[\]】］]",
    re.I,
)
_MARKS_ONLY = re.compile(rf"(?:{_MARK.pattern})+\s*[。.!！?？]?", re.I)
_OPEN_MARK = re.compile(r"\s*[\[【［][^\]】］]{0,24}$")
# A sentence longer than this is cut: nothing may gather without end.
MAX_SENTENCE = 1200


@dataclass(frozen=True)
class Draft:
    """A sentence as the model wrote it, plain, and the numbers it cites; `raw` is for staff and for safety."""

    text: str
    cites: tuple[int, ...]
    raw: str


class SentenceStream:
    """Feed it pieces of the answer; it gives back the sentences that are surely complete."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> list[Draft]:
        self._held += piece
        if (
            not re.search(r"[。！？!?.．\n]", piece)
            and len(self._held) < MAX_SENTENCE
            and not self._may_end()
        ):
            return []
        return list(self._complete())

    def rest(self) -> list[Draft]:
        text, self._held = self._held, ""
        return [draft_of(text[start:end]) for start, end in _spans(text)]

    def _may_end(self) -> bool:
        return bool(re.search(r"[。！？!?.．\n]", self._held))

    def _complete(self) -> Iterator[Draft]:
        spans = _spans(self._held)
        # The last one may go on, or its citations may still come.
        done = spans[:-1]
        if len(self._held) > MAX_SENTENCE and not done:
            done = spans
        reached = 0
        for start, end in done:
            yield draft_of(self._held[start:end])
            reached = end
        self._held = self._held[reached:]


def _spans(text: str) -> list[tuple[int, int]]:
    """Sentences, the citations that follow a full stop counted to the sentence before them."""
    spans: list[tuple[int, int]] = []
    for start, end in split_sentences(text):
        lead = _MARKS_ONLY.match(text, start, end)
        if spans and (lead or _OPEN_MARK.fullmatch(text, start, end)):
            reach = lead.end() if lead else end
            spans[-1] = (spans[-1][0], reach)
            start = reach
            while start < end and text[start].isspace():
                start += 1
        if start < end:
            spans.append((start, end))
    return spans


def draft_of(raw: str) -> Draft:
    cites = [int(n) for marks in _MARK.findall(raw) for n in re.findall(r"\d+", marks)]
    text = plain(_MARK.sub("", raw))
    return Draft(text, tuple(dict.fromkeys(cites)), raw)
