"""What else a text proves: the same in everyday words, and in the other language by a small glossary."""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import Words
from furrow.knowledge.text.stemming import root


def widened(words: Words, text: str) -> Words:
    """The words of a text with those of the other language that the glossary gives for them."""
    said = normal(text)
    characters, pairs, roots = set(words.characters), set(words.pairs), set(words.roots)
    for english, parts, chinese in _entries():
        if any(word in said for word in chinese):
            roots.add(english)
            roots.update(parts)
        if words.roots.issuperset(parts):
            for word in chinese:
                characters.update(word)
                pairs.update(word[at : at + 2] for at in range(len(word) - 1))
    for row in _rewordings():
        if (
            any(word in said for word in row.chinese)
            or not words.roots.isdisjoint(row.roots)
            or any(phrase in said for phrase in row.phrases)
        ):
            characters |= row.characters
            pairs |= row.pairs
            roots |= row.all_roots
    return Words(frozenset(characters), frozenset(pairs), frozenset(roots), words.latin)


@dataclass(frozen=True)
class _Row:
    """Words that prove one another. A Chinese word of one character is a word: `=` marks it, beside any neighbour
    it counts whole. `phrases` are of several English words.
    """

    chinese: tuple[str, ...]
    roots: frozenset[str]
    phrases: tuple[str, ...]

    @cached_property
    def characters(self) -> frozenset[str]:
        lone = {f"={word}" for word in self.chinese if len(word) == 1}
        return frozenset("".join(self.chinese)) | lone

    @cached_property
    def pairs(self) -> frozenset[str]:
        return frozenset(word[at : at + 2] for word in self.chinese for at in range(len(word) - 1))

    @cached_property
    def all_roots(self) -> frozenset[str]:
        return self.roots | {root(part) for phrase in self.phrases for part in phrase.split()}


@cache
def _rewordings() -> tuple[_Row, ...]:
    rows = []
    for cells in _table("rewordings.tsv"):
        words = [word for cell in cells if (word := normal(cell.strip()))]
        english = [word for word in words if word.isascii()]
        rows.append(
            _Row(
                tuple(word for word in words if not word.isascii()),
                frozenset(root(word) for word in english if " " not in word),
                tuple(word for word in english if " " in word),
            )
        )
    return tuple(rows)


def _table(name: str) -> list[list[str]]:
    text = (resources.files("furrow.assistants.verifier") / name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and line[0] != "#"]


@cache
def _entries() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    return tuple(
        (english, tuple(map(root, english.split())), tuple(map(normal, chinese.split())))
        for english, chinese in _table("glossary.tsv")
    )
