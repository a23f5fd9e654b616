"""Names of parties and terms the contract gives a meaning."""

import re
from collections.abc import Iterator

from rapidfuzz.distance import Levenshtein

from apps.contracts.checks.facts import is_chinese
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract
from apps.contracts.reading.definitions import is_role, terms_quoted

_COMPANY = re.compile(
    r"[\u3400-\u9fff（）()]{2,24}(?:有限责任公司|股份有限公司|有限公司|合作社|事务所|经营部|商行|家庭农场)"
)
_PARTY_WORD = re.compile(r"[丙丁]方")
_NOT_A_TERM = re.compile(r"合同|协议|字样|以下|公章|[0-9]")
# Words shown as words, a name of goods or shops, or a meaning given without 是指.
_SAYS_WHAT_IT_IS = re.compile(
    r"字样|二字|的字|栏|牌|品牌|商标|门店|店|小程序|软件|系统|平台|标准版|公众号|APP|包括|包含|仅指|是(?!否)|按[^，,。]{1,6}计"
)
_LEADING = re.compile(
    r"^(?:与|和|由|向|致|经|本合同由|甲方|乙方|为|是|将|在|对|及|名称|户名|收款人|开户名|账户名称)+"
)


def signatures_differ(contract: Contract) -> Iterator[Hit]:
    """The name at the signature against the name at the head."""
    heads = {role: p for p in contract.parties if not p.is_signature for role in p.roles}
    for party in contract.parties:
        head = next((heads[role] for role in party.roles if role in heads), None)
        if party.is_signature and head is not None and _bare(head.name) != _bare(party.name):
            yield Hit(party.start, party.end, {"head": head.name, "written": party.name})


def names_nearly_alike(contract: Contract) -> Iterator[Hit]:
    """A company in the text whose name is a slip away from a party's."""
    heads = [p.name for p in contract.parties if not p.is_signature and len(p.name) >= 6]
    signed = {(p.start, p.end) for p in contract.parties}
    for match in _COMPANY.finditer(contract.text):
        leading = _LEADING.match(match.group())
        start = match.start() + (leading.end() if leading else 0)
        name = contract.text[start : match.end()]
        if any(s <= start < e or s <= match.end() - 1 < e for s, e in signed):
            continue
        if any(_bare(head) in _bare(name) for head in heads):
            continue
        for head in heads:
            if 0 < Levenshtein.distance(_bare(name), _bare(head)) <= 2:
                yield Hit(start, match.end(), {"head": head, "written": name}, head)
                break


def unknown_parties(contract: Contract) -> Iterator[Hit]:
    """A third or fourth party that the head does not name."""
    known = {role for party in contract.parties for role in party.roles}
    seen: set[str] = set()
    for match in _PARTY_WORD.finditer(contract.text):
        word = match.group()
        introduced = re.search(
            rf"{word}\s*(?:[（(][^）)]{{1,20}}[）)])?\s*[:：]|[“\"]{word}[”\"]", contract.text
        )
        if word not in known and word not in seen and not introduced:
            seen.add(word)
            yield Hit(match.start(), match.end(), {"party": word})


def undefined_terms(contract: Contract) -> Iterator[Hit]:
    defined = {definition.term for definition in contract.definitions}
    parties = [party.name for party in contract.parties]
    seen: set[str] = set()
    for term in terms_quoted(contract.text):
        if term.term in defined or term.term in seen or is_role(term.term):
            continue
        if _NOT_A_TERM.search(term.term) or not 2 <= len(term.term) <= 10:
            continue
        after = contract.text[term.end + 1 : term.end + 12]
        if _SAYS_WHAT_IT_IS.match(after) or any(term.term in name for name in parties):
            continue
        seen.add(term.term)
        yield Hit(term.start, term.end, {"term": term.term}, confidence=0.75)


def unused_terms(contract: Contract) -> Iterator[Hit]:
    in_chinese = is_chinese(contract)
    text = contract.text if in_chinese else _folded(contract.text)
    for definition in contract.definitions:
        if is_role(definition.term) or definition.term in (
            "双方",
            "一方",
            "本合同",
            "本协议",
            "三方",
        ):
            continue
        term = definition.term if in_chinese else _folded(definition.term).rstrip("s")
        if text.count(term) < 2:
            yield Hit(definition.start, definition.end, {"term": definition.term}, confidence=0.8)


def has_signatures(contract: Contract) -> bool:
    return any(party.is_signature for party in contract.parties)


def has_definitions(contract: Contract) -> bool:
    return bool(contract.definitions)


def has_terms(contract: Contract) -> bool:
    """English contracts put all kinds of words into quotation marks, and define terms in more ways than are read."""
    return is_chinese(contract)


def _folded(text: str) -> str:
    """A term may be broken by the end of a line, or stand in capitals."""
    return re.sub(r"\s+", " ", text).lower()


def _bare(name: str) -> str:
    return re.sub(r"[\s　（()）]", "", name)
