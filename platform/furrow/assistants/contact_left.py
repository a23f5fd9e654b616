"""Does a message leave a way to reach its writer, right after the assistant asked for one?

Only then: "13812345678 是谁的电话" in the middle of a chat is a question.
"""

import re
from typing import Protocol

from furrow.assistants.phrases import phrase

_ASKING = tuple(
    phrase(n, lang) for n in ("leave_contact", "contact_noted") for lang in ("zh", "en")
)
_MAX_LENGTH = 200
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_PHONE = r"(?!(?:19|20)\d\d-\d\d?-\d\d?(?!\d))\+?\d(?:[ \-()]{0,2}\d){6,14}"
_ACCOUNT = r"(?:微信号?|wechat|weixin|vx|wx|qq|whatsapp|telegram|line)(?: ?id)?(?:号码?|是|is|[:： ])*[\w-]{4,}"
_CONTACT = re.compile(rf"{_EMAIL}|(?<!\d){_PHONE}(?!\d)|{_ACCOUNT}", re.IGNORECASE | re.ASCII)
_ASKS = re.compile(r"[?？]|(?:吗|呢|么)[。！!]?$")


class Earlier(Protocol):
    """The exchange before: what was answered, and by which rung."""

    @property
    def answer(self) -> str: ...
    @property
    def rung(self) -> str: ...


def contact_left(text: str, last: Earlier) -> str:
    """The whole message, which may also say a name and a time; empty when it is something else."""
    text = text.strip()
    if last.rung != "human" or not last.answer.endswith(_ASKING):
        return ""
    if len(text) > _MAX_LENGTH or _ASKS.search(text) or not _CONTACT.search(text):
        return ""
    return text
