"""Other words for the same thing: what the evidence is compared by, and what a search looks for besides.

The groups stand in `synonyms.tsv`. Comparing unifies both sides; searching adds the other words of a group
at a lower weight, so that the asker's own words stay ahead. `formal.tsv` leads from everyday words to those of
rules and contracts, for searching only.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

from furrow.knowledge.text.analysis import Term, analyse_query, joined_terms
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.stemming import root

_ENGLISH_WORD = re.compile(r"(?<![a-z0-9])[a-z]{2,}(?![a-z0-9])")
# Degrees are written with a word or with a sign.
_DEGREES = re.compile(r"(?<=\d) ?(?:度|摄氏度|degrees?\b)")
_OTHER_WORD_WEIGHT = 0.4
# Measured in tests/bench/retrieval_statutes.py on one half of its questions.
_FORMAL_WORD_WEIGHT = 0.8


class _Lexicon(NamedTuple):
    """`first_of` leads from a phrase, or the root of a word, to the first of its group."""

    first_of: dict[str, str]
    groups: dict[str, tuple[str, ...]]
    phrases: re.Pattern[str]


@lru_cache(maxsize=1 << 14)
def unified(folded: str, *, loosely: bool = True) -> str:
    """A folded text with one word for each group, and English words brought to their roots; without the
    loose groups when it decides whether two questions are the same.
    """
    lexicon = _lexicon(loosely)
    text = _DEGREES.sub("°c", folded)
    text = lexicon.phrases.sub(lambda match: lexicon.first_of[match[0]], text)

    def one_word(match: re.Match[str]) -> str:
        bare = root(match[0])
        return lexicon.first_of.get(bare, bare)

    return _ENGLISH_WORD.sub(one_word, text)


def other_words(folded: str) -> list[str]:
    """The other members of every group that a folded question names."""
    lexicon = _lexicon(True)
    named = {match[0] for match in lexicon.phrases.finditer(folded)}
    named |= {root(word) for word in _ENGLISH_WORD.findall(folded)}
    firsts = dict.fromkeys(
        lexicon.first_of[name] for name in sorted(named) if name in lexicon.first_of
    )
    members = [word for first in firsts for word in lexicon.groups[first]]
    return [word for word in members if word not in folded]


def formal_pairs(folded: str) -> list[tuple[str, str]]:
    """What a folded question names in everyday words, each with what rules and contracts call it."""
    pairs = {word: said for said, formal in _formal().items() if said in folded for word in formal}
    return [(said, word) for word, said in pairs.items() if word not in folded]


def formal_words(folded: str) -> list[str]:
    return [word for _, word in formal_pairs(folded)]


def search_terms(text: str) -> list[Term]:
    """The terms of a question, and lighter ones of the other words for what it names."""
    terms = analyse_query(text)
    folded = fold(text)
    weights = {term.text: term.weight for term in terms}
    others = {code: 1.0 for code in joined_terms(folded) if code not in weights}
    for word in other_words(folded):
        others |= _terms_besides(word, weights, _OTHER_WORD_WEIGHT)
    for word in formal_words(folded):
        others |= _terms_besides(word, weights, _FORMAL_WORD_WEIGHT)
    return [*terms, *(Term(other, weight) for other, weight in others.items())]


def _terms_besides(word: str, own: Mapping[str, float], weight: float) -> dict[str, float]:
    # Single characters of another word would find all sorts of things.
    return {
        term.text: term.weight * weight
        for term in analyse_query(word)
        if term.text not in own and (len(term.text) > 1 or len(word) == 1)
    }


@cache
def _formal() -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in _rows("formal.tsv")}


@cache
def _lexicon(loosely: bool) -> _Lexicon:
    rows = [
        (row[0].removeprefix("~"), *row[1:])
        for row in _rows("synonyms.tsv")
        if loosely or row[0][0] != "~"
    ]
    first_of: dict[str, str] = {}
    phrases: list[str] = []
    for row in rows:
        first = _key(row[0])
        for word in row:
            first_of[_key(word)] = first
            if not word.isascii():
                phrases.append(re.escape(word))
            elif " " in word:
                phrases.append(rf"\b{re.escape(word)}\b")
    # The longest first, so that a phrase goes before a word inside it.
    pattern = re.compile("|".join(sorted(phrases, key=len, reverse=True)))
    return _Lexicon(first_of, {_key(row[0]): row for row in rows}, pattern)


def _rows(name: str) -> list[tuple[str, ...]]:
    lines = (resources.files("furrow.knowledge.text") / name).read_text("utf-8").splitlines()
    return [tuple(fold(line).split("\t")) for line in lines if line[0] != "#"]


def _key(word: str) -> str:
    return word if " " in word or not word.isascii() else root(word)
