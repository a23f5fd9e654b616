"""Recognises the approved answer a question is about, where its wording is not close enough to decide alone.

Everything the question names must be known to the entry (its wordings and its answer), most of what the entry is
about must be named, and the answer must be able to answer this kind of question: a price is asked only of an entry
that has one. What remains unknown speaks against it, because that is where a look-alike differs: "cancel my
membership" is not "cancel my order". Deterministic and cheap; weights were chosen with `tests/bench/approved.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from furrow.assistants.figures import figures_of, without_figures
from furrow.assistants.similarity import Profile, profile
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.stemming import root
from furrow.knowledge.text.stopwords import ENGLISH_STOP_WORDS
from furrow.knowledge.text.synonyms import unified

# An answer is given when the question is understood so far and the entry named so far, at the least.
SURE = 0.86
_SURE_FROM = ((0.8, 0.5), (0.7, 0.75))
# Or the whole entry is named and what else the question says only describes.
_DESCRIBED_FROM = 0.5
_NAMED, _NAMING = 0.75, 0.6
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z]{2,}")
# They shape a request and name nothing.
_IDLE_ZH = re.compile(
    r"(?:你们|我们|你家|咱们|请问|麻烦|我想|想要|想|需要|要不要|要|可不可以|能不能|可以|能否|是不是|有没有|什么时候|"
    r"什么时间|什么|怎么样|怎么|怎样|如何|为什么|多少钱|多少|多久|多长时间|几天|几时|几个|几|哪些|哪里|收到|帮忙|帮我|"
    r"给我|一下|一份|一张|一个|这么|太|很|现在|的话|操作|处理|弄|办理|办|情况|正常|请|帮|给|我|你|您|的|了|吗|呢|吧|啊|"
    r"呀|么|不|没|有|是|能|会(?![员议计])|用|去|来|在|和|跟|起|后|前|还|都|又|才|就|得|把|被|让|做|搞|着|过|也|直接|支持|方式|时候)"
)
_IDLE_EN = frozenset(
    map(
        root,
        [
            *ENGLISH_STOP_WORDS,
            *"want need get got give take possible any some there normal please now happen how's what's how much "
            "many long soon quick when where which not no don doesn didn won can't cannot able would like know tell "
            "option method way thing day time after before until still also just does doing see too so".split(),
        ],
    )
)
# 收到坏果 only says that it came; at the end of a question it asks when it comes.
_ARRIVES = re.compile(r"(?:收到|能到|会到)(?=[吗呢啊呀?？。! ]*$)")
_DAY_FIGURES = frozenset("day hour minute week month year".split())
_CLOCK = re.compile(r"\d:\d\d|\d ?[ap]\.?m\b|[点号日]|today|tomorrow|当天|次日|当月|周末|weekend")


@dataclass(frozen=True)
class Subject:
    """What a text names: `words` are English roots, `runs` the Chinese pieces between idle words."""

    words: frozenset[str]
    runs: tuple[str, ...]
    text: str

    @property
    def size(self) -> int:
        """A Chinese character counts one, a lone one (most often the verb) two, as an English word does."""
        return 2 * len(self.words) + sum(max(len(run), 2) for run in self.runs)

    def held_in(self, other: "Subject") -> float:
        """The share of this one that the other one says too."""
        if not self.size:
            return 0.0
        text = " ".join(other.runs)
        held = 2 * len(self.words & other.words)
        held += sum(_held(run, text) for run in self.runs)
        return held / self.size

    def wants_more(self, known: "Subject") -> bool:
        """Whether it names a concern that is not known."""
        concerns, phrases = _concerns()
        if (self.words - known.words) & concerns:
            return True
        return any(found not in known.text for found in phrases.findall(self.text))


def _held(run: str, text: str) -> int:
    """How many characters of a run stand in pairs that the text has; a run of one stands alone."""
    if len(run) == 1:
        return 2 * (run in text)
    marked = [False] * len(run)
    for at in range(len(run) - 1):
        if run[at : at + 2] in text:
            marked[at] = marked[at + 1] = True
    return sum(marked)


@dataclass(frozen=True)
class Entry:
    """An approved answer, prepared once for many questions."""

    wordings: tuple[Profile, ...]
    subjects: tuple[Subject, ...]
    known: Subject
    kinds: frozenset[str]


@lru_cache(maxsize=4096)
def entry_of(wordings: tuple[str, ...], answer: str) -> Entry:
    profiles = tuple(profile(text) for text in wordings)
    subjects = tuple(subject_of(text) for text in wordings)
    parts = [*subjects, subject_of(answer)]
    known = Subject(
        frozenset().union(*(part.words for part in parts)),
        tuple(run for part in parts for run in part.runs),
        " ".join(part.text for part in parts),
    )
    return Entry(profiles, subjects, known, _kinds(profiles, answer))


def recognised(question: str, entry: Entry) -> float:
    """How surely the question is the entry's: from `SURE` up to 0.97, or below it for ranking only."""
    asked, seen = subject_of(question), profile(question)
    if not asked.size:
        return 0.0
    understood = asked.held_in(entry.known)
    own_kinds = {wording.kind for wording in entry.wordings}
    is_described = seen.kind in own_kinds and not asked.wants_more(entry.known)
    # One word alone, in another kind of question, may be said of anything that the entry mentions.
    is_bare = asked.size <= 2 and seen.kind not in own_kinds | {"", "can", "how"}
    least_of = ((0.8, 0.75),) if is_bare else _SURE_FROM
    best = 0.0
    for wording, subject in zip(entry.wordings, entry.subjects, strict=True):
        named = subject.held_in(asked)
        if not named or not asked.held_in(subject):
            continue
        is_sure = (
            wording.is_negated == seen.is_negated
            and wording.figures == seen.figures
            and _can_answer(seen, entry)
            and (
                any(understood >= least and named >= share for least, share in least_of)
                or (named == 1 and understood >= _DESCRIBED_FROM and is_described)
            )
        )
        rank = understood * (0.6 + 0.4 * named)
        best = max(best, SURE + (0.97 - SURE) * rank if is_sure else rank * (SURE - 0.01))
    return best


