"""Which language a question is in, by its script: the answer comes in the same one."""

import re

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z'’]*")


def language_of(text: str, *, default: str = "zh") -> str:
    """`zh` or `en`. A Chinese question may name an English product, so one Han character weighs as much as
    an English word; a question without words ("5 kg?", "HN-2025/A3") keeps `default`.
    """
    han = len(_HAN.findall(text))
    words = [word for word in _LATIN_WORD.findall(text) if len(word) > 2 or word.lower() in _SHORT]
    if not han and not words:
        return default
    return "zh" if han >= len(words) else "en"


_SHORT = frozenset(
    "i a is it in to do hi ok my me we he on or of no go at by an am be so up".split()
)


def short_language(code: str) -> str:
    """`zh-hans` and `zh-CN` are `zh`; anything else that is not Chinese reads English."""
    return "zh" if code.lower().startswith("zh") else "en"
