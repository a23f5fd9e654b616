"""Evidence in one language for a sentence in the other: what a small glossary says both mean."""

from functools import cache
from importlib import resources

from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import Words
from furrow.knowledge.text.stemming import root


def widened(words: Words, text: str) -> Words:
    """The words of a text with those of the other language that the glossary gives for them."""
    said = normal(text)
    characters, pairs, roots = set(words.characters), set(words.pairs), set(words.roots)
    for english, chinese in _entries():
        parts = english.split(" ")
        if any(word in said for word in chinese):
            roots.add(english)
            roots.update(root(part) for part in parts)
        if all(root(part) in words.roots for part in parts):
            for word in chinese:
                characters.update(word)
                pairs.update(word[at : at + 2] for at in range(len(word) - 1))
    return Words(frozenset(characters), frozenset(pairs), frozenset(roots), words.latin)


@cache
def _entries() -> tuple[tuple[str, tuple[str, ...]], ...]:
    text = (resources.files("furrow.assistants.verifier") / "glossary.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and line[0] != "#")
    return tuple((english, tuple(map(normal, chinese.split()))) for english, chinese in rows)
