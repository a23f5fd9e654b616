"""Wording the law does not let stand."""

import re
from collections.abc import Iterator

from apps.contracts.checks.facts import sentences
from apps.contracts.checks.finding import Hit
from apps.contracts.reading import Contract

_DENIED = re.compile(
    r"不(?:承担|负)(?:任何|一切)?[^。；;，,]{0,6}责任|概不负责|免除[^。；;，,]{0,10}责任"
)
_BODILY = re.compile(r"人身(?:损害|伤害|伤亡|安全)|伤亡|工伤|生病|死亡|故意|重大过失")


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
    pattern = r"(?:有权|可以|可)(?:随时)?(?:单方(?:面)?|自行|任意|不经[^，,。]{1,8}同意)[^。；;，,]{0,6}(?:变更|修改|调整|解除|终止|提高|上调)"
    for sentence in sentences(contract, pattern):
        if not re.search(r"协商|法律规定|不得", sentence.text):
            yield Hit(sentence.start, sentence.end, confidence=0.8)


def rights_waived(contract: Contract) -> Iterator[Hit]:
    pattern = r"(?:放弃|不得)(?:行使)?[^。；;，,]{0,8}(?:诉讼|起诉|仲裁|追究|索赔|抗辩|求偿)[^。；;，,]{0,6}(?:权利?)?"
    for sentence in sentences(contract, pattern):
        if re.search(
            r"放弃[^。；;，,]{0,12}(?:诉讼|起诉|索赔|追究|抗辩|求偿)|不得(?:起诉|提起诉讼|索赔|要求赔偿)",
            sentence.text,
        ):
            yield Hit(sentence.start, sentence.end, confidence=0.8)
