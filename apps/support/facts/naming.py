"""Which goods a message names: by code, by name, by what people call them, never by a guess.

Names are cut into words (English) and character pairs (Chinese); a rare piece tells more than a common one. What
follows a fruit's name and makes it another thing (a tree, jam, wine) must stand in the product's own name.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from furrow.knowledge.text.folding import fold

MOST_NAMED = 8
_CLOSE = 0.999
_OTHER_ZH = (
    "树苗", "果苗", "种子", "罐头", "果酱", "果干", "干片", "果汁", "树", "苗", "酒", "醋", "酱", "汁", "干", "糖", "糕", "茶", "皮", "花",
)  # fmt: skip
_OTHER_EN = frozenset(
    "tree trees seedling seedlings seed seeds jam wine vinegar juice tea cake peel marmalade oil ice-cream pie chips"
    " dried slices canned jars flower honey".split()
)
_BEFORE = "的买要卖个有这那种款斤箱些吃寄发和与跟问家你"
# Modifiers that must be asked for: "large" is not "extra large".
_SIZES = frozenset({"大果", "large"})
_UNASKED = frozenset({"特大", "extra"})
_PROCESSED = frozenset({"罐头", "canned", "dried", "frozen", "果干"})
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:\.\d+)?")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_FILLERS = frozenset("the a an of with and in for per piece pack from".split())


@dataclass(frozen=True)
class Goods:
    """One SKU as it may be named. `row` is the `Sku` itself."""

    row: Any
    code: str
    names: tuple[str, ...]
    calls: tuple[str, ...]
    pieces: frozenset[str]

    @classmethod
    def of(cls, sku: Any) -> "Goods":
        product = sku.product
        names = tuple(filter(None, map(fold, (product.name_zh, product.name_en))))
        said = [*product.aliases, product.category]
        calls = tuple(dict.fromkeys(fold(str(name)).strip() for name in said if str(name).strip()))
        text = " ".join([*names, *calls, fold(sku.spec)])
        return cls(sku, re.sub(r"[^0-9a-z]", "", fold(sku.code)), names, calls, pieces_of(text))


def pieces_of(text: str) -> frozenset[str]:
    words = {_singular(word) for word in _WORD.findall(text)} - _FILLERS
    for run in _HAN.findall(text):
        words |= {run[at : at + 2] for at in range(len(run) - 1)}
    return frozenset(words)


def named_in(text: str, goods: Sequence[Goods]) -> list[Goods]:
    """The goods that are meant; several when the name fits several, none when nothing fits."""
    folded = fold(text)
    by_code = _by_code(folded, goods)
    if by_code:
        return by_code
    fitting = [each for each in goods if _is_called(folded, each)]
    fitting = _not_another_thing(folded, fitting)
    if not fitting:
        return []
    asked = pieces_of(folded)
    known = Counter(piece for each in goods for piece in each.pieces)
    scores = {id(each): _score(asked, each, known, len(goods)) for each in fitting}
    best = max(scores.values())
    return [each for each in fitting if scores[id(each)] >= best * _CLOSE]


def _by_code(folded: str, goods: Sequence[Goods]) -> list[Goods]:
    found = [
        each
        for each in goods
        if len(each.code) >= 3
        and any(char.isdigit() for char in each.code)
        and re.search(rf"(?<![0-9a-z]){r'[ _/.-]?'.join(each.code)}(?![0-9a-z])", folded)
    ]
    longest = max((len(each.code) for each in found), default=0)
    return [each for each in found if len(each.code) == longest]


def _is_called(folded: str, each: Goods) -> bool:
    bare = re.sub(r"[^\w]", "", folded)
    if any(_is_named(folded, bare, name) for name in each.names):
        return True
    own = "".join(each.names)
    return any(_holds(folded, call, own) for call in (*each.calls, *each.names))


def _is_named(folded: str, bare: str, name: str) -> bool:
    """By most of its name: four characters on end, or two words and more than half of them."""
    if name.isascii():
        words = [_singular(word) for word in _WORD.findall(name) if word not in _FILLERS]
        said = {_singular(word) for word in _WORD.findall(folded)}
        known = sum(word in said for word in words)
        return known >= 2 and known * 2 > len(words)
    own = re.sub(r"[^\w]", "", name)
    return any(own[at : at + 4] in bare for at in range(max(1, len(own) - 3)))


def _holds(folded: str, call: str, own: str) -> bool:
    if call.isascii():
        pattern = r"\W+".join(f"{re.escape(_singular(word))}(?:s|es)?" for word in call.split())
        return bool(pattern) and re.search(rf"(?<![a-z]){pattern}(?![a-z])", folded) is not None
    if len(call) > 1:
        return call in folded
    # 桃 alone is a peach; in 核桃 and 樱桃 it is another fruit. What the goods' own name has before it is fine.
    before = re.escape(_BEFORE + re.sub(r"[^\u3400-\u9fff]", "", own))
    return re.search(rf"(?<![\u3400-\u9fff]){call}|[{before}]{call}", folded) is not None


def _not_another_thing(folded: str, fitting: list[Goods]) -> list[Goods]:
    for other in _OTHER_ZH:
        calls = {call for each in fitting for call in each.calls if not call.isascii()}
        if any(f"{call}{other}" in folded or f"{call}的{other}" in folded for call in calls):
            return [
                each
                for each in fitting
                if any(other in name for name in (*each.names, *each.calls))
            ]
    words = _WORD.findall(folded)
    others = {_singular(word) for word in words if word in _OTHER_EN}
    if others and not _HAN.search(folded):
        return [each for each in fitting if others & each.pieces]
    return fitting


def _score(asked: frozenset[str], each: Goods, known: Counter[str], count: int) -> float:
    score = sum(math.log(1 + count / known[piece]) for piece in asked & each.pieces)
    unasked = each.pieces - asked
    if unasked & _PROCESSED or (asked & _SIZES and unasked & _UNASKED):
        return score * 0.9
    return score


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "oes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
