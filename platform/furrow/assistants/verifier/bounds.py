"""Whether a figure is an upper or a lower end, by the words around it."""

import re

_AT_MOST = re.compile(
    r"(?:不(?:能|得|可|会|应|可以)?(?:超过|超|高于|多于|大于|长于|晚于|迟于)|最多|至多|最长|最高|最大|最晚|最迟|上限|不到|不足|(?<!不)(?:少于|低于|小于)|[未不]满|up to|at most|no more than|no longer than|not longer than|not more"
    r" than|within|maximum(?: of)?|under|less than|below|fewer than|no later than|not later than|not exceed(?:ing)?|at the latest|never exceeds?)"
    r"(?:\s*(?:为|是|the|a|an|of|标称|净重)?\s*|[\u4e00-\u9fff]{0,8})$"
)
_AT_LEAST = re.compile(
    r"(?:不(?:能|得|可|会|应|可以)?(?:低于|少于|小于|早于)|至少|最少|最低|起码|(?<![未不])满|(?<!不)(?<!不能)(?<!不得)(?<!不可)(?<!不会)(?<!不应)(?<!不可以)(?:超过|高于|多于|大于|超出)|达到|at least|no less than|no fewer than|not less than|not fewer than|minimum(?: of)?|over|more than|(?<!no )longer than|above"
    r"|exceed(?:s|ing)?|beyond|after|from|starting at|reach(?:es)?)(?:\s*(?:为|是|the|a|an|of)?\s*|[\u4e00-\u9fff]{0,8})$"
)
_MOST_AFTER = re.compile(
    r"\s*(?:的)?(?:[\u4e00-\u9fff]{0,3}?(?:以内|之内|以下|为限)|内|or less|or fewer|at most|or below|at the latest)"
)
_LEAST_AFTER = re.compile(
    r"\s*(?:的)?(?:[\u4e00-\u9fff]{0,3}?以上|起(?!诉|草)|以后|之后|后(?!付)|or more|and (?:above|more|over|older)|or above|or older)"
)
_AFTER = re.compile(r"\s*(?:之后|以后|后)")
_REACH = 22


def bound_of(text: str, match: re.Match[str]) -> str:
    """`le`, `ge`, `after` or empty for the figure that `match` found in `text`."""
    before = text[max(0, match.start() - _REACH) : match.start()]
    after = text[match.end() : match.end() + _REACH]
    most = bool(_AT_MOST.search(before)) or bool(_MOST_AFTER.match(after))
    least = bool(_AT_LEAST.search(before)) or bool(_LEAST_AFTER.match(after))
    if re.search(r"or (?:more|older)", match[0]):
        return "ge"
    if re.search(r"or (?:fewer|less|younger)", match[0]):
        return "le"
    if most == least:
        return ""
    if most:
        return "le"
    # "after 30 days" is a point in time as much as a lower end.
    return "after" if _AFTER.match(after) or before.rstrip().endswith("after") else "ge"
