"""From a question to what the index is asked for. Inside `tenant_tx`: words are held against the bases' own.

The asker's words come first. A word that no passage holds may be pinyin or a slip of the hand; the owner's
synonyms and the shipped ones add other words. Whatever is added is told, so that nobody wonders.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log1p
from typing import Literal, NamedTuple

from furrow.knowledge.models import SynonymGroup
from furrow.knowledge.text.analysis import Term, analyse_query
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.pinyin import characters_of, split_syllables
from furrow.knowledge.text.scripts import UNSPACED_CLASS
from furrow.knowledge.text.stemming import root
from furrow.knowledge.text.stopwords import ENGLISH_STOP_WORDS, without_asking
from furrow.knowledge.text.synonyms import formal_pairs, search_terms
from furrow.knowledge.text.typos import pairs_near, words_near

# What is guessed weighs less than what was typed; the owner's own synonyms are no guess.
_GUESS_WEIGHT = 0.7
_SYNONYM_WEIGHT = 0.8
_MAX_GROUPS = 500
_MAX_UNKNOWN = 8
_MAX_SYLLABLES = 16
_CHARACTERS_A_SYLLABLE = 25
_WORD = re.compile(r"(?<![a-z0-9])[a-z]{2,24}(?![a-z0-9])")
_HAN = re.compile(rf"[{UNSPACED_CLASS}]{{2,}}")

# Says which of the terms the searched bases hold, with the number of passages.
Vocabulary = Callable[[Iterable[str]], Mapping[str, int]]


class Addition(NamedTuple):
    """What was added to a question and why: `said` is the asker's, `meant` what is looked for besides."""

    kind: Literal["pinyin", "typo", "synonym", "formal"]
    said: str
    meant: str


@dataclass
class Understood:
    """`own_terms` are the question as it was meant, `terms` those with what is looked for besides."""

    text: str
    own_terms: list[Term]
    terms: list[Term]
    additions: list[Addition] = field(default_factory=list)

    @property
    def as_meant(self) -> str:
        """The question with pinyin and slips put right: what answers are held against."""
        text = self.text
        for kind, said, meant in self.additions:
            if kind in ("pinyin", "typo"):
                text = re.sub(re.escape(said), meant.replace("\\", ""), text, flags=re.IGNORECASE)
        return text


def understand(text: str, vocabulary: Vocabulary) -> Understood:
    folded = fold(text)
    query = Understood(text, analyse_query(text), search_terms(text))
    known = vocabulary(term.text for term in query.own_terms)
    _add(query, _pinyin(folded, known, vocabulary), _GUESS_WEIGHT)
    sounded = {part for addition in query.additions for part in addition.said.split()}
    _add(query, _slips(folded, known, sounded, vocabulary), _GUESS_WEIGHT)
    _add(query, _synonyms(fold(query.as_meant)), _SYNONYM_WEIGHT)
    return query


def formal_found(text: str, matched: Iterable[Sequence[str]]) -> list[Addition]:
    """The formal words that found something: of each passage the matched terms are given."""
    found = [set(terms) for terms in matched]
    return [
        Addition("formal", said, word)
        for said, word in formal_pairs(fold(text))
        if any(
            {term.text for term in analyse_query(word) if len(term.text) > 1} <= f for f in found
        )
    ]


def _add(query: Understood, additions: Iterable[Addition], weight: float) -> None:
    for addition in additions:
        query.additions.append(addition)
        have = {term.text for term in query.terms}
        fresh = [
            Term(term.text, term.weight * weight)
            for term in analyse_query(addition.meant)
            if term.text not in have and (len(term.text) > 1 or len(addition.meant) == 1)
        ]
        query.terms += fresh
        if addition.kind != "synonym":
            query.own_terms += fresh


def _synonyms(folded: str) -> list[Addition]:
    groups = SynonymGroup.objects.order_by("-created_at").values_list("words", flat=True)
    roots = {root(word) for word in _WORD.findall(folded)}
    added = []
    for words in groups[:_MAX_GROUPS]:
        said = next((word for word in words if _is_said(fold(word), folded, roots)), None)
        if said is not None:
            others = [w for w in words if not _is_said(fold(w), folded, roots)]
            added += [Addition("synonym", said, word) for word in others]
    return added


def _is_said(word: str, folded: str, roots: set[str]) -> bool:
    if word.isascii() and word.isalpha():
        return root(word) in roots
    if word.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", folded) is not None
    return word in folded


