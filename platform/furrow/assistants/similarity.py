"""Do two short questions ask the same thing? Careful: a wrong yes gives a wrong answer in the owner's name.

They must agree in figures and codes, in what kind of question they are (how, when, how much, where, ...), and
must not put one thing in the place of another; only then does the overlap of their words count.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

from furrow.assistants.figures import figures_of, without_figures
from furrow.knowledge.text.analysis import analyse_query
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.stopwords import ENGLISH_STOP_WORDS
from furrow.knowledge.text.synonyms import unified

_HAN = re.compile(r"[\u3400-\u9fff]")
_NOT_WORD = re.compile(r"[\W_]+")
# Each becomes one mark, so that wordings of the same kind of question fold together.
_KINDS_ZH = {
    "price": "多少钱 怎么卖 什么价格 什么价钱 啥价 什么价 价格是多少 价格多少 价钱多少 价格 价钱 售价 几块钱 几元",
    "when": "什么时候 什么时间 啥时候 几时 何时 几点",
    "long": "多长时间 多久 几天 多少天 几个小时 多少小时",
    "where": "哪里 哪儿 什么地方 啥地方 何处",
    "why": "为什么 为啥 为何 怎么会 什么原因",
    "who": "谁 哪位 什么人",
    "how": "怎么办理 怎么办 怎么样 怎么弄 怎么 如何 怎样 咋样 咋",
    "many": "多少个 多少 几个 几种 几",
    "can": "可不可以 能不能 能否 可否 是否可以 可以 能 行不行 可以吗 行吗 会不会 是不是 是否 有没有",
}
_KIND_ZH_OF = {word: kind for kind, words in _KINDS_ZH.items() for word in words.split()}
_KIND_ZH = re.compile("|".join(sorted(_KIND_ZH_OF, key=len, reverse=True)))
_KIND_EN = [
    ("price", re.compile(r"\bhow much\b|\bprices?\b|\bcosts?\b")),
    ("long", re.compile(r"\bhow (?:long|soon|fast|quick(?:ly)?|many (?:days|hours|weeks))\b")),
    ("many", re.compile(r"\bhow many\b")),
    ("when", re.compile(r"\bwhen\b|\bwhat time\b|\bwhat date\b")),
    ("where", re.compile(r"\bwhere\b")),
    ("why", re.compile(r"\bwhy\b")),
    ("who", re.compile(r"\bwho\b")),
    ("how", re.compile(r"\bhow\b")),
    ("can", re.compile(r"^(?:can|could|may|do|does|did|is|are|will|would|am)\b")),
]
_FILLERS_ZH = re.compile(
    r"^(?:您好|你好|请问一下|请问|想问一下|想问问|想问|我想问|问一下|咨询一下|麻烦问下|麻烦|老板|亲|那么|那|请)+"
    r"|(?:你们家的?|你们店的?|你家的?|你们的?|咱们的?|本店的?|贵店的?|的话|一下|应该|需要|到底|具体|大概|的|了|"
    r"吗|呢|吧|啊|呀|(?<![怎什])么|嘛|我)"
)
_FILLERS_EN = re.compile(
    r"^(?:hi|hello|hey|please|excuse me|can you tell me|could you tell me|i would like to know|"
    r"i want to know|tell me|may i ask|sorry)\b[ ,]*"
)
_NEGATION = re.compile(r"不(?!客气|同)|没(?!关系)|别|勿|\b(?:not|no|never|without|cannot)\b|n't\b")
# 能不能, 有没有 and a 不 or 没 at the end only ask.
_NO_NEGATION = re.compile(r"(.)不(?=\1)|有没有|(?:不|没有?)(?=\W*$)")


@dataclass(frozen=True)
class Profile:
    """What a question is compared by."""

    body: str
    words: tuple[str, ...]
    weights: tuple[tuple[str, float], ...]
    kind: str
    figures: tuple[str, ...]
    is_negated: bool


@lru_cache(maxsize=4096)
def profile(text: str) -> Profile:
    folded = " ".join(fold(text).split())
    if _HAN.search(folded):
        body, kind = _chinese_body(unified(without_figures(folded), loosely=False))
        words: tuple[str, ...] = ()
    else:
        stripped = _FILLERS_EN.sub("", without_figures(folded))
        kind = next((name for name, pattern in _KIND_EN if pattern.search(stripped)), "")
        content = [w for w in _NOT_WORD.split(stripped) if w and w not in ENGLISH_STOP_WORDS]
        words = tuple(unified(word, loosely=False) for word in content)
        body = " ".join(words)
    figures = figures_of(text)
    if not body and not figures:
        # Nothing but a question word: it can only equal itself.
        body = _NOT_WORD.sub("", folded)
    return Profile(
        body=body,
        words=words,
        weights=tuple((term.text, term.weight) for term in analyse_query(body)),
        kind=kind,
        figures=figures,
        is_negated=bool(_NEGATION.search(_NO_NEGATION.sub("", folded))),
    )


def _chinese_body(folded: str) -> tuple[str, str]:
    bare = _NOT_WORD.sub("", folded)
    kinds = [_KIND_ZH_OF[match] for match in _KIND_ZH.findall(bare)]
    # "Can" only softens another question: 可以怎么付款 asks how.
    kind = next((kind for kind in kinds if kind != "can"), "can" if kinds else "")
    body = _FILLERS_ZH.sub("", _KIND_ZH.sub("", _FILLERS_ZH.sub("", bare)))
    return body, kind


def may_match(left: Profile, right: Profile) -> bool:
    """False when they surely ask different things, however alike they are written."""
    if left.figures != right.figures or left.is_negated != right.is_negated:
        return False
    return not (left.kind and right.kind and left.kind != right.kind)


def similarity(left: Profile, right: Profile) -> float:
    """1.0 for the same question in other punctuation or filler words, down to 0.0."""
    if not may_match(left, right):
        return 0.0
    if left.body == right.body and (left.body or left.figures):
        return 1.0 if left.kind == right.kind else 0.9
    if _is_replaced(left, right):
        return 0.0
    overlap = _overlap(left, right)
    written = fuzz.token_sort_ratio(left.body, right.body) / 100
    score = 0.5 * overlap + 0.5 * max(written, overlap)
    return score if left.kind == right.kind else score * 0.9


def likeness(left: Profile, right: Profile) -> float:
    """How much two questions share, for putting them beside each other on a list: kinder than `similarity`, which
    decides what is answered. Different figures and different kinds of question still keep them apart.
    """
    kinds = {left.kind, right.kind} - {"", "can"}
    if left.figures != right.figures or len(kinds) > 1:
        return 0.0
    if left.body == right.body:
        return 1.0 if left.kind == right.kind else 0.7
    return _overlap(left, right)


def _overlap(left: Profile, right: Profile) -> float:
    ours, theirs = dict(left.weights), dict(right.weights)
    total = sum(ours.values()) + sum(theirs.values())
    shared = sum(min(weight, theirs[term]) for term, weight in ours.items() if term in theirs)
    return 2 * shared / total if total else 0.0


def _is_replaced(left: Profile, right: Profile) -> bool:
    """Whether each says something the other does not: 寄到新疆 and 寄到西藏, apples and pears."""
    if left.words or right.words:
        ours = _unknown_words(left.words, right.words)
        theirs = _unknown_words(right.words, left.words)
        return bool(ours and theirs)
    has_removed = has_added = False
    for step in Indel.opcodes(left.body, right.body):
        has_removed |= (
            step.tag == "delete" and left.body[step.src_start : step.src_end] not in right.body
        )
        has_added |= (
            step.tag == "insert" and right.body[step.dest_start : step.dest_end] not in left.body
        )
    return has_removed and has_added


def _unknown_words(words: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """Words the other side lacks, a slip of the keyboard in a long word forgiven."""
    return [
        word
        for word in words
        if not any(word == other or _is_slip(word, other) for other in others)
    ]


def _is_slip(word: str, other: str) -> bool:
    return min(len(word), len(other)) >= 5 and fuzz.ratio(word, other) >= 83
