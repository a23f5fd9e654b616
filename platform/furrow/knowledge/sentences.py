"""Where sentences begin and end in Chinese and English text.

`split_sentences` answers with code point offsets, so a quoted sentence can always be shown in its
place. Every character that is not white space belongs to exactly one sentence, in order.
"""

import re

_ADDRESS = re.compile(
    r"(?:https?://|ftp://|www\.)[A-Za-z0-9\-._~:/?#@!$&'*+,;=%]*[A-Za-z0-9/#=&_\-]"
    r"|[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){1,8}"
)
_END = re.compile(r"[。！？!?.．｡]+|…+")
_CLOSERS = "”’」』）)】》〉］]\"'＂＇"
_LINE = re.compile(r"[^\r\n\u2028\u2029\x0b\x0c\x85]+")
_LIST_ITEM = re.compile(
    r"\s*(?:[-*•·●○■□▪◆–—+]\s|[(（]?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5}|[一二三四五六七八九十百]{1,4})"
    r"[)）.．、:：](?!\d)|第[一二三四五六七八九十百千零\d]{1,7}[条章节款项]|[①-⑳])"
)
_LABEL = re.compile(r"\s*(?:问|答|[QqAa]|[Qq]uestion|[Aa]nswer)\s*\d{0,3}\s*[:：]")
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st mt no nos vs etc e.g i.e eg ie approx inc ltd co corp llc dept est "
    "fig figs sec secs art arts para paras p pp vol ch ed eds al cf ca a.m p.m u.s u.k u.n ph.d "
    "b.a m.a jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun tel ext "
    "min max avg qty ave blvd rd bldg rm gen col lt sgt capt hon rev gov rep sen".split()
)
# After these a full stop may still end the sentence, when a capital letter follows.
_MAY_END = frozenset("etc inc ltd co corp llc a.m p.m u.s u.k jr sr ph.d".split())
_SENTENCE_STARTERS = frozenset(
    "the a an this that these those it he she we you they i in on at for if when please our your "
    "all any each no not but and or so as after before by to from with there here what how".split()
)
_WORD_BEFORE = re.compile(r"[A-Za-z][A-Za-z.]*$")
_SPEECH_TAG = re.compile(r"[^。！？，,.!?\s]{0,5}[说道问答称]|的|这|[，、,；;]")
_PAIRS = {"（": "）", "(": ")", "“": "”", "「": "」", "『": "』", "《": "》", "【": "】"}
# A full stop inside a short bracket or quotation does not end the sentence around it.
_INNER_REACH = 60


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence, white space trimmed; linear in the length of the text."""
    spans: list[tuple[int, int]] = []
    for start, end in _logical_lines(text):
        if _is_table_row(text[start:end]):
            _add(spans, text, start, end)
        else:
            _split_line(spans, text, start, end)
    return spans


def is_cjk(char: str) -> bool:
    """Han characters, kana and Hangul: scripts written without spaces between words or nearly."""
    return (
        "\u3400" <= char <= "\u9fff"
        or "\u3040" <= char <= "\u30ff"
        or "\uac00" <= char <= "\ud7af"
        or "\uf900" <= char <= "\ufaff"
        or "\U00020000" <= char <= "\U0003ffff"
    )


def _logical_lines(text: str) -> list[tuple[int, int]]:
    """Lines, with those joined again that only a fixed width had broken."""
    lines: list[tuple[int, int]] = []
    for match in _LINE.finditer(text):
        start, end = match.span()
        if lines and _is_soft_break(text, lines[-1], (start, end)):
            lines[-1] = (lines[-1][0], end)
        else:
            lines.append((start, end))
    return lines


def _is_soft_break(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    gap = text[before[1] : after[0]]
    if gap not in ("\n", "\r\n"):
        return False
    # Only the tail matters and slicing the whole joined line would make long texts quadratic.
    tail = text[max(before[0], before[1] - 400) : before[1]].rstrip()
    head = text[after[0] : after[1]]
    if not tail or not head.strip() or _is_table_row(tail) or _is_table_row(head):
        return False
    if _LIST_ITEM.match(head) or _LABEL.match(head):
        return False
    last, first = tail[-1], head.lstrip()[0]
    if last in ",，、":
        return True
    return first.islower() and first.isascii() and (last.isalnum() or last in "-)'\"")


def _is_table_row(line: str) -> bool:
    return " | " in line or line.count("\t") >= 2


def _split_line(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    protected = [match.span() for match in _ADDRESS.finditer(text, start, end)]
    begin, position, next_address = start, start, 0
    while match := _END.search(text, position, end):
        position = match.end()
        while next_address < len(protected) and protected[next_address][1] <= match.start():
            next_address += 1
        if next_address < len(protected) and protected[next_address][0] <= match.start():
            position = max(position, protected[next_address][1])
            continue
        stop = _past_closers(text, position, end)
        if _is_boundary(text, (begin, end), match.span(), stop):
            _add(spans, text, begin, stop)
            begin = position = stop
    _add(spans, text, begin, end)


def _past_closers(text: str, position: int, end: int) -> int:
    while position < end and text[position] in _CLOSERS:
        position += 1
    return position


def _is_boundary(text: str, line: tuple[int, int], mark: tuple[int, int], stop: int) -> bool:
    begin, end = line
    if stop >= end:
        return True
    if _is_inside_pair(text, begin, mark[0], mark[1], end):
        return False
    marks, following = text[mark[0] : mark[1]], text[stop]
    if stop > mark[1] and _SPEECH_TAG.match(text, stop, end):
        return False
    if any(mark in "。！？｡" for mark in marks):
        return True
    if marks[0] == "…":
        return stop > mark[1]
    if "!" in marks or "?" in marks:
        return following.isspace() or is_cjk(following) or following in "“「『《（【"
    return _full_stop_ends(text, begin, mark, stop)


def _is_inside_pair(text: str, begin: int, at: int, after: int, end: int) -> bool:
    """Whether a bracket opened shortly before `at` closes shortly after, with text in between."""
    window = text[max(begin, at - _INNER_REACH) : at]
    for opener, closer in _PAIRS.items():
        opened = window.rfind(opener)
        if opened < 0 or closer in window[opened:]:
            continue
        closed = text.find(closer, after, min(end, after + _INNER_REACH))
        # Straight after the mark the closer belongs to the mark itself.
        if closed > after:
            return True
    return False


def _full_stop_ends(text: str, begin: int, mark: tuple[int, int], stop: int) -> bool:
    before = text[mark[0] - 1] if mark[0] > begin else ""
    following = text[stop]
    if not before or (before.isdigit() and following.isdigit()):
        return False
    if not following.isspace():
        return is_cjk(before) or (is_cjk(following) and not before.isdigit())
    if _LIST_ITEM.fullmatch(text, begin, mark[1]):
        return False
    rest = text[stop : stop + 40].lstrip()
    if not rest:
        return True
    if text[mark[0] : mark[1]] == "." and not _word_may_end(text, begin, mark[0], rest):
        return False
    return not (rest[0].isascii() and rest[0].islower())


def _word_may_end(text: str, begin: int, dot: int, rest: str) -> bool:
    found = _WORD_BEFORE.search(text[max(begin, dot - 24) : dot])
    if not found:
        return True
    word = found.group().lower()
    if len(word) == 1:
        # An initial such as "J. Smith"; "plan B." before a common opening word ends a sentence.
        return word == "i" or _opens_sentence(rest)
    if word in _MAY_END:
        return _opens_sentence(rest) or not (rest[0].isupper() or rest[0].isdigit())
    return word not in _ABBREVIATIONS or (word == "no" and not rest[0].isdigit())


def _opens_sentence(rest: str) -> bool:
    first = re.match(r"[A-Z][a-z]*", rest)
    return first is not None and first.group().lower() in _SENTENCE_STARTERS


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))
