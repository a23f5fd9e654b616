"""Prices and dates that documents of one base state differently for the same thing."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from furrow.knowledge.cleaning.flag import Flag
from furrow.knowledge.cleaning.tables import cells_of
from furrow.knowledge.parsing.document import Block, ParsedDocument
from furrow.knowledge.text.folding import fold

KIND: Final = "contradiction"
MAX_FACTS = 1_000
_SUBJECT_COLUMNS = re.compile(
    r"编号|货号|型号|品名|商品|产品|名称|名目|项目|服务|sku|code|item|name|product|service|model",
    re.IGNORECASE,
)
_CODE_COLUMNS = re.compile(r"编号|货号|型号|sku|code|model|no\.?$", re.IGNORECASE)
_VALUE_COLUMNS = re.compile(
    r"价|费|金额|元|price|fee|cost|amount|日期|时间|截止|有效|date|deadline|valid|保质期|shelf",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"^[¥￥$€£]?\s*(\d[\d,]*(?:\.\d+)?)\s*(?:元|块|yuan|rmb|usd|天|日|个月|days?)?(?:\s*[/／每]\s*\w{1,6})?$",
    re.IGNORECASE,
)
_DAY = re.compile(r"^(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})\s?日?$")
_SENTENCES = (
    re.compile(
        r"(?P<subject>[^\s，。；;,:：、（）()|]{2,24})的(?P<aspect>[^\s，。；;,:：、的]{0,6}(?:价格|售价|零售价|批发价|单价|会员价|运费|押金|定金|费用|保质期|服务费|违约金|租金))"
        r"(?:是|为|：|:)\s*(?P<value>[¥￥]?\s*\d[\d,]*(?:\.\d+)?\s*(?:元|块|天|个月)?(?:[/每]\w{1,4})?)"
    ),
    re.compile(
        r"(?P<subject>[^\s，。；;,:：、（）()|]{2,24})的(?P<aspect>截止日期|生效日期|到期日|上市日期|开业日期|交货日期|签订日期|截止时间)"
        r"(?:是|为|：|:)\s*(?P<value>\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?)"
    ),
    re.compile(
        r"[Tt]he (?P<aspect>price|fee|cost|deposit|retail price|wholesale price|deadline|start date|closing date) (?:of|for) (?:the |an? )?(?P<subject>[A-Za-z0-9][\w \-/]{1,40}?)"
        r" is (?P<value>[¥$€£]?\s?\d[\d,]*(?:\.\d+)?(?: ?(?:yuan|RMB|USD))?|\d{4}-\d{1,2}-\d{1,2})"
    ),
)  # fmt: skip


class Fact(NamedTuple):
    """What a document states: `key` is the thing and the aspect, folded; `value` is normal, `said` as written."""

    key: str
    value: str
    said: str
    start: int
    end: int


def facts_of(document: ParsedDocument) -> list[Fact]:
    facts: list[Fact] = []
    for block in document.blocks:
        if block.kind in ("running", "table_header", "heading"):
            continue
        facts += _row_facts(block) if block.kind == "table_row" else _sentence_facts(block)
        if len(facts) >= MAX_FACTS:
            break
    return facts[:MAX_FACTS]


def contradictions(own: Iterable[Fact], others: Mapping[str, Iterable[Fact]]) -> Iterator[Flag]:
    """What others, by title, state differently."""
    known: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for title, facts in others.items():
        for fact in facts:
            known[fact.key][fact.value].append(f"{title}: {fact.said}")
    told: dict[tuple[int, int], list[str]] = defaultdict(list)
    for fact in own:
        for value, places in known.get(fact.key, {}).items():
            if value != fact.value:
                told[fact.start, fact.end].append(f"{fact.said} ≠ {places[0]}")
    for (start, end), details in told.items():
        yield Flag(start, end, KIND, "another document says otherwise", 0.9, details[0])


def _row_facts(block: Block) -> Iterator[Fact]:
    cells = cells_of(block)
    subjects = [
        (n, v) for n, v in cells.items() if _SUBJECT_COLUMNS.search(n) and _value_of(v) is None
    ]
    # A code names a thing better than its name; names alone may be shared by sizes, so all of them count.
    codes = [value for name, value in subjects if _CODE_COLUMNS.search(name)]
    rest = [
        value
        for name, value in cells.items()
        if not _VALUE_COLUMNS.search(name) and _value_of(value) is None and not name.startswith("#")
    ]
    subject = codes[0] if codes else " ".join(rest) if subjects else ""
    if not subject:
        return
    for name, said in cells.items():
        value = _value_of(said) if _VALUE_COLUMNS.search(name) else None
        if value is not None:
            yield Fact(_key(subject, name), value, said, block.start, block.end)


def _sentence_facts(block: Block) -> Iterator[Fact]:
    for pattern in _SENTENCES:
        for match in pattern.finditer(block.text):
            value = _value_of(match["value"].strip())
            if value is not None:
                yield Fact(
                    _key(match["subject"], match["aspect"]),
                    value,
                    match["value"].strip(),
                    block.start + match.start(),
                    block.start + match.end(),
                )


def _value_of(said: str) -> str | None:
    said = said.strip()
    if match := _DAY.match(said):
        return "-".join(part.zfill(2) for part in match.groups())
    if match := _AMOUNT.match(said):
        plain = match[1].replace(",", "")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return None


def _key(subject: str, aspect: str) -> str:
    aspect = re.sub(r"[（(].*", "", aspect)
    return fold("".join(f"{subject}|{aspect}".split()))
