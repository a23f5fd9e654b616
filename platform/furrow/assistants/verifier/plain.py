"""What a model wrote as plain text: nothing that a page could fetch, run or hide survives as such."""

import re
import unicodedata

# Marks that hide or turn text around: zero width, bidirectional controls, tags, variation selectors.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Things no honest answer in plain text contains; a sentence with one is dropped whole.
_UNSAFE = re.compile(
    r"!\[|\]\s*\(|\]\s*\[[^\]\d]|^\s*\[[^\]\d][^\]]*\]:\s*\S|<\s*/?\s*[a-zA-Z!?][^>]*>|&(?:lt|gt|#\d+|#x[0-9a-f]+|quot);|```|~~~"
    r"|\{\{|\}\}|\{%|%\}|\$\{|<%|%>|#\{|<\|[^|]*\|>|\[/?INST\]|<</?SYS>>|javascript:|data:[a-z]+/|vbscript:|onerror\s*=|onload\s*="
    r"|__class__|__globals__|\"lc\"\s*:",
    re.I | re.M,
)
# A role label or boundary of a chat template, which only a forged turn contains.
_FORGED = re.compile(
    r"^\s*(?:###?\s*)?(?:system|assistant|developer|user|human|tool|系统|助手|管理员)\s*(?:message|prompt|消息|提示|指令)?\s*[:：>\]]",
    re.I,
)
_ENCODED = re.compile(
    r"[A-Za-z0-9+/]{32,}={0,2}|(?:%[0-9a-fA-F]{2}){6,}|(?:\\x[0-9a-fA-F]{2}){4,}|(?:\\u[0-9a-fA-F]{4}){3,}"
)
_EMPHASIS = re.compile(
    r"\*\*(.+?)\*\*|__(.+?)__|(?<![*\w])\*([^*\s][^*]*)\*(?![*\w])|`([^`]+)`", re.S
)
_LINE_MARK = re.compile(r"^\s{0,6}(?:#{1,6}\s+|>\s?|[-*+•·]\s+|\d{1,2}[.)、]\s+)", re.M)
_RULE = re.compile(r"^\s*(?:-{3,}|\*{3,}|_{3,}|=+)\s*$", re.M)


def visible(text: str) -> str:
    """Without invisible and control characters."""
    return _CONTROL.sub("", _INVISIBLE.sub("", text))


def unsafe_part(text: str) -> str:
    """The first thing in a sentence that is more than plain text; empty when there is none."""
    shown = unicodedata.normalize("NFKC", visible(text))
    for pattern in (_UNSAFE, _FORGED, _ENCODED):
        if found := pattern.search(shown):
            return found[0][:40]
    return ""


def is_list_item(text: str) -> bool:
    return bool(re.match(r"\s{0,6}(?:[-*+•·]\s+|\d{1,2}[.)、]\s+)", text))


def plain(text: str) -> str:
    """One sentence without Markdown's own marks: emphasis, headings, list marks."""
    text = _RULE.sub("", visible(text))
    text = _EMPHASIS.sub(lambda match: next(group for group in match.groups() if group), text)
    return " ".join(_LINE_MARK.sub("", text).split())
