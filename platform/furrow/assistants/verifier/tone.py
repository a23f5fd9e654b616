"""Yes and no in a clause: how often it denies and whether something is needed."""

import re
from dataclasses import dataclass

from furrow.assistants.verifier.numerals import normal

# Not negations, though they look like it; blanked before the search.
_IDIOMS = re.compile(
    r"(?:\d\s?[点时:]\s?(?:\d+|半)?|之?后|以后|\d(?: ?[ap]m)?)(?:就)?(?:关门|闭园|关园|关闭)|不(?:能|得|可|会|应|可以)?(?:超过|低于|高于|少于|多于|早于|晚于|大于|小于|迟于)|不超|不仅|不但|不过|不同|不久|不断|不足|不限|不收费|不收钱|不要钱|不客气|不妨|不管|不论|不锈"
    r"|不然|不如|不一定|是否|能否|可否|与否|要不要|能不能|可不可以|有没有|是不是|会不会|没收|无论|无理由|无条件|未来|未成年|非常|并非常|别人|别的|别处|分别|级别|特别|类别|性别|别墅|区别|识别|个别|鉴别|告别|别名|别称|别号|除非"
    r"|不齐|不全|不清|不到|不明|对不对|不符|不完整|不当|不均|不一|没问题|不满意|不满|不服|不可抗力|不动产|无人机|无糖|无籽|无核|无盐|无线|无锡|无果"
    r"|not only|no less than|no longer than|no more than|not less than|not more than|no later than|not later than|no matter|no doubt|not exceed(?:ing)?|whether or not"
    r"|if not|no\. ?\d|no problem|nothing else"
)
_NEGATION = re.compile(
    r"不|没|无(?!需|须)|未|勿|别|非(?=本|法|常规)|禁止|严禁|拒绝|谢绝|暂停|停发|停止(?!食用|使用)|停运|停(?=[开办业售课供营])|关闭|关园|关门|闭园|停业|休息|除外|排除|免除|取不|难以|切勿|杜绝"
    r"|\bnot\b|n't\b|\bno\b|\bnor\b|\bnever\b|\bcannot\b|\bwithout\b|\bneither\b|\bnone\b|\bunable\b|\bnobody\b|\bnothing\b|\bexcluded?\b|\bexcludes\b|\bexcluding\b"
    r"|\bexcept\b|\brefuse[sd]?\b|\bprohibit|\bforbid|\bban(?:ned)?\b|\b(?:is|are|be|remains?|stays?) closed\b|\bclosed on\b|\bsuspend|\bpaused?\b|\bstops?\b|\bimpossible\b|\bineligible\b|\bunavailable\b|\bfails?\b"
)
# Needing nothing is no refusal: 无需 and 不用 stand apart from 不能.
_NO_NEED = re.compile(
    r"无需|无须|不用|不必|不需要|不需|不强制|不要求|不是必须|没必要|免于|not required|not needed|not necessary|no need|needn't|not have to|n't have to|not obliged|not mandatory|optional"
)
_NEED = re.compile(
    r"需要|必须|须|应当|务必|强制|要求|\bmust\b|\brequired?\b|\bneeds?\b|\bhave to\b|\bhas to\b|\bmandatory\b|\bobliged\b"
)


@dataclass(frozen=True)
class Tone:
    """`negations` counts them; `is_negated` is what most comparisons need."""

    negations: int
    needs_nothing: bool
    needs: bool

    @property
    def is_negated(self) -> bool:
        return self.negations > 0


def tone_of(text: str) -> Tone:
    """Of one clause."""
    said = _IDIOMS.sub(" ", normal(text))
    needless = bool(_NO_NEED.search(said))
    said = _NO_NEED.sub(" ", said)
    return Tone(len(_NEGATION.findall(said)), needless, bool(_NEED.search(said)))


def blanked(said: str) -> str:
    """Without what only looks like a negation; offsets stay."""
    return _NO_NEED.sub(_spaces, _IDIOMS.sub(_spaces, said))


def negation_spans(said: str) -> list[tuple[int, int]]:
    return [match.span() for match in _NEGATION.finditer(said)]


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])
