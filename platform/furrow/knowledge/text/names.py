"""What documents are called: in words a person would say, as a family, and by each other.

`TheglobeComInc_19990503_EX-10.20` is read as words, `民法典第五十四条` belongs to the family `民法典`, and a text
that says `《民法典》` cites that family.
"""

import re

from furrow.knowledge.text.folding import fold

MAX_NAME = 120
MAX_CITED = 200
_JOINTS = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])"
)
_MARKS = re.compile(r"[_\-]+")
_FILE_ENDING = re.compile(r"\.(?:pdf|docx?|xlsx?|csv|pptx?|html?|md|txt|png|jpe?g)$", re.IGNORECASE)
_ORDINAL = re.compile(
    r"第[零一二两三四五六七八九十百千\d]{1,9}[条章节款项页号](?:之[一二三四五六七八九十])?.*$"
)
# What tells versions of one document apart: dates, version numbers, copies.
_EDITION = re.compile(
    r"[\s_\-(（]*(?:v\d+(?:\.\d+)*|\d{4}[年.\-/]?\d{0,2}[月.\-/]?\d{0,2}日?|副本|copy|最新版?|修订版?|final)[)）\s]*$",
    re.IGNORECASE,
)
_CITED = re.compile(r"《([^《》\n]{2,60})》")
_COUNTRY = "中华人民共和国"


def readable(title: str) -> str:
    """The title with joined words parted, for questions that name a file by what a person reads in it."""
    return " ".join(_JOINTS.sub(" ", _MARKS.sub(" ", title)).split())


def family(title: str) -> str:
    """What articles, pages and editions of one work have in common; empty when nothing is left."""
    name = fold(_FILE_ENDING.sub("", title.strip())).replace(_COUNTRY, "")
    name = _ORDINAL.sub("", name)
    while (shorter := _EDITION.sub("", name)) != name and shorter:
        name = shorter
    return name.strip(" 《》\"'_-")[:MAX_NAME]


def families_cited(text: str) -> list[str]:
    """The families that a text names between title marks, in order, each once."""
    names = (family(match[1]) for match in _CITED.finditer(text))
    return list(dict.fromkeys(name for name in names if name))[:MAX_CITED]
