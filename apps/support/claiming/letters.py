"""The letter to the customer: what was decided, why, and what happens next. Made of the reckoning's own sentences."""

from decimal import Decimal

from apps.support.claiming.explain import explained, words
from apps.support.claiming.rules import Outcome, Step

# What is said to staff only.
_INTERNAL = {"above_limit", "below_limit", "doubtful_photo", "needs", "no_rule"}


def letter_missing(outcome: Outcome, *, number: int, language: str) -> str:
    """Everything that is missing at once, so that nobody has to ask twice."""
    what = words(outcome.missing, language)
    if language == "zh":
        return (
            f"您好，您的售后申请（{number}号）我们收到了。为了尽快处理，请一次补齐：{what}。"
            "水果请先不要丢弃。收到后我们马上审核。"
        )
    return (
        f"Hello, we have your claim no. {number}. To settle it, please send us all of this: {what}."
        " Please keep the fruit until then. We look at it as soon as it is here."
    )


def letter_waiting(*, number: int, language: str) -> str:
    if language == "zh":
        return f"您好，您的售后申请（{number}号）材料已齐，正在由工作人员审核，结果会马上告诉您。"
    return (
        f"Hello, everything for your claim no. {number} is here. A person is looking at it now and"
        " will tell you the result."
    )


def letter_approved(outcome: Outcome, *, number: int, language: str) -> str:
    reasons = _reasons(outcome.steps, language)
    remedy = outcome.rule.terms.remedy if outcome.rule else "refund"
    total = _yuan(outcome.total, language)
    if language == "zh":
        choice = "" if remedy == "refund" else "如果您更愿意要补发，请告诉我们。"
        return (
            f"您好，给您添麻烦了，很抱歉。您的售后申请（{number}号）已同意，退款{total}。{choice}"
            f"计算依据：{reasons}款项按原付款方式退回。"
        )
    choice = "" if remedy == "refund" else " If you would rather have a new parcel, tell us."
    return (
        f"Hello, we are sorry for the trouble. Your claim no. {number} is approved: {total} will be paid"
        f" back.{choice} How we reckoned: {reasons} The money goes back the way you paid."
    )


def letter_denied(outcome: Outcome, *, number: int, language: str, note: str = "") -> str:
    """`note` is what a person adds; the rule's reason stands beside it."""
    reasons = note.strip() or _reasons(outcome.steps, language)
    if language == "zh":
        return (
            f"您好，您的售后申请（{number}号）我们认真看过了，这次不能赔付。原因：{reasons}"
            "如果您有不同意见，请直接回复，我们会再看一次。"
        )
    return (
        f"Hello, we looked carefully at your claim no. {number}, and cannot pay it. The reason: {reasons}"
        " If you see it differently, please reply and we will look again."
    )


def _reasons(steps: tuple[Step, ...], language: str) -> str:
    sentences = explained([step for step in steps if step.code not in _INTERNAL], language)
    return ("" if language == "zh" else " ").join(sentences)


def _yuan(amount: Decimal, language: str) -> str:
    return f"{amount:.2f}元" if language == "zh" else f"{amount:.2f} yuan"
