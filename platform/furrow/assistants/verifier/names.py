"""Names of places, firms and people that a sentence brings along and its evidence does not know."""

import re
import unicodedata
from functools import cache

from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import (
    Words,
    coverage,
    general_en,
    has_word,
    labels_of,
    sections,
)
from furrow.knowledge.text.stemming import root
from furrow.knowledge.text.stopwords import ENGLISH_STOP_WORDS

_CAPITALISED = re.compile(r"(?<![\w@./-])[A-Z][A-Za-z]*(?:['’-][A-Za-z]+)*")
_LATIN = re.compile(r"(?<![\w@./-])[A-Za-z]{2,}(?![\w@/-])")
_OPENING = re.compile(r"(?:^|[.!?:;。！？：；]\s*|[\"“(（•*-]\s*)$")
_HAN = re.compile(r"[\u3400-\u9fff]")
# Written with capitals without naming anybody.
_PLAIN = frozenset(
    "pdf app ai ok id vip wifi qr sms tv usb faq i cny rmb usd am pm monday tuesday wednesday thursday friday saturday sunday january "
    "february march april may june july august september october november december yuan kg beijing-time mon tue wed thu fri sat sun "
    "chinese english half dozen mondays tuesdays wednesdays thursdays fridays saturdays sundays".split()
)
_WEEKDAY = re.compile("周[一二三四五六日]")
_LEAST_PINYIN = 4
_COMMON_START = frozenset(
    "unfortunately sorry hello hi thanks thank yes no certainly indeed overall".split()
)


def unknown_name(sentence: str, evidence: Words, known: str) -> str:
    """The first name of the sentence that `known`, the evidence's text, does not hold; empty without one."""
    return (
        _label(sentence, evidence)
        or _listed(sentence, known)
        or _titled(sentence, evidence)
        or _novel_person(sentence, evidence)
        or _organisation(sentence, evidence)
        or _latin(sentence, evidence, known)
    )


def _label(sentence: str, evidence: Words) -> str:
    """Zone B is not zone C, and a passage without zones knows neither."""
    return next((label for label in labels_of(sentence) if label not in evidence.roots), "")


def _listed(sentence: str, known: str) -> str:
    said, held = normal(sentence), normal(known)
    found = (match[0] for match in _gazetteer().finditer(said))
    return next((name for name in found if name not in held), "")


def _titled(sentence: str, evidence: Words) -> str:
    """A surname with a given name or title of which the evidence knows nothing: 王经理, 李伟律师."""
    for match in _person().finditer(normal(sentence)):
        name = match["name"]
        if _WEEKDAY.match(name):
            continue
        pairs = [match[0][at : at + 2] for at in range(len(name))]
        if not any(pair in evidence.pairs for pair in pairs[: max(1, len(name) - 1)]):
            return match[0]
    return ""


def _novel_person(sentence: str, evidence: Words) -> str:
    from pypinyin.phrases_dict import phrases_dict  # noqa: PLC0415  its words take 55 MB, which only those who use them should pay

    surnames = sections("names.txt")["surnames"][0]
    for run in coverage(sentence, evidence).novel:
        if 2 <= len(run) <= 3 and run[0] in surnames and run not in phrases_dict:
            return run
    return ""


def _organisation(sentence: str, evidence: Words) -> str:
    for match in _organisations().finditer(normal(sentence)):
        head = match["head"]
        novel = coverage(head, evidence).novel
        if novel and head.endswith(novel[-1]) and len("".join(novel)) >= 2:
            return match[0]
    return ""


def _latin(sentence: str, evidence: Words, known: str) -> str:
    text = unicodedata.normalize("NFKC", sentence)
    is_chinese = len(_HAN.findall(text)) > len(_LATIN.findall(text))
    pattern = _LATIN if is_chinese else _CAPITALISED
    taken = {
        str(figure.value) for figure in figures_of(sentence) if figure.kind in {"code", "contact"}
    }
    for match in pattern.finditer(text):
        word = match[0].lower().replace("’", "'").removesuffix("'s")
        opens = bool(_OPENING.search(text[: match.start()]))
        if (
            word in _PLAIN
            or any(word in code for code in taken)
            or _is_known(word, evidence, known)
        ):
            continue
        if is_chinese or not opens:
            if not is_chinese and _is_plain_word(word):
                continue
            return match[0]
    return ""


def _is_plain_word(word: str) -> bool:
    return (
        len(word) < 2
        or word in ENGLISH_STOP_WORDS
        or word in general_en()
        or root(word) in general_en()
        or word in _COMMON_START
    )


def _is_known(word: str, evidence: Words, known: str) -> bool:
    parts = [part for part in re.split(r"['-]", word) if len(part) > 1]
    if not parts or all(has_word(part, evidence) for part in parts):
        return True
    if not _HAN.search(known):
        return False
    sounds = pinyin_of(known)
    return all(len(part) >= _LEAST_PINYIN and part in sounds for part in parts)


def pinyin_of(text: str) -> str:
    """Its Chinese as one run of syllables: "Qingping" stands in 青坪镇."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415  its words take 55 MB, which only those who use them should pay

    return "".join(lazy_pinyin("".join(_HAN.findall(text))))


@cache
def _gazetteer() -> re.Pattern[str]:
    names = {normal(name) for key in ("places", "firms") for name in sections("names.txt")[key]}
    return re.compile("|".join(sorted(map(re.escape, names), key=len, reverse=True)))


@cache
def _person() -> re.Pattern[str]:
    lists = sections("names.txt")
    titles = "|".join(sorted(map(normal, lists["titles"]), key=len, reverse=True))
    surnames = normal(lists["surnames"][0])
    return re.compile(rf"(?P<name>[{surnames}][\u4e00-\u9fff]{{0,2}}?)(?:{titles})")


@cache
def _organisations() -> re.Pattern[str]:
    suffixes = "|".join(
        sorted(map(normal, sections("names.txt")["organisations"]), key=len, reverse=True)
    )
    return re.compile(rf"(?P<head>[\u4e00-\u9fffa-z0-9]{{2,8}}?)(?:{suffixes})")
