"""Whether a message reports that something is wrong with goods that came, and which pieces it counts. Words only: what
a picture shows, and what is owed for it, is for people and rules.
"""

import re
from dataclasses import dataclass

from furrow.knowledge.text.folding import fold

_REASONS = {
    "missing": r"少发|漏发|少了|缺了|少一|\bmissing\b|\bfewer\b",
    "wrong_item": r"发错|送错|寄错|不是我(?:买|要|拍|订)的|\bwrong (?:item|goods|product|fruit|box)\b",
    "short_weight": r"缺斤|短斤|不够(?:斤|重|称)|斤两不足|重量不(?:足|够|对)|\bshort weight\b|\bunderweight\b",
    "spoiled": (
        r"坏了|坏的|坏果|坏掉|烂了|烂的|烂掉|烂果|全烂|都烂|腐烂|发霉|霉了|压坏|压烂|压扁|碰伤|破了|破损|碎了|变质|流水|流汁"
        r"|\brotten\b|\bmou?ldy?\b|\bdamaged\b|\bbroken\b|\bbruised\b|\bspoil(?:ed|t)\b|\bcrushed\b|\bwent bad\b|\bgone bad\b"
    ),
}  # fmt: skip
_COMPILED = {reason: re.compile(words) for reason, words in _REASONS.items()}
_DENIED = re.compile(
    r"(?:没有?|不是|不会|未|别)(?:坏|烂|破|发霉|少|压)\S?|\bnot (?:rotten|damaged|broken)"
)
_IF = re.compile(r"如果|要是|假如|万一|假设|\bif\b|\bwould\b|\bin case\b")
_ASKS = re.compile(
    r"怎么|如何|怎样|咋|吗|么|能不能|可不可以|多久|多长|几天|几个?小时|时限|期限|多少|是不是|会不会|谁|哪|[?？]"
    r"|\bhow\b|\bwhat\b|\bwhen\b|\bwho\b|\bcan i\b|\bdo you\b|\bis it\b|\bshould\b"
)
_PIECE = r"(?:个|颗|只|枚|粒|瓶|罐|盒|袋)"
_FEW = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}  # fmt: skip
_N = r"(\d{1,3}|[一两二三四五六七八九十])"
_BAD = (
    re.compile(rf"(?:坏|烂|霉|破|碎|压坏|压烂|碰伤|少发|漏发|少|缺)(?:了|掉|的)?(?:有)?{_N}{_PIECE}"),
    re.compile(rf"{_N}{_PIECE}(?:都|是|已经|全)?(?:坏|烂|发?霉|破|碎|压坏|压烂)"),
    re.compile(r"\b(\d{1,3}) (?:of (?:the |my )?\d{1,3} )?(?:\w+ ){0,5}?(?:(?:is|are|were|was|came|arrived) )?"
               r"(?:rotten|mou?ldy|damaged|broken|bruised|spoil(?:ed|t)|crushed|missing|bad)\b"),
)  # fmt: skip
_TOTAL = (
    re.compile(rf"(?:一箱|整箱|一共|总共|共|里面|全部)(?:是|有)?{_N}{_PIECE}"),
    re.compile(rf"{_N}{_PIECE}(?:里面?|中|装)"),
    re.compile(r"\bof (?:the |my )?(\d{1,3})\b"),
)


@dataclass(frozen=True)
class Damage:
    """`reason` is one of the claim's; counts are None where nobody said them."""

    reason: str
    bad_count: int | None = None
    total_count: int | None = None

    def facts(self) -> dict[str, int]:
        """As a claim keeps them; more bad pieces than there were is a slip that a person asks about."""
        counts = {"bad_count": self.bad_count, "total_count": self.total_count}
        known = {name: count for name, count in counts.items() if count is not None}
        if len(known) == 2 and known["bad_count"] > known["total_count"]:
            return {}
        return known


def damage_in(text: str) -> Damage | None:
    """A report, not a question about the rules: "3 are rotten" is one however it goes on, "what if they rot" is not."""
    folded = fold(text)
    reason = damage_named(text)
    if reason is None or _IF.search(folded):
        return None
    bad, total = _count(_BAD, folded), _count(_TOTAL, folded)
    if bad is None and _ASKS.search(folded):
        return None
    return Damage(reason, bad, total)


def damage_named(text: str) -> str | None:
    """What kind of fault the words are about, asked or reported."""
    said = _DENIED.sub(" ", fold(text))
    return next((reason for reason, words in _COMPILED.items() if words.search(said)), None)


def counts_in(text: str) -> Damage:
    """The counts alone, of a message that follows a report: "3 of 20", "三个"."""
    folded = fold(text)
    return Damage("", _count(_BAD, folded), _count(_TOTAL, folded))


def _count(patterns: tuple[re.Pattern[str], ...], folded: str) -> int | None:
    for pattern in patterns:
        if found := pattern.search(folded):
            return _FEW.get(found[1]) or int(found[1])
    return None
