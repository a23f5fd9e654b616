"""What a text denies, word by word, so that two texts can be compared in it."""

import re
from functools import lru_cache

from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.tone import blanked, negation_spans
from furrow.knowledge.text.stemming import root

_UNIT = re.compile(r"[a-z][a-z']*[a-z]|[\u3400-\u9fff]")
_STOP = re.compile(r"[,;。、.!?:|]")
_REACH = 14
# Between a negation and what it denies.
_MODAL = re.compile(
    r"(?:能够|可以|可|能|得|会|要|需要|需|用|必|再|准|许|予以|予|给|让|被|允许|支持|接受|提供|有|收取|另外|另|额外|单独|都|进行|办理)+"
    r"|\s*(?:be|been|being|to|any|the|a|an|allowed|able|permitted|have|has|do|does|is|are|was|were|also|for|of|your|our|it|them|you|we)\b"
)


@lru_cache(maxsize=4096)
def scoped(text: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The keys that the text denies, those that it says, and the heads of what it denies."""
    said = blanked(normal(text))
    denied, stated, heads = set(), set(), set()
    spans = []
    for _, end in negation_spans(said):
        stop = _STOP.search(said, end)
        spans.append((end, min(end + _REACH, stop.start() if stop else len(said))))
        head = end
        while (modal := _MODAL.match(said, head)) and modal.end() > head:
            head = modal.end()
        if unit := _UNIT.search(said, head, head + _REACH):
            heads.add(_key(unit[0]))
    for key, start in _keys(said):
        if any(low <= start < high for low, high in spans):
            denied.add(key)
        else:
            stated.add(key)
    return frozenset(denied), frozenset(stated), frozenset(heads)


def _keys(said: str) -> list[tuple[str, int]]:
    units = [(m[0], m.start(), m.end()) for m in _UNIT.finditer(said)]
    found = [(_key(word), start) for word, start, _ in units]
    for (left, start, end), (right, following, _) in zip(units, units[1:], strict=False):
        if end == following and not left.isascii() and not right.isascii():
            found.append((left + right, start))
    return found


def _key(unit: str) -> str:
    return root(unit) if unit.isascii() else unit
