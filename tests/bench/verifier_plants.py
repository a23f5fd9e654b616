"""What is planted in an honest sentence of the verifier's answers, kind by kind."""

import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.knowledge.text.folding import fold
from tests.bench.verifier_sources import Source

Mutation = Callable[[str, Source, random.Random], str | None]
_NUMBER = re.compile(r"(?<![\w./-])\d+(?:\.\d+)?(?![\w./:-]*\d)(?!年|月\d)")
_PRICE = re.compile(r"\d+(?:\.\d+)?(?=\s?(?:元|yuan))|(?<=CNY )\d[\d,]*")
_DATE_OR_TIME = re.compile(
    r"\d{1,2}:\d{2}|\d{4}年|\d{1,2}月\d{1,2}日|\d{1,2} (?:January|February|October|November|December|June|March)|周[一二三四五六日]|Saturday|Sunday|Monday"
)
_CODE = re.compile(r"[A-Z]{2}-\d{4}/[A-Z]\d")


@cache
def _words(table: str, language: str, half: str = "") -> list[tuple[str, str]]:
    text = (Path(__file__).parent / "verifier_plants.tsv").read_text("utf-8").replace("␣", " ")
    rows = [line.split("\t") for line in text.splitlines() if line[0] != "#"]
    return [(old, new) for *key, old, new in rows if key == [table, half, language]]


def language_of(text: str) -> str:
    return "zh" if re.search(r"[\u4e00-\u9fff]", text) else "en"


def number(text: str, source: Source, dice: random.Random) -> str | None:
    return _replaced(_NUMBER, text, source, dice, _other_number)


def price(text: str, source: Source, dice: random.Random) -> str | None:
    return _replaced(_PRICE, text, source, dice, _other_number)


def date_or_time(text: str, source: Source, dice: random.Random) -> str | None:
    return _replaced(_DATE_OR_TIME, text, source, dice, _other_date)


def code(text: str, source: Source, dice: random.Random) -> str | None:
    def other(found: str, dice: random.Random) -> str:
        return found[:-1] + str((int(found[-1]) + dice.choice([1, 2, 3])) % 10)

    return _replaced(_CODE, text, source, dice, other)


def _replaced(
    pattern: re.Pattern[str], text: str, source: Source, dice: random.Random, other: Any
) -> str | None:
    matches = list(pattern.finditer(text))
    if not matches:
        return None
    for _ in range(8):
        match = dice.choice(matches)
        new = other(match[0], dice)
        if new != match[0] and new not in source.text:
            return text[: match.start()] + new + text[match.end() :]
    return None


def _other_number(found: str, dice: random.Random) -> str:
    value = float(found.replace(",", ""))
    new = dice.choice(
        [value + 1, value * 2, value + 5, value / 2 if value > 3 else value + 3, value * 10]
    )
    return f"{new:g}" if "." not in found else f"{new:.2f}"


def _other_date(found: str, dice: random.Random) -> str:
    if found.startswith("周"):
        return "周" + dice.choice([day for day in "一二三四五六日" if day != found[1]])
    days = ["Saturday", "Sunday", "Monday"]
    if found in days:
        return dice.choice(["Tuesday", "Thursday"])
    digits = re.search(r"\d+", found)
    assert digits is not None
    value = int(digits[0])
    top = 23 if ":" in found else 28 if "日" in found or " " in found else 2999
    if "月" in found:
        top = 12
    new = (value + dice.choice([1, 2, 3])) % top or 1
    return found[: digits.start()] + str(new).zfill(len(digits[0])) + found[digits.end() :]


def _swapped(table: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        choices = [
            pair
            for pair in _words(table, language_of(text))
            if re.search(_edged(pair[0]), text) and pair[1] not in text
        ]
        if not choices:
            return None
        old, new = dice.choice(choices[:3])
        return re.sub(_edged(old), new, text, count=1)

    return mutate


def _edged(words: str) -> str:
    """English words whole; Chinese has no edges."""
    return rf"(?<![A-Za-z]){re.escape(words)}(?![A-Za-z])" if words.isascii() else re.escape(words)


def unit(text: str, source: Source, dice: random.Random) -> str | None:
    choices = []
    for old, new in _words("unit", language_of(text)):
        pattern = r"(CNY) (?=\d)" if old == "CNY" else rf"(?<=\d)(?<!\d\d\d\d)(\s?){re.escape(old)}"
        if re.search(pattern, text):
            choices.append((pattern, old, new))
    if not choices:
        return None
    pattern, old, new = dice.choice(choices)
    mutated = re.sub(pattern, lambda m: m[0].replace(old, new), text, count=1)
    return mutated if mutated != text and mutated not in source.text else None


def swapped_values(text: str, source: Source, dice: random.Random) -> str | None:
    """A figure of the sentence replaced by another of the same unit that stands elsewhere in the passage."""
    mine = [
        f
        for f in figures_of(text)
        if f.kind == "number"
        and f.unit in {"yuan", "time", "percent", "workday", "degree", "month", "weight"}
    ]
    if not mine:
        return None
    figure = dice.choice(mine)
    all_mine = {(f.unit, f.value) for f in mine}
    others = [
        f
        for f in figures_of(source.text)
        if f.kind == "number" and f.unit == figure.unit and (f.unit, f.value) not in all_mine
    ]
    folded, whole = normal(text), normal(source.text)
    if not others or len(fold(text)) != len(text) or folded != fold(text):
        return None
    other = dice.choice(others)
    digits = re.compile(r"\d+(?:\.\d+)?")
    new, old = digits.search(whole, other.start), digits.search(folded, figure.start)
    if not new or not old:
        return None
    unit_mine, unit_other = folded[old.end() : figure.end], whole[new.end() : other.end]
    if unit_mine.strip() != unit_other.strip():
        return None
    return text[: old.start()] + new[0] + text[old.end() :]


def named(half: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        return _led_by(dice.choice(_words("name", language_of(text), half))[1], text)

    return mutate


def sweeping(half: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        where, words = dice.choice(_words("sweeping", language_of(text), half))
        return _led_by(words, text) if where == "^" else _ended_by(words, text)

    return mutate


def tailed(table: str, half: str) -> Mutation:
    def mutate(text: str, source: Source, dice: random.Random) -> str | None:
        return _ended_by(dice.choice(_words(table, language_of(text), half))[1], text)

    return mutate


def _led_by(words: str, text: str) -> str:
    if language_of(text) == "en" and not re.match(r"(?:I |WeChat|Alipay|Zone|[A-Z]{2})", text):
        text = text[0].lower() + text[1:]
    return words + text


def _ended_by(words: str, text: str) -> str:
    match = re.search(r"[。.!！]+$", text)
    at = match.start() if match else len(text)
    return text[:at] + words + (text[at:] or "")


def kinds(half: str) -> dict[str, Mutation]:
    return {
        "number": number,
        "price": price,
        "date or time": date_or_time,
        "unit": unit,
        "code": code,
        "name": named(half),
        "negation": _swapped("flip"),
        "sweeping claim": sweeping(half),
        "comparison": tailed("best", half),
        "contact": tailed("contact", half),
        "value of another": swapped_values,
        "bound": _swapped("bound"),
        "opposite word": _swapped("opposite"),
    }
