"""Chinese typed in Latin letters: syllables, and the characters that sound like them.

Characters are those of the first level of GB 2312, the 3,755 that everyday texts are written in.
"""

from collections import defaultdict
from functools import cache, lru_cache

_LONGEST = 6
# Sounds that many speakers, and so many typists, do not tell apart.
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"))


@cache
def characters_of() -> dict[str, tuple[str, ...]]:
    """The everyday characters of each syllable, without tone."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            try:
                char = bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            for syllable in syllables_of(char):
                found[syllable].append(char)
    return {syllable: tuple(chars) for syllable, chars in found.items()}


@lru_cache(maxsize=1 << 13)
def syllables_of(char: str) -> tuple[str, ...]:
    """Every reading of a character, without tone; `v` is written for ü."""
    from pypinyin import Style, pinyin  # noqa: PLC0415  its words take 55 MB, which only those who use them should pay

    readings = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    return tuple(dict.fromkeys(readings[0])) if readings else ()


def sounding_like(char: str) -> tuple[str, ...]:
    """Everyday characters of the same or nearly the same sound, without the character itself."""
    alike = {
        other
        for syllable in syllables_of(char)
        for near in _near(syllable)
        for other in characters_of().get(near, ())
    }
    return tuple(sorted(alike - {char}))


def _near(syllable: str) -> set[str]:
    near = {syllable}
    for long, short in _FUZZY:
        for one, other in ((long, short), (short, long)):
            if (
                long == "ng"
                and syllable.endswith(one)
                and not (one == "n" and syllable.endswith("ng"))
            ):
                near.add(syllable.removesuffix(one) + other)
            elif long != "ng" and syllable.startswith(one) and not syllable.startswith(other):
                near.add(other + syllable.removeprefix(one))
    return near


@lru_cache(maxsize=1 << 12)
def split_syllables(word: str) -> tuple[str, ...]:
    """The word as the fewest syllables, empty when it is not pinyin throughout."""
    known = characters_of()
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for size in range(1, min(_LONGEST, end) + 1):
            before, syllable = best[end - size], word[end - size : end]
            if before is None or syllable not in known:
                continue
            path, shortest = (*before, syllable), best[end]
            if shortest is None or len(path) < len(shortest):
                best[end] = path
    return best[len(word)] or ()
