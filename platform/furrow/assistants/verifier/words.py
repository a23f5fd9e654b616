"""The words of a text that carry its claims, and how far other texts cover them."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.knowledge.text.scripts import UNSPACED_CLASS
from furrow.knowledge.text.stemming import root
from furrow.knowledge.text.synonyms import unified

_HAN_RUN = re.compile(rf"[{UNSPACED_CLASS}]+")
_LATIN = re.compile(r"[a-z][a-z']*[a-z]|[a-z]")
_LEAST_PREFIX = 5
# A Chinese character that the evidence has, but in no pair with its neighbour, is half a proof.
_LONE = 0.5
_LATIN_WEIGHT = 2.0
# "zone b", "grade a": the letter tells one from the other.
_LABEL = re.compile(
    r"\b(zone|grade|type|class|block|plan|model|unit|schedule|party|option|level|tier|size) ([a-z]|\d+)\b"
)
_IRREGULAR = {
    form: base
    for base, forms in {
        "freeze": "frozen froze freezing",
        "send": "sent",
        "keep": "kept",
        "pay": "paid",
        "sell": "sold",
        "buy": "bought",
        "take": "taken took",
        "hold": "held",
        "lose": "lost",
        "choose": "chosen chose",
        "write": "written wrote",
        "break": "broken broke",
        "begin": "begun began",
        "grow": "grown grew",
        "win": "won",
        "child": "children",
        "person": "people persons",
        "weigh": "weight weighs weighing weighed",
        "reply": "answer answers answered replies replied",
        "store": "storage",
        "day": "daily",
        "month": "monthly",
        "year": "yearly annual annually",
        "trip": "journey",
        "return": "refund refunds refunded returned returns",
    }.items()
    for form in forms.split()
}
_ADDRESS = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+")


@dataclass(frozen=True)
class Words:
    """What a text offers as proof."""

    characters: frozenset[str]
    pairs: frozenset[str]
    roots: frozenset[str]
    latin: frozenset[str]

    def __or__(self, other: "Words") -> "Words":
        return Words(
            self.characters | other.characters,
            self.pairs | other.pairs,
            self.roots | other.roots,
            self.latin | other.latin,
        )


@dataclass(frozen=True)
class Coverage:
    """`weight` counts the claim's content, `held` the part the evidence accounts for; `novel` are the runs of
    Chinese characters and the English words it has nothing for.
    """

    weight: float
    held: float
    novel: tuple[str, ...]

    @property
    def share(self) -> float:
        return self.held / self.weight if self.weight else 1.0

    def __add__(self, other: "Coverage") -> "Coverage":
        return Coverage(
            self.weight + other.weight, self.held + other.held, self.novel + other.novel
        )


@dataclass(frozen=True)
class Token:
    """One character or word of a claim that carries content, and what in a text proves it."""

    text: str
    weight: float
    strong: frozenset[str]
    weak: frozenset[str] = frozenset()
    weak_share: float = _LONE


@lru_cache(maxsize=2048)
def tokens_of(claim: str) -> tuple[Token, ...]:
    """The same content as `coverage` counts, to be held against many texts."""
    plain = _ADDRESS.sub(" ", _without_figures(claim))
    said = unified(plain)
    found = [Token(label, _LATIN_WEIGHT, frozenset({label})) for label in _labels(plain)]
    for run in _HAN_RUN.findall(said):
        is_general = _general_mask(run)
        for at, char in enumerate(run):
            if not is_general[at]:
                pairs = {run[max(0, at - 1) : at + 1], run[at : at + 2]} - {char, ""}
                found.append(Token(char, 1.0, frozenset(pairs | {f"={char}"}), frozenset({char})))
    for word in _LATIN.findall(said):
        bare = word.removesuffix("'s").replace("'", "")
        if len(bare) < 2 or bare in general_en() or root(bare) in general_en():
            continue
        keys = {bare, *(root(form) for form in _forms(bare))}
        if len(root(bare)) >= _LEAST_PREFIX:
            keys.add(f"~{root(bare)[:_LEAST_PREFIX]}")
        found.append(Token(bare, _LATIN_WEIGHT, frozenset(keys)))
    return tuple(found)


@lru_cache(maxsize=8192)
def words_of(text: str) -> Words:
    plain = _without_figures(text)
    said = unified(plain)
    runs = [*_HAN_RUN.findall(said), *_HAN_RUN.findall(plain)]
    # "Business Days" is a unit, and a word that a name may be told by.
    latin = [*_LATIN.findall(said), *_LATIN.findall(plain), *_LATIN.findall(normal(text))]
    return Words(
        frozenset(char for run in runs for char in run),
        frozenset(run[at : at + 2] for run in runs for at in range(len(run) - 1)),
        frozenset(root(form) for word in latin for form in _forms(word))
        | frozenset(_labels(plain)),
        frozenset(latin),
    )


def coverage(claim: str, evidence: Words) -> Coverage:
    """How far the words of `claim` stand in the evidence; general words and figures do not count."""
    plain = _ADDRESS.sub(" ", _without_figures(claim))
    said = unified(plain)
    total = Coverage(0, 0, ())
    for label in _labels(plain):
        is_held = label in evidence.roots
        total += Coverage(_LATIN_WEIGHT, _LATIN_WEIGHT * is_held, () if is_held else (label,))
    for run in _HAN_RUN.findall(said):
        total += _han(run, evidence)
    for word in _LATIN.findall(said):
        total += _latin(word, evidence)
    return total


def _without_figures(text: str) -> str:
    """A number with its unit, a time and a date are the figures' business."""
    said = normal(text)
    for figure in reversed(figures_of(text)):
        if figure.kind in {"number", "time", "date", "weekday"}:
            said = f"{said[: figure.start]} {said[figure.end :]}"
    return said


