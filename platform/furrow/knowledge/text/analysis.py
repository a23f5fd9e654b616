"""From text to the terms of the lexical index.

Scripts without spaces give single characters and pairs; words give themselves and their stem; codes,
versions, numbers and phone numbers give the whole (with and without separators) and their parts.
Index and query side make the same terms; the query side weighs them.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from math import sqrt
from operator import add
from typing import NamedTuple

from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.numerals import ordinal_terms
from furrow.knowledge.text.scripts import UNSPACED_CLASS
from furrow.knowledge.text.stemming import stem
from furrow.knowledge.text.stopwords import ENGLISH_STOP_WORDS, query_weight, without_asking

_WORD = rf"[^\W_{UNSPACED_CLASS}]"
_RUN = re.compile(rf"[{UNSPACED_CLASS}]+")
_TOKEN = re.compile(rf"{_WORD}+(?:(?:[-_./+&'@]|(?<=\d),(?=\d\d\d(?!\d))){_WORD}+)*(?:\+\+|[#%])?")
_PIECE = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_PHONE = re.compile(r"(?<![\w.])\+?\d[\d]{1,3}(?:[ -]\d{3,4}){2,3}(?![\w.])")
# A number read in groups: `4 047025 123456` under a bar code.
_GROUPED = re.compile(r"(?<![\w.,])\d{1,8}(?: \d{2,8}){1,4}(?!\w|[.,]\d)")
_MEASURE = re.compile(rf"(?<![a-z0-9.,])(\d+(?:\.\d+)?) ?([{UNSPACED_CLASS}]|[a-z]{{1,4}}\b)")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_NOT_ALNUM = re.compile(r"[\W_]+")
_POSSESSIVE = re.compile(r"'(?:s|t|re|ve|ll|d|m)?$")
_STEM_WEIGHT = 0.6
_PART_WEIGHT = 0.5
_GROUPED_DIGITS = range(8, 17)
# Pieces of a code that are typed with spaces between them, at most so many.
_SPACED_PIECES = 5
# A pasted table must not crowd the words out of its question.
_MOST_JOINED = 32
_SPACED = re.compile(r"(?<![\w.,-])[a-z0-9]{1,12}(?: [a-z0-9]{1,12})+(?![\w-]|[.,]\d)", re.ASCII)
# No name, code or number is longer; what is, would only fill the index and the cache.
_LONGEST = 64


class Term(NamedTuple):
    """On the index side the weight is the count, on the query side the importance."""

    text: str
    weight: float


def analyse(text: str) -> list[Term]:
    """The terms of a passage with their counts."""
    return [Term(term, count) for term, count in _counts(fold(text)).items()]


def analyse_query(text: str) -> list[Term]:
    """The terms of a question, each once, question words and particles left out or weighed down."""
    folded = without_asking(fold(text))
    counts = _counts(folded)
    weights = {term: query_weight(term) for term in counts}
    for token in _TOKEN.findall(folded):
        _weigh_token(weights, token)
    # Repetition means emphasis, yet a long question must not drown its rare words.
    return [
        Term(term, weight * sqrt(counts[term])) for term, weight in weights.items() if weight > 0
    ]


def word_terms(folded: str) -> list[str]:
    """The terms of a folded text beside characters and pairs: words, codes, numbers, ordinals."""
    terms: list[str] = []
    for token in _TOKEN.findall(folded):
        terms.extend(_expand(token))
    if any(digit in folded for digit in "0123456789"):
        terms.extend(number + unit for number, unit in _MEASURE.findall(folded))
        terms.extend(_NOT_ALNUM.sub("", phone) for phone in _PHONE.findall(folded))
        terms.extend(_grouped(folded))
    terms.extend(ordinal_terms(folded))
    return terms


def _grouped(folded: str) -> Iterator[str]:
    for match in _GROUPED.finditer(folded):
        number = match[0].replace(" ", "")
        if len(number) in _GROUPED_DIGITS and not _PHONE.search(match[0]):
            yield number


def joined_terms(folded: str) -> list[str]:
    """What a folded question might mean as one code though it was typed in pieces: `f 026 400` as `f026400`."""
    joined = []
    for run in _SPACED.findall(folded):
        pieces = run.split()
        for start in range(len(pieces)):
            for end in range(start + 2, min(start + _SPACED_PIECES, len(pieces)) + 1):
                code = "".join(pieces[start:end])
                if any(char.isdigit() for char in code) and len(code) <= _LONGEST:
                    joined.append(code)
    return list(dict.fromkeys(joined))[:_MOST_JOINED]


def _counts(folded: str) -> Counter[str]:
    counts = Counter(word_terms(folded))
    for run in _RUN.findall(folded):
        counts.update(run)
        counts.update(map(add, run, run[1:]))
    return counts


def _weigh_token(weights: dict[str, float], token: str) -> None:
    """A whole code says more than its pieces, a word more than its stem."""
    terms = _expand(token)
    if len(terms) < 2:
        return
    part_weight = _STEM_WEIGHT if token.isalpha() else _PART_WEIGHT
    for term in terms[1:]:
        weights[term] = min(weights[term], part_weight)


def _expand(token: str) -> tuple[str, ...]:
    """Every term of one token, the token itself first; of an overlong one only its parts."""
    if len(token) <= _LONGEST:
        return _expand_short(token)
    parts = [part for part in _NOT_ALNUM.split(token) if 0 < len(part) <= _LONGEST]
    return tuple(term for part in parts for term in _expand_short(part))


@lru_cache(maxsize=1 << 16)
def _expand_short(token: str) -> tuple[str, ...]:
    if token.isalpha():
        return _word(token)
    if token.isdigit():
        return (token,)
    number = token.replace(",", "").removesuffix("%")
    if _DECIMAL.fullmatch(number):
        return _number(token, number)
    word = _POSSESSIVE.sub("", token)
    if word.isalpha():
        return _word(word)
    joined = _NOT_ALNUM.sub("", token)
    parts = [part for part in _NOT_ALNUM.split(token) if part]
    # The number without what follows it: `62042rs` for the `6204-2rs/c3`.
    fronts = ["".join(parts[:count]) for count in range(2, len(parts))]
    pieces = [term for part in parts for term in _part(part)]
    return tuple(dict.fromkeys([token, joined, *fronts, *pieces]))


def _word(word: str) -> tuple[str, ...]:
    if word in ENGLISH_STOP_WORDS:
        return ()
    root = stem(word)
    return (word,) if root == word else (word, root)


def _part(part: str) -> list[str]:
    """`iphone15` gives itself, `iphone` and `15`; a lone letter is no piece of its own."""
    if part.isalpha():
        return list(_word(part))
    pieces = [piece for piece in _PIECE.findall(part) if piece[0].isdigit() or len(piece) > 1]
    return [part, *(term for piece in pieces for term in (_word(piece) or (piece,)))]


def _number(token: str, number: str) -> tuple[str, ...]:
    """`39.90`, `39.9` and `1,000`, `1000` meet in the plain form."""
    plain = number.rstrip("0").rstrip(".") if "." in number else number
    return (token, plain) if token != plain else (token,)