def _pinyin(folded: str, known: Mapping[str, int], vocabulary: Vocabulary) -> list[Addition]:
    """Runs of Latin words that are syllables throughout and mostly not words of the bases."""
    added = []
    for run in _latin_runs(folded):
        syllables = [split_syllables(word) for word in run]
        strange = sum(not _is_known(word, known) for word in run)
        flat = [syllable for word in syllables for syllable in word]
        if not all(syllables) or 2 * strange <= len(run) or len(flat) < 2:
            continue
        meant = _spelled(flat[:_MAX_SYLLABLES], vocabulary)
        if meant:
            added.append(Addition("pinyin", " ".join(run), meant))
    return added


def _latin_runs(folded: str) -> list[list[str]]:
    """Words with nothing but spaces between them."""
    runs: list[list[str]] = []
    reached = -1
    for match in _WORD.finditer(folded):
        if runs and not folded[reached : match.start()].strip():
            runs[-1].append(match[0])
        else:
            runs.append([match[0]])
        reached = match.end()
    return runs


def _is_known(word: str, known: Mapping[str, int]) -> bool:
    return word in ENGLISH_STOP_WORDS or any(term.text in known for term in analyse_query(word))


def _spelled(syllables: list[str], vocabulary: Vocabulary) -> str:
    """The likeliest characters, words parted by spaces; what makes no word of the bases is left out."""
    chars = vocabulary({char for s in syllables for char in characters_of()[s]})
    choices = [
        sorted((c for c in characters_of()[s] if c in chars), key=lambda c: -chars[c])
        for s in syllables
    ]
    choices = [options[:_CHARACTERS_A_SYLLABLE] for options in choices]
    wanted = {
        a + b
        for left, right in zip(choices, choices[1:], strict=False)
        for a in left
        for b in right
    }
    pairs = vocabulary(wanted)
    path = _likeliest(choices, chars, pairs)
    text = "".join(char if _in_word(path, at, pairs) else " " for at, char in enumerate(path))
    return " ".join(text.split())


def _likeliest(
    choices: list[list[str]], chars: Mapping[str, int], pairs: Mapping[str, int]
) -> list[str]:
    """The path whose pairs occur most; a syllable without characters is a gap."""
    scores: dict[str, tuple[float, list[str]]] = {"": (0.0, [])}
    for options in choices:
        following = {}
        for char in options or [" "]:
            value, path = max(
                (
                    (
                        score + 1.0 + log1p(pairs[last + char]) if last + char in pairs else score,
                        way,
                    )
                    for last, (score, way) in scores.items()
                ),
                key=lambda pair: pair[0],
            )
            following[char] = (value + 0.05 * log1p(chars.get(char, 0)), [*path, char])
        scores = following
    return max(scores.values(), key=lambda pair: pair[0])[1]


def _in_word(path: list[str], at: int, pairs: Mapping[str, int]) -> bool:
    before = "".join(path[max(at - 1, 0) : at + 1])
    return before in pairs or "".join(path[at : at + 2]) in pairs


def _slips(
    folded: str, known: Mapping[str, int], sounded: set[str], vocabulary: Vocabulary
) -> list[Addition]:
    words = [
        word
        for word in dict.fromkeys(_WORD.findall(folded))
        if word not in sounded and not _is_known(word, known)
    ]
    candidates = {word: words_near(word) for word in words[:_MAX_UNKNOWN]}
    candidates |= {pair: pairs_near(pair) for pair in _strange_pairs(folded, known)[:_MAX_UNKNOWN]}
    found = vocabulary({near for nears in candidates.values() for near in nears})
    added = []
    for said, nears in candidates.items():
        likely = sorted(
            (near for near in nears if near in found),
            key=lambda near: (near[0] != said[0], -found[near], near),
        )
        added += [Addition("typo", said, near) for near in likely[:1]]
    return added


def _strange_pairs(folded: str, known: Mapping[str, int]) -> list[str]:
    """Pairs around a character that fits neither neighbour, as one wrong character makes them."""
    pairs = []
    for run in _HAN.findall(without_asking(folded)):
        strange = [run[at : at + 2] not in known for at in range(len(run) - 1)]
        for at, is_strange in enumerate(strange):
            fits_left = at > 0 and not strange[at - 1]
            fits_right = at + 1 < len(strange) and not strange[at + 1]
            # Between two words that are known the pair is only their seam.
            if is_strange and not (fits_left and fits_right):
                pairs.append(run[at : at + 2])
    return list(dict.fromkeys(pairs))
