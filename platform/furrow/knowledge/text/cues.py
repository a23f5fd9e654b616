"""What a question asks for, and what a sentence shows that could answer it."""

import re
from dataclasses import dataclass
from functools import lru_cache

_NUMERAL = "[0-9零一二三四五六七八九十百千万亿两半]"
_COUNTED = re.compile(r"(?:多少|几)([一-鿿])")
_NOTHING_COUNTED = frozenset("的是了个呢吗")


@dataclass(frozen=True)
class Kind:
    """A kind of question: `asks` is sought in the folded question, `shows` in a sentence."""

    name: str
    asks: re.Pattern[str]
    shows: re.Pattern[str] | None


def _kind(name: str, asks: str, shows: str | None = None) -> Kind:
    return Kind(name, re.compile(asks), re.compile(shows) if shows else None)


_KINDS = (
    _kind(
        "when",
        r"什么时候|何时|哪一?[年天月日]|几[年月号点]|[什何]么?时间|时间|日期|年[代份]|[何什]么?年|\bwhen\b"
        r"|what (?:time|date|day|year)",
        r"\d{1,4}年|\d+月|\d+日|世纪|年代|时期|公元|[一二三四五六七八九十元]年|期间|\d:\d\d|\d+ ?(?:小时|天)"
        r"|\b(?:1\d|20)\d\d\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\bdays?\b|\bhours?\b|\d ?[ap]\.?m\b",
    ),
    _kind(
        "number",
        r"多少|几(?![乎何])|多[大高长久远重宽深]|how (?:many|much|long|far|old|big|large|tall)|price|cost",
        rf"{_NUMERAL}|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|free)\b",
    ),
    _kind(
        "duration",
        r"多久|多长时间|[几多]少?(?:天|日|小时|个?月|年|分钟|个?工作日)|时[限效]|期限|保质期|过期|有效期"
        r"|how (?:long|soon|quick|fast|late|many (?:days|hours|weeks|months|years))|time limit|period|deadline",
        rf"{_NUMERAL}+ ?(?:天|日|小时|个?月|年|分钟|个?工作日|周)|\b(?:\d+|one|two|three|five|six|seven|ten)"
        r"(?:[–-]\d+)? (?:\w+ )?(?:days?|hours?|weeks?|months?|years?|minutes?)\b",
    ),
    _kind(
        "money",
        r"多少钱|几[块元]|[费价]|怎么卖|收多少|how much (?!time|fruit)|price|cost|fee\b|charge|postage|rate\b",
        r"\d ?元|[¥%]|免费|\d ?(?:yuan|rmb)|cny \d|yuan|\bfree\b",
    ),
    _kind(
        "whether",
        r"吗[?？]?$|能不能|可不可以|是不是|有没有|能否|是否|^(?:can|could|may|do|does|is|are|will|must|should) ",
        r"可以|不能|不可|不会|不用|没有|不支持|不得|应当|是的|能|\b(?:yes|no|not|never|may|must|only|can)\b",
    ),
    _kind(
        "where",
        r"哪[里儿]|何[处地]|什么(?:地方|位置)|哪一?个?(?:国|省|市|城|地|州|县|洲|区)|位于|地[点址]|\bwhere\b|address",
        r"位于|在|于|[省市县区国州路街岛山]|\b(?:at|in|on|near|street|road|avenue)\b",
    ),
    _kind(
        "who",
        r"谁|[哪几]位|什么人|何人|哪一?个?人|哪些人|\bwho(?:m|se)?\b",
    ),
    _kind(
        "why",
        r"为什么|为[何啥]|原因|因何|缘故|\bwhy\b|reason",
        r"因|由于|所以|原因|导致|为了|使得|以致|从而|\b(?:because|since|due|so that)\b",
    ),
    _kind(
        "how",
        r"怎[么样]|如何|方[式法]|办法|\bhow (?:do|can|to|should|does|is|are)\b",
        r"通过|透过|[以用藉将把]|采用|进行|方法|\b(?:by|using|through|via|please|first|then)\b",
    ),
    _kind(
        "list",
        r"哪些|哪几|[有包]含?[括了]?什么|分别|哪[两三]|\bwhat are\b|\bwhich\b",
        r"、|包括|分为|以及|例如|如|和|及|等|\band\b|,|\b(?:includ\w*|such as)\b",
    ),
    _kind(
        "name",
        r"叫什么|叫做|名字|称[为作之号]|别名|又[名称]|[全简俗]称|[外绰谥]号|[本原]名|什么名|\bname\b|called",
        r"[名称叫号谥作]|\b(?:name|known|called)\b",
    ),
    _kind(
        "definition",
        r"是什么|什么[是叫]|指的?是?什么|何谓|定义|含义|意思|什么样|\bwhat(?:'s| is)\b|mean",
    ),
)


# Asking one of these, a person wants a figure.
FIGURE_KINDS = frozenset({"when", "number", "duration", "money"})


@dataclass(frozen=True)
class Cues:
    """The kinds of one question, and the measures it counts in (`几次` counts `次`)."""

    kinds: tuple[Kind, ...]
    measures: tuple[re.Pattern[str], ...]

    def asks(self, name: str) -> bool:
        return any(kind.name == name for kind in self.kinds)

    def shown(self, folded: str) -> dict[str, int]:
        """How often a folded sentence shows what each asked kind looks for."""
        return {
            kind.name: len(kind.shows.findall(folded))
            for kind in self.kinds
            if kind.shows is not None
        }

    def shows_measure(self, folded: str) -> bool:
        return any(measure.search(folded) for measure in self.measures)


@lru_cache(maxsize=1024)
def question_cues(folded: str) -> Cues:
    """The cues of a folded question."""
    counted = sorted(set(_COUNTED.findall(folded)) - _NOTHING_COUNTED)
    return Cues(
        tuple(kind for kind in _KINDS if kind.asks.search(folded)),
        tuple(re.compile(rf"{_NUMERAL}\s*[余多几]?\s*{noun}") for noun in counted),
    )
