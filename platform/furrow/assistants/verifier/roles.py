"""Who acts: the side to which a clause gives a duty or a right."""

import re

from furrow.assistants.verifier.evidence import Clause, Evidence, Line, clauses_of

_SIDES = (
    "甲方|乙方|丙方|买方|卖方|供方|需方|出租方|承租方|出租人|承租人|转让方|受让方|发包方|承包方|房东|租客|租户|委托人|受托人|用人单位|劳动者|贷款人|借款人"
    "|公司|员工|学员|教练|老师|家长|学生|医生|患者|买家|卖家|商家|顾客|业主|物业|住户|司机|乘客|志愿者|组织者|投保人|保险人|承运人|托运人|收件人|寄件人"
)
_SIDE = re.compile(
    rf"(?:{_SIDES})"
    r"|\b(?:landlord|tenant|lessor|lessee|buyer|seller|supplier|customer|employer|employee|licensor|licensee|recipient|client|contractor|dentist|doctor"
    r"|patient|teacher|student|parent|child|guest|host|driver|passenger|member|organi[sz]er|sender|carrier|agency|owner|user|provider)s?\b"
)
# Not whoever acts: 向乙方, "to the tenant", 学员的.
_NO_AGENT = re.compile(
    r"(?:向|给|对|为|与|和|跟|把|将|替|从|凭|经|\bto|\bfor|\bfrom|\bwith|\bof)\s?$"
)
_BY = re.compile(rf"(?:由|被|\bby (?:the |an? |our )?)(?P<side>{_SIDE.pattern})")
_OWNED = re.compile(r"的|'s?\b")
_SAME, _LEAST = 0.6, 1.0


def acts_for_another(sentence: str, evidence: Evidence) -> str:
    """The clause whose duty or right the passage gives to another side that it knows as well; empty without one."""
    for clause in clauses_of(sentence):
        side = agent_of(clause.text)
        if not side or side not in evidence.said:
            continue
        terms = evidence.terms(_SIDE.sub(" ", clause.text))
        total = evidence.likeness(terms, clause.text)
        scored = [
            (evidence.plain_likeness(terms, theirs.text), acting)
            for line in evidence.lines
            for theirs, acting in _acting(line)
        ]
        best = max((score for score, _ in scored), default=0.0)
        if total < _LEAST or best < _SAME * total:
            continue
        acting = {agent for score, agent in scored if score >= best}
        if side not in acting and "" not in acting:
            return clause.text.strip()
    return ""


def _acting(line: Line) -> list[tuple[Clause, str]]:
    found, last = [], ""
    for clause in line.clauses:
        last = agent_of(clause.text) or last
        found.append((clause, last))
    return found


def agent_of(text: str) -> str:
    """The side that acts in a clause, in the singular; empty where none is named."""
    if by := _BY.search(text):
        return by["side"].removesuffix("s")
    for match in _SIDE.finditer(text):
        before = re.sub(r"\b(?:the|an?|any|our|your|each|every) $", "", text[: match.start()])
        if not _NO_AGENT.search(before) and not _OWNED.match(text, match.end()):
            return match[0].removesuffix("s")
    return ""
