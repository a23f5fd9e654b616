"""Wording the law does not let stand."""

import re
from collections.abc import Iterator

from apps.contracts.checks.facts import sentences
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract

_DENIED = re.compile(
    r"不(?:承担|负)(?:任何|一切)?[^。；;，,]{0,6}责任|概不负责|免除[^。；;，,]{0,10}责任|[均概]?与(?:[甲乙]方|出租方|承租方|卖方|买方)无关"
)
_BODILY = re.compile(
    r"人身(?:[、和及或])?(?:财产)?(?:损害|损失|伤害|伤亡|安全)|伤亡|工伤|生病|死亡|故意|重大过失"
)
_ALONE = re.compile(
    r"(?:有权|可以|可)[^。；;，,]{0,10}?(?:单方(?:面)?|自行|任意|不经[^，,。]{1,8}同意)[^。；;，,]{0,6}(?:变更|修改|调整|解除|终止|提高|上调)"
)
_AT_ANY_TIME = re.compile(
    r"(?:有权|可以|可)随时[^。；;，,]{0,4}(?:变更|修改|调整|解除|终止|收回|取消|提高)"
)
# Of both sides' agreement, or what the law gives to whoever has just signed.
_NOT_ALONE = re.compile(
    r"协商|法律规定|不得[^。；;，,]{0,8}(?:单方|自行|任意|擅自)|日内(?:有权|可以|可)?[^。；;，,]{0,4}单方(?:面)?解除"
)
_WAIVED = re.compile(
    r"放弃[^。；;，,]{0,12}(?:诉讼|起诉|索赔|追究|抗辩|求偿)"
    r"|放弃[^。；;，,]{0,36}(?:诉讼|起诉|索赔|追究|抗辩|求偿|异议)的?权利|不得(?:起诉|提起诉讼|索赔|要求赔偿)"
)


def void_exclusions(contract: Contract) -> Iterator[Hit]:
    """Civil Code 506: injury to people, and intent or gross negligence."""
    for sentence in sentences(contract, _DENIED.pattern):
        if _BODILY.search(sentence.text) and not re.search(
            r"除外|不得免除|除.{0,20}外", sentence.text
        ):
            yield Hit(sentence.start, sentence.end)


def final_interpretation(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"最终解释权|解释权归"):
        yield Hit(sentence.start, sentence.end)


def one_sided_changes(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"有权|可以|可"):
        is_alone = _ALONE.search(sentence.text) and not _NOT_ALONE.search(sentence.text)
        # With notice it is an ordinary right to end what has no term.
        at_any_time = _AT_ANY_TIME.search(sentence.text) and not re.search(
            r"协商|法律规定|提前[^。；;]{0,12}通知", sentence.text
        )
        if is_alone or at_any_time:
            yield Hit(sentence.start, sentence.end, confidence=0.8)


def rights_waived(contract: Contract) -> Iterator[Hit]:
    for sentence in sentences(contract, r"放弃|不得"):
        if _WAIVED.search(sentence.text):
            yield Hit(sentence.start, sentence.end, confidence=0.8)
