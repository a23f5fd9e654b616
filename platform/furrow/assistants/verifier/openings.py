"""A yes or no that an answer begins with: the rest is judged, the opening must agree with what the passage says."""

import re

_GREETING = re.compile(r"^(?:您好|你好|亲|hello|hi|hi there)(?:\s*[,，。.!！~]+\s*)", re.I)
_YES = re.compile(
    r"^(?:是的?|可以的?|对的?|能的?|行|有的?|好的?|会的?|需要的?|要的|yes|yep|sure|correct|indeed|certainly)\s*[,，。.!！;；]+\s*",
    re.I,
)
_NO = re.compile(
    r"^(?:不是的?|不可以|不能|不行|不会|不用|不需要|没有|不|no|nope|sorry|unfortunately|抱歉|不好意思|很遗憾)\s*[,，。.!！;；]+\s*",
    re.I,
)


def without_opening(text: str) -> tuple[str, str]:
    """What follows a greeting and a yes or no, and `yes`, `no` or nothing; a text that is nothing else stays."""
    text = _GREETING.sub("", text) or text
    for name, pattern in (("yes", _YES), ("no", _NO)):
        rest = pattern.sub("", text)
        if rest and rest != text:
            return rest, name
    return text, ""