def has_subject_of(question: str, entry: Entry) -> bool:
    """Whether it names most of what one wording is about, and that wording most of what it names. Without this one
    look-alike in twenty is recognised, in trades the words were not chosen for.
    """
    asked = subject_of(question)
    return any(
        subject.held_in(asked) >= _NAMED and asked.held_in(subject) >= _NAMING
        for subject in entry.subjects
    )


def subject_of(text: str) -> Subject:
    return _subject_of(" ".join(fold(without_figures(text)).split()))


@lru_cache(maxsize=1 << 14)
def _subject_of(folded: str) -> Subject:
    text = _everyday(unified(_everyday(_ARRIVES.sub("到货", folded)), loosely=False))
    words = frozenset(word for word in map(root, _WORD.findall(text)) if word not in _IDLE_EN)
    runs = _HAN_RUN.findall(_IDLE_ZH.sub(" ", text))
    return Subject(words, tuple(runs), text)


def _kinds(wordings: Sequence[Profile], answer: str) -> frozenset[str]:
    """The kinds of question that the entry can answer, besides those that any answer may."""
    kinds = {wording.kind for wording in wordings}
    if kinds & {"when", "long"}:
        # "When do I get it" and "how long does it take" take the same answer.
        kinds |= {"when", "long"}
    units = {figure.split(" ")[-1] for figure in figures_of(answer)}
    if "yuan" in units or "percent" in units:
        kinds |= {"price", "many"}
    if units & _DAY_FIGURES or _CLOCK.search(fold(answer)):
        kinds |= {"long", "when"}
    if figures_of(answer):
        kinds.add("many")
    if any("费" in wording.body for wording in wordings):
        kinds.add("price")
    if any("地方" in wording.body for wording in wordings):
        kinds.add("where")
    return frozenset(kinds)


def _can_answer(seen: Profile, entry: Entry) -> bool:
    return seen.kind in {"", "can", "how"} or seen.kind in entry.kinds


@lru_cache(maxsize=1 << 14)
def _everyday(folded: str) -> str:
    first_of, phrases = _lexicon()
    text = phrases.sub(lambda found: f" {first_of[found[0]]} ", folded)
    return _WORD.sub(lambda found: first_of.get(root(found[0]), found[0]), text)


@cache
def _concerns() -> tuple[frozenset[str], re.Pattern[str]]:
    source = resources.files("furrow.assistants") / "concerns.tsv"
    lines = [line for line in source.read_text("utf-8").splitlines() if line[0] != "#"]
    words = [_everyday(word) for line in lines for word in line.split("\t")]
    english = frozenset(root(word) for word in words if word.isascii())
    phrases = sorted({word.strip() for word in words if not word.isascii()}, key=len, reverse=True)
    return english, re.compile("|".join(map(re.escape, phrases)))


@cache
def _lexicon() -> tuple[dict[str, str], re.Pattern[str]]:
    source = resources.files("furrow.assistants") / "everyday.tsv"
    rows = [line.split("\t") for line in source.read_text("utf-8").splitlines() if line[0] != "#"]
    first_of: dict[str, str] = {}
    phrases: list[str] = []
    for row in rows:
        for word in row:
            if word.isascii() and " " not in word:
                first_of[root(word)] = row[0]
            else:
                first_of[word] = row[0]
                phrases.append(re.escape(word))
    return first_of, re.compile("|".join(sorted(phrases, key=len, reverse=True)))