def labels_of(text: str) -> list[str]:
    return _labels(normal(text))


def _labels(plain: str) -> list[str]:
    return [f"{noun} {letter}" for noun, letter in _LABEL.findall(plain)]


def _han(run: str, evidence: Words) -> Coverage:
    is_general = _general_mask(run)
    weight, held = 0.0, 0.0
    novel: list[str] = []
    open_run = ""
    for at, char in enumerate(run):
        support = _support(run, at, evidence)
        if not is_general[at]:
            weight += 1
            held += support
        if support == 0 and not is_general[at]:
            open_run += char
        elif open_run:
            novel.append(open_run)
            open_run = ""
    if open_run:
        novel.append(open_run)
    return Coverage(weight, held, tuple(novel))


def _support(run: str, at: int, evidence: Words) -> float:
    before, after = run[max(0, at - 1) : at + 1], run[at : at + 2]
    if (len(before) == 2 and before in evidence.pairs) or (
        len(after) == 2 and after in evidence.pairs
    ):
        return 1.0
    if f"={run[at]}" in evidence.characters:
        return 1.0
    return _LONE if run[at] in evidence.characters else 0.0


def _general_mask(run: str) -> list[bool]:
    general = general_spans(run)
    return [at in general for at in range(len(run))]


def general_spans(text: str) -> frozenset[int]:
    """Where the Chinese words stand that carry no claim."""
    return frozenset(at for match in _general_zh().finditer(text) for at in range(*match.span()))


def _latin(word: str, evidence: Words) -> Coverage:
    bare = word.removesuffix("'s").replace("'", "")
    if len(bare) < 2 or bare in general_en() or root(bare) in general_en():
        return Coverage(0, 0, ())
    if _has_root(bare, evidence):
        return Coverage(_LATIN_WEIGHT, _LATIN_WEIGHT, ())
    return Coverage(_LATIN_WEIGHT, 0.0, (bare,))


def _has_root(word: str, evidence: Words) -> bool:
    bare = root(word)
    if word in evidence.latin or any(root(form) in evidence.roots for form in _forms(word)):
        return True
    if len(bare) < _LEAST_PREFIX:
        return False
    return any(other[:_LEAST_PREFIX] == bare[:_LEAST_PREFIX] for other in evidence.roots)


def _forms(word: str) -> tuple[str, ...]:
    return (word, _IRREGULAR[word]) if word in _IRREGULAR else (word,)


def has_word(word: str, evidence: Words) -> bool:
    return _has_root(word, evidence)


@cache
def sections(name: str) -> dict[str, tuple[str, ...]]:
    """The sections of one of this package's word lists."""
    text = (resources.files("furrow.assistants.verifier") / name).read_text("utf-8")
    found: dict[str, list[str]] = {}
    section: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            section.extend(line.split())
    return {key: tuple(words) for key, words in found.items()}


@cache
def general_en() -> frozenset[str]:
    words = sections("general_words.txt")["en"]
    return frozenset(words) | {root(word) for word in words}


@cache
def _general_zh() -> re.Pattern[str]:
    words = {normal(word) for word in sections("general_words.txt")["zh"]}
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))
