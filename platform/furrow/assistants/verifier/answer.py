"""A whole answer, sentence by sentence: what may leave, with which citation, and what is kept back and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.judge import Verdict, judge
from furrow.assistants.verifier.plain import unsafe_part
from furrow.assistants.verifier.statements import Statements
from furrow.assistants.verifier.stream import Draft
from furrow.assistants.verifier.words import coverage

# Beside the cited passage only the one that fits best is tried: citing wrongly is common, guessing is not proof.
_UNKNOWN = re.compile(
    r"(?:资料|文档|文件|信息|内容|知识库|段落)(?:里|中|内)?(?:并|都|均|暂时)?(?:没有|未|无)(?:找到|提到|提及|说明|包含|涉及|相关|给出|写明|明确|提供|这方面)"
    r"|(?:没有|未能?|无法)(?:在|从|根据)?(?:\S{0,8})?(?:资料|文档|信息|段落)(?:中|里)?\S{0,4}(?:找到|查到|得知|确定|回答)|(?:^|[,，])(?:我)?无法(?:回答|确定|告诉您)|^(?:抱歉|对不起|很抱歉)?[，,]?(?:我)?不(?:知道|清楚|了解|确定)"
    r"|\b(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't) (?:know|find|tell|answer|say|determine)\b|\bnot (?:mentioned|stated|covered|specified|found|included|provided)"
    r" in (?:the|our|these|any|this) |\b(?:the|our|these) (?:passages?|documents?|information|sources?|context) (?:do(?:es)? not|don't|doesn't) (?:say|mention|state|contain|include|cover|specify|provide)"
    r"|\bno information\b",
    re.I,
)
_CONNECTIVE = re.compile(
    r"(?:您好|你好|亲|好的|没问题|感谢(?:您的)?(?:咨询|提问|来信)|谢谢(?:您的)?(?:咨询|提问)?)[!！。,，~～\s]*"
    r"|(?:以下是|下面是|具体如下|具体(?:说明|规定|信息|情况)如下|详情如下|根据(?:您的问题|现有资料|相关资料|店铺资料|我们的资料|资料)[,，]?(?:回答|情况|说明|具体)?如下)\S{0,12}[:：。]?"
    r"|(?:希望|但愿)(?:以上|这些|上述)?(?:信息|回答|内容|说明)?(?:能|可以)?(?:对您|帮到您|对你)?(?:有所?帮助)?[!！。~]*"
    r"|(?:如果?|若)(?:您|你)?(?:还|仍)?有(?:其他|其它|任何|更多|别的)?(?:问题|疑问|需要)[,，]?(?:请|欢迎|可以)?(?:随时)?(?:再)?(?:联系(?:我们|客服|我)|告诉我|咨询(?:我们|我)?|问我|提问)[!！。~]*"
    r"|(?:hello|hi|hi there|thanks for (?:asking|your question|reaching out)|thank you for (?:asking|your question|reaching out)|sure|of course|certainly|great question)[!.,\s]*"
    r"|(?:here (?:is|are)|here's) (?:what|the) [\w ]{2,40}[:.]|(?:in short|in summary|to summari[sz]e|in detail|the details are as follows)[:.,]?"
    r"|(?:i )?hope (?:this|that) helps[!.]*|(?:please )?(?:feel free to|let (?:me|us) know if you|if you) (?:have|ask|contact)[\w ,']{0,60}(?:questions?|know|ask|help|us)[!.]*",
    re.I,
)
_CONTRADICTIONS = frozenset({"says_the_opposite", "figure_of_another", "figure_denied"})
_HAS_WORD = re.compile(r"[\w\u3400-\u9fff]")


@dataclass(frozen=True)
class Passage:
    """What the model was given: its number in the prompt, its text, the title and headings above it."""

    n: int
    text: str
    heading: str = ""


@dataclass(frozen=True)
class Checked:
    """`passage` is the number of the supporting passage, 0 for a sentence that claims nothing; `start` and
    `end` are the place in its text of the sentence that supports it best. `reason` is why it was kept back.
    """

    text: str
    raw: str
    reason: str = ""
    detail: str = ""
    passage: int = 0
    start: int = 0
    end: int = 0
    share: float = 0.0

    @property
    def is_kept(self) -> bool:
        return not self.reason

    @property
    def claims_nothing(self) -> bool:
        return self.is_kept and not self.passage


class Checker:
    """Holds the passages of one question, made ready once."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {p.n: Statements(Evidence(p.text, p.heading)) for p in passages}

    def check(self, draft: Draft) -> Checked:
        text = draft.text
        if part := unsafe_part(draft.raw):
            return Checked(text, draft.raw, "not_plain_text", part)
        if not _HAS_WORD.search(text):
            return Checked("", draft.raw, "empty")
        if _CONNECTIVE.fullmatch(text):
            return Checked(text, draft.raw)
        if says_unknown(text):
            return Checked(text, draft.raw, "says_unknown")
        first: Verdict | None = None
        for n in self._order(draft):
            verdict = judge(text, self._passages[n])
            if verdict.is_supported:
                line = self._passages[n].evidence.lines[verdict.line]
                return Checked(
                    text,
                    draft.raw,
                    passage=n,
                    start=line.start,
                    end=line.end,
                    share=verdict.share,
                )
            first = first or verdict
            if verdict.reason in _CONTRADICTIONS:
                # Another passage must not excuse what the cited one denies.
                break
        verdict = first or Verdict("no_passage")
        return Checked(text, draft.raw, verdict.reason, verdict.detail, share=verdict.share)

    def passage_text(self, n: int) -> str:
        return self._passages[n].evidence.text if n in self._passages else ""

    def check_without_words(self, draft: Draft, n: int) -> Checked:
        """By everything but the overlap of words, against one passage."""
        verdict = judge(draft.text, self._passages[n], words_count=False)
        if not verdict.is_supported:
            return Checked(draft.text, draft.raw, verdict.reason, verdict.detail)
        line = self._passages[n].evidence.lines[verdict.line]
        return Checked(
            draft.text, draft.raw, passage=n, start=line.start, end=line.end, share=verdict.share
        )

    def _order(self, draft: Draft) -> list[int]:
        cited = [n for n in draft.cites if n in self._passages]
        held = {n: coverage(draft.text, s.evidence.words).held for n, s in self._passages.items()}
        best = max(held, key=lambda n: held[n], default=None)
        return list(dict.fromkeys([*cited, *([best] if best is not None else [])]))


def says_unknown(text: str) -> bool:
    return bool(_UNKNOWN.search(text))
