"""Pairs of words of which each makes the other's sentence false."""

import re

from furrow.assistants.verifier.numerals import normal

# One of a pair in the sentence, the other and only the other in the evidence.
_OPPOSITES = (
    (r"冷藏|冰箱|冷冻", r"常温|室温"),
    (
        r"之前|以前|(?<![之以目当提年])前(?!\w?(?:往|台|后))(?<![,;。]前(?=\d))|\bbefore\b",
        r"之后|以后|(?<![之以最然今])后(?!\w?果)|\bafter\b",
    ),
    (r"全额|全款|全部退|\bfull refund\b|\bin full\b", r"部分退|退部分|\bpartial\b|\bpartly\b"),
    (r"最低|最少|\bminimum\b", r"最高|最多|\bmaximum\b"),
    (r"提前", r"推迟|延后|延迟"),
    (r"成人|\badults?\b", r"儿童|\bchild(?:ren)?\b"),
    (r"\bfirst\b|首", r"\blast\b|末"),
    (r"增加|提高|上浮|上涨|升高", r"减少|降低|下浮|下降|减半"),
    (r"(?<!未)开封前|未开封", r"开封后"),
    (r"早于", r"晚于"),
    (r"现金", r"转账"),
    (r"甲方", r"乙方"),
    (r"\bincreas", r"\bdecreas|\breduc"),
    (
        r"\bincluding\b|\bincludes?\b|\bincluded\b",
        r"\bexcluding\b|\bexcludes?\b|\bwithout\b|\bexcluded\b",
    ),
    (r"\bsupplier\b", r"\bbuyer\b"),
    (r"\brefrigerat|\bfridge\b|\bchilled\b", r"\broom temperature\b"),
    (r"\bwholesale\b", r"\bretail\b"),
    (r"零售", r"批发"),
    (r"整个|未剥", r"剥开"),
    (r"\bopened\b", r"\bunopened\b"),
    (r"\bhard\b", r"\bsoft\b"),
    (r"男", r"女"),
    (r"父亲", r"母亲"),
    (r"东", r"西"),
    (r"南", r"北"),
)
# Only where both speak of the same: a passage often gives an upper and a lower end.
_NEAR_OPPOSITES = (
    (
        r"(?<![不能得可])(?:超过|超出|多于|高于)|\bexceed",
        r"不到|不足|(?<!不)(?:少于|低于)|未满|\bfall short",
    ),
    (
        r"最多|至多|以内|之内|以下|不超过|\bup to\b|\bat most\b|\bwithin\b|\bmaximum\b|\bbelow\b|\bunder\b|\bless than\b",
        r"最少|至少|最低|以上|不低于|不少于|\bat least\b|\bminimum\b|\bmore than\b|\babove\b",
    ),
    (r"(?<!不)免费|免收|不收|\bfree\b", r"(?<!不)收费|加收|付费|\bcharged?\b|\bcosts? extra\b"),
    (r"自行承担|买家承担|您承担|客户承担|自费", r"由(?:我们|店铺|商家|卖家|本店)承担"),
)
_FREE = re.compile(
    r"free of charge|(?:without|at no|with no|for no)(?: any| an)?(?: extra| additional| further)? (?:charge|charging|cost|fee|pay|payment)s?(?: anything)?"
)
_PAIRS = tuple((re.compile(left), re.compile(right)) for left, right in _OPPOSITES)
_NEAR_PAIRS = _PAIRS + tuple(
    (re.compile(left), re.compile(right)) for left, right in _NEAR_OPPOSITES
)


def opposite(sentence: str, evidence: str, *, is_near: bool) -> str:
    """The word of a pair that the sentence has where the evidence has only the other; empty without one."""
    said, known = (_FREE.sub("free", normal(text)) for text in (sentence, evidence))
    for left, right in _NEAR_PAIRS if is_near else _PAIRS:
        for one, other in ((left, right), (right, left)):
            found = one.search(said)
            if found and not other.search(said) and other.search(known) and not one.search(known):
                return found[0]
    return ""
