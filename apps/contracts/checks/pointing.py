"""References to clauses and annexes, and the counting of the clauses themselves."""

import re
from collections.abc import Iterator
from itertools import islice

from apps.contracts.checks.facts import is_chinese
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Clause, Contract

_CHAPTERS = ("chapter", "part", "division")
# What follows are lines to sign on, and forms to fill in later.
_SIGNING_EN = re.compile(
    r"IN\s+WITNESS\s+(?:WHEREOF|HEREOF)|\n\s*(?:By|Signature|Signed|Name|Title)\s*:\s*_|\n\s*EXHIBIT\s+[A-Z\d]",
)


def dangling_references(contract: Contract) -> Iterator[Hit]:
    """A clause that is named and not there."""
    articles = _articles(contract)
    if not articles:
        return
    keys = {clause.key for clause in contract.all_clauses}
    by_number = {clause.key[0]: clause for clause in articles}
    for reference in contract.references:
        if reference.kind != "article":
            continue
        head = by_number.get(reference.key[0])
        quote = contract.text[reference.start : reference.end]
        if head is None or not _has_below(contract, head, reference.key, keys):
            yield Hit(reference.start, reference.end, {"reference": quote})


def missing_annexes(contract: Contract) -> Iterator[Hit]:
    present = {clause.key for clause in contract.all_clauses if clause.kind == "annex"}
    seen: set[tuple[int, ...]] = set()
    for reference in contract.references:
        if reference.kind != "annex" or reference.key == (0,) or reference.key in seen:
            continue
        if reference.key not in present and not (present == {(0,)} and reference.key == (1,)):
            seen.add(reference.key)
            quote = contract.text[reference.start : reference.end].strip()
            yield Hit(reference.start, reference.start + len(quote), {"annex": quote})


def numbering_breaks(contract: Contract) -> Iterator[Hit]:
    """Articles that are counted twice or skipped."""
    articles = _articles(contract)
    for before, clause in zip(articles, articles[1:], strict=False):
        # 第九条之一 was put in later.
        is_put_in = contract.text.startswith("之", clause.start + len(clause.label))
        if clause.key[0] != before.key[0] + 1 and not is_put_in:
            values = {"before": before.label, "label": clause.label}
            yield Hit(clause.start, clause.start + len(clause.label), values)


def has_references(contract: Contract) -> bool:
    """Where many lead nowhere it is our reading of the numbers that failed, as with English contracts whose
    numbers were lost or run on in the text.
    """
    if is_chinese(contract):
        return bool(contract.references)
    most = max(1, len(contract.references) // 10)
    hits = sum(1 for _ in islice(dangling_references(contract), most + 1))
    return bool(contract.references) and bool(_articles(contract)) and hits <= most


def has_articles(contract: Contract) -> bool:
    """In English every list begins with 1 anew, so that only a single gap says something."""
    if len(_articles(contract)) < 2:
        return False
    return is_chinese(contract) or sum(1 for _ in islice(numbering_breaks(contract), 2)) < 2


def _articles(contract: Contract) -> list[Clause]:
    """The clauses the contract counts through: 第一条 …, or else 一、 …, or 1. …"""
    numbered = contract.all_clauses
    for kind in ("article", "section1", "han", "digit"):
        found = [c for c in numbered if c.kind == kind and (kind == "article" or c.level == 1)]
        if len(found) > 1:
            return found
    return []


def _has_below(
    contract: Contract, head: Clause, key: tuple[int, ...], keys: set[tuple[int, ...]]
) -> bool:
    if len(key) == 1 or key in keys:
        return True
    if head.children:
        # 第三条第二款 may stand as 3.2, （二） or 2. below it.
        return any(child.key[-1] == key[1] for child in head.children)
    paragraphs = [
        p
        for p in contract.source.paragraphs
        if p.start < head.end and p.end > head.start and p.table is None
    ]
    body = (
        len(paragraphs) - 1
        if len(contract.source.words_of(paragraphs[0])) < 24
        else len(paragraphs)
    )
    return key[1] <= max(body, 1)


def signing_part(contract: Contract) -> int:
    """Where the signatures begin; the length of the text where there are none."""
    last = [p.start for p in contract.parties if p.is_signature]
    if not is_chinese(contract):
        last += [match.start() for match in _SIGNING_EN.finditer(contract.text)][:1]
    found = re.search(
        r"\n\s*(?:[（(]?以下无正文|[（(]本页|(?:甲|乙)方\s*[（(]?(?:盖章|签字|签章|签名))",
        contract.text,
    )
    places = [*last, *([found.start()] if found else [])]
    return min(places, default=len(contract.text))
