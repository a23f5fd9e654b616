"""What the assistant does when somebody writes that goods came damaged: it asks for what staff will need, and hands the
case with its photos to them. It looks at no picture and names no sum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.support.claiming.explain import words
from apps.support.facts import intents, orders
from apps.support.facts.damage import Damage, counts_in, damage_in, damage_named
from apps.support.facts.goods import Part
from apps.support.facts.order_numbers import candidates
from apps.support.facts.telling import Teller
from apps.support.models import Claim, Order
from apps.support.selectors import claim_of_chat, claim_rules, photos_unclaimed
from apps.support.services.chat_claims import Report, claim_from_chat
from furrow.assistants.ladder import Question

# So far back a message may belong to the same matter.
MATTER = 4
_PHOTOS = ("photo:label", "photo:box", "photo:goods")
_COUNTED = frozenset({"spoiled", "missing"})
_COUNT = ("坏了几个、一共几个", "how many pieces are bad, and of how many")
_ORDER = (
    "订单号和收货手机号的后四位",
    "the order number and the last four digits of the receiver's phone",
)
_ASK = (
    "很抱歉给您添麻烦了。请把这些发给我，我马上为您登记售后：{what}。水果请先不要丢弃。",
    "I am sorry about that. Please send me this and I will open a claim for you: {what}. Please keep the fruit until then.",
)
_OPENED = (
    "很抱歉给您添麻烦了。已为您登记售后并交给工作人员，他们会在这里回复您。怎么赔由店里的规则计算、由人确认，我不能代为承诺。",
    "I am sorry about that. I have opened a claim for you and passed it on to our team; they will answer you here. What is paid is"
    " reckoned by the rules of the house and confirmed by a person, so I cannot promise anything.",
)
_ADDED = (
    "已补充到您的售后里，工作人员会看到。",
    "I have added this to your claim; our team will see it.",
)
_MORE = (
    "还请补充：{what}。水果请先不要丢弃。",
    " Still needed: {what}. Please keep the fruit until then.",
)
_PHOTO_ONLY = (
    "照片收到了，工作人员看得到，我自己看不了图片。是收到的货有问题吗？请写一句是什么问题，我就为您登记售后。",
    "Your photo is here and our team can see it; I cannot look at pictures myself. Is something wrong with what you received?"
    " Write in a sentence what it is and I will open a claim for you.",
)  # fmt: skip


@dataclass(frozen=True)
class ClaimAnswer:
    part: Part
    on_stored: Callable[[], Any] | None = None


def told(teller: Teller, question: Question) -> ClaimAnswer | None:
    """None when the message is about something else, or the house has no rules for claims."""
    photos = photos_unclaimed(question.conversation_id)
    report = damage_in(question.text)
    claim = claim_of_chat(question.conversation_id)
    if not (photos or report or claim or _was_asked(question)) or not claim_rules():
        return None
    if claim is not None:
        return _added(teller, question, claim, report, photos)
    before = _matter(question)
    if report is None and photos:
        report = next(filter(None, map(_reported, before)), None)
        if report is None and not intents.wanted(question.text).intents:
            return ClaimAnswer(Part(teller.either(*_PHOTO_ONLY))) if _is_bare(question) else None
    if report is None and _was_asked(question):
        report = _followed(question, before)
    if report is None:
        return None
    order = _order(question, [question.text, *before])
    if not photos and (order is None or report.bad_count is None):
        what = _lacking(teller, report, has_photos=False, has_order=order is not None)
        return ClaimAnswer(Part(teller.either(*_ASK).format(what=what)))
    return _opened(teller, question, report, order, photos)


def _opened(
    teller: Teller, question: Question, report: Damage, order: Order | None, photos: Sequence[Any]
) -> ClaimAnswer:
    text = teller.either(*_OPENED)
    what = _lacking(teller, report, has_photos=bool(photos), has_order=order is not None)
    if what:
        text += teller.either(*_MORE).format(what=what)
    return ClaimAnswer(Part(text), _keeping(question, report, order))


def _added(
    teller: Teller, question: Question, claim: Claim, report: Damage | None, photos: Sequence[Any]
) -> ClaimAnswer | None:
    """What belongs to the open claim joins it; other questions get their usual answers."""
    known = report or counts_in(question.text)
    order = None
    if claim.order_id is None and not intents.wanted(question.text).intents:
        order = _order(question, [question.text, *_matter(question)])
    if not (photos or order or known.facts() or report):
        return None
    whole = Damage(
        claim.reason,
        known.bad_count or claim.facts.get("bad_count"),
        known.total_count or claim.facts.get("total_count"),
    )
    what = _lacking(
        teller,
        whole,
        has_photos=bool(photos) or claim.photos.exists(),
        has_order=order is not None or claim.order_id is not None,
    )
    text = teller.either(*_ADDED)
    if what:
        text += teller.either(*_MORE).format(what=what)
    return ClaimAnswer(Part(text), _keeping(question, known, order))


def _keeping(question: Question, report: Damage, order: Order | None) -> Callable[[], Any]:
    """Done with the answer's own transaction: what the visitor reads as opened is open."""
    return partial(
        claim_from_chat,
        conversation_id=question.conversation_id,
        report=Report(
            reason=report.reason or "spoiled",
            facts=report.facts(),
            order_id=order.id if order else None,
            language=question.language,
        ),
    )


def _lacking(teller: Teller, report: Damage, *, has_photos: bool, has_order: bool) -> str:
    """The checklist, without what is there."""
    lines = [] if has_photos else [words(_PHOTOS, teller.language)]
    if report.reason in _COUNTED and (report.bad_count is None or report.total_count is None):
        lines.append(teller.either(*_COUNT))
    if not has_order:
        lines.append(teller.either(*_ORDER))
    return teller.either("；", "; ").join(lines)


def _matter(question: Question) -> list[str]:
    """What was said before, the latest first."""
    return [exchange.question for exchange in reversed(question.history[-MATTER:])]


def _reported(text: str) -> Damage | None:
    """With photos behind it, a question how bad fruit is paid for is a report too."""
    reason = damage_named(text)
    if reason is None:
        return None
    return damage_in(text) or Damage(reason)


def _was_asked(question: Question) -> bool:
    """Whether the last thing we said was the checklist."""
    if not question.history or question.history[-1].rung != "fact":
        return False
    answer = question.history[-1].answer
    return answer in _PHOTO_ONLY or any(
        answer.startswith(text.partition("{what}")[0]) for text in _ASK
    )


def _followed(question: Question, before: Sequence[str]) -> Damage | None:
    """The counts or the order's number that the checklist asked for."""
    first = next(filter(None, map(_reported, before)), None)
    known = counts_in(question.text)
    if first is None or not (known.facts() or candidates(question.text)):
        return None
    return Damage(
        first.reason, known.bad_count or first.bad_count, known.total_count or first.total_count
    )


def _order(question: Question, texts: Sequence[str]) -> Order | None:
    return orders.order_proven(texts, question.conversation_id)


def _is_bare(question: Question) -> bool:
    """A picture without words of its own; the channels say so in either language."""
    return question.text.strip("()（） ").lower() in {"照片", "photo"}
